package memory

import (
	"context"
	"fmt"
	"maps"
	"slices"

	"github.com/vwmp/vwmp/engine"
	"github.com/vwmp/vwmp/store/data"
)

// PutSecret implements data.Secrets.
func (s *Store) PutSecret(_ context.Context, name string, sealed []byte) (created bool, err error) {
	if err := data.CheckSecret(name, sealed); err != nil {
		return false, err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	_, known := s.secrets[name]
	err = s.commit(func() {
		s.secrets[name] = data.Secret{Name: name, UpdatedAt: s.now(), Sealed: slices.Clone(sealed)}
	})
	return !known && err == nil, err
}

// SealedSecret implements data.Secrets.
func (s *Store) SealedSecret(_ context.Context, name string) (data.Secret, error) {
	s.mu.RLock()
	defer s.mu.RUnlock()
	secret, found := s.secrets[name]
	if !found {
		return data.Secret{}, notFound("secret", name)
	}
	secret.Sealed = slices.Clone(secret.Sealed)
	return secret, nil
}

// Secrets implements data.Secrets.
func (s *Store) Secrets(context.Context) ([]data.Secret, error) {
	s.mu.RLock()
	defer s.mu.RUnlock()
	var list []data.Secret
	for _, name := range slices.Sorted(maps.Keys(s.secrets)) {
		list = append(list, data.Secret{Name: name, UpdatedAt: s.secrets[name].UpdatedAt})
	}
	return list, nil
}

// DeleteSecret implements data.Secrets.
func (s *Store) DeleteSecret(_ context.Context, name string) error {
	if err := data.CheckKey("secret name", name); err != nil {
		return err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if _, found := s.secrets[name]; !found {
		return notFound("secret", name)
	}
	return s.commit(func() { delete(s.secrets, name) })
}

// KeyCheck implements data.Secrets.
func (s *Store) KeyCheck(context.Context) ([]byte, error) {
	s.mu.RLock()
	defer s.mu.RUnlock()
	return slices.Clone(s.keyCheck), nil
}

// PutKeyCheck implements data.Secrets.
func (s *Store) PutKeyCheck(_ context.Context, check []byte) error {
	if err := data.CheckSecret("key check", check); err != nil {
		return err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.keyCheck != nil {
		return fmt.Errorf("%w: the store has a key already", engine.ErrConflict)
	}
	return s.commit(func() { s.keyCheck = slices.Clone(check) })
}
