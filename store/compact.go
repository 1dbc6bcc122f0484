package store

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"math"
	"os"
	"path"
	"time"

	bolt "go.etcd.io/bbolt"

	"github.com/vwmp/vwmp/store/internal/folder"
	"github.com/vwmp/vwmp/store/internal/pages"
)

const (
	// compactFrom is the size, in bytes, below which a start compacts no
	// file, and compactUpTo how much a start copies at most: it should be
	// quick.
	compactFrom = 32 << 20
	compactUpTo = 512 << 20
	// compactTx is how much one transaction of the copy takes, in bytes.
	compactTx = 8 << 20
)

// Compacted says how large the files of a data folder were and are.
type Compacted struct {
	Before int64 `json:"before"`
	After  int64 `json:"after"`
	Files  int   `json:"files"`
}

// Compact gives the free pages of all databases of a data folder back to the
// disk. It is a *LockedError where another process has the folder, and a
// *RefusedError where a file is not whole: then nothing was changed.
func Compact(ctx context.Context, dir string, logger *slog.Logger) (sizes Compacted, err error) {
	options := Options{Dir: dir, Logger: logger}
	options.complete()
	held, err := folder.OpenExisting(dir)
	if err != nil {
		return Compacted{}, err
	}
	s := &Store{options: options, log: options.Logger, folder: held}
	s.options.compactFrom = math.MaxInt64 // Not twice.
	defer func() { err = errors.Join(err, s.abandon()) }()
	if err := s.openDatabase(ctx); err != nil {
		return Compacted{}, err
	}
	for _, m := range s.monthList() {
		if err := s.compactMonth(ctx, m, &sizes); err != nil {
			return sizes, err
		}
	}
	// From here on the database is closed.
	if err := errors.Join(s.db.Close(), s.file.Close()); err != nil {
		return sizes, err
	}
	s.db, s.file = nil, nil
	return sizes, s.compactFile(ctx, databaseName, &sizes, s.shrinkInstance)
}

// compactMonth closes a month and compacts its file.
func (s *Store) compactMonth(ctx context.Context, m *month, sizes *Compacted) error {
	s.history.months = s.history.months[1:] // It is the first of those that are left.
	if err := m.close(); err != nil {
		return err
	}
	return s.compactFile(ctx, m.path(), sizes, func(size int64) error { return s.shrinkMonth(m.name, size) })
}

// compactFile copies a database without its free pages and puts the copy in
// its place. The file is open nowhere. shrink is told the new size, before the
// file has it, so that the smaller file is not taken for a damaged one.
func (s *Store) compactFile(ctx context.Context, name string, sizes *Compacted, shrink func(size int64) error) error {
	before, err := s.folder.Root().Stat(name)
	if err != nil {
		return fmt.Errorf("compact %s: %w", name, err)
	}
	sizes.Before, sizes.Files = sizes.Before+before.Size(), sizes.Files+1
	temp := name + ".compact"
	after, err := s.copyCompact(ctx, name, temp)
	if err == nil && after >= before.Size() {
		after, err = before.Size(), s.folder.Root().Remove(temp) // Nothing to gain.
	} else if err == nil {
		err = errors.Join(shrink(after), s.folder.Root().Rename(temp, name))
	}
	if err != nil {
		if gone := s.folder.Root().Remove(temp); gone != nil && !errors.Is(gone, fs.ErrNotExist) {
			err = errors.Join(err, gone)
		}
		return fmt.Errorf("compact %s: %w", name, err)
	}
	sizes.After += after
	return folder.SyncDir(s.folder.Root(), path.Dir(name))
}

