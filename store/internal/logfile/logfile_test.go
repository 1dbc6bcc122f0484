package logfile

import (
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"go.uber.org/goleak"

	"github.com/vwmp/vwmp/engine"
	"github.com/vwmp/vwmp/engine/plan"
	"github.com/vwmp/vwmp/store/internal/record"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

type fixture struct {
	*Logs
	dir string
}

func newLogs(t testing.TB, limit int64) *fixture {
	t.Helper()
	return openLogs(t, t.TempDir(), limit)
}

func openLogs(t testing.TB, dir string, limit int64) *fixture {
	t.Helper()
	root, err := os.OpenRoot(dir)
	if err != nil {
		t.Fatal(err)
	}
	logs := New(root, limit, func(string) error { return nil })
	t.Cleanup(func() {
		if err := errors.Join(logs.Close(), root.Close()); err != nil {
			t.Error(err)
		}
	})
	return &fixture{logs, dir}
}

func line(seq uint64, text string) plan.Event {
	return plan.Event{Type: plan.StepLog, Seq: seq, ExecutionID: "e", StepID: "build", Message: text}
}

func (f *fixture) add(t testing.TB, execution, step string, attempt int, seqs ...uint64) {
	t.Helper()
	for _, seq := range seqs {
		if err := f.Append(execution, step, attempt, []plan.Event{line(seq, fmt.Sprint(seq))}); err != nil {
			t.Fatal(err)
		}
	}
}

func (f *fixture) window(t testing.TB, execution string, after, upTo uint64) (seqs []uint64, next uint64) {
	t.Helper()
	lines, next, err := f.Window(execution, "", after, upTo)
	if err != nil {
		t.Fatal(err)
	}
	for _, line := range lines {
		seqs = append(seqs, line.Seq)
	}
	return seqs, next
}

// countingReader counts what a search costs.
type countingReader struct {
	*os.File
	reads, bytes int
}

func (c *countingReader) ReadAt(p []byte, at int64) (int, error) {
	c.reads++
	c.bytes += len(p)
	return c.File.ReadAt(p, at)
}

func TestSearchFindsEveryNumberWithFewReads(t *testing.T) {
	logs := newLogs(t, 0)
	random := rand.New(rand.NewPCG(1, 2))
	var seqs []uint64
	seq := uint64(0)
	var batch []plan.Event
	for range 20_000 {
		seq += 1 + random.Uint64N(3)
		seqs = append(seqs, seq)
		// Some lines are longer than what is read at once.
		size := random.IntN(100)
		if random.IntN(500) == 0 {
			size = 3 * chunkSize
		}
		batch = append(batch, line(seq, strings.Repeat("x", size)))
	}
	if err := logs.Append("e", "build", 1, batch); err != nil {
		t.Fatal(err)
	}
	file, err := os.Open(filepath.Join(logs.dir, "logs", "e", "build.1.log"))
	if err != nil {
		t.Fatal(err)
	}
	defer file.Close() //nolint:errcheck // It is only read.
	info, err := file.Stat()
	if err != nil {
		t.Fatal(err)
	}
	for range 500 {
		i := random.IntN(len(seqs))
		counted := &countingReader{File: file}
		at, err := search(counted, info.Size(), seqs[i]-1)
		if err != nil {
			t.Fatal(err)
		}
		if got, ok, err := seqAt(file, at, info.Size()); err != nil || !ok || got != seqs[i] {
			t.Fatalf("looking for %d found %d, %v, %v", seqs[i], got, ok, err)
		}
		if counted.reads > 120 || int64(counted.bytes) > info.Size()/8 {
			t.Fatalf("%d reads of %d bytes in a file of %d", counted.reads, counted.bytes, info.Size())
		}
	}
	for after, want := range map[uint64]int64{0: 0, seq: info.Size(), seq + 9: info.Size()} {
		if at, err := search(file, info.Size(), after); err != nil || at != want {
			t.Errorf("behind %d is %d, %v; want %d", after, at, err, want)
		}
	}
}

func TestWindowsJoin(t *testing.T) {
	logs := newLogs(t, 0)
	random := rand.New(rand.NewPCG(3, 4))
	for seq := uint64(1); seq <= 600; seq++ {
		if seq < 200 || seq > 400 {
			logs.add(t, "e", fmt.Sprintf("step-%d", random.IntN(5)), 1+random.IntN(2), seq)
		}
	}
	for _, span := range []uint64{1, 7, 100, 5000} {
		count, after := 0, uint64(0)
		for {
			seqs, next := logs.window(t, "e", after, after+span)
			for _, seq := range seqs {
				if seq <= after || seq > after+span {
					t.Fatalf("window of %d behind %d has %d", span, after, seq)
				}
				count++
			}
			if next == 0 {
				break
			}
			after = max(after+span, next-1)
		}
		if count != 399 {
			t.Errorf("windows of %d have %d lines", span, count)
		}
	}
	logs.add(t, "e", "late", 1, 1000)
	if _, next := logs.window(t, "e", 700, 800); next != 1000 {
		t.Errorf("behind the gap is %d", next)
	}
}

func TestTornLastLineIsCutOff(t *testing.T) {
	long := strings.Repeat("y", 3*chunkSize)
	for name, torn := range map[string]string{
		"half a line":      `{"event":"step_log","seq":3,"exec`,
		"a long half line": `{"event":"step_log","seq":3,"message":"` + long,
		"one byte":         "{",
		"nothing":          "",
	} {
		t.Run(name, func(t *testing.T) {
			dir := t.TempDir()
			first := openLogs(t, dir, 0)
			first.add(t, "e", "build", 1, 1, 2)
			if err := first.Close(); err != nil {
				t.Fatal(err)
			}
			path := filepath.Join(dir, "logs", "e", "build.1.log")
			whole, err := os.ReadFile(path)
			if err != nil {
				t.Fatal(err)
			}
			if err := os.WriteFile(path, append(whole, torn...), 0o600); err != nil {
				t.Fatal(err)
			}
			second := openLogs(t, dir, 0)
			if last, err := second.LastSeq("e"); err != nil || last != 2 {
				t.Errorf("last is %d, %v", last, err)
			}
			second.add(t, "e", "build", 1, 3)
			if seqs, _ := second.window(t, "e", 0, 10); fmt.Sprint(seqs) != "[1 2 3]" {
				t.Errorf("lines are %v", seqs)
			}
		})
	}
	t.Run("only half a line", func(t *testing.T) {
		dir := t.TempDir()
		path := filepath.Join(dir, "logs", "e", "build.1.log")
		if err := errors.Join(os.MkdirAll(filepath.Dir(path), 0o700), os.WriteFile(path, []byte(`{"event"`), 0o600)); err != nil {
			t.Fatal(err)
		}
		logs := openLogs(t, dir, 0)
		logs.add(t, "e", "build", 1, 1)
		if seqs, _ := logs.window(t, "e", 0, 10); fmt.Sprint(seqs) != "[1]" {
			t.Errorf("lines are %v", seqs)
		}
	})
}

func TestMoreLogsThanMayBeOpen(t *testing.T) {
	logs := newLogs(t, 0)
	const executions, steps = 20, 30 // 600 logs, 256 of them open.
	for round := range 2 {
		for e := range executions {
			for s := range steps {
				logs.add(t, fmt.Sprintf("e%d", e), fmt.Sprintf("s%d", s), 1, uint64(round*steps+s+1))
			}
		}
	}
	if open := logs.open.Len(); open > maxOpen {
		t.Errorf("%d files are open", open)
	}
	for e := range executions {
		id := fmt.Sprintf("e%d", e)
		if err := logs.Sync(id); err != nil {
			t.Error(err)
		}
		if seqs, _ := logs.window(t, id, 0, 100); len(seqs) != 2*steps {
			t.Errorf("execution %s has %d lines", id, len(seqs))
		}
	}
}

func TestExecutionsAreForgottenWhenTheyAreIdle(t *testing.T) {
	logs := newLogs(t, 0)
	for e := range 3 * maxIdle {
		id := fmt.Sprintf("e%d", e)
		logs.add(t, id, "build", 1, 1)
		if err := errors.Join(logs.CloseAttempt(id, "build", 1), logs.Sync(id)); err != nil {
			t.Fatal(err)
		}
	}
	if len(logs.runs) != maxIdle || logs.idle.Len() != maxIdle {
		t.Errorf("%d executions are remembered, %d idle", len(logs.runs), logs.idle.Len())
	}
	if last, err := logs.LastSeq("e0"); err != nil || last != 1 {
		t.Errorf("a forgotten one ends at %d, %v", last, err)
	}
}

func TestExecutionsOfManyFilesAreForgottenSooner(t *testing.T) {
	t.Parallel()
	logs := newLogs(t, 0)
	idle := func(id string, files int) {
		r := &run{id: id, files: map[string]*file{}}
		for i := range files {
			r.files[fmt.Sprint(i)] = &file{run: r}
		}
		logs.mu.Lock()
		defer logs.mu.Unlock()
		logs.runs[id] = r
		logs.settle(r, false)
	}
	for _, c := range []struct {
		id         string
		files      int
		remembered int
		inAll      int
	}{
		{"small", 1, 1, 1}, {"half", maxIdleFiles / 2, 2, maxIdleFiles/2 + 1}, {"large", maxIdleFiles, 1, maxIdleFiles},
		{"larger", 2 * maxIdleFiles, 1, 2 * maxIdleFiles}, {"next", 1, 1, 1},
	} {
		idle(c.id, c.files)
		if logs.runs[c.id] == nil || len(logs.runs) != c.remembered || logs.idleFiles != c.inAll {
			t.Errorf("after %s: %d executions are remembered, %d files", c.id, len(logs.runs), logs.idleFiles)
		}
	}
	for id := range logs.runs {
		if err := logs.Remove(id); err != nil {
			t.Fatal(err)
		}
	}
	if logs.idleFiles != 0 {
		t.Errorf("%d files are remembered of logs that were deleted", logs.idleFiles)
	}
}

func TestManyWritersShareTheFiles(t *testing.T) {
	logs := newLogs(t, 0)
	var group sync.WaitGroup
	const executions, steps, lines = 40, 10, 20
	for e := range executions {
		for s := range steps {
			group.Go(func() {
				id := fmt.Sprintf("e%d", e)
				for n := range lines {
					logs.add(t, id, fmt.Sprintf("s%d", s), 1, uint64(n*steps+s+1))
					if n%7 == 0 {
						if err := logs.Sync(id); err != nil {
							t.Error(err)
						}
					}
				}
				if err := logs.CloseAttempt(id, fmt.Sprintf("s%d", s), 1); err != nil {
					t.Error(err)
				}
			})
		}
	}
	group.Wait()
	for e := range executions {
		seqs, _ := logs.window(t, fmt.Sprintf("e%d", e), 0, 1000)
		if len(seqs) != steps*lines {
			t.Errorf("execution %d has %d lines", e, len(seqs))
		}
	}
}

func TestMarkSurvivesReopening(t *testing.T) {
	dir := t.TempDir()
	logs := openLogs(t, dir, 500)
	seq := uint64(1)
	var err error
	for ; err == nil; seq++ {
		err = logs.Append("e", "build", 1, []plan.Event{line(seq, strings.Repeat("x", 50))})
	}
	for range 6 {
		if err := logs.Append("e", "build", 1, []plan.Event{line(seq, "")}); !errors.Is(err, engine.ErrLogCapped) {
			t.Fatalf("error is %v", err)
		}
	}
	if err := errors.Join(logs.CloseAttempt("e", "build", 1), logs.Close()); err != nil {
		t.Fatal(err)
	}
	raw, err := os.ReadFile(filepath.Join(dir, "logs", "e", "build.1.log"))
	if err != nil || len(raw) > 1000 {
		t.Errorf("the file has %d bytes, %v", len(raw), err)
	}
	again := openLogs(t, dir, 500)
	capped, err := again.Capped("e", "")
	if err != nil || len(capped) != 1 || capped[0].Dropped != 7 || capped[0].After != seq-2 {
		t.Errorf("marks are %+v, %v", capped, err)
	}
	if counts, err := again.Counts("e"); err != nil || counts["build"] != int(seq-2) {
		t.Errorf("counts are %v, %v", counts, err)
	}
	if seqs, next := again.window(t, "e", seq-2, 1000); len(seqs) > 0 || next != 0 {
		t.Errorf("behind the last are %v, %d", seqs, next)
	}
}

func TestTrimKeepsWhatHasNoGap(t *testing.T) {
	tests := []struct {
		name  string
		a, b  []uint64
		after uint64
		want  string
	}{
		{"no gap", []uint64{3, 5}, []uint64{4, 6}, 2, "[3 4 5 6]"},
		{"a gap", []uint64{3, 5, 8}, []uint64{4, 7}, 2, "[3 4 5]"},
		{"a gap at once", []uint64{4}, []uint64{5}, 2, "[]"},
		{"gaps of state events before", []uint64{3, 9}, []uint64{6, 10}, 8, "[3 6 9 10]"},
		{"nothing behind", []uint64{3}, []uint64{4}, 9, "[3 4]"},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			logs := newLogs(t, 0)
			logs.add(t, "e", "a", 1, test.a...)
			logs.add(t, "e", "b", 1, test.b...)
			if err := errors.Join(logs.CloseAttempt("e", "a", 1), logs.CloseAttempt("e", "b", 1)); err != nil {
				t.Fatal(err)
			}
			if _, err := logs.Trim("e", test.after); err != nil {
				t.Fatal(err)
			}
			if seqs, _ := logs.window(t, "e", 0, 100); fmt.Sprint(seqs) != test.want {
				t.Errorf("left are %v, want %s", seqs, test.want)
			}
			reopened := openLogs(t, logs.dir, 0)
			if seqs, _ := reopened.window(t, "e", 0, 100); fmt.Sprint(seqs) != test.want {
				t.Errorf("in the files are %v, want %s", seqs, test.want)
			}
		})
	}
}

