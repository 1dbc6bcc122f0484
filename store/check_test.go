package store

import (
	"bytes"
	"context"
	"crypto/sha256"
	"strings"
	"testing"

	bolt "go.etcd.io/bbolt"

	"github.com/vwmp/vwmp/engine/plan"
	"github.com/vwmp/vwmp/store/data"
	"github.com/vwmp/vwmp/store/storetest"
)

func TestCheckFindsEveryBrokenInvariant(t *testing.T) {
	ctx := context.Background()
	id, live := storetest.ID(1), storetest.ID(2)
	flip := func(from bucket, key []byte) func(*bolt.Tx) error {
		return func(tx *bolt.Tx) error {
			value := bytes.Clone(tx.Bucket([]byte(from)).Get(key))
			value[len(value)-1] ^= 1
			return putRaw(tx, from, key, value)
		}
	}
	drop := func(from bucket, key []byte) func(*bolt.Tx) error {
		return func(tx *bolt.Tx) error { return remove(tx, from, key) }
	}
	first := func(from bucket) func(tx *bolt.Tx) []byte {
		return func(tx *bolt.Tx) []byte {
			key, _ := tx.Bucket([]byte(from)).Cursor().First()
			return bytes.Clone(key)
		}
	}
	place := data.PositionOf(storetest.NewLife(id, "release", startTime(1)).Header.CreatedAt, id)
	livePlace := data.PositionOf(startTime(2), live)
	tests := map[string]struct {
		harm func(tx *bolt.Tx) error
		want string
	}{
		"an event's checksum":         {flip(bucketEvents, eventKey(id, 1, 0)), "wrong checksum"},
		"a missing event":             {drop(bucketEvents, eventKey(id, 1, 0)), "event 1 is missing"},
		"a missing last event":        {drop(bucketEvents, eventKey(id, 3, 0)), "should at 3.0"},
		"an event without execution":  {func(tx *bolt.Tx) error { return putRaw(tx, bucketEvents, eventKey(storetest.ID(9), 1, 0), nil) }, "which is gone"},
		"a step's checksum":           {flip(bucketSteps, stepKey(id, "build")), "bucket steps"},
		"a header's checksum":         {flip(bucketExecutions, []byte(id)), "wrong checksum"},
		"a missing origin":            {drop(bucketOrigins, []byte(id)), "no origin"},
		"a header without time index": {drop(bucketByTime, placeKey(place)), "does not list it"},
		"a header without its status": {drop(bucketByStatus, statusKey(plan.StatusSuccess, place)), "does not list it"},
		"a header without workflow":   {drop(bucketByWorkflow, workflowKey("release", plan.StatusSuccess, place)), "does not list it"},
		"an index without a header": {func(tx *bolt.Tx) error {
			return putRaw(tx, bucketByTime, placeKey(data.PositionOf(startTime(7), storetest.ID(7))), nil)
		}, "which is not so"},
		"a second status":           {func(tx *bolt.Tx) error { return putRaw(tx, bucketByStatus, statusKey(plan.StatusFailed, place), nil) }, "which is not so"},
		"a live one that is not":    {drop(bucketLive, placeKey(livePlace)), "among the live ones"},
		"an ended one that is live": {func(tx *bolt.Tx) error { return putRaw(tx, bucketLive, placeKey(place), nil) }, "among the live ones"},
		"a workflow's count":        {func(tx *bolt.Tx) error { return recount(tx, 5) }, "counts 5 executions and has 2"},
		"a missing revision":        {drop(bucketRevisions, revisionKey("release", 1)), "revision 1 is missing"},
		"a revision's text":         {flip(bucketRevisions, revisionKey("release", 1)), "damaged record"},
		"a missing definition":      {func(tx *bolt.Tx) error { return remove(tx, bucketDefinitions, first(bucketDefinitions)(tx)) }, "is missing"},
		"a definition's references": {func(tx *bolt.Tx) error { return putRaw(tx, bucketReferences, first(bucketReferences)(tx), number(9)) }, "counts 9 references and has 3"},
		"an orphaned definition": {func(tx *bolt.Tx) error {
			d := documentOf([]byte(`{}`))
			return put(tx, bucketDefinitions, d.sum, d.content)
		}, "counts 0 references and has 0"},
		"a key without its execution": {func(tx *bolt.Tx) error {
			return put(tx, bucketKeys, []byte("release\x00k"), []byte(`{"execution":"gone"}`))
		}, "which is gone"},
		"an ended one that never moves": {drop(bucketEnded, placeKey(data.PositionOf(startTime(4), id))), "among the ended ones"},
		"a live one that is to move":    {func(tx *bolt.Tx) error { return putRaw(tx, bucketEnded, placeKey(livePlace), nil) }, "among the ended ones"},
		"an ended one that is gone": {func(tx *bolt.Tx) error {
			return putRaw(tx, bucketEnded, placeKey(data.PositionOf(startTime(7), storetest.ID(7))), nil)
		}, "which is not so"},
		"a name of an output for nobody": {func(tx *bolt.Tx) error {
			return putRaw(tx, bucketBlobs, blobSum{1}.key(storetest.ID(7)), nil)
		}, "names an output, and it is gone"},
		"a wrong number of executions": {func(tx *bolt.Tx) error { return count(tx, metaExecutions, 1) }, "are counted"},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			s, err := Open(ctx, Options{Dir: t.TempDir()})
			need(t, err)
			defer s.Close() //nolint:errcheck // It is damaged on purpose.
			_, err = s.CreateWorkflow(ctx, storetest.NewWorkflow("release", "Release"))
			need(t, err)
			need(t, s.Append(ctx, start(t, s, 1, "release").End(plan.StatusSuccess)))
			start(t, s, 2, "release")
			if report, err := s.Check(ctx); err != nil || !report.OK() || report.Executions != 2 || report.Workflows != 1 || report.Events != 7 {
				t.Fatalf("before the harm: %+v, %v", report, err)
			}
			need(t, s.db.Update(test.harm))
			report, err := s.Check(ctx)
			need(t, err)
			if !strings.Contains(strings.Join(report.Problems, "\n"), test.want) || report.OK() {
				t.Errorf("problems are %q, want %q", report.Problems, test.want)
			}
		})
	}
}

