package store

import (
	"bytes"
	"context"
	"fmt"
	"slices"

	bolt "go.etcd.io/bbolt"

	"github.com/vwmp/vwmp/engine"
	"github.com/vwmp/vwmp/store/data"
	"github.com/vwmp/vwmp/store/internal/record"
)

// stepsPerView bounds the index entries that one transaction looks at.
const stepsPerView = 5000

// Executions implements data.Executions. It walks the indexes backwards, one
// of each file and for each status where a filter needs it, and reads no
// header but those of the page.
func (s *Store) Executions(ctx context.Context, filter data.ExecutionFilter) ([]engine.Execution, string, error) {
	search := newSearch(&filter)
	if filter.Cursor != "" {
		after, err := data.ParseCursor(filter.Cursor)
		if err != nil {
			return nil, "", err
		}
		if after.Before(search.below) {
			search.below = after
		}
	}
	limit := data.PageLimit(filter.Limit)
	page := []engine.Execution{}
	for !search.done && !search.more {
		var found []rawExecution
		err := s.viewAll(ctx, func(all []*bolt.Tx) (err error) {
			found, err = search.some(all, limit-len(page))
			return err
		})
		if err != nil {
			return nil, "", err
		}
		for i := range found {
			execution, err := s.shown(&found[i])
			if err != nil {
				return nil, "", err
			}
			page = append(page, execution)
		}
	}
	if !search.more {
		return page, "", nil
	}
	return page, search.last.Cursor(), nil
}

// search is a list on its way through several transactions.
type search struct {
	from    bucket
	starts  [][]byte
	since   int64
	trigger string
	hidden  map[string]bool

	// below is the place from which the next transaction goes on.
	below data.Position
	// last is the place of the last execution that was found.
	last data.Position
	// done: there is nothing below. more: the page is full and there is.
	done, more bool
}

func newSearch(filter *data.ExecutionFilter) *search {
	s := &search{
		since: microsOf(filter.Since, earliest), trigger: filter.Trigger, hidden: filter.Hidden,
		// No id sorts before the empty one, so that until is not included.
		below: data.Position{Micros: microsOf(filter.Until, latest)},
	}
	statuses := statusesOf(filter.Status, data.Statuses())
	switch {
	case filter.WorkflowID != "":
		s.from = bucketByWorkflow
		for _, status := range statuses {
			s.starts = append(s.starts, prefix(filter.WorkflowID, string(status)))
		}
	case len(filter.Status) > 0:
		s.from = bucketByStatus
		for _, status := range statuses {
			s.starts = append(s.starts, prefix(string(status)))
		}
	default:
		s.from, s.starts = bucketByTime, [][]byte{nil}
	}
	return s
}

// lane is one index that is walked backwards.
type lane struct {
	tx      *bolt.Tx
	cursor  *bolt.Cursor
	start   []byte
	place   data.Position
	trigger []byte
	ok      bool
}

// to moves a lane to the newest entry below a place.
func (l *lane) to(below data.Position) error {
	key, _ := l.cursor.Seek(append(slices.Clone(l.start), placeKey(below)...))
	if key == nil {
		return l.take(l.cursor.Last())
	}
	return l.take(l.cursor.Prev())
}

func (l *lane) take(key, value []byte) error {
	if l.ok = key != nil && bytes.HasPrefix(key, l.start); !l.ok {
		return nil
	}
	place, ok := placeOf(key[len(l.start):])
	if !ok {
		return fmt.Errorf("%w: an index of executions", record.ErrDamaged)
	}
	l.place, l.trigger = place, value
	return nil
}

// some reads what one transaction should, at most so many executions.
func (s *search) some(all []*bolt.Tx, most int) ([]rawExecution, error) {
	lanes := make([]lane, 0, len(all)*len(s.starts))
	for _, tx := range all {
		for _, start := range s.starts {
			l := lane{tx: tx, cursor: tx.Bucket([]byte(s.from)).Cursor(), start: start}
			if err := l.to(s.below); err != nil {
				return nil, err
			}
			if l.ok {
				lanes = append(lanes, l)
			}
		}
	}
	var found []rawExecution
	looked := 0
	for range stepsPerView {
		newest := newestOf(lanes)
		if newest == nil || newest.place.Micros < s.since {
			s.done = true
			return found, nil
		}
		if (s.trigger == "" || s.trigger == string(newest.trigger)) && listed(all[0], newest) {
			raw, err := readExecution(newest.tx, newest.place.ID)
			if err != nil {
				return nil, err
			}
			if !s.hidden[raw.header.workflow] {
				if len(found) == most {
					s.more = true
					return found, nil
				}
				found, s.last = append(found, raw), newest.place
			}
			if looked++; looked == rowsPerView {
				s.below = newest.place
				return found, nil
			}
		}
		s.below = newest.place
		if err := newest.take(newest.cursor.Prev()); err != nil {
			return nil, err
		}
	}
	return found, nil
}

// listed reports whether an entry of the history counts: not what is in
// state.db as well, and not what is deleted.
func listed(hot *bolt.Tx, entry *lane) bool {
	return entry.tx == hot || !has(hot, entry.place.ID) && !deleted(hot, []byte(entry.place.ID))
}

// newestOf returns the lane whose entry is the newest, nil where all have
// ended.
func newestOf(lanes []lane) *lane {
	var newest *lane
	for i := range lanes {
		if lanes[i].ok && (newest == nil || newest.place.Before(lanes[i].place)) {
			newest = &lanes[i]
		}
	}
	return newest
}
