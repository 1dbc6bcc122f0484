package store

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"runtime/debug"
	"slices"
	"strings"
	"syscall"
	"time"

	"github.com/google/uuid"
	bolt "go.etcd.io/bbolt"
	berrors "go.etcd.io/bbolt/errors"

	"github.com/vwmp/vwmp/store/data"
	"github.com/vwmp/vwmp/store/internal/folder"
	"github.com/vwmp/vwmp/store/internal/pages"
	"github.com/vwmp/vwmp/store/internal/record"
)

// RefusedError: the data folder's database must not be used. Nothing in the
// folder was changed.
type RefusedError struct {
	Dir, Reason string
	// Backup is the newest backup in the folder, empty where there is none.
	Backup string
}

// Error gives the reason and says how to go on.
func (e *RefusedError) Error() string {
	text := fmt.Sprintf("the data folder %s can't be used: %s. Nothing was changed.", e.Dir, e.Reason)
	const keep = " Keep the folder as it is: \"vwmp doctor --salvage NEW\" copies every event that is still good"
	switch {
	case e.Backup == "":
		return text + " To restore it, move the folder away and use \"vwmp restore BACKUP\" with the newest backup that you have." + keep
	case strings.HasSuffix(e.Backup, ".tar"):
		return text + fmt.Sprintf(" To restore it, move the folder away and use \"vwmp restore\" with %s in it.", e.Backup) + keep
	}
	return text + fmt.Sprintf(" To restore it, put a copy of %s in the place of state.db and delete the file INSTANCE.", e.Backup) + keep
}

// FormatError: the data folder is of a newer version of the program.
type FormatError struct {
	Dir           string
	Found, Newest int
}

// Error names both formats.
func (e *FormatError) Error() string {
	return fmt.Sprintf("the data folder %s has format %d, and this version knows formats up to %d: use a newer version of vwmp", e.Dir, e.Found, e.Newest)
}

func (s *Store) refuse(reason string) error {
	return &RefusedError{Dir: s.folder.Dir(), Reason: reason, Backup: s.newestBackup()}
}

func (s *Store) newestBackup() string {
	entries, err := fs.ReadDir(s.folder.Root().FS(), "backup")
	if err != nil {
		return ""
	}
	var newest string
	var at time.Time
	for _, entry := range entries {
		info, err := entry.Info()
		if err == nil && info.Mode().IsRegular() && (strings.HasSuffix(entry.Name(), ".db") || strings.HasSuffix(entry.Name(), ".tar")) && info.ModTime().After(at) {
			newest, at = "backup/"+entry.Name(), info.ModTime()
		}
	}
	return newest
}

// openDatabase opens state.db once it is known to be whole, or makes it in a
// folder that never had one.
func (s *Store) openDatabase(ctx context.Context) error {
	instance, known, err := s.folder.Instance()
	if err != nil {
		return s.refuse(err.Error())
	}
	if known && instance.Format > Format {
		return &FormatError{Dir: s.folder.Dir(), Found: instance.Format, Newest: Format}
	}
	info, err := s.folder.Root().Stat(databaseName)
	switch {
	case errors.Is(err, fs.ErrNotExist) && known:
		return s.refuse("state.db is missing")
	case errors.Is(err, fs.ErrNotExist):
		if err := s.createDatabase(); err != nil {
			return fmt.Errorf("make the database: %w", err)
		}
	case err != nil:
		return fmt.Errorf("look for the database: %w", err)
	case info.Size() == 0:
		return s.refuse("state.db is empty")
	case info.Size() < instance.Size:
		return s.refuse(fmt.Sprintf("state.db has %d bytes and had %d", info.Size(), instance.Size))
	}
	s.meta.InstanceID, s.meta.Format = instance.ID, instance.Format
	if known {
		s.compactAtStart(ctx, databaseName, s.shrinkInstance)
		if instance.Size > s.instance.Size && s.instance.Size > 0 {
			instance = s.instance
		}
	}
	if s.file, err = s.folder.Root().Open(databaseName); err != nil {
		return fmt.Errorf("open the database: %w", err)
	}
	if err := s.checkPages(ctx, databaseName, s.file); err != nil {
		return err
	}
	if s.db, err = s.openBolt(databaseName); err != nil {
		if errors.Is(err, berrors.ErrTimeout) {
			return fmt.Errorf("open the database: another process has it open: %w", err)
		}
		return s.refuse(err.Error())
	}
	s.instance = instance
	if err := s.readMeta(instance, known); err != nil {
		return err
	}
	if err := s.migrate(ctx); err != nil {
		return err
	}
	return s.openHistory(ctx)
}

// smallFile is how many pages are checked at each start, clean or not: it
// takes some milliseconds.
const smallFile = 2048

// checkPages looks at the file before bbolt trusts it.
func (s *Store) checkPages(ctx context.Context, name string, file *os.File) error {
	info, err := file.Stat()
	if err != nil {
		return fmt.Errorf("read the size of the database: %w", err)
	}
	snapshot, good, err := pages.Metas(file, info.Size())
	if err != nil {
		return s.refuse(name + ": " + err.Error())
	}
	if good == 1 {
		s.log.Warn("one of the two meta pages of the database is damaged; the other is used, and the last commit before the damage may be missing", "file", name)
	}
	if snapshot.Pages > smallFile {
		return nil
	}
	var problems []string
	if _, err := pages.Walk(ctx, file, snapshot, func(problem string) { problems = append(problems, problem) }); err != nil {
		return err
	}
	if len(problems) > 0 {
		return s.refuse(fmt.Sprintf("%s is damaged: %s (%d problems)", name, problems[0], len(problems)))
	}
	return nil
}