func TestCheckFindsBrokenInvariantsOfTheHistory(t *testing.T) {
	t.Parallel()
	ctx := context.Background()
	id := storetest.ID(1)
	sum := blobSum(sha256.Sum256([]byte("an output")))
	place := data.PositionOf(startTime(1), id)
	for name, test := range map[string]struct {
		harm func(tx *bolt.Tx) error
		want string
	}{
		"an event's checksum": {func(tx *bolt.Tx) error {
			return putRaw(tx, bucketEvents, eventKey(id, 1, 0), []byte("not what was written"))
		}, "wrong checksum"},
		"a missing event":     {func(tx *bolt.Tx) error { return remove(tx, bucketEvents, eventKey(id, 1, 0)) }, "event 1 is missing"},
		"a missing origin":    {func(tx *bolt.Tx) error { return remove(tx, bucketOrigins, []byte(id)) }, "no origin"},
		"a missing index":     {func(tx *bolt.Tx) error { return remove(tx, bucketByTime, placeKey(place)) }, "does not list it"},
		"a missing name":      {func(tx *bolt.Tx) error { return remove(tx, bucketBlobs, sum.key(id)) }, "does not say so"},
		"a missing execution": {func(tx *bolt.Tx) error { return remove(tx, bucketExecutions, []byte(id)) }, "which is gone"},
		"a step of nobody": {func(tx *bolt.Tx) error {
			return put(tx, bucketSteps, stepKey(storetest.ID(9), "build"), []byte(`{}`))
		}, "which is gone"},
	} {
		t.Run(name, func(t *testing.T) {
			s, err := Open(ctx, Options{Dir: t.TempDir(), Now: fixed, MoveAfter: atOnce})
			need(t, err)
			defer s.Close() //nolint:errcheck // It is damaged on purpose.
			withOutput(t, s, 1, "an output")
			need(t, s.Tend(ctx))
			if report, err := s.Check(ctx); err != nil || !report.OK() || report.Months != 1 || report.Blobs != 1 || report.Executions != 1 {
				t.Fatalf("before the harm: %+v, %v", report, err)
			}
			need(t, s.monthList()[0].db.Update(test.harm))
			report, err := s.Check(ctx)
			need(t, err)
			if !strings.Contains(strings.Join(report.Problems, "\n"), test.want) {
				t.Errorf("problems are %q, want %q", report.Problems, test.want)
			}
		})
	}
}

func recount(tx *bolt.Tx, n int) error {
	w, err := readWorkflow(tx, "release")
	if err != nil {
		return err
	}
	w.metadata.ExecutionCount = n
	return put(tx, bucketWorkflows, []byte("release"), w.encode())
}

func TestCheckRunsBesideWriters(t *testing.T) {
	ctx := context.Background()
	s := open(t, Options{})
	done := make(chan struct{})
	written := make(chan error, 1)
	go func() {
		for n := 1; ; n++ {
			life := storetest.NewLife(storetest.ID(n), "release", startTime(n))
			_, _, err := s.Create(ctx, life.Creation())
			if err == nil {
				err = s.Append(ctx, life.Start())
			}
			if err == nil {
				err = s.Append(ctx, life.End(plan.StatusSuccess))
			}
			if err == nil && n%2 == 0 {
				err = s.DeleteExecution(ctx, life.Header.ID)
			}
			select {
			case <-done:
				written <- err
				return
			default:
			}
			if err != nil {
				written <- err
				return
			}
		}
	}()
	for s.commands.Load() < 300 {
		report, err := s.Check(ctx)
		need(t, err)
		if !report.OK() {
			t.Errorf("problems are %q", report.Problems)
		}
	}
	close(done)
	need(t, <-written)
}
