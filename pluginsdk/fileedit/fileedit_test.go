package fileedit_test

import (
	"context"
	"encoding/json"
	"errors"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/vwmp/vwmp/pluginsdk"
	"github.com/vwmp/vwmp/pluginsdk/fileedit"
	"github.com/vwmp/vwmp/pluginsdk/plugintest"
)

// writer makes files hold the texts of its config.
type writer struct{}

type writerConfig struct {
	Files map[string]string `json:"files" title:"Files" description:"The text of each file."`
	// First is written before the others.
	First string `json:"first" title:"First" description:"The file to begin with."`
}

func (c writerConfig) names() []string {
	names := []string{c.First}
	for name := range c.Files {
		if name != c.First {
			names = append(names, name)
		}
	}
	return names
}

func (c writerConfig) edits(step *pluginsdk.Step) ([]fileedit.Edit, error) {
	var edits []fileedit.Edit
	for _, name := range c.names() {
		before, isThere, err := fileedit.ReadFile(step, "/files", name)
		if err != nil {
			return nil, err
		}
		edits = append(edits, fileedit.Edit{File: name, Before: before, After: []byte(c.Files[name]), IsNew: !isThere})
	}
	return edits, nil
}

func (writer) Execute(ctx context.Context, step *pluginsdk.Step, config writerConfig) (string, error) {
	edits, err := config.edits(step)
	if err != nil {
		return "", err
	}
	return "wrote", fileedit.Apply(ctx, step, edits, "wrote")
}

func (writer) Plan(_ context.Context, step *pluginsdk.Step, config writerConfig) ([]pluginsdk.PlannedEffect, error) {
	edits, err := config.edits(step)
	return fileedit.Plan(edits, "write them", true), err
}

func (writer) Reconcile(_ context.Context, step *pluginsdk.Step, config writerConfig) (pluginsdk.Reconciliation[string], error) {
	return fileedit.Reconcile[string](step, config.names())
}

func (writer) Undo(_ context.Context, step *pluginsdk.Step, token json.RawMessage) error {
	return fileedit.Undo(step, token)
}

func writeFiles() *pluginsdk.Handler {
	return pluginsdk.NewHandler(pluginsdk.HandlerInfo{
		Path: "demo.write", Name: "Write", Description: "Writes files.", Category: "files",
		Effect: pluginsdk.EffectReconcilable, Example: json.RawMessage(`{}`),
	}, writer{})
}

const old = "one\ntwo\nthree\n"

// both changes a.txt and makes sub/b.txt, in this order.
var both = writerConfig{First: "a.txt", Files: map[string]string{"a.txt": "one\n2\nthree\n", "sub/b.txt": "new\n"}}

func read(t *testing.T, dir, name string) string {
	t.Helper()
	data, err := os.ReadFile(filepath.Join(dir, filepath.FromSlash(name)))
	if errors.Is(err, os.ErrNotExist) {
		return ""
	}
	if err != nil {
		t.Fatal(err)
	}
	return string(data)
}

func TestEditsAreWrittenAndTakenBack(t *testing.T) {
	result := plugintest.Run(t, writeFiles(), both, plugintest.WithFile("a.txt", old))
	var output string
	result.MustSucceed(t, &output)
	dir := result.Workspace
	if output != "wrote" || read(t, dir, "a.txt") != "one\n2\nthree\n" || read(t, dir, "sub/b.txt") != "new\n" {
		t.Fatalf("got %q, %q, %q", output, read(t, dir, "a.txt"), read(t, dir, "sub/b.txt"))
	}
	var effects []string
	for _, effect := range result.Effects {
		if effect.Done {
			effects = append(effects, effect.Action+" "+effect.Target)
		}
	}
	if got := strings.Join(effects, ", "); got != "update a.txt, create sub/b.txt" || len(result.Effects) != 4 {
		t.Errorf("the effects are %s of %d", got, len(result.Effects))
	}
	for range 2 {
		plugintest.Undo(t, writeFiles(), both, result.UndoToken, plugintest.InWorkspace(dir)).MustSucceed(t, nil)
		if read(t, dir, "a.txt") != old || read(t, dir, "sub/b.txt") != "" {
			t.Errorf("undone to %q, %q", read(t, dir, "a.txt"), read(t, dir, "sub/b.txt"))
		}
	}
}

