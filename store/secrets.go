package store

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"

	bolt "go.etcd.io/bbolt"

	"github.com/vwmp/vwmp/engine"
	"github.com/vwmp/vwmp/store/data"
	"github.com/vwmp/vwmp/store/internal/record"
)

// secretPage is how many secrets one read looks at.
const secretPage = 200

// PutSecret implements data.Secrets.
func (s *Store) PutSecret(ctx context.Context, name string, sealed []byte) (created bool, err error) {
	if err := data.CheckSecret(name, sealed); err != nil {
		return false, err
	}
	raw, err := json.Marshal(data.Secret{Name: name, UpdatedAt: s.now(), Sealed: sealed})
	if err != nil {
		return false, fmt.Errorf("encode a secret: %w", err)
	}
	err = s.submit(ctx, &command{
		size: len(raw) + 128,
		check: func(tx *bolt.Tx) error {
			created = tx.Bucket([]byte(bucketSecrets)).Get([]byte(name)) == nil
			return nil
		},
		apply: func(tx *bolt.Tx) error { return put(tx, bucketSecrets, []byte(name), raw) },
	})
	return created && err == nil, err
}

// SealedSecret implements data.Secrets.
func (s *Store) SealedSecret(ctx context.Context, name string) (data.Secret, error) {
	raw, found, err := s.read(ctx, bucketSecrets, name)
	if err != nil {
		return data.Secret{}, err
	}
	if !found {
		return data.Secret{}, notFound("secret", name)
	}
	var secret data.Secret
	if err := json.Unmarshal(raw, &secret); err != nil {
		return data.Secret{}, fmt.Errorf("read the secret %q: %w", name, err)
	}
	return secret, nil
}

// Secrets implements data.Secrets.
func (s *Store) Secrets(ctx context.Context) ([]data.Secret, error) {
	var list []data.Secret
	var after []byte
	for more := true; more; {
		err := s.view(ctx, func(tx *bolt.Tx) error {
			cursor := tx.Bucket([]byte(bucketSecrets)).Cursor()
			key, value := cursor.First()
			if after != nil {
				if key, value = cursor.Seek(after); bytes.Equal(key, after) {
					key, value = cursor.Next()
				}
			}
			for range secretPage {
				if key == nil {
					break
				}
				raw, err := record.Open(key, value)
				if err != nil {
					return fmt.Errorf("bucket %s: %w", bucketSecrets, err)
				}
				var secret data.Secret
				if err := json.Unmarshal(raw, &secret); err != nil {
					return fmt.Errorf("read the secret %q: %w", key, err)
				}
				secret.Sealed = nil
				list, after = append(list, secret), bytes.Clone(key)
				key, value = cursor.Next()
			}
			more = key != nil
			return nil
		})
		if err != nil {
			return nil, err
		}
	}
	return list, nil
}

// DeleteSecret implements data.Secrets.
func (s *Store) DeleteSecret(ctx context.Context, name string) error {
	if err := data.CheckKey("secret name", name); err != nil {
		return err
	}
	return s.submit(ctx, &command{
		size: 128, patient: true,
		check: func(tx *bolt.Tx) error {
			if tx.Bucket([]byte(bucketSecrets)).Get([]byte(name)) == nil {
				return notFound("secret", name)
			}
			return nil
		},
		apply: func(tx *bolt.Tx) error { return remove(tx, bucketSecrets, []byte(name)) },
	})
}

// KeyCheck implements data.Secrets.
func (s *Store) KeyCheck(ctx context.Context) (check []byte, err error) {
	err = s.view(ctx, func(tx *bolt.Tx) error {
		check = bytes.Clone(tx.Bucket([]byte(bucketMeta)).Get([]byte(metaKeyCheck)))
		return nil
	})
	return check, err
}

// PutKeyCheck implements data.Secrets.
func (s *Store) PutKeyCheck(ctx context.Context, check []byte) error {
	if err := data.CheckSecret(metaKeyCheck, check); err != nil {
		return err
	}
	kept := bytes.Clone(check)
	return s.submit(ctx, &command{
		size: len(check) + 64,
		check: func(tx *bolt.Tx) error {
			if tx.Bucket([]byte(bucketMeta)).Get([]byte(metaKeyCheck)) != nil {
				return fmt.Errorf("%w: the store has a key already", engine.ErrConflict)
			}
			return nil
		},
		apply: func(tx *bolt.Tx) error { return putRaw(tx, bucketMeta, []byte(metaKeyCheck), kept) },
	})
}
