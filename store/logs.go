package store

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io/fs"
	"time"

	"github.com/google/uuid"

	"github.com/vwmp/vwmp/engine"
	"github.com/vwmp/vwmp/engine/plan"
	"github.com/vwmp/vwmp/store/data"
	"github.com/vwmp/vwmp/store/internal/folder"
	"github.com/vwmp/vwmp/store/internal/record"
)

// AppendLog implements engine.LogSink. The lines of one call are written all
// or not at all; where they do not fit any more it is engine.ErrLogCapped,
// from then on for every call for that attempt.
func (s *Store) AppendLog(executionID, stepID string, attempt int, lines ...plan.Event) error {
	err := s.logs.Append(executionID, stepID, attempt, lines)
	if folder.IsFull(err) {
		return fmt.Errorf("%w: %w", engine.ErrStoreFull, err)
	}
	return err
}

// SyncLogs implements engine.LogSink. A failed sync ends the store, as the
// system may have dropped what was written.
func (s *Store) SyncLogs(executionID string) error {
	if s.fatal.Load() != nil {
		return s.gone()
	}
	err := s.logs.Sync(executionID)
	if err != nil && !errors.Is(err, data.ErrInvalid) && !folder.IsFull(err) {
		s.fail(err)
	}
	return err
}

// CloseLog implements engine.LogSink.
func (s *Store) CloseLog(executionID, stepID string, attempt int) error {
	return s.logs.CloseAttempt(executionID, stepID, attempt)
}

// LastLogSeq implements engine.LogSink.
func (s *Store) LastLogSeq(executionID string) (uint64, error) { return s.logs.LastSeq(executionID) }

// logSpan is how many numbers of a log are looked at together.
const logSpan = 5000

// Logs implements data.Executions.
func (s *Store) Logs(ctx context.Context, id string, filter data.LogFilter) (data.LogPage, error) {
	if err := s.known(ctx, id); err != nil {
		return data.LogPage{}, err
	}
	capped, err := s.logs.Capped(id, filter.StepID)
	if err != nil {
		return data.LogPage{}, err
	}
	page := data.LogPage{Lines: []plan.Event{}, Capped: capped}
	limit := data.PageLimit(filter.Limit)
	for after := filter.AfterSeq; ; {
		if err := ctx.Err(); err != nil {
			return data.LogPage{}, err
		}
		lines, next, err := s.logs.Window(id, filter.StepID, after, after+logSpan)
		if err != nil || next == 0 {
			return page, err
		}
		for _, raw := range lines {
			if !raw.IsLog {
				continue
			}
			line, err := record.DecodeLine(raw.Raw)
			if err != nil {
				return data.LogPage{}, err
			}
			if !filter.Match(&line) {
				continue
			}
			if page.More = len(page.Lines) == limit; page.More {
				return page, nil
			}
			page.Lines = append(page.Lines, line.Public())
		}
		after = max(after+logSpan, next-1)
	}
}

// LogCounts implements data.Executions.
func (s *Store) LogCounts(ctx context.Context, id string) (map[string]int, error) {
	if err := s.known(ctx, id); err != nil {
		return nil, err
	}
	return s.logs.Counts(id)
}

// The folders of outputs. An output stands under the first two digits of its
// name; one that is being written, beside them.
const (
	blobsDir     = "blobs/sha256"
	blobsTempDir = "blobs/tmp"
)

// PutBlob implements engine.Blobs. Where the disk is full it waits for room.
func (s *Store) PutBlob(ctx context.Context, content []byte) (string, error) {
	sum := blobSum(sha256.Sum256(content))
	s.recent.note(sum, s.now())
	name := sum.name()
	for {
		err := s.putBlob(name, content)
		if err == nil {
			return name, nil
		}
		err = fmt.Errorf("keep output %s: %w", name, err)
		if !folder.IsFull(err) {
			return "", err
		}
		timer := time.NewTimer(s.options.fullRetry)
		select {
		case <-timer.C:
		case <-ctx.Done():
			timer.Stop()
			return "", errors.Join(engine.ErrStoreFull, ctx.Err(), err)
		case <-s.closing:
			timer.Stop()
			return "", errors.Join(engine.ErrStoreFull, err)
		}
	}
}

func (s *Store) putBlob(name string, content []byte) error {
	root := s.folder.Root()
	dir := blobsDir + "/" + name[:2]
	path := dir + "/" + name
	info, err := root.Stat(path)
	switch {
	case err == nil && info.Size() == int64(len(content)):
		// Whoever wrote it may not have synced its name yet.
		return folder.SyncDir(root, dir)
	case err != nil && !errors.Is(err, fs.ErrNotExist):
		return err
	}
	if _, err := root.Stat(dir); errors.Is(err, fs.ErrNotExist) {
		if err := errors.Join(root.MkdirAll(dir, 0o700), root.MkdirAll(blobsTempDir, 0o700)); err != nil {
			return err
		}
		if err := errors.Join(folder.SyncDir(root, blobsDir), folder.SyncDir(root, "blobs"), folder.SyncDir(root, ".")); err != nil {
			return err
		}
	}
	temp := blobsTempDir + "/" + name + "." + uuid.NewString()
	return folder.WriteFile(root, temp, path, dir, content)
}

// Blob implements engine.Blobs. One whose content is not that of its name is
// gone as well.
func (s *Store) Blob(_ context.Context, name string) ([]byte, error) {
	if sum, err := hex.DecodeString(name); err != nil || len(sum) != sha256.Size || hex.EncodeToString(sum) != name {
		return nil, notFound("output", "")
	}
	content, err := s.folder.Root().ReadFile(blobsDir + "/" + name[:2] + "/" + name)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, notFound("output", name)
	}
	if err != nil {
		return nil, fmt.Errorf("read output %s: %w", name, err)
	}
	sum := sha256.Sum256(content)
	if want, err := hex.DecodeString(name); err != nil || !bytes.Equal(sum[:], want) {
		s.log.Error("an output is damaged", "sha256", name)
		return nil, fmt.Errorf("%w: its content is damaged", notFound("output", name))
	}
	return content, nil
}

// sweepBlobs removes outputs that a crash cut short.
func (s *Store) sweepBlobs() error {
	if err := s.folder.Root().RemoveAll(blobsTempDir); err != nil {
		return fmt.Errorf("clear away unfinished outputs: %w", err)
	}
	return nil
}
