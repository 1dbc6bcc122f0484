package storetest

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync"
	"testing"

	"github.com/vwmp/vwmp/engine"
	"github.com/vwmp/vwmp/engine/plan"
	"github.com/vwmp/vwmp/pluginsdk"
	"github.com/vwmp/vwmp/store/data"
)

var logCases = []testCase{
	{name: "log lines are filtered by step, level and number", run: logsAreFiltered},
	{name: "log lines are counted by step", run: logsAreCounted},
	{name: "a log at its limit takes no more lines and says so", logLimit: 4 << 10, run: logIsCapped},
	{name: "a full log does not touch another", logLimit: 4 << 10, run: capIsPerAttempt},
	{name: "a line out of order is refused", run: lineOutOfOrder},
	{name: "a line that is not of a log is refused", run: onlyLogLines},
	{name: "the highest number of the logs is known", run: lastLogSeq},
	{name: "steps log in parallel", run: parallelLogs},
	{name: "a line of any text is read back", run: anyText},
	{name: "an output is kept by its content", run: blobs},
}

func messagesOf(page data.LogPage) string {
	messages := make([]string, len(page.Lines))
	for i, line := range page.Lines {
		messages[i] = line.Message
	}
	return strings.Join(messages, " ")
}

func logsAreFiltered(t *testing.T, s *suite) {
	s.told(t)
	tests := []struct {
		name   string
		filter data.LogFilter
		want   string
		more   bool
	}{
		{"all", data.LogFilter{}, "three five seven", false},
		{"of a step", data.LogFilter{StepID: "build"}, "three seven", false},
		{"of another", data.LogFilter{StepID: "none"}, "", false},
		{"from info on", data.LogFilter{Level: pluginsdk.LevelInfo}, "three five", false},
		{"from warning on", data.LogFilter{Level: pluginsdk.LevelWarning}, "five", false},
		{"after a line", data.LogFilter{AfterSeq: 3}, "five seven", false},
		{"after all", data.LogFilter{AfterSeq: 7}, "", false},
		{"one page", data.LogFilter{Limit: 2}, "three five", true},
		{"the last page", data.LogFilter{Limit: 2, AfterSeq: 5}, "seven", false},
		{"exactly one page", data.LogFilter{Limit: 3}, "three five seven", false},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			page := must[data.LogPage](t)(s.Logs(context.Background(), ID(1), test.filter))
			wantEqual(t, "lines", messagesOf(page), test.want)
			wantEqual(t, "more", page.More, test.more)
			wantEqual(t, "capped", len(page.Capped), 0)
		})
	}
}

func logsAreCounted(t *testing.T, s *suite) {
	ctx := context.Background()
	s.told(t)
	counts := must[map[string]int](t)(s.LogCounts(ctx, ID(1)))
	wantEqual(t, "counts", fmt.Sprint(counts), "map[build:2 test:1]")
	s.create(t, 2, "release")
	wantEqual(t, "counts of none", len(must[map[string]int](t)(s.LogCounts(ctx, ID(2)))), 0)
	_, err := s.LogCounts(ctx, ID(3))
	wantError(t, err, engine.ErrNotFound)
}

// fill logs until the log takes no more, and returns how many lines it took.
func fill(t *testing.T, s *suite, life *Life, step string) int {
	t.Helper()
	for count := range 1000 {
		err := s.AppendLog(life.Header.ID, step, 1, life.Line(step, 1, pluginsdk.LevelInfo, strings.Repeat("x", 100)))
		if errors.Is(err, engine.ErrLogCapped) {
			life.Refuse()
			return count
		}
		need(t, err)
	}
	t.Fatal("the log took 1,000 lines")
	return 0
}

func logIsCapped(t *testing.T, s *suite) {
	ctx := context.Background()
	life := s.create(t, 1, "release")
	need(t, s.Append(ctx, life.Start()))
	kept := fill(t, s, life, "build")
	if kept < 5 || kept > 40 {
		t.Errorf("the log took %d lines", kept)
	}
	short := life.Line("build", 1, pluginsdk.LevelInfo, "short")
	wantError(t, s.AppendLog(ID(1), "build", 1, short, life.Line("build", 1, pluginsdk.LevelInfo, "short")), engine.ErrLogCapped)
	life.Refuse()
	life.Refuse()
	need(t, s.CloseLog(ID(1), "build", 1))
	need(t, s.SyncLogs(ID(1)))
	need(t, s.Append(ctx, life.End(plan.StatusSuccess)))
	page := must[data.LogPage](t)(s.Logs(ctx, ID(1), data.LogFilter{}))
	wantEqual(t, "lines", len(page.Lines), kept)
	wantEqual(t, "mark", fmt.Sprint(page.Capped), fmt.Sprint([]data.CappedLog{{
		StepID: "build", Attempt: 1, Limit: 4 << 10, Dropped: 3, After: page.Lines[kept-1].Seq,
	}}))
	wantEqual(t, "count", must[map[string]int](t)(s.LogCounts(ctx, ID(1)))["build"], kept)
	wantEqual(t, "events", len(must[[]plan.Event](t)(s.Events(ctx, ID(1), 0, 0))), int(life.Seq()))
}

