package store

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"runtime/debug"
	"time"

	bolt "go.etcd.io/bbolt"

	"github.com/vwmp/vwmp/store/data"
	"github.com/vwmp/vwmp/store/internal/archive"
	"github.com/vwmp/vwmp/store/internal/folder"
	"github.com/vwmp/vwmp/store/internal/logfile"
)

// ErrDamagedBackup: a file that is no backup, or not as it was written.
var ErrDamagedBackup = archive.ErrDamaged

// keyFiles are left out of a backup unless it is asked for with them: whoever
// has them has everything.
func keyFiles() []string { return []string{"secret.key", "admin-token"} }

// Backup implements data.Backups. It holds one read transaction of each
// database, of state.db only while that is copied. Nothing goes away until it
// has ended; everything else goes on.
func (s *Store) Backup(ctx context.Context, options data.BackupOptions) (data.Backup, error) {
	file := options.File
	if file != "" && s.inside(file) {
		return data.Backup{}, fmt.Errorf("%w file: %s is a place of the store's own; name another folder, or its folder backup", data.ErrInvalid, file)
	}
	if file == "" {
		if err := s.folder.Root().MkdirAll(backupDir, 0o700); err != nil {
			return data.Backup{}, fmt.Errorf("make the folder of backups: %w", err)
		}
		file = filepath.Join(s.folder.Dir(), backupDir, "vwmp-"+archive.Stamp(s.now())+".tar")
	}
	started := time.Now()
	defer s.pin()()
	w, err := archive.Create(ctx, file)
	if err != nil {
		return data.Backup{}, err
	}
	manifest := archive.Manifest{Format: s.meta.Format, Instance: s.meta.InstanceID, CreatedAt: s.now().Truncate(time.Second)}
	if err := s.fill(ctx, w, options.WithKey); err != nil {
		return data.Backup{}, errors.Join(fmt.Errorf("back up: %w", closedError(err)), w.Abandon())
	}
	var checked archive.Manifest
	size, err := w.Finish(manifest, func(written *os.File) (err error) {
		checked, err = verify(ctx, written)
		return err
	})
	if err != nil {
		return data.Backup{}, err
	}
	s.log.Info("a backup was made", "file", file, "bytes", size, "took", time.Since(started))
	return data.Backup{
		File: file, Size: size, Files: checked.Files, Format: checked.Format, CreatedAt: checked.CreatedAt,
		SHA256: checked.SHA256, WithKey: options.WithKey,
	}, nil
}

// inside reports whether a file is in the data folder, its folder of backups
// left out.
func (s *Store) inside(file string) bool {
	dir, err := filepath.Abs(s.folder.Dir())
	if err != nil {
		return true
	}
	if file, err = filepath.Abs(file); err != nil {
		return true
	}
	rest, err := filepath.Rel(dir, file)
	return err == nil && filepath.IsLocal(rest) && filepath.Dir(rest) != backupDir
}

func verify(ctx context.Context, file *os.File) (archive.Manifest, error) {
	return archive.Verify(ctx, file, func(content io.ReaderAt, size int64) error { return wholeSection(ctx, content, size) })
}

// fill writes databases first: what they name in the other files is there by
// then, and stays.
func (s *Store) fill(ctx context.Context, w *archive.Writer, withKey bool) error {
	if err := s.addDatabases(w); err != nil {
		return err
	}
	if err := s.addTree(ctx, w, logfile.Dir); err != nil {
		return err
	}
	if err := s.addTree(ctx, w, blobsDir); err != nil {
		return err
	}
	if !withKey {
		return nil
	}
	for _, name := range keyFiles() {
		if err := w.AddFile(s.folder.Root(), name); err != nil {
			return err
		}
	}
	return nil
}

