package store

import (
	"archive/tar"
	"bytes"
	"context"
	"errors"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/vwmp/vwmp/engine/plan"
	"github.com/vwmp/vwmp/store/data"
	"github.com/vwmp/vwmp/store/internal/archive"
	"github.com/vwmp/vwmp/store/storetest"
)

// stocked is a store with months of history, a live execution, logs, an
// output and keys.
func stocked(t *testing.T) (s *Store, ids []string, output string) {
	t.Helper()
	s = open(t, Options{Now: fixed, MoveAfter: atOnce})
	ids = manyMonths(t, s)
	need(t, s.Tend(context.Background()))
	id, output := withOutput(t, s, 60, strings.Repeat("output", 20_000))
	for _, name := range keyFiles() {
		need(t, os.WriteFile(filepath.Join(s.folder.Dir(), name), []byte("a secret"), 0o600))
	}
	return s, append(ids, id), output
}

func backedUp(t *testing.T, s *Store, options data.BackupOptions) string {
	t.Helper()
	if options.File == "" {
		options.File = filepath.Join(t.TempDir(), "backup.tar")
	}
	made, err := s.Backup(context.Background(), options)
	need(t, err)
	if info, err := os.Stat(options.File); err != nil || info.Size() != made.Size || info.Mode().Perm() != 0o600 || made.Files < 5 {
		t.Errorf("backup is %+v, file %v, %v", made, info, err)
	}
	if _, err := os.Stat(options.File + ".partial"); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("the unfinished file is left: %v", err)
	}
	return options.File
}

func TestBackupIsTheWholeStore(t *testing.T) {
	t.Parallel()
	ctx := context.Background()
	s, ids, output := stocked(t)
	before := told(t, s, ids)
	file := backedUp(t, s, data.BackupOptions{})
	// What comes later is not in it.
	need(t, s.DeleteExecution(ctx, ids[0]))
	start(t, s, 70, "release")

	dir := filepath.Join(t.TempDir(), "restored")
	if _, err := Restore(ctx, file, dir); err != nil {
		t.Fatal(err)
	}
	back := open(t, Options{Dir: dir, Now: fixed})
	wantTold(t, "restored", told(t, back, ids), before)
	if content, err := back.Blob(ctx, output); err != nil || len(content) != 120_000 {
		t.Errorf("output of %d bytes, %v", len(content), err)
	}
	if report, err := back.Check(ctx); err != nil || !report.OK() || report.Executions != len(ids) {
		t.Errorf("report is %+v, %v", report, err)
	}
	if back.Meta().InstanceID != s.Meta().InstanceID {
		t.Error("it has another identity")
	}
	for _, name := range keyFiles() {
		if _, err := os.Stat(filepath.Join(dir, name)); !errors.Is(err, fs.ErrNotExist) {
			t.Errorf("%s is in the backup: %v", name, err)
		}
	}
}

func TestBackupTakesKeysOnlyWhereItIsAskedTo(t *testing.T) {
	t.Parallel()
	s, _, _ := stocked(t)
	without, err := os.ReadFile(backedUp(t, s, data.BackupOptions{}))
	need(t, err)
	if bytes.Contains(without, []byte("a secret")) {
		t.Error("a backup has a key")
	}
	dir := t.TempDir()
	if _, err := Restore(context.Background(), backedUp(t, s, data.BackupOptions{WithKey: true}), dir); err != nil {
		t.Fatal(err)
	}
	for _, name := range keyFiles() {
		info, err := os.Stat(filepath.Join(dir, name))
		if err != nil || info.Mode().Perm() != 0o600 {
			t.Errorf("%s: %v, %v", name, info, err)
		}
	}
}

func TestBackupWithoutANameGoesIntoTheDataFolder(t *testing.T) {
	t.Parallel()
	s, _, _ := stocked(t)
	made, err := s.Backup(context.Background(), data.BackupOptions{})
	need(t, err)
	if filepath.Dir(made.File) != filepath.Join(s.folder.Dir(), backupDir) {
		t.Errorf("it is %s", made.File)
	}
	if s.newestBackup() != "backup/"+filepath.Base(made.File) {
		t.Errorf("the newest is %q", s.newestBackup())
	}
}

func TestBackupNeverReplacesAFile(t *testing.T) {
	t.Parallel()
	s, _, _ := stocked(t)
	file := filepath.Join(t.TempDir(), "mine")
	need(t, os.WriteFile(file, []byte("mine"), 0o600))
	if _, err := s.Backup(context.Background(), data.BackupOptions{File: file}); !errors.Is(err, fs.ErrExist) {
		t.Errorf("error is %v", err)
	}
	if content, err := os.ReadFile(file); err != nil || string(content) != "mine" {
		t.Errorf("it is %q, %v", content, err)
	}
}

