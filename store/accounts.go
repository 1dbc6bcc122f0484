package store

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"time"

	bolt "go.etcd.io/bbolt"

	"github.com/vwmp/vwmp/engine"
	"github.com/vwmp/vwmp/store/data"
	"github.com/vwmp/vwmp/store/internal/record"
)

// readJSON reads a sealed JSON record; found is false where there is none.
func readJSON[T any](tx *bolt.Tx, from bucket, key string) (value T, found bool, err error) {
	raw, err := get(tx, from, []byte(key))
	if err != nil || raw == nil {
		return value, false, err
	}
	if err := json.Unmarshal(raw, &value); err != nil {
		return value, false, fmt.Errorf("bucket %s, record %q: %w", from, key, err)
	}
	return value, true, nil
}

func putJSON(tx *bolt.Tx, to bucket, key string, value any) error {
	raw, err := json.Marshal(value)
	if err != nil {
		return fmt.Errorf("bucket %s, record %q: %w", to, key, err)
	}
	return put(tx, to, []byte(key), raw)
}

// allJSON reads every record of a bucket, in several short transactions.
func allJSON[T any](ctx context.Context, s *Store, from bucket, each func(key string, value T)) error {
	return s.pages(ctx, from, nil, func(key, sealed []byte) error {
		raw, err := record.Open(key, sealed)
		if err != nil {
			return fmt.Errorf("bucket %s: %w", from, err)
		}
		var value T
		if err := json.Unmarshal(raw, &value); err != nil {
			return fmt.Errorf("bucket %s, record %q: %w", from, key, err)
		}
		each(string(key), value)
		return nil
	})
}

// one reads one record that must be there.
func one[T any](ctx context.Context, s *Store, from bucket, what, key string) (value T, err error) {
	found := false
	err = s.view(ctx, func(tx *bolt.Tx) error {
		value, found, err = readJSON[T](tx, from, key)
		return err
	})
	if err == nil && !found {
		err = notFound(what, key)
	}
	return value, err
}

// User implements data.Accounts.
func (s *Store) User(ctx context.Context, name string) (data.User, error) {
	return one[data.User](ctx, s, bucketUsers, "user", name)
}

// Users implements data.Accounts.
func (s *Store) Users(ctx context.Context) ([]data.User, error) {
	var list []data.User
	err := allJSON(ctx, s, bucketUsers, func(_ string, user data.User) { list = append(list, user) })
	return list, err
}

// usersIn reads all users within the writer's transaction.
func usersIn(tx *bolt.Tx) ([]data.User, error) {
	var list []data.User
	err := tx.Bucket([]byte(bucketUsers)).ForEach(func(key, _ []byte) error {
		user, _, err := readJSON[data.User](tx, bucketUsers, string(key))
		list = append(list, user)
		return err
	})
	return list, err
}

// CreateUser implements data.Accounts.
func (s *Store) CreateUser(ctx context.Context, user data.User) (data.User, error) {
	if err := user.Check(); err != nil {
		return data.User{}, err
	}
	user.CreatedAt = s.now()
	user.UpdatedAt = user.CreatedAt
	err := s.submit(ctx, &command{
		size: 1024,
		check: func(tx *bolt.Tx) error {
			users := tx.Bucket([]byte(bucketUsers))
			if users.Get([]byte(user.Name)) != nil {
				return fmt.Errorf("%w: there is a user %s already", engine.ErrConflict, user.Name)
			}
			return roomFor(tx, bucketUsers, data.MaxUsers)
		},
		apply: func(tx *bolt.Tx) error { return putJSON(tx, bucketUsers, user.Name, user) },
	})
	return user, err
}

// roomFor refuses one record more than there may be.
func roomFor(tx *bolt.Tx, in bucket, most int) error {
	if tx.Bucket([]byte(in)).Stats().KeyN >= most {
		return fmt.Errorf("%w: there are %d %s already, and no more can be kept", engine.ErrConflict, most, in)
	}
	return nil
}