func TestAnEditThatChangesNothingIsNeitherPlannedNorMade(t *testing.T) {
	same := writerConfig{First: "a.txt", Files: map[string]string{"a.txt": old}}
	effects, err := plugintest.Plan(t, writeFiles(), same, plugintest.WithFile("a.txt", old))
	if err != nil || len(effects) != 0 {
		t.Errorf("planned %v: %v", effects, err)
	}
	result := plugintest.Run(t, writeFiles(), same, plugintest.WithFile("a.txt", old))
	result.MustSucceed(t, nil)
	if len(result.Effects) != 0 || result.UndoToken != nil {
		t.Errorf("got the effects %v and the undo token %s", result.Effects, result.UndoToken)
	}
}

func TestUndoKeepsItsHandsOffAFileThatWasChangedSince(t *testing.T) {
	result := plugintest.Run(t, writeFiles(), both, plugintest.WithFile("a.txt", old))
	result.MustSucceed(t, nil)
	failure := plugintest.Undo(t, writeFiles(), both, result.UndoToken,
		plugintest.InWorkspace(result.Workspace), plugintest.WithFile("a.txt", "mine")).MustFail(t)
	if !strings.Contains(failure.Message, "a.txt can't be put back: it was changed since") || read(t, result.Workspace, "a.txt") != "mine" {
		t.Errorf("got %s, %q", failure.Message, read(t, result.Workspace, "a.txt"))
	}
}

// checkpoint is what an attempt at both leaves behind before it writes.
func checkpoint(t *testing.T) json.RawMessage {
	t.Helper()
	result := plugintest.Run(t, writeFiles(), both, plugintest.WithFile("a.txt", old))
	result.MustSucceed(t, nil)
	if len(result.Checkpoints) != 1 {
		t.Fatalf("there are %d checkpoints", len(result.Checkpoints))
	}
	return result.Checkpoints[0]
}

func TestReconcileComparesTheFilesWithTheCheckpoint(t *testing.T) {
	left := checkpoint(t)
	for name, test := range map[string]struct {
		first, second string
		want          pluginsdk.ReconcileStatus
		detail        string
	}{
		"none written": {old, "", pluginsdk.ReconcileNotStarted, "2 of 2 files"},
		"one written":  {both.Files["a.txt"], "", pluginsdk.ReconcileNotStarted, "1 of 2 files"},
		"all written":  {both.Files["a.txt"], "new\n", pluginsdk.ReconcileDone, "every file"},
		"one is odd":   {"mine", "new\n", pluginsdk.ReconcileUnknown, "a.txt is neither"},
	} {
		t.Run(name, func(t *testing.T) {
			dir := t.TempDir()
			options := []plugintest.Option{plugintest.InWorkspace(dir), plugintest.WithFile("a.txt", test.first), plugintest.AsAttempt(2, left)}
			if test.second != "" {
				options = append(options, plugintest.WithFile("sub/b.txt", test.second))
			}
			result, err := plugintest.Reconcile(t, writeFiles(), both, options...)
			if err != nil || result.Status != test.want || !strings.Contains(result.Detail, test.detail) {
				t.Fatalf("got %s (%s): %v", result.Status, result.Detail, err)
			}
			if test.want != pluginsdk.ReconcileDone {
				return
			}
			if string(result.Output) != `"wrote"` {
				t.Errorf("the output is %s", result.Output)
			}
			plugintest.Undo(t, writeFiles(), both, result.UndoToken, plugintest.InWorkspace(dir)).MustSucceed(t, nil)
			if read(t, dir, "a.txt") != old || read(t, dir, "sub/b.txt") != "" {
				t.Errorf("undone to %q, %q", read(t, dir, "a.txt"), read(t, dir, "sub/b.txt"))
			}
		})
	}
}