// copyCompact makes a copy of a database that is whole, and sees that the copy
// is whole too. It returns the copy's size.
func (s *Store) copyCompact(ctx context.Context, name, temp string) (size int64, err error) {
	defer guard(&err)
	if err := s.wholeFile(ctx, name); err != nil {
		return 0, s.refuse(name + ": " + err.Error())
	}
	if err := s.folder.Root().Remove(temp); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return 0, err
	}
	from, err := s.openBolt(name)
	if err != nil {
		return 0, err
	}
	to, err := s.openBolt(temp)
	if err != nil {
		return 0, errors.Join(err, from.Close())
	}
	err = bolt.Compact(to, from, compactTx)
	if err = errors.Join(err, to.Close(), from.Close()); err != nil {
		return 0, err
	}
	return s.trimCopy(ctx, temp)
}

// trimCopy takes from a copy what it has room for beyond its pages, and looks
// whether it is whole.
func (s *Store) trimCopy(ctx context.Context, temp string) (size int64, err error) {
	file, err := s.folder.Root().OpenFile(temp, os.O_RDWR, 0)
	if err != nil {
		return 0, err
	}
	defer func() { err = errors.Join(err, file.Close()) }()
	info, err := file.Stat()
	if err != nil {
		return 0, err
	}
	snapshot, _, err := pages.Metas(file, info.Size())
	if err != nil {
		return 0, err
	}
	if err := errors.Join(file.Truncate(snapshot.Size()), file.Sync()); err != nil {
		return 0, err
	}
	if err := wholePages(ctx, file); err != nil {
		return 0, fmt.Errorf("the copy is not whole: %w", err)
	}
	return snapshot.Size(), nil
}

func (s *Store) wholeFile(ctx context.Context, name string) error {
	file, err := s.folder.Root().Open(name)
	if err != nil {
		return err
	}
	return errors.Join(wholePages(ctx, file), file.Close())
}

// shrinkInstance lowers the size that state.db must not fall below.
func (s *Store) shrinkInstance(size int64) error {
	next := folder.Instance{ID: s.meta.InstanceID, Format: s.meta.Format, Size: size}
	if err := s.folder.SetInstance(next); err != nil {
		return err
	}
	s.instance = next
	return nil
}

// shrinkMonth lowers the size that a month's file must not fall below. Nobody
// else writes to state.db yet.
func (s *Store) shrinkMonth(name string, size int64) (err error) {
	defer guard(&err)
	return s.db.Update(func(tx *bolt.Tx) error {
		return putRaw(tx, bucketMonths, []byte(name), number(uint64(size))) //nolint:gosec // Not negative.
	})
}

// compactAtStart compacts a file of which more than half is free, if that is
// quick. It is no reason not to start that it could not be done.
func (s *Store) compactAtStart(ctx context.Context, name string, shrink func(size int64) error) {
	worth, err := s.worthCompacting(name)
	if err != nil || !worth {
		return // Whoever opens the file next says what is wrong with it.
	}
	started := time.Now()
	var sizes Compacted
	if err := s.compactFile(ctx, name, &sizes, shrink); err != nil {
		s.log.Warn("a file that is mostly free could not be compacted", "file", name, "error", err)
		return
	}
	s.log.Info("a file was mostly free and was compacted", "file", name, "before", sizes.Before, "after", sizes.After, "took", time.Since(started))
}

func (s *Store) worthCompacting(name string) (bool, error) {
	file, err := s.folder.Root().Open(name)
	if err != nil {
		return false, err
	}
	defer file.Close() //nolint:errcheck // Only read.
	info, err := file.Stat()
	if err != nil || info.Size() < s.options.compactFrom {
		return false, err
	}
	free, all, err := freePages(file)
	if err != nil || all == 0 || 2*free <= all {
		return false, err
	}
	used := info.Size() / int64(all) * int64(all-free) //nolint:gosec // Fewer than the file has bytes.
	room, err := s.options.free()
	if err != nil || room < uint64(used)+minFree { //nolint:gosec // Not negative.
		return false, err
	}
	if used > compactUpTo {
		s.log.Info("a file is mostly free; \"vwmp compact\" gives its room back", "file", name, "bytes", info.Size(), "used", used)
		return false, nil
	}
	return true, nil
}