// ChangeUser implements data.Accounts.
func (s *Store) ChangeUser(ctx context.Context, name string, change func(*data.User) error) (data.User, error) {
	var after data.User
	err := s.submit(ctx, &command{
		size: 1024, patient: true,
		check: func(tx *bolt.Tx) error {
			user, found, err := readJSON[data.User](tx, bucketUsers, name)
			switch {
			case err != nil:
				return err
			case !found:
				return notFound("user", name)
			}
			if err := change(&user); err != nil {
				return err
			}
			user.Name, user.UpdatedAt = name, s.now()
			if err := user.Check(); err != nil {
				return err
			}
			all, err := usersIn(tx)
			if err != nil {
				return err
			}
			after = user
			return data.KeepsAdmin(all, name, &user)
		},
		apply: func(tx *bolt.Tx) error { return putJSON(tx, bucketUsers, name, after) },
	})
	return after, err
}

// DeleteUser implements data.Accounts.
func (s *Store) DeleteUser(ctx context.Context, name string) error {
	return s.submit(ctx, &command{
		size: 4096, patient: true,
		check: func(tx *bolt.Tx) error {
			if tx.Bucket([]byte(bucketUsers)).Get([]byte(name)) == nil {
				return notFound("user", name)
			}
			all, err := usersIn(tx)
			if err != nil {
				return err
			}
			return data.KeepsAdmin(all, name, nil)
		},
		apply: func(tx *bolt.Tx) error {
			if err := removeWhere(tx, bucketTokens, func(token data.Token) bool { return token.Owner == name }); err != nil {
				return err
			}
			if err := removeWhere(tx, bucketSessions, func(session data.Session) bool { return session.Principal == name }); err != nil {
				return err
			}
			return remove(tx, bucketUsers, []byte(name))
		},
	})
}

// removeWhere removes the records of a bucket that match.
func removeWhere[T any](tx *bolt.Tx, from bucket, match func(T) bool) error {
	var keys [][]byte
	if err := tx.Bucket([]byte(from)).ForEach(func(key, _ []byte) error {
		value, _, err := readJSON[T](tx, from, string(key))
		if err == nil && match(value) {
			keys = append(keys, bytes.Clone(key))
		}
		return err
	}); err != nil {
		return err
	}
	for _, key := range keys {
		if err := remove(tx, from, key); err != nil {
			return err
		}
	}
	return nil
}

// Token implements data.Accounts.
func (s *Store) Token(ctx context.Context, id string) (data.Token, error) {
	return one[data.Token](ctx, s, bucketTokens, "token", id)
}

// Tokens implements data.Accounts.
func (s *Store) Tokens(ctx context.Context, owner string) ([]data.Token, error) {
	var list []data.Token
	err := allJSON(ctx, s, bucketTokens, func(_ string, token data.Token) {
		if owner == "" || token.Owner == owner {
			list = append(list, token)
		}
	})
	slices.SortStableFunc(list, func(a, b data.Token) int { return a.CreatedAt.Compare(b.CreatedAt) })
	return list, err
}

// CreateToken implements data.Accounts.
func (s *Store) CreateToken(ctx context.Context, token data.Token) (data.Token, error) {
	if err := token.Check(); err != nil {
		return data.Token{}, err
	}
	token.CreatedAt, token.LastUsed = s.now(), time.Time{}
	err := s.submit(ctx, &command{
		size: 1024,
		check: func(tx *bolt.Tx) error {
			if tx.Bucket([]byte(bucketTokens)).Get([]byte(token.ID)) != nil {
				return fmt.Errorf("%w: there is a token %s already", engine.ErrConflict, token.ID)
			}
			return roomFor(tx, bucketTokens, data.MaxTokens)
		},
		apply: func(tx *bolt.Tx) error { return putJSON(tx, bucketTokens, token.ID, token) },
	})
	return token, err
}

// UseToken implements data.Accounts.
func (s *Store) UseToken(ctx context.Context, id string) error {
	var token data.Token
	now := s.now()
	return s.submit(ctx, &command{
		size: 512,
		check: func(tx *bolt.Tx) (err error) {
			found := false
			if token, found, err = readJSON[data.Token](tx, bucketTokens, id); err != nil {
				return err
			}
			switch {
			case !found:
				return notFound("token", id)
			case now.Sub(token.LastUsed) < data.UseInterval:
				return errNothing
			}
			return nil
		},
		apply: func(tx *bolt.Tx) error {
			token.LastUsed = now
			return putJSON(tx, bucketTokens, id, token)
		},
	})
}