func TestReconcileWithoutACheckpointGoesByTheFilesAge(t *testing.T) {
	for name, test := range map[string]struct {
		started time.Time
		want    pluginsdk.ReconcileStatus
	}{
		"files older than the execution": {time.Now().Add(time.Hour), pluginsdk.ReconcileNotStarted},
		"a file written since":           {time.Now().Add(-time.Hour), pluginsdk.ReconcileUnknown},
	} {
		t.Run(name, func(t *testing.T) {
			result, err := plugintest.Reconcile(t, writeFiles(), both, plugintest.WithFile("a.txt", old),
				plugintest.WithRequest(func(request *pluginsdk.Request) { request.StartedAt = test.started }))
			if err != nil || result.Status != test.want {
				t.Errorf("got %s (%s): %v", result.Status, result.Detail, err)
			}
		})
	}
}

func TestTheNextAttemptTakesOverWhatAnEarlierOneWrote(t *testing.T) {
	result := plugintest.Run(t, writeFiles(), both, plugintest.WithFile("a.txt", both.Files["a.txt"]), plugintest.AsAttempt(2, checkpoint(t)))
	result.MustSucceed(t, nil)
	dir := result.Workspace
	if len(result.Effects) != 2 || read(t, dir, "sub/b.txt") != "new\n" {
		t.Errorf("got the effects %v and %q", result.Effects, read(t, dir, "sub/b.txt"))
	}
	plugintest.Undo(t, writeFiles(), both, result.UndoToken, plugintest.InWorkspace(dir)).MustSucceed(t, nil)
	if read(t, dir, "a.txt") != old || read(t, dir, "sub/b.txt") != "" {
		t.Errorf("undone to %q, %q", read(t, dir, "a.txt"), read(t, dir, "sub/b.txt"))
	}
}

func TestAnAttemptThatChangesAFileOnceMoreIsFoundDone(t *testing.T) {
	other := writerConfig{First: "a.txt", Files: map[string]string{"a.txt": "other\n", "sub/b.txt": "new\n"}}
	result := plugintest.Run(t, writeFiles(), other, plugintest.WithFile("a.txt", both.Files["a.txt"]), plugintest.AsAttempt(2, checkpoint(t)))
	result.MustSucceed(t, nil)
	verdict, err := plugintest.Reconcile(t, writeFiles(), other, plugintest.InWorkspace(result.Workspace), plugintest.AsAttempt(3, result.Checkpoints[0]))
	if err != nil || verdict.Status != pluginsdk.ReconcileDone {
		t.Errorf("got %s (%s): %v", verdict.Status, verdict.Detail, err)
	}
}

func TestACancelledAttemptWritesNoFurtherFile(t *testing.T) {
	cancelled := func(ctx context.Context, step *pluginsdk.Step, config writerConfig) (string, error) {
		ctx, cancel := context.WithCancelCause(ctx)
		cancel(errors.New("stopped on purpose"))
		return writer{}.Execute(ctx, step, config)
	}
	handler := pluginsdk.NewHandler(pluginsdk.HandlerInfo{
		Path: "demo.write", Name: "Write", Description: "Writes files.", Category: "files", Example: json.RawMessage(`{}`),
	}, pluginsdk.Func[writerConfig, string](cancelled))
	result := plugintest.Run(t, handler, both, plugintest.WithFile("a.txt", old))
	if failure := result.MustFail(t); !strings.Contains(failure.Message, "stopped on purpose") {
		t.Errorf("got %+v", failure)
	}
	if read(t, result.Workspace, "a.txt") != old || len(result.Effects) != 0 {
		t.Errorf("got %q and the effects %v", read(t, result.Workspace, "a.txt"), result.Effects)
	}
}

