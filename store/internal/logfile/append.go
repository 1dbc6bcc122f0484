package logfile

import (
	"errors"
	"fmt"
	"os"
	"sync"

	"github.com/vwmp/vwmp/engine"
	"github.com/vwmp/vwmp/engine/plan"
	"github.com/vwmp/vwmp/store/data"
	"github.com/vwmp/vwmp/store/internal/record"
)

// Append writes lines of one attempt, all or none. A log that they do not fit
// into ends with a mark, and takes none from then on: engine.ErrLogCapped.
func (l *Logs) Append(executionID, step string, attempt int, lines []plan.Event) error {
	if err := data.CheckID("step", step); err != nil {
		return err
	}
	if len(lines) == 0 {
		return nil
	}
	var encoded []byte
	logs := 0
	for i := range lines {
		raw, err := record.EncodeLine(&lines[i])
		if err != nil {
			return err
		}
		encoded = append(encoded, raw...)
		if lines[i].Type == plan.StepLog {
			logs++
		}
	}
	r, err := l.acquire(executionID)
	if err != nil {
		return err
	}
	defer l.release(r)
	f, err := l.fileOf(r, step, attempt)
	if err != nil {
		return err
	}
	if f.capped || f.size+int64(len(encoded)) > l.limit {
		f.dropped += uint64(len(lines))
		if !f.capped {
			if err := l.mark(f); err != nil {
				return err
			}
		}
		return engine.ErrLogCapped
	}
	last := f.last
	for i := range lines {
		if lines[i].Seq <= last {
			return fmt.Errorf("%w: log line %d after %d", data.ErrFenced, lines[i].Seq, last)
		}
		last = lines[i].Seq
	}
	if err := l.write(f, encoded); err != nil {
		return err
	}
	if f.first == 0 {
		f.first = lines[0].Seq
	}
	f.last = last
	if f.logs >= 0 {
		f.logs += logs
	}
	return nil
}

// fileOf returns the log of an attempt, new where there is none.
func (l *Logs) fileOf(r *run, step string, attempt int) (*file, error) {
	name := fileName(step, attempt)
	if f := r.files[name]; f != nil {
		return f, nil
	}
	if len(r.files) == 0 {
		if err := l.exists(r.id); err != nil {
			return nil, err
		}
	}
	f := &file{run: r, name: name, step: step, attempt: attempt}
	r.files[name] = f
	r.made = true
	return f, nil
}

// write appends bytes; a part of them is taken back.
func (l *Logs) write(f *file, encoded []byte) error {
	handle, err := l.handleOf(f)
	if err != nil {
		return err
	}
	f.run.dirty[f] = struct{}{}
	if n, err := handle.Write(encoded); err != nil {
		if n > 0 {
			err = errors.Join(err, handle.Truncate(f.size))
		}
		return fmt.Errorf("write a log: %w", err)
	}
	f.size += int64(len(encoded))
	return nil
}

func (l *Logs) mark(f *file) error {
	mark, err := record.EncodeMark(data.CappedLog{
		StepID: f.step, Attempt: f.attempt, Limit: l.limit, Dropped: f.dropped, After: f.last,
	})
	if err == nil {
		err = l.write(f, mark)
	}
	if err == nil {
		f.capped, f.marked = true, f.dropped
	}
	return err
}

// CloseAttempt ends the log of one attempt. Of one that was full it writes
// down how many lines were dropped.
func (l *Logs) CloseAttempt(executionID, step string, attempt int) error {
	r, err := l.acquire(executionID)
	if err != nil {
		return err
	}
	defer l.release(r)
	f := r.files[fileName(step, attempt)]
	if f == nil {
		return nil
	}
	if f.dropped != f.marked {
		err = l.mark(f)
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	return errors.Join(err, l.shut(f))
}

// Sync makes durable what was appended for an execution so far.
func (l *Logs) Sync(executionID string) error {
	l.mu.Lock()
	known := l.runs[executionID] != nil
	l.mu.Unlock()
	if !known {
		return nil
	}
	r, err := l.acquire(executionID)
	if err != nil {
		return err
	}
	defer l.release(r)
	if len(r.dirty) == 0 {
		return nil
	}
	handles := make([]*os.File, 0, len(r.dirty))
	var closers []*os.File
	for f := range r.dirty {
		handle := f.handle
		if handle == nil {
			// It was closed unsynced; any descriptor syncs the file.
			if handle, err = l.root.OpenFile(f.path(), os.O_WRONLY, 0); err != nil {
				break
			}
			closers = append(closers, handle)
		}
		handles = append(handles, handle)
	}
	if err == nil {
		err = syncAll(handles)
	}
	for _, handle := range closers {
		err = errors.Join(err, handle.Close())
	}
	if err == nil && r.made {
		err = errors.Join(syncDir(l.root, r.dir()), syncDir(l.root, Dir))
	}
	if err != nil {
		return fmt.Errorf("sync the logs of execution %s: %w", executionID, err)
	}
	clear(r.dirty)
	r.made = false
	return nil
}

func syncAll(handles []*os.File) error {
	if len(handles) == 1 {
		return handles[0].Sync()
	}
	failures := make([]error, len(handles))
	var group sync.WaitGroup
	for worker := range min(syncers, len(handles)) {
		group.Go(func() {
			for i := worker; i < len(handles); i += syncers {
				failures[i] = handles[i].Sync()
			}
		})
	}
	group.Wait()
	return errors.Join(failures...)
}
