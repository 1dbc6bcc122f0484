package store

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/vwmp/vwmp/engine"
	"github.com/vwmp/vwmp/engine/plan"
	"github.com/vwmp/vwmp/pluginsdk"
	"github.com/vwmp/vwmp/store/storetest"
)

// The test binary is also the process that is killed: with this variable set
// it writes into the folder that it names, and says what was acknowledged.
const writerVariable = "VWMP_TEST_STORE_WRITER"

func runWriter() bool {
	dir, first, _ := strings.Cut(os.Getenv(writerVariable), "|")
	if dir == "" {
		return false
	}
	offset, err := strconv.Atoi(first)
	if err == nil {
		err = writeForever(dir, offset)
	}
	fmt.Fprintln(os.Stderr, err)
	return true
}

// writeForever runs executions in eight goroutines, and moves those that ended
// into the history, until somebody kills it.
func writeForever(dir string, offset int) error {
	s, err := Open(context.Background(), Options{Dir: dir, MoveAfter: atOnce})
	if err != nil {
		return err
	}
	var order sync.Mutex
	say := func(format string, values ...any) {
		order.Lock()
		defer order.Unlock()
		fmt.Printf(format+"\n", values...)
	}
	say("open")
	var group sync.WaitGroup
	const writers = 8
	failures := make([]error, writers+1)
	for worker := range writers {
		group.Go(func() {
			for n := offset + worker; failures[worker] == nil; n += writers {
				failures[worker] = writeOne(s, n, say)
			}
		})
	}
	group.Go(func() {
		for failures[writers] == nil {
			ctx := context.Background()
			failures[writers] = errors.Join(s.tend(ctx, pace), pace(ctx, 5*time.Millisecond))
		}
	})
	group.Wait()
	return errors.Join(append(failures, s.Close())...)
}

func writeOne(s *Store, n int, say func(string, ...any)) error {
	ctx := context.Background()
	life := storetest.NewLife(storetest.ID(n), "release", time.Now())
	if _, _, err := s.Create(ctx, life.Creation()); err != nil {
		return err
	}
	say("created %s", life.Header.ID)
	if err := s.Append(ctx, life.Start()); err != nil {
		return err
	}
	say("seq %s %d", life.Header.ID, life.Seq())
	for range 3 {
		line := life.Line("build", 1, pluginsdk.LevelInfo, strings.Repeat("x", 200))
		if err := s.AppendLog(life.Header.ID, "build", 1, line); err != nil {
			return err
		}
		// A line survives the process without a sync.
		say("seq %s %d", life.Header.ID, life.Seq())
	}
	if err := s.SyncLogs(life.Header.ID); err != nil {
		return err
	}
	name, err := s.PutBlob(ctx, []byte(life.Header.ID))
	if err != nil {
		return err
	}
	say("blob %s", name)
	if n%3 == 0 {
		return nil // It stays alive.
	}
	if err := s.Append(ctx, life.End(plan.StatusSuccess)); err != nil {
		return err
	}
	say("seq %s %d", life.Header.ID, life.Seq())
	return nil
}

// acknowledged is what a killed writer had said.
type acknowledged struct {
	seqs  map[string]uint64
	blobs []string
}

func (a *acknowledged) note(line string) {
	fields := strings.Fields(line)
	switch fields[0] {
	case "created":
		a.seqs[fields[1]] = max(a.seqs[fields[1]], 0)
	case "seq":
		seq, _ := strconv.ParseUint(fields[2], 10, 64) //nolint:errcheck // The writer above wrote it.
		a.seqs[fields[1]] = max(a.seqs[fields[1]], seq)
	case "blob":
		a.blobs = append(a.blobs, fields[1])
	}
}

// killWriter lets a writer say so many lines, kills it and adds what it said.
func killWriter(t *testing.T, dir string, offset, lines int, said *acknowledged) {
	t.Helper()
	command := exec.Command(os.Args[0])
	command.Env = append(os.Environ(), writerVariable+"="+dir+"|"+strconv.Itoa(offset))
	command.Stderr = os.Stderr
	output, err := command.StdoutPipe()
	need(t, err)
	need(t, command.Start())
	reader := bufio.NewReader(output)
	for count := 0; ; count++ {
		line, err := reader.ReadString('\n')
		if errors.Is(err, io.EOF) && count >= lines {
			break
		}
		if err != nil {
			t.Errorf("the writer ended after %d lines: %v", count, err)
			break
		}
		said.note(line)
		if count == lines {
			need(t, command.Process.Kill())
		}
	}
	if err := command.Wait(); err == nil {
		t.Error("the writer ended by itself")
	}
}