// DeleteToken implements data.Accounts.
func (s *Store) DeleteToken(ctx context.Context, id string) error {
	return s.submit(ctx, &command{
		size: 256, patient: true,
		check: func(tx *bolt.Tx) error {
			if tx.Bucket([]byte(bucketTokens)).Get([]byte(id)) == nil {
				return notFound("token", id)
			}
			return nil
		},
		apply: func(tx *bolt.Tx) error { return remove(tx, bucketTokens, []byte(id)) },
	})
}

// Sessions implements data.Sessions.
func (s *Store) Sessions(ctx context.Context, principal string) ([]data.KeptSession, error) {
	var list []data.KeptSession
	now := s.now()
	err := allJSON(ctx, s, bucketSessions, func(hash string, session data.Session) {
		if session.Expires.After(now) && (principal == "" || session.Principal == principal) {
			list = append(list, data.KeptSession{Hash: hash, Session: session})
		}
	})
	slices.SortStableFunc(list, func(a, b data.KeptSession) int { return a.CreatedAt.Compare(b.CreatedAt) })
	return list, err
}

// EndSessions implements data.Sessions.
func (s *Store) EndSessions(ctx context.Context, principal, keep string) error {
	return s.submit(ctx, &command{
		size: 1024, patient: true,
		check: func(*bolt.Tx) error { return nil },
		apply: func(tx *bolt.Tx) error {
			kept := bytes.Clone(tx.Bucket([]byte(bucketSessions)).Get([]byte(keep)))
			if err := removeWhere(tx, bucketSessions, func(session data.Session) bool { return session.Principal == principal }); err != nil {
				return err
			}
			if kept == nil {
				return nil
			}
			return putRaw(tx, bucketSessions, []byte(keep), kept)
		},
	})
}

// Rights implements data.WorkflowRights.
func (s *Store) Rights(ctx context.Context, workflowID string) (rights data.Rights, err error) {
	err = s.view(ctx, func(tx *bolt.Tx) error {
		rights, err = readRights(tx, workflowID)
		return err
	})
	return rights, err
}

func readRights(tx *bolt.Tx, workflowID string) (data.Rights, error) {
	rights, _, err := readJSON[data.Rights](tx, bucketRights, workflowID)
	return rights.Shown(), err
}

// putRights keeps whose a new workflow is. One that is for all and nobody's
// needs no record, unless an earlier one of its id left one.
func putRights(tx *bolt.Tx, workflowID string, rights data.Rights, now time.Time) error {
	rights = rights.Shown()
	if rights == (data.Rights{Visibility: data.VisibleAll}) && tx.Bucket([]byte(bucketRights)).Get([]byte(workflowID)) == nil {
		return nil
	}
	rights.ChangedAt = now
	return putJSON(tx, bucketRights, workflowID, rights)
}

// SetRights implements data.WorkflowRights.
func (s *Store) SetRights(ctx context.Context, workflowID string, rights data.Rights) error {
	if err := rights.Check(); err != nil {
		return err
	}
	rights = rights.Shown()
	rights.ChangedAt = s.now()
	return s.submit(ctx, &command{
		size: 512, patient: true,
		check: func(tx *bolt.Tx) error {
			_, err := readWorkflow(tx, workflowID)
			return err
		},
		apply: func(tx *bolt.Tx) error { return putJSON(tx, bucketRights, workflowID, rights) },
	})
}

func (s *Store) allRights(ctx context.Context) (map[string]data.Rights, error) {
	all := map[string]data.Rights{}
	err := allJSON(ctx, s, bucketRights, func(id string, rights data.Rights) { all[id] = rights })
	return all, err
}

// RestrictedWorkflows implements data.WorkflowRights.
func (s *Store) RestrictedWorkflows(ctx context.Context) (map[string]data.Rights, error) {
	restricted := map[string]data.Rights{}
	err := allJSON(ctx, s, bucketRights, func(id string, rights data.Rights) {
		if rights.Shown().Visibility != data.VisibleAll {
			restricted[id] = rights
		}
	})
	return restricted, err
}