// addDatabases copies all databases as they are at one moment: what moved
// between them meanwhile is in both.
func (s *Store) addDatabases(w *archive.Writer) (err error) {
	defer guard(&err)
	before := debug.SetPanicOnFault(true)
	defer debug.SetPanicOnFault(before)
	// What has moved when state.db is looked at is in a month that is
	// looked at later.
	hot, err := s.db.Begin(false)
	if err != nil {
		return err
	}
	open := []*bolt.Tx{hot}
	defer func() {
		for _, tx := range open {
			err = errors.Join(err, rollback(tx))
		}
	}()
	months := s.monthList()
	for _, m := range months {
		tx, err := m.db.Begin(false)
		if err != nil {
			return err
		}
		open = append(open, tx)
	}
	instance, err := json.Marshal(folder.Instance{ID: s.meta.InstanceID, Format: s.meta.Format, Size: hot.Size()})
	if err != nil {
		return err
	}
	if err := w.Add("INSTANCE", int64(len(instance)), func(to io.Writer) error {
		_, err := io.Copy(to, bytes.NewReader(instance))
		return err
	}); err != nil {
		return err
	}
	for i, tx := range open {
		name := databaseName
		if i > 0 {
			name = months[i-1].path()
		}
		if err := w.Add(name, tx.Size(), func(to io.Writer) error {
			_, err := tx.WriteTo(to)
			return err
		}); err != nil {
			return err
		}
		if err := rollback(tx); err != nil { // So that its pages can be used again.
			return err
		}
	}
	return nil
}

// addTree copies all files of a folder; names that are none of ours are left
// out.
func (s *Store) addTree(ctx context.Context, w *archive.Writer, dir string) error {
	err := fs.WalkDir(s.folder.Root().FS(), dir, func(name string, entry fs.DirEntry, err error) error {
		switch {
		case errors.Is(err, fs.ErrNotExist):
			return nil
		case err != nil:
			return err
		case ctx.Err() != nil:
			return ctx.Err()
		case !entry.Type().IsRegular() || !archive.Known(name):
			return nil
		}
		return w.AddFile(s.folder.Root(), name)
	})
	if err != nil {
		return fmt.Errorf("copy %s: %w", dir, err)
	}
	return nil
}

// Restore makes a data folder of a backup. The folder must be absent or
// empty. The backup is read from begin to end before anything is written; it
// is an ErrDamagedBackup where it is not whole, a *FormatError where a newer
// program made it.
func Restore(ctx context.Context, file, dir string) (data.Backup, error) {
	source, err := os.Open(file) //nolint:gosec // Whoever runs the command names the file.
	if err != nil {
		return data.Backup{}, fmt.Errorf("open the backup: %w", err)
	}
	defer source.Close() //nolint:errcheck // Only read.
	m, err := verify(ctx, source)
	if err != nil {
		return data.Backup{}, fmt.Errorf("read %s: %w", file, err)
	}
	if m.Format > Format {
		return data.Backup{}, &FormatError{Dir: file, Found: m.Format, Newest: Format}
	}
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return data.Backup{}, fmt.Errorf("make the data folder: %w", err)
	}
	entries, err := os.ReadDir(dir)
	if err != nil {
		return data.Backup{}, fmt.Errorf("look into the data folder: %w", err)
	}
	if len(entries) > 0 {
		return data.Backup{}, fmt.Errorf("restore into %s: %w; name a folder that is empty or not there yet", dir, ErrNotEmpty)
	}
	root, err := os.OpenRoot(dir)
	if err != nil {
		return data.Backup{}, fmt.Errorf("open the data folder: %w", err)
	}
	err = errors.Join(archive.Extract(ctx, source, root), root.Close())
	if err != nil {
		return data.Backup{}, err
	}
	info, err := source.Stat()
	if err != nil {
		return data.Backup{}, fmt.Errorf("read the size of the backup: %w", err)
	}
	return data.Backup{File: file, Size: info.Size(), Files: m.Files, Format: m.Format, CreatedAt: m.CreatedAt, SHA256: m.SHA256}, nil
}

// ErrNotEmpty: a folder that must be empty has something in it.
var ErrNotEmpty = errors.New("the folder is not empty")