func TestBackupThatIsGivenUpLeavesNothing(t *testing.T) {
	t.Parallel()
	s, _, _ := stocked(t)
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	dir := t.TempDir()
	if _, err := s.Backup(ctx, data.BackupOptions{File: filepath.Join(dir, "b.tar")}); !errors.Is(err, context.Canceled) {
		t.Errorf("error is %v", err)
	}
	if entries, err := os.ReadDir(dir); err != nil || len(entries) != 0 {
		t.Errorf("left are %v, %v", entries, err)
	}
	if s.history.pins.Load() != 0 {
		t.Error("deletions wait for a backup that has ended")
	}
}

// A backup is made again and again while executions begin, end, move and go.
func TestBackupBesideWritersIsConsistent(t *testing.T) {
	t.Parallel()
	ctx := context.Background()
	s := open(t, Options{MoveAfter: atOnce})
	done, written := make(chan struct{}), make(chan error, 1)
	go func() {
		var err error
		for n := 1; err == nil; n++ {
			select {
			case <-done:
				written <- nil
				return
			default:
			}
			ended(t, s, n, "release", plan.StatusSuccess, n%2)
			if n%3 == 0 {
				err = s.DeleteExecution(ctx, storetest.ID(n-1))
			}
			if n%10 == 0 && err == nil {
				err = s.Tend(ctx)
			}
		}
		written <- err
	}()
	until(t, "there is something to back up", func() bool { return s.commands.Load() > 100 })
	for range 5 {
		dir := t.TempDir()
		if _, err := Restore(ctx, backedUp(t, s, data.BackupOptions{}), dir); err != nil {
			t.Error(err)
			break
		}
		back, err := Open(ctx, Options{Dir: dir})
		need(t, err)
		if report, err := back.Check(ctx); err != nil || !report.OK() || report.Executions == 0 {
			t.Errorf("report is %+v, %v", report, err)
		}
		need(t, back.Close())
	}
	close(done)
	need(t, <-written)
	need(t, s.Tend(ctx))
	if rowsIn(t, s, bucketTrash) != 0 {
		t.Error("what was deleted during a backup is still there")
	}
}

func TestRestoreWantsAnEmptyFolderAndAGoodFile(t *testing.T) {
	t.Parallel()
	ctx := context.Background()
	s, _, _ := stocked(t)
	file := backedUp(t, s, data.BackupOptions{})
	original, err := os.ReadFile(file)
	need(t, err)

	full := t.TempDir()
	need(t, os.WriteFile(filepath.Join(full, "x"), nil, 0o600))
	if _, err := Restore(ctx, file, full); !errors.Is(err, ErrNotEmpty) {
		t.Errorf("into a folder with a file: %v", err)
	}
	for name, damage := range map[string]func(c []byte) []byte{
		"a flipped bit":     func(c []byte) []byte { c[len(c)/2] ^= 1; return c },
		"a flipped first":   func(c []byte) []byte { c[0] ^= 1; return c },
		"half of it":        func(c []byte) []byte { return c[:len(c)/2] },
		"without its end":   func(c []byte) []byte { return c[:len(c)-2048] },
		"nothing":           func([]byte) []byte { return nil },
		"something else":    func([]byte) []byte { return bytes.Repeat([]byte("no backup "), 1000) },
		"a foreign archive": func([]byte) []byte { return foreignTar(t, "../../evil") },
		"a database alone":  func([]byte) []byte { return foreignTar(t, "state.db") },
	} {
		bad, dir := filepath.Join(t.TempDir(), "bad.tar"), filepath.Join(t.TempDir(), "new")
		need(t, os.WriteFile(bad, damage(slices.Clone(original)), 0o600))
		if _, err := Restore(ctx, bad, dir); !errors.Is(err, ErrDamagedBackup) {
			t.Errorf("%s: %v", name, err)
		}
		if _, err := os.Stat(dir); !errors.Is(err, fs.ErrNotExist) {
			t.Errorf("%s: a folder was made: %v", name, err)
		}
	}
}

func foreignTar(t *testing.T, name string) []byte {
	t.Helper()
	var out bytes.Buffer
	w := tar.NewWriter(&out)
	need(t, w.WriteHeader(&tar.Header{Name: name, Typeflag: tar.TypeReg, Size: 4, Mode: 0o600}))
	_, err := io.WriteString(w, "evil")
	need(t, err)
	need(t, w.Close())
	return out.Bytes()
}

func TestCase101BackupOfANewerFormatIsRefused(t *testing.T) {
	t.Parallel()
	ctx := context.Background()
	file := filepath.Join(t.TempDir(), "newer.tar")
	w, err := archive.Create(ctx, file)
	need(t, err)
	for _, name := range []string{"INSTANCE", databaseName} {
		need(t, w.Add(name, 2, func(to io.Writer) error {
			_, err := io.WriteString(to, "{}")
			return err
		}))
	}
	_, err = w.Finish(archive.Manifest{Format: Format + 1, CreatedAt: time.Now()}, func(*os.File) error { return nil })
	need(t, err)
	s, _, _ := stocked(t)
	s.meta.Format = Format + 1
	newer := backedUp(t, s, data.BackupOptions{})
	s.meta.Format = Format
	var refused *FormatError
	if _, err := Restore(ctx, newer, t.TempDir()); !errors.As(err, &refused) || refused.Found != Format+1 {
		t.Errorf("error is %v", err)
	}
	if _, err := Restore(ctx, file, t.TempDir()); !errors.Is(err, ErrDamagedBackup) {
		t.Errorf("one whose database is none: %v", err)
	}
}

