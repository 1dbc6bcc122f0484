package store

import (
	"context"
	"path/filepath"
	"testing"

	bolt "go.etcd.io/bbolt"
)

func TestAFileFromBeforeThereWereSecretsCanKeepThem(t *testing.T) {
	s := open(t, Options{})
	need(t, s.Close())
	db, err := bolt.Open(filepath.Join(s.options.Dir, databaseName), 0o600, nil)
	need(t, err)
	need(t, db.Update(func(tx *bolt.Tx) error { return tx.DeleteBucket([]byte(bucketSecrets)) }))
	need(t, db.Close())
	s = open(t, Options{Dir: s.options.Dir})
	created, err := s.PutSecret(context.Background(), "TOKEN", []byte("sealed"))
	need(t, err)
	kept, err := s.SealedSecret(context.Background(), "TOKEN")
	need(t, err)
	if !created || string(kept.Sealed) != "sealed" {
		t.Errorf("kept %+v, created %t", kept, created)
	}
}

func TestSecretsOutliveTheStore(t *testing.T) {
	s := open(t, Options{})
	_, err := s.PutSecret(context.Background(), "TOKEN", []byte("sealed"))
	need(t, err)
	need(t, s.PutKeyCheck(context.Background(), []byte("check")))
	s = reopen(t, s, Options{})
	kept, err := s.SealedSecret(context.Background(), "TOKEN")
	need(t, err)
	check, err := s.KeyCheck(context.Background())
	need(t, err)
	if string(kept.Sealed) != "sealed" || string(check) != "check" {
		t.Errorf("kept %q and %q", kept.Sealed, check)
	}
}
