package memory

import (
	"cmp"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"slices"

	"github.com/vwmp/vwmp/engine"
	"github.com/vwmp/vwmp/engine/plan"
	"github.com/vwmp/vwmp/store/data"
	"github.com/vwmp/vwmp/store/internal/record"
)

type attempt struct {
	step   string
	number int
}

type attemptLog struct {
	size    int64
	last    uint64
	logs    int
	dropped uint64
	capped  bool
}

type keptLine struct {
	seq     uint64
	step    string
	isLog   bool
	encoded []byte
}

// AppendLog implements engine.LogSink.
func (s *Store) AppendLog(executionID, stepID string, number int, lines ...plan.Event) error {
	if err := data.CheckID("step", stepID); err != nil {
		return err
	}
	kept := make([]keptLine, 0, len(lines))
	var size int64
	for i := range lines {
		encoded, err := record.EncodeLine(&lines[i])
		if err != nil {
			return err
		}
		size += int64(len(encoded))
		kept = append(kept, keptLine{lines[i].Seq, stepID, lines[i].Type == plan.StepLog, encoded})
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if err := s.writable(); err != nil {
		return err
	}
	e := s.executions[executionID]
	if e == nil {
		return notFound("execution", executionID)
	}
	key := attempt{stepID, number}
	log := e.logs[key]
	if log == nil {
		log = &attemptLog{}
		e.logs[key] = log
	}
	if log.capped || log.size+size > s.options.LogLimit {
		log.capped = true
		log.dropped += uint64(len(lines))
		return engine.ErrLogCapped
	}
	last := log.last
	for _, line := range kept {
		if line.seq <= last {
			return fmt.Errorf("%w: log line %d after %d", data.ErrFenced, line.seq, last)
		}
		last = line.seq
	}
	log.size, log.last = log.size+size, last
	for _, line := range kept {
		e.lines = slices.Insert(e.lines, e.lineAfter(line.seq), line)
		if line.isLog {
			log.logs++
		}
	}
	return nil
}

// lineAfter returns the place of the first line of a higher Seq.
func (e *execution) lineAfter(seq uint64) int {
	at, _ := slices.BinarySearchFunc(e.lines, seq, func(line keptLine, seq uint64) int {
		if line.seq <= seq {
			return -1
		}
		return 1
	})
	return at
}

// SyncLogs implements engine.LogSink.
func (s *Store) SyncLogs(string) error {
	s.mu.RLock()
	defer s.mu.RUnlock()
	return s.writable()
}

// CloseLog implements engine.LogSink.
func (s *Store) CloseLog(string, string, int) error { return nil }

// LastLogSeq implements engine.LogSink.
func (s *Store) LastLogSeq(executionID string) (uint64, error) {
	s.mu.RLock()
	defer s.mu.RUnlock()
	e := s.executions[executionID]
	if e == nil || len(e.lines) == 0 {
		return 0, nil
	}
	return e.lines[len(e.lines)-1].seq, nil
}

// Logs implements data.Executions.
func (s *Store) Logs(_ context.Context, id string, filter data.LogFilter) (data.LogPage, error) {
	s.mu.RLock()
	defer s.mu.RUnlock()
	e := s.executions[id]
	if e == nil {
		return data.LogPage{}, notFound("execution", id)
	}
	page := data.LogPage{Lines: []plan.Event{}}
	for key, log := range e.logs {
		if log.capped && (filter.StepID == "" || filter.StepID == key.step) {
			page.Capped = append(page.Capped, data.CappedLog{
				StepID: key.step, Attempt: key.number, Limit: s.options.LogLimit, Dropped: log.dropped, After: log.last,
			})
		}
	}
	slices.SortFunc(page.Capped, func(a, b data.CappedLog) int {
		return cmp.Or(cmp.Compare(a.StepID, b.StepID), cmp.Compare(a.Attempt, b.Attempt))
	})
	limit := data.PageLimit(filter.Limit)
	for _, kept := range e.lines[e.lineAfter(filter.AfterSeq):] {
		if !kept.isLog || filter.StepID != "" && kept.step != filter.StepID {
			continue
		}
		line, err := record.DecodeLine(kept.encoded)
		if err != nil {
			return data.LogPage{}, err
		}
		if !filter.Match(&line) {
			continue
		}
		if page.More = len(page.Lines) == limit; page.More {
			break
		}
		page.Lines = append(page.Lines, line.Public())
	}
	return page, nil
}

// LogCounts implements data.Executions.
func (s *Store) LogCounts(_ context.Context, id string) (map[string]int, error) {
	s.mu.RLock()
	defer s.mu.RUnlock()
	e := s.executions[id]
	if e == nil {
		return nil, notFound("execution", id)
	}
	counts := map[string]int{}
	for key, log := range e.logs {
		if log.logs > 0 {
			counts[key.step] += log.logs
		}
	}
	return counts, nil
}

// PutBlob implements engine.Blobs.
func (s *Store) PutBlob(ctx context.Context, content []byte) (string, error) {
	sum := sha256.Sum256(content)
	name := hex.EncodeToString(sum[:])
	s.mu.Lock()
	defer s.mu.Unlock()
	if err := ctx.Err(); err != nil {
		return "", err
	}
	if err := s.writable(); err != nil {
		return "", err
	}
	if _, known := s.blobs[name]; !known {
		s.blobs[name] = slices.Clone(content)
	}
	return name, nil
}

// Blob implements engine.Blobs.
func (s *Store) Blob(_ context.Context, name string) ([]byte, error) {
	s.mu.RLock()
	defer s.mu.RUnlock()
	content, found := s.blobs[name]
	if !found {
		return nil, notFound("output", name)
	}
	return slices.Clone(content), nil
}