func TestUnfinishedRestoreIsNotTakenForAStore(t *testing.T) {
	t.Parallel()
	ctx := context.Background()
	s, _, _ := stocked(t)
	dir := t.TempDir()
	_, err := Restore(ctx, backedUp(t, s, data.BackupOptions{}), dir)
	need(t, err)
	// As if it had ended before the last rename.
	need(t, os.Rename(filepath.Join(dir, databaseName), filepath.Join(dir, "state.db.restoring")))
	if _, err := Open(ctx, Options{Dir: dir}); !errors.As(err, new(*RefusedError)) {
		t.Errorf("error is %v", err)
	}
}

// emptied is a closed folder of which most pages are free.
func emptied(t *testing.T) (dir, before string, ids []string) {
	t.Helper()
	ctx := context.Background()
	s, err := Open(ctx, Options{Dir: t.TempDir(), Now: fixed, MoveAfter: atOnce})
	need(t, err)
	life := start(t, s, 500, "release")
	for range 8 {
		commit := life.Move(plan.ProgressMade, plan.StatusRunning)
		for range 100 {
			event := life.Event(plan.ProgressMade)
			event.Message = strings.Repeat("x", 8<<10)
			commit.Events = append(commit.Events, event)
		}
		need(t, s.Append(ctx, commit))
	}
	need(t, s.Append(ctx, life.End(plan.StatusSuccess)))
	need(t, s.Tend(ctx))
	need(t, s.DeleteExecution(ctx, life.Header.ID))
	ids = manyMonths(t, s)
	need(t, s.Tend(ctx))
	before = told(t, s, ids)
	need(t, s.Close())
	return s.folder.Dir(), before, ids
}

func sizesOf(t *testing.T, dir string) (total int64) {
	t.Helper()
	for _, name := range []string{databaseName, "history/2026-11.db"} {
		info, err := os.Stat(filepath.Join(dir, name))
		need(t, err)
		total += info.Size()
	}
	return total
}

func TestCompactGivesRoomBackAndKeepsEverything(t *testing.T) {
	t.Parallel()
	ctx := context.Background()
	dir, before, ids := emptied(t)
	was := sizesOf(t, dir)
	sizes, err := Compact(ctx, dir, nil)
	need(t, err)
	if now := sizesOf(t, dir); now > was/4 || sizes.Files != 4 || sizes.After >= sizes.Before {
		t.Errorf("%d bytes of %d are left; %+v", now, was, sizes)
	}
	s := open(t, Options{Dir: dir, Now: fixed})
	wantTold(t, "compacted", told(t, s, ids), before)
	if _, err := Compact(ctx, dir, nil); !errors.As(err, new(*LockedError)) {
		t.Errorf("beside an open store: %v", err)
	}
	if _, err := Compact(ctx, filepath.Join(dir, "missing"), nil); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("of a folder that is not there: %v", err)
	}
}

func TestStartCompactsWhatIsMostlyFree(t *testing.T) {
	t.Parallel()
	dir, before, ids := emptied(t)
	was := sizesOf(t, dir)
	s := open(t, Options{Dir: dir, Now: fixed, compactFrom: 1 << 20})
	// state.db takes room for more at once, as it is written to.
	if now := sizesOf(t, dir); now > was*2/3 {
		t.Errorf("%d bytes of %d are left", now, was)
	}
	wantTold(t, "compacted", told(t, s, ids), before)
	s = reopen(t, s, Options{Now: fixed, compactFrom: 1 << 20})
	wantTold(t, "opened again", told(t, s, ids), before)
}

func TestCompactThatWasCutShortDoesNoHarm(t *testing.T) {
	t.Parallel()
	ctx := context.Background()
	dir, before, ids := emptied(t)
	// The copy is there, the recorded size is lowered, the rename is not done.
	s, err := Open(ctx, Options{Dir: dir, Now: fixed})
	need(t, err)
	need(t, s.shrinkInstance(8<<10))
	need(t, s.db.Close())
	need(t, s.file.Close())
	need(t, os.WriteFile(filepath.Join(dir, databaseName+".compact"), []byte("half"), 0o600))
	s.db, s.file = nil, nil
	s.cancel()
	s.background.Wait()
	close(s.closing)
	<-s.stopped
	need(t, s.abandon())
	again := open(t, Options{Dir: dir, Now: fixed})
	wantTold(t, "after it", told(t, again, ids), before)
	need(t, again.Close())
	if _, err := Compact(ctx, dir, nil); err != nil {
		t.Errorf("a copy that was left: %v", err)
	}
}