func TestKilledStoreLosesNothingThatWasAcknowledged(t *testing.T) {
	ctx := context.Background()
	dir := t.TempDir()
	said := &acknowledged{seqs: map[string]uint64{}}
	for round := range 5 {
		killWriter(t, dir, round*1_000_000+1, 100+300*round, said)
		s, err := Open(ctx, Options{Dir: dir})
		need(t, err)
		if s.Meta().Clean || s.Meta().BootEpoch != uint64(2*round+2) {
			t.Errorf("meta is %+v", s.Meta())
		}
		for id, seq := range said.seqs {
			events := allEvents(t, s, id)
			if uint64(len(events)) < seq {
				t.Errorf("execution %s has %d events, %d were acknowledged", id, len(events), seq)
			}
		}
		for _, name := range said.blobs {
			if _, err := s.Blob(ctx, name); err != nil {
				t.Error(err)
			}
		}
		report, err := s.Check(ctx)
		if err != nil || !report.OK() {
			t.Errorf("check: %v, %q", err, report.Problems)
		}
		if round == 4 && report.Months == 0 {
			t.Error("nothing moved into the history")
		}
		need(t, s.Close())
	}
}

func allEvents(t *testing.T, s *Store, id string) []plan.Event {
	t.Helper()
	events, err := s.Events(context.Background(), id, 0, 10_000)
	need(t, err)
	for i, event := range events {
		if event.Seq != uint64(i)+1 {
			t.Fatalf("execution %s: event %d has number %d", id, i+1, event.Seq)
		}
	}
	return events
}

func TestSecondProcessIsToldTheFirst(t *testing.T) {
	dir := t.TempDir()
	command := exec.Command(os.Args[0])
	command.Env = append(os.Environ(), writerVariable+"="+dir+"|1")
	output, err := command.StdoutPipe()
	need(t, err)
	need(t, command.Start())
	if line, err := bufio.NewReader(output).ReadString('\n'); err != nil || line != "open\n" {
		t.Errorf("the first process said %q, %v", line, err)
	}
	_, err = Open(context.Background(), Options{Dir: dir})
	var locked *LockedError
	if !errors.As(err, &locked) || locked.PID != command.Process.Pid || time.Since(locked.Started) > time.Minute ||
		!strings.Contains(err.Error(), strconv.Itoa(command.Process.Pid)) {
		t.Errorf("error is %v", err)
	}
	need(t, command.Process.Kill())
	_ = command.Wait() //nolint:errcheck // It was killed.
	open(t, Options{Dir: dir})
}

func TestEverythingIsThereAfterReopening(t *testing.T) {
	ctx := context.Background()
	s := open(t, Options{LogLimit: 4 << 10})
	_, err := s.CreateWorkflow(ctx, storetest.NewWorkflow("release", "Release"))
	need(t, err)
	life := start(t, s, 1, "release")
	for err == nil {
		err = s.AppendLog(life.Header.ID, "build", 1, life.Line("build", 1, pluginsdk.LevelInfo, strings.Repeat("x", 300)))
	}
	life.Refuse()
	if !errors.Is(err, engine.ErrLogCapped) {
		t.Fatal(err)
	}
	name, err := s.PutBlob(ctx, []byte("output"))
	need(t, err)
	before := events(t, s, life.Header.ID)
	instance := s.Meta().InstanceID

	s = reopen(t, s, Options{LogLimit: 4 << 10})
	if meta := s.Meta(); meta.InstanceID != instance || meta.BootEpoch != 2 || !meta.Clean {
		t.Errorf("meta is %+v", meta)
	}
	if after := events(t, s, life.Header.ID); after != before {
		t.Errorf("events are\n%s\nand were\n%s", after, before)
	}
	if content, err := s.Blob(ctx, name); err != nil || string(content) != "output" {
		t.Errorf("blob: %q, %v", content, err)
	}
	line := life.Line("build", 1, pluginsdk.LevelInfo, "more")
	life.Refuse()
	if err := s.AppendLog(life.Header.ID, "build", 1, line); !errors.Is(err, engine.ErrLogCapped) {
		t.Errorf("a full log took a line after reopening: %v", err)
	}
	need(t, s.Append(ctx, life.End(plan.StatusSuccess)))
	w, err := s.Workflow(ctx, "release")
	if err != nil || w.ExecutionCount != 1 || *w.LastStatus != plan.StatusSuccess {
		t.Errorf("workflow: %+v, %v", w, err)
	}
}

func events(t *testing.T, s *Store, id string) string {
	t.Helper()
	var text strings.Builder
	for _, event := range allEvents(t, s, id) {
		fmt.Fprintf(&text, "%d %s %s\n", event.Seq, event.Type, event.Message)
	}
	return text.String()
}
