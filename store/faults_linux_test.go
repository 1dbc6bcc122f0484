package store

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"github.com/vwmp/vwmp/engine"
	"github.com/vwmp/vwmp/engine/plan"
	"github.com/vwmp/vwmp/store/data"
	"github.com/vwmp/vwmp/store/internal/folder"
	"github.com/vwmp/vwmp/store/storetest"
)

// smallDisk mounts a file system of its own in memory.
func smallDisk(t *testing.T, size string) string {
	t.Helper()
	dir := t.TempDir()
	err := unix.Mount("tmpfs", dir, "tmpfs", 0, "size="+size+",mode=700")
	if errors.Is(err, unix.EPERM) || errors.Is(err, unix.EACCES) {
		t.Skip("mounting a small disk needs root")
	}
	need(t, err)
	t.Cleanup(func() {
		if err := unix.Unmount(dir, 0); err != nil {
			t.Errorf("unmount: %v", err)
		}
	})
	return dir
}

func TestFullDiskParksAndResumesOnARealDisk(t *testing.T) {
	t.Parallel()
	ctx := context.Background()
	disk := smallDisk(t, "96m")
	s := open(t, Options{Dir: filepath.Join(disk, "data"), fullRetry: 5 * time.Millisecond, MoveAfter: atOnce})
	life := start(t, s, 1, "release")
	other := ended(t, s, 2, "release", plan.StatusSuccess, 0)
	filler := filepath.Join(disk, "filler")
	fill(t, filler)

	// The database has some room left on its own pages: write until it is
	// used up, too.
	acknowledged := life.Seq()
	waiting, room := make(chan error, 1), make(chan struct{})
	go func() {
		for {
			commit := life.Move(plan.ProgressMade, plan.StatusRunning)
			for range 400 {
				event := life.Event(plan.ProgressMade)
				event.Message = strings.Repeat("x", 4<<10)
				commit.Events = append(commit.Events, event)
			}
			err := s.Append(ctx, commit)
			if err == nil && life.Seq() > 100_000 {
				err = errors.New("the disk does not get full")
			}
			select {
			case <-room:
				waiting <- err
				return
			default:
				if err != nil {
					waiting <- err
					return
				}
			}
		}
	}()
	until(t, "the disk is full", func() bool {
		stats, err := s.Stats(ctx)
		return err == nil && stats.Full || len(waiting) > 0
	})
	if _, _, err := s.Create(ctx, storetest.NewLife(storetest.ID(3), "release", startTime(3)).Creation()); !errors.Is(err, engine.ErrStoreFull) {
		t.Errorf("a new execution: %v", err)
	}
	if err := s.Tend(ctx); err != nil && !errors.Is(err, engine.ErrStoreFull) && !folder.IsFull(err) {
		t.Errorf("tending the store: %v", err)
	}
	if stored, err := s.Load(ctx, life.Header.ID); err != nil || stored.Execution.LastSeq < acknowledged {
		t.Errorf("what was acknowledged ends at %d of %d, %v", stored.Execution.LastSeq, acknowledged, err)
	}
	if _, err := s.Load(ctx, other); err != nil {
		t.Errorf("an ended execution: %v", err)
	}

	close(room)
	need(t, os.Remove(filler))
	select {
	case err := <-waiting:
		need(t, err)
	case <-time.After(time.Minute):
		t.Fatal("the store does not go on although there is room")
	}
	until(t, "new executions begin", func() bool {
		_, _, err := s.Create(ctx, storetest.NewLife(storetest.ID(4), "release", startTime(4)).Creation())
		return err == nil
	})
	if s.fatal.Load() != nil {
		t.Errorf("the store ended: %v", *s.fatal.Load())
	}
}

// fill writes a file until the disk is full.
func fill(t *testing.T, name string) {
	t.Helper()
	file, err := os.Create(name)
	need(t, err)
	chunk := make([]byte, 64<<10)
	for err == nil {
		_, err = file.Write(chunk)
	}
	if !errors.Is(err, unix.ENOSPC) {
		t.Fatal(err)
	}
	need(t, file.Close())
}

func TestReadOnlyFolderIsRefusedAndLeftAsItIs(t *testing.T) {
	t.Parallel()
	ctx := context.Background()
	disk := smallDisk(t, "96m")
	dir := filepath.Join(disk, "data")
	s, err := Open(ctx, Options{Dir: dir})
	need(t, err)
	start(t, s, 1, "release")
	need(t, s.Close())
	need(t, unix.Mount("", disk, "", unix.MS_REMOUNT|unix.MS_RDONLY, ""))
	if _, err := Open(ctx, Options{Dir: dir}); !errors.Is(err, unix.EROFS) {
		t.Errorf("error is %v", err)
	}
	need(t, unix.Mount("", disk, "", unix.MS_REMOUNT, ""))
	s, err = Open(ctx, Options{Dir: dir})
	need(t, err)
	if report, err := s.Check(ctx); err != nil || !report.OK() || report.Executions != 1 {
		t.Errorf("report is %+v, %v", report, err)
	}
	need(t, s.Close())
}

func TestBackupToAFullDiskLeavesNothing(t *testing.T) {
	t.Parallel()
	s, _, _ := stocked(t)
	disk := smallDisk(t, "64k")
	if _, err := s.Backup(context.Background(), data.BackupOptions{File: filepath.Join(disk, "b.tar")}); !folder.IsFull(err) {
		t.Errorf("error is %v", err)
	}
	if entries, err := os.ReadDir(disk); err != nil || len(entries) != 0 {
		t.Errorf("left are %v, %v", entries, err)
	}
}