// openBolt opens a bbolt file inside a guard.
func (s *Store) openBolt(name string) (db *bolt.DB, err error) {
	defer guard(&err)
	before := debug.SetPanicOnFault(true)
	defer debug.SetPanicOnFault(before)
	options := bolt.Options{
		Timeout:         time.Second,
		FreelistType:    bolt.FreelistMapType,
		InitialMmapSize: s.options.InitialMmapSize,
		OpenFile: func(name string, flag int, mode os.FileMode) (*os.File, error) {
			return s.folder.Root().OpenFile(name, flag, mode)
		},
		NoStatistics: true,
	}
	db, err = bolt.Open(name, 0o600, &options)
	if errors.Is(err, syscall.ENOMEM) {
		// The process may not take that much address space.
		options.InitialMmapSize = 0
		db, err = bolt.Open(name, 0o600, &options)
	}
	return db, err
}

func (s *Store) createDatabase() error {
	err := s.makeBolt(databaseName, buckets(), map[string][]byte{
		metaFormat: number(Format), metaInstance: []byte(uuid.NewString()), metaEpoch: number(0), metaClean: number(1),
		metaCreated: []byte(s.now().Format(time.RFC3339)), metaWorkflows: number(0), metaExecutions: number(0), metaLive: number(0),
	})
	if err != nil {
		return err
	}
	return folder.SyncDir(s.folder.Root(), ".")
}

// makeBolt makes a bbolt file under another name first: half of one must not
// be taken for one.
func (s *Store) makeBolt(name string, buckets []bucket, meta map[string][]byte) error {
	unfinished := name + ".new"
	root := s.folder.Root()
	if err := root.Remove(unfinished); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	db, err := s.openBolt(unfinished)
	if err != nil {
		return err
	}
	err = db.Update(func(tx *bolt.Tx) error {
		for _, name := range buckets {
			if _, err := tx.CreateBucket([]byte(name)); err != nil {
				return fmt.Errorf("make bucket %s: %w", name, err)
			}
		}
		for name, value := range meta {
			if err := putRaw(tx, bucketMeta, []byte(name), value); err != nil {
				return err
			}
		}
		return nil
	})
	if err = errors.Join(err, db.Close()); err != nil {
		return err
	}
	return root.Rename(unfinished, name)
}

// readMeta reads who the store is, and refuses what is not ours.
func (s *Store) readMeta(instance folder.Instance, known bool) error {
	err := s.guarded(func(tx *bolt.Tx) error {
		meta := tx.Bucket([]byte(bucketMeta))
		if meta == nil {
			return errors.New("state.db is a database of something else")
		}
		s.meta = data.Meta{
			InstanceID: string(meta.Get([]byte(metaInstance))),
			Format:     int(numberOf(meta.Get([]byte(metaFormat)))), //nolint:gosec // A small number.
			BootEpoch:  numberOf(meta.Get([]byte(metaEpoch))),
			Clean:      numberOf(meta.Get([]byte(metaClean))) == 1,
		}
		for _, name := range buckets() {
			if s.meta.Format <= Format && s.meta.Format >= bucketsSince(name) && tx.Bucket([]byte(name)) == nil {
				return fmt.Errorf("state.db lacks the bucket %s", name)
			}
		}
		return nil
	})
	switch {
	case err != nil:
		return s.refuse(err.Error())
	case s.meta.Format > Format:
		return &FormatError{Dir: s.folder.Dir(), Found: s.meta.Format, Newest: Format}
	case s.meta.Format < 1 || s.meta.InstanceID == "":
		return s.refuse("state.db does not say what it is")
	case known && instance.ID != s.meta.InstanceID:
		return s.refuse("state.db belongs to another data folder than INSTANCE says")
	case !known && s.meta.BootEpoch > 0:
		s.log.Warn("the file INSTANCE was missing; it is made anew from the database")
	}
	return nil
}

// afterCrash checks the executions that were going on, and cuts their logs to
// what can be told without a gap.
func (s *Store) afterCrash(ctx context.Context) error {
	ids, err := s.Unfinished(ctx)
	if err != nil {
		return err
	}
	for _, id := range ids {
		stored, err := s.Load(ctx, id)
		if err != nil {
			return fmt.Errorf("execution %s, which was going on, can't be read: %w", id, err)
		}
		var tail record.Tail
		for _, event := range stored.Events {
			tail.Seq = max(tail.Seq, event.Seq)
		}
		cut, err := s.logs.Trim(id, tail.Seq)
		if err != nil {
			return err
		}
		if cut > 0 {
			s.log.Warn("log lines were lost in the crash", "execution_id", id, "cut", cut)
		}
	}
	return nil
}

// sameText reports whether a text is the document itself.
func sameText(text, document []byte) bool { return len(document) > 0 && bytes.Equal(text, document) }

// statusesOf are the known ones among those asked for, each once; all where
// none is asked for.
func statusesOf[T comparable](asked, known []T) []T {
	if len(asked) == 0 {
		return known
	}
	return slices.DeleteFunc(slices.Clone(known), func(status T) bool { return !slices.Contains(asked, status) })
}
