package store

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io/fs"

	bolt "go.etcd.io/bbolt"

	"github.com/vwmp/vwmp/store/internal/archive"
	"github.com/vwmp/vwmp/store/internal/folder"
)

const backupDir = "backup"

// migrateRows is how many records one transaction of a migration looks at.
const migrateRows = 2000

// migrate brings an older state.db to the format of today, after a copy of it
// was put into backup/. The format is written last: a migration that was cut
// short is begun anew, which does no harm.
func (s *Store) migrate(ctx context.Context) error {
	if s.meta.Format == Format {
		return nil
	}
	kept, err := s.keepDatabase()
	if err != nil {
		return fmt.Errorf("keep the database before it is brought to format %d: %w", Format, err)
	}
	s.log.Info("bringing the data folder to a new format", "from", s.meta.Format, "to", Format, "backup", kept)
	if err := s.migrateTo2(ctx); err != nil {
		return fmt.Errorf("bring the data folder to format %d: %w; it is as it was in %s", Format, err, kept)
	}
	s.meta.Format = Format
	return nil
}

// keepDatabase copies state.db into backup/ and looks whether the copy is
// whole.
func (s *Store) keepDatabase() (name string, err error) {
	root := s.folder.Root()
	name = fmt.Sprintf("%s/state-format-%d-%s.db", backupDir, s.meta.Format, archive.Stamp(s.now()))
	if err := errors.Join(root.MkdirAll(backupDir, 0o700), folder.SyncDir(root, ".")); err != nil {
		return "", err
	}
	temp := name + ".new"
	file, err := root.Create(temp)
	if err != nil {
		return "", err
	}
	err = s.guarded(func(tx *bolt.Tx) error {
		_, err := tx.WriteTo(file)
		return err
	})
	if err == nil {
		err = file.Sync()
	}
	if err == nil {
		err = wholePages(context.Background(), file)
	}
	if err = errors.Join(err, file.Close()); err == nil {
		err = root.Rename(temp, name)
	}
	if err != nil {
		if gone := root.Remove(temp); gone != nil && !errors.Is(gone, fs.ErrNotExist) {
			err = errors.Join(err, gone)
		}
		return "", err
	}
	return name, folder.SyncDir(root, backupDir)
}

// migrateTo2 adds the buckets of format 2: what has ended, and who names which
// output.
func (s *Store) migrateTo2(ctx context.Context) error {
	if err := s.migrateStep(func(tx *bolt.Tx) error {
		for _, name := range buckets() {
			if _, err := tx.CreateBucketIfNotExists([]byte(name)); err != nil {
				return fmt.Errorf("make bucket %s: %w", name, err)
			}
		}
		return nil
	}); err != nil {
		return err
	}
	if err := s.migrateEach(ctx, bucketExecutions, func(tx *bolt.Tx, key, _ []byte) error {
		h, err := readHeader(tx, string(key))
		if err != nil || !h.tail.Ended {
			return err
		}
		return h.end(tx)
	}); err != nil {
		return err
	}
	for _, from := range []bucket{bucketEvents, bucketSteps} {
		if err := s.migrateEach(ctx, from, func(tx *bolt.Tx, key, value []byte) error {
			id, _, _ := bytes.Cut(key, []byte{0})
			return putBlobs(tx, namedBlobs(value), string(id))
		}); err != nil {
			return err
		}
	}
	return s.migrateStep(func(tx *bolt.Tx) error { return putRaw(tx, bucketMeta, []byte(metaFormat), number(Format)) })
}

func (s *Store) migrateStep(fn func(tx *bolt.Tx) error) (err error) {
	defer guard(&err)
	return s.db.Update(fn)
}

// migrateEach passes every record of a bucket, in several transactions.
func (s *Store) migrateEach(ctx context.Context, from bucket, each func(tx *bolt.Tx, key, value []byte) error) error {
	var next []byte
	for done := false; !done; {
		if err := ctx.Err(); err != nil {
			return err
		}
		if err := s.migrateStep(func(tx *bolt.Tx) error {
			cursor := tx.Bucket([]byte(from)).Cursor()
			rows := 0
			key, value := cursor.Seek(next)
			for ; key != nil && rows < migrateRows; key, value = cursor.Next() {
				if err := each(tx, key, value); err != nil {
					return err
				}
				rows++
			}
			done, next = key == nil, bytes.Clone(key)
			return nil
		}); err != nil {
			return err
		}
	}
	return nil
}
