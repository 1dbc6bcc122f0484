package store

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"

	bolt "go.etcd.io/bbolt"

	"github.com/vwmp/vwmp/store/data"
	"github.com/vwmp/vwmp/store/internal/record"
)

// read copies one record; found is false where there is none.
func (s *Store) read(ctx context.Context, from bucket, key string) (value []byte, found bool, err error) {
	err = s.view(ctx, func(tx *bolt.Tx) error {
		payload, err := get(tx, from, []byte(key))
		found, value = payload != nil, bytes.Clone(payload)
		return err
	})
	return value, found, err
}

// keep writes one record.
func (s *Store) keep(ctx context.Context, to bucket, what, key string, value []byte) error {
	if err := data.CheckKey(what, key); err != nil {
		return err
	}
	return s.submit(ctx, &command{
		size:  len(key) + len(value) + 64,
		check: func(*bolt.Tx) error { return nil },
		apply: func(tx *bolt.Tx) error { return put(tx, to, []byte(key), value) },
	})
}

// Description implements data.Descriptions.
func (s *Store) Description(ctx context.Context, sha256 string) ([]byte, bool, error) {
	return s.read(ctx, bucketDescriptions, sha256)
}

// PutDescription implements data.Descriptions.
func (s *Store) PutDescription(ctx context.Context, sha256 string, description []byte) error {
	return s.keep(ctx, bucketDescriptions, "plugin checksum", sha256, bytes.Clone(description))
}

// FileChecksum implements data.Descriptions.
func (s *Store) FileChecksum(ctx context.Context, key string) (string, bool, error) {
	value, found, err := s.read(ctx, bucketFileKeys, key)
	return string(value), found, err
}

// PutFileChecksum implements data.Descriptions.
func (s *Store) PutFileChecksum(ctx context.Context, key, sha256 string) error {
	return s.keep(ctx, bucketFileKeys, "file key", key, []byte(sha256))
}

// sessionSweep is how many sessions a new one looks at to clear away those
// that have expired.
const sessionSweep = 64

// PutSession implements data.Sessions.
func (s *Store) PutSession(ctx context.Context, hash string, session data.Session) error {
	if err := data.CheckKey("session hash", hash); err != nil {
		return err
	}
	raw, err := json.Marshal(session)
	if err != nil {
		return fmt.Errorf("encode a session: %w", err)
	}
	return s.submit(ctx, &command{
		size:  len(raw) + 128,
		check: func(*bolt.Tx) error { return nil },
		apply: func(tx *bolt.Tx) error {
			if err := s.sweepSessions(tx, []byte(hash)); err != nil {
				return err
			}
			return put(tx, bucketSessions, []byte(hash), raw)
		},
	})
}

// sweepSessions looks at some sessions from a hash on: hashes are spread
// evenly, so that in time it meets them all.
func (s *Store) sweepSessions(tx *bolt.Tx, from []byte) error {
	cursor := tx.Bucket([]byte(bucketSessions)).Cursor()
	var expired [][]byte
	key, value := cursor.Seek(from)
	for range sessionSweep {
		if key == nil {
			if key, value = cursor.First(); key == nil {
				break
			}
		}
		session, err := decodeSession(key, value)
		if err != nil {
			return err
		}
		if !session.Expires.After(s.now()) {
			expired = append(expired, bytes.Clone(key))
		}
		key, value = cursor.Next()
	}
	for _, key := range expired {
		if err := remove(tx, bucketSessions, key); err != nil {
			return err
		}
	}
	return nil
}

func decodeSession(key, sealed []byte) (session data.Session, err error) {
	raw, err := record.Open(key, sealed)
	if err == nil {
		err = json.Unmarshal(raw, &session)
	}
	if err != nil {
		return session, fmt.Errorf("read a session: %w", err)
	}
	return session, nil
}

// Session implements data.Sessions.
func (s *Store) Session(ctx context.Context, hash string) (data.Session, error) {
	raw, found, err := s.read(ctx, bucketSessions, hash)
	if err != nil {
		return data.Session{}, err
	}
	var session data.Session
	if found {
		if err := json.Unmarshal(raw, &session); err != nil {
			return data.Session{}, fmt.Errorf("read a session: %w", err)
		}
	}
	if !session.Expires.After(s.now()) {
		return data.Session{}, notFound("session", "")
	}
	return session, nil
}

// DeleteSession implements data.Sessions.
func (s *Store) DeleteSession(ctx context.Context, hash string) error {
	if err := data.CheckKey("session hash", hash); err != nil {
		return err
	}
	return s.submit(ctx, &command{
		size: 128, patient: true,
		check: func(tx *bolt.Tx) error {
			if tx.Bucket([]byte(bucketSessions)).Get([]byte(hash)) == nil {
				return errNothing
			}
			return nil
		},
		apply: func(tx *bolt.Tx) error { return remove(tx, bucketSessions, []byte(hash)) },
	})
}