func TestForeignFilesAreLeftAlone(t *testing.T) {
	dir := t.TempDir()
	folder := filepath.Join(dir, "logs", "e")
	if err := os.MkdirAll(folder, 0o700); err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{"build.log", "build.01.log", "build.1.txt", "..1.log", "note"} {
		if err := os.WriteFile(filepath.Join(folder, name), []byte("torn"), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	logs := openLogs(t, dir, 0)
	if last, err := logs.LastSeq("e"); err != nil || last != 0 {
		t.Errorf("last is %d, %v", last, err)
	}
	if content, err := os.ReadFile(filepath.Join(folder, "note")); err != nil || string(content) != "torn" {
		t.Errorf("a foreign file is %q, %v", content, err)
	}
}

func TestLogsFollowNoLinkOutOfTheFolder(t *testing.T) {
	dir, outside := t.TempDir(), t.TempDir()
	if err := errors.Join(os.Mkdir(filepath.Join(dir, "logs"), 0o700), os.Symlink(outside, filepath.Join(dir, "logs", "e"))); err != nil {
		t.Fatal(err)
	}
	logs := openLogs(t, dir, 0)
	if err := logs.Append("e", "build", 1, []plan.Event{line(1, "x")}); err == nil {
		t.Error("a log was written through a link")
	}
	if entries, err := os.ReadDir(outside); err != nil || len(entries) > 0 {
		t.Errorf("outside are %v, %v", entries, err)
	}
}

// FuzzInspect opens files of any content: nothing may panic, and what is
// appended is read back.
func FuzzInspect(f *testing.F) {
	encoded, err := record.EncodeLine(&plan.Event{Type: plan.StepLog, Seq: 5})
	if err != nil {
		f.Fatal(err)
	}
	f.Add(encoded)
	f.Add(append(encoded, `{"capped":{"step_id":"a"}}`+"\n"...))
	f.Add([]byte("\n\n\n"))
	f.Add([]byte("no line at all"))
	f.Fuzz(func(t *testing.T, content []byte) {
		dir := t.TempDir()
		path := filepath.Join(dir, "logs", "e", "build.1.log")
		if err := errors.Join(os.MkdirAll(filepath.Dir(path), 0o700), os.WriteFile(path, content, 0o600)); err != nil {
			t.Fatal(err)
		}
		logs := openLogs(t, dir, 0)
		last, err := logs.LastSeq("e")
		if err != nil {
			t.Fatal(err)
		}
		if _, err := logs.Counts("e"); err != nil {
			t.Fatal(err)
		}
		err = logs.Append("e", "build", 1, []plan.Event{line(last+1, "x")})
		if err != nil && !errors.Is(err, engine.ErrLogCapped) {
			t.Fatal(err)
		}
	})
}