func TestTextTooLargeToKeepIsNotUndoneByGuess(t *testing.T) {
	random := rand.New(rand.NewPCG(3, 4))
	large := make([]byte, 200<<10)
	for i := range large {
		large[i] = byte(random.IntN(256))
	}
	config := writerConfig{First: "x", Files: map[string]string{"x": "y"}}
	result := plugintest.Run(t, writeFiles(), config, plugintest.WithFile("x", string(large)))
	result.MustSucceed(t, nil)
	if size := len(result.Checkpoints[0]); size > pluginsdk.MaxCheckpointSize {
		t.Fatalf("the record has %d bytes", size)
	}
	dir := result.Workspace
	failure := plugintest.Undo(t, writeFiles(), config, result.UndoToken, plugintest.InWorkspace(dir)).MustFail(t)
	if !strings.Contains(failure.Message, "too large") {
		t.Errorf("got %s", failure.Message)
	}
	if read(t, dir, "x") != "y" {
		t.Error("the file changed")
	}
}

func TestAPlanShowsADiff(t *testing.T) {
	long := strings.Repeat("a line\n", 20<<10)
	for name, test := range map[string]struct {
		edit   fileedit.Edit
		action string
		diff   string
	}{
		"a line in the middle": {
			fileedit.Edit{File: "a", Before: []byte("1\n2\n3\n4\n5\n6\n7\n8\n9\n"), After: []byte("1\n2\n3\n4\nfive\n6\n7\n8\n9\n")},
			"update", "--- a/a\n+++ b/a\n@@ -2,7 +2,7 @@\n 2\n 3\n 4\n-5\n+five\n 6\n 7\n 8\n",
		},
		"a new file":       {fileedit.Edit{File: "a", After: []byte("1\n"), IsNew: true}, "create", "--- /dev/null\n+++ b/a\n@@ -0,0 +1,1 @@\n+1\n"},
		"a new empty file": {fileedit.Edit{File: "a", IsNew: true}, "create", "--- /dev/null\n+++ b/a\n@@ -0,0 +0,0 @@\n"},
		"no line end": {
			fileedit.Edit{File: "a", Before: []byte("1"), After: []byte("2\n")},
			"update", "--- a/a\n+++ b/a\n@@ -1,1 +1,1 @@\n-1\n\\ No newline at end of file\n+2\n",
		},
		"too long": {fileedit.Edit{File: "a", Before: []byte(long)}, "update", ""},
	} {
		t.Run(name, func(t *testing.T) {
			effects := fileedit.Plan([]fileedit.Edit{{File: "same"}, test.edit}, "because", false)
			if len(effects) != 1 {
				t.Fatalf("planned %v", effects)
			}
			effect := effects[0]
			if effect.Action != test.action || effect.Target != "a" || effect.Summary != "because" || effect.Known {
				t.Errorf("planned %+v", effect)
			}
			if test.diff != "" && effect.Diff != test.diff {
				t.Errorf("got\n%s\nwant\n%s", effect.Diff, test.diff)
			}
			if limit := 64<<10 + len("\n…"); len(effect.Diff) > limit || (test.diff == "" && !strings.HasSuffix(effect.Diff, "…")) {
				t.Errorf("the diff has %d bytes and ends in %q", len(effect.Diff), effect.Diff[len(effect.Diff)-4:])
			}
		})
	}
}

func TestPathsOutOfTheWorkspaceAndIntoGitAreRefused(t *testing.T) {
	for _, name := range []string{"../a", "/a", ".git/config", "sub/.GIT/hooks/x", ""} {
		var failure *pluginsdk.Error
		err := fileedit.CheckPath("/file", name)
		if !errors.As(err, &failure) || failure.Class != pluginsdk.FailureInvalidInput || failure.Pointer != "/file" {
			t.Errorf("%q: got %v", name, err)
		}
	}
	for _, name := range []string{"a", "sub/a.txt", ".gitignore", "docs/**/Epic-*.md"} {
		if err := fileedit.CheckPath("", name); err != nil {
			t.Errorf("%q: %v", name, err)
		}
	}
}

func TestAFolderCannotBeReadAsAFile(t *testing.T) {
	failure := plugintest.Run(t, writeFiles(), writerConfig{First: "sub"}, plugintest.WithFile("sub/a.txt", "")).MustFail(t)
	if failure.Class != pluginsdk.FailureInvalidInput || failure.Pointer != "/files" {
		t.Errorf("got %+v", failure)
	}
}