func capIsPerAttempt(t *testing.T, s *suite) {
	life := s.create(t, 1, "release")
	need(t, s.Append(context.Background(), life.Start()))
	first := fill(t, s, life, "build")
	second := fill(t, s, life, "test")
	if second < first-2 {
		t.Errorf("the second log took %d lines, the first %d", second, first)
	}
	need(t, s.AppendLog(ID(1), "build", 2, life.Line("build", 2, pluginsdk.LevelInfo, "again")))
}

func lineOutOfOrder(t *testing.T, s *suite) {
	life := s.create(t, 1, "release")
	need(t, s.Append(context.Background(), life.Start()))
	line := life.Line("build", 1, pluginsdk.LevelInfo, "three")
	need(t, s.AppendLog(ID(1), "build", 1, line))
	wantError(t, s.AppendLog(ID(1), "build", 1, line), data.ErrFenced)
	wantEqual(t, "last", must[uint64](t)(s.LastLogSeq(ID(1))), uint64(3))
}

func onlyLogLines(t *testing.T, s *suite) {
	life := s.create(t, 1, "release")
	line := life.Line("build", 1, pluginsdk.LevelInfo, "one")
	state := line
	state.Type = plan.StepCompleted
	wantError(t, s.AppendLog(ID(1), "build", 1, state), data.ErrInvalid)
	for _, step := range []string{"../x", "", "a/b", "a.b"} {
		if err := s.AppendLog(ID(1), step, 1, line); !errors.Is(err, data.ErrInvalid) {
			t.Errorf("step %q: error is %v", step, err)
		}
	}
	wantError(t, s.AppendLog(ID(2), "build", 1, line), engine.ErrNotFound)
	need(t, s.AppendLog(ID(1), "build", 1, line))
}

func lastLogSeq(t *testing.T, s *suite) {
	s.told(t)
	wantEqual(t, "last", must[uint64](t)(s.LastLogSeq(ID(1))), uint64(7))
	s.create(t, 2, "release")
	wantEqual(t, "last of none", must[uint64](t)(s.LastLogSeq(ID(2))), uint64(0))
}

func parallelLogs(t *testing.T, s *suite) {
	ctx := context.Background()
	const executions, steps, lines = 4, 5, 40
	var group sync.WaitGroup
	for n := 1; n <= executions; n++ {
		life := s.create(t, n, "release")
		need(t, s.Append(ctx, life.Start()))
		var order sync.Mutex
		for step := range steps {
			group.Go(func() {
				name := fmt.Sprintf("step-%d", step)
				for range lines {
					order.Lock()
					err := s.AppendLog(life.Header.ID, name, 1, life.Line(name, 1, pluginsdk.LevelInfo, name))
					order.Unlock()
					if err != nil {
						t.Error(err)
					}
					if err := s.SyncLogs(life.Header.ID); err != nil {
						t.Error(err)
					}
				}
			})
		}
	}
	group.Wait()
	for n := 1; n <= executions; n++ {
		events := must[[]plan.Event](t)(s.Events(ctx, ID(n), 0, 0))
		wantEqual(t, "events", len(events), 2+steps*lines)
		for i, event := range events {
			wantEqual(t, "number", event.Seq, uint64(i)+1)
		}
	}
}

func anyText(t *testing.T, s *suite) {
	life := s.create(t, 1, "release")
	texts := []string{"", "\n\r\n", `{"capped":1}`, "\u2028<b>&", strings.Repeat("ä", 40_000), "\x1b[31mred"}
	for _, text := range texts {
		need(t, s.AppendLog(ID(1), "build", 1, life.Line("build", 1, pluginsdk.LevelInfo, text)))
	}
	page := must[data.LogPage](t)(s.Logs(context.Background(), ID(1), data.LogFilter{}))
	wantEqual(t, "lines", len(page.Lines), len(texts))
	for i, line := range page.Lines {
		wantEqual(t, "text", line.Message, texts[i])
	}
}

func blobs(t *testing.T, s *suite) {
	ctx := context.Background()
	content := []byte(strings.Repeat("output ", 20_000))
	name := must[string](t)(s.PutBlob(ctx, content))
	wantEqual(t, "name again", must[string](t)(s.PutBlob(ctx, content)), name)
	wantEqual(t, "length of a name", len(name), 64)
	wantEqual(t, "content", string(must[[]byte](t)(s.Blob(ctx, name))), string(content))
	for _, missing := range []string{strings.Repeat("0", 64), "../../etc/passwd", ""} {
		_, err := s.Blob(ctx, missing)
		wantError(t, err, engine.ErrNotFound)
	}
}
