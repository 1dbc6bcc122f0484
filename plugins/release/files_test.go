package main

import (
	"math/rand/v2"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/vwmp/vwmp/plugins/internal/handlertest"
	"github.com/vwmp/vwmp/pluginsdk"
)

var noon = time.Date(2025, 11, 21, 15, 42, 58, 0, time.FixedZone("east", 3600))

var fixRelease = map[string]string{"version": "0.21.0.2", "summary": "Designer renders the release (E01:S03:T001)", "type": "fix"}

// writers are the handlers that write, with what they need.
var writers = []struct {
	handler, file, content string
	config                 map[string]any
}{
	{"release.version_bump", "VERSION", "1.2.3\n", map[string]any{"version_file": "VERSION"}},
	{"release.changelog_create", "changelogs/CHANGELOG_v0.21.0.2.md", "", map[string]any{"values": fixRelease}},
	{"release.changelog_update", "CHANGELOG.md", "# Changelog\n", map[string]any{"values": fixRelease, "link_to_detailed": false}},
	{"release.readme_update", "README.md", "**Latest Release: v1.0.0**\n", map[string]any{"values": fixRelease}},
}

func TestCase73WritersReconcileAtEveryPointOfACrash(t *testing.T) {
	for _, writer := range writers {
		start := func(t *testing.T, crash *handlertest.Recorder) *handlertest.Call {
			dir := t.TempDir()
			if writer.content != "" {
				handlertest.Write(t, dir, writer.file, writer.content)
				old := time.Now().Add(-time.Hour)
				if err := os.Chtimes(filepath.Join(dir, writer.file), old, old); err != nil {
					t.Fatal(err)
				}
			}
			use := &handlertest.Call{Handler: writer.handler, Dir: dir, Config: writer.config, Recorder: crash, Started: time.Now().Add(-time.Minute)}
			use.Fail(t, pluginsdk.FailurePermanent, handlertest.ErrCrash.Error())
			use.Checkpoint, use.Recorder = crash.Checkpoint, &handlertest.Recorder{}
			return use
		}
		content := func(t *testing.T, use *handlertest.Call) string {
			if !handlertest.Exists(filepath.Join(use.Dir, writer.file)) {
				return ""
			}
			return handlertest.Read(t, use.Dir, writer.file)
		}
		t.Run(writer.handler+" before the write", func(t *testing.T) {
			use := start(t, &handlertest.Recorder{CrashBefore: true})
			use.Reconcile(t, pluginsdk.ReconcileNotStarted)
			outcome := use.Succeed(t, nil)
			if err := use.Undo(t, outcome.UndoToken); err != nil || content(t, use) != writer.content {
				t.Errorf("undo: %v, %q", err, content(t, use))
			}
		})
		t.Run(writer.handler+" after the write", func(t *testing.T) {
			use := start(t, &handlertest.Recorder{CrashAfter: true})
			written := content(t, use)
			if written == writer.content {
				t.Fatal("nothing was written")
			}
			result := use.Reconcile(t, pluginsdk.ReconcileDone)
			outcome := use.Succeed(t, nil)
			if string(outcome.Output) != string(result.Output) || content(t, use) != written {
				t.Errorf("a second attempt gave %s, not %s", outcome.Output, result.Output)
			}
			for range 2 {
				if err := use.Undo(t, result.UndoToken); err != nil {
					t.Fatal(err)
				}
			}
			if content(t, use) != writer.content {
				t.Errorf("undone to %q", content(t, use))
			}
		})
		t.Run(writer.handler+" changed by somebody", func(t *testing.T) {
			use := start(t, &handlertest.Recorder{CrashAfter: true})
			result := use.Reconcile(t, pluginsdk.ReconcileDone)
			handlertest.Write(t, use.Dir, writer.file, "mine\n")
			use.Reconcile(t, pluginsdk.ReconcileUnknown)
			if err := use.Undo(t, result.UndoToken); err == nil || !strings.Contains(err.Error(), "changed since") {
				t.Errorf("undo: %v", err)
			}
			if content(t, use) != "mine\n" {
				t.Error("somebody's text is gone")
			}
		})
		t.Run(writer.handler+" checkpoint lost", func(t *testing.T) {
			use := start(t, &handlertest.Recorder{CrashBefore: true})
			use.Checkpoint = nil
			use.Reconcile(t, pluginsdk.ReconcileNotStarted)
			use = start(t, &handlertest.Recorder{CrashAfter: true})
			use.Checkpoint = nil
			use.Reconcile(t, pluginsdk.ReconcileUnknown)
		})
	}
}

func TestUndoNeedsOnlyWhatChanged(t *testing.T) {
	dir := t.TempDir()
	noise := make([]byte, 300<<10)
	random := rand.New(rand.NewPCG(1, 2))
	for i := range noise {
		noise[i] = "0123456789abcdefghijklmnopqrstuvwxyz\n"[random.IntN(37)]
	}
	before := "# Changelog\n\n## Recent Releases\n\n" + string(noise) + "end"
	handlertest.Write(t, dir, "CHANGELOG.md", before)
	use := handlertest.Call{Handler: "release.changelog_update", Dir: dir, Config: map[string]any{"values": fixRelease}}
	outcome := use.Succeed(t, nil)
	if len(outcome.UndoToken) > 2000 {
		t.Errorf("the undo token has %d bytes", len(outcome.UndoToken))
	}
	if err := use.Undo(t, outcome.UndoToken); err != nil || handlertest.Read(t, dir, "CHANGELOG.md") != before {
		t.Errorf("undo: %v", err)
	}
}

// creator is the handler with a fixed clock.
func creator() *pluginsdk.Handler {
	return pluginsdk.NewHandler(pluginsdk.HandlerInfo{Path: "release.changelog_create"}, changelogCreator{func() time.Time { return noon }})
}

func TestChangelogCreateWritesTheWholeFile(t *testing.T) {
	for name, test := range map[string]struct {
		branch     string
		config     map[string]any
		parameters map[string]any
	}{
		"create-full": {"epic/21-workflow-platform", map[string]any{"values": fixRelease}, map[string]any{"detailed_changes": "- one\n- two (e1s2t3)\n"}},
		"create-date-only": {"main", map[string]any{"format": "date_only", "changes": "Given here.", "related_tasks": []string{"E09:S01:T002", "E01:S03:T001"},
			"values": map[string]string{"version": "v0.21.0.2", "summary": "🚀 Summary with its own emoji E01:S03:T001", "type": "feature"}}, nil},
		"create-story": {"epic/07-big_thing/story-3-first-steps", map[string]any{"values": map[string]string{"version": "0.21.0.2", "summary": "x", "type": "odd"}}, nil},
		"create-code":  {"feature/E21-S03-x", map[string]any{"values": map[string]string{"version": "0.21.0.2"}}, map[string]any{"summary": "From the parameters", "change_type": "tooling"}},
	} {
		t.Run(name, func(t *testing.T) {
			dir := t.TempDir()
			handlertest.Git(t, dir, "init", "-q", "-b", test.branch)
			use := handlertest.Call{Handler: "release.changelog_create", Dir: dir, Config: test.config, Parameters: test.parameters}
			_, step := use.Step(t)
			outcome := creator().Execute(t.Context(), step)
			if outcome.Kind != pluginsdk.OutcomeSuccess {
				t.Fatalf("%+v", outcome.Failure)
			}
			var output createOutput
			handlertest.FromJSON(t, outcome.Output, &output)
			if output.ChangelogFile != "changelogs/CHANGELOG_v0.21.0.2.md" || output.Version != "0.21.0.2" {
				t.Errorf("output %+v", output)
			}
			handlertest.Golden(t, name+".md", handlertest.Read(t, dir, output.ChangelogFile))
		})
	}
}

func TestChangelogCreateNeverOverwrites(t *testing.T) {
	dir := t.TempDir()
	use := handlertest.Call{Handler: "release.changelog_create", Dir: dir, Config: map[string]any{"values": fixRelease}}
	_, step := use.Step(t)
	if outcome := creator().Execute(t.Context(), step); outcome.Kind != pluginsdk.OutcomeSuccess {
		t.Fatalf("%+v", outcome.Failure)
	}
	_, again := use.Step(t)
	if outcome := creator().Execute(t.Context(), again); outcome.Kind != pluginsdk.OutcomeSuccess || outcome.UndoToken != nil {
		t.Errorf("the same text again: %+v, token %s", outcome.Failure, outcome.UndoToken)
	}
	written := handlertest.Read(t, dir, "changelogs/CHANGELOG_v0.21.0.2.md")
	failure := use.Fail(t, pluginsdk.FailurePermanent, "changelogs/CHANGELOG_v0.21.0.2.md")
	if failure.Code != "CHANGELOG_EXISTS" || handlertest.Read(t, dir, "changelogs/CHANGELOG_v0.21.0.2.md") != written {
		t.Errorf("failure %+v", failure)
	}
}

func TestWritersNameTheValueThatIsMissing(t *testing.T) {
	for _, handler := range []string{"release.changelog_create", "release.changelog_update", "release.readme_update"} {
		dir := t.TempDir()
		handlertest.Write(t, dir, "README.md", "x")
		use := handlertest.Call{Handler: handler, Dir: dir, Config: map[string]any{"values": map[string]string{"summary": "x"}}}
		if failure := use.Fail(t, pluginsdk.FailureInvalidInput, "{version}"); failure.Pointer != "/values/version" {
			t.Errorf("pointer %s", failure.Pointer)
		}
		use.Outputs = []map[string]any{{"new_version": "1.2.3"}}
		use.Config = map[string]any{}
		use.Fail(t, pluginsdk.FailureInvalidInput, "{summary}")
		use.Outputs = []map[string]any{{"version": "../../x"}}
		use.Parameters = map[string]any{"summary": "x"}
		use.Fail(t, pluginsdk.FailureInvalidInput, "no version")
	}
}

func TestPlansShowWhatIsNotKnownYet(t *testing.T) {
	dir := t.TempDir()
	handlertest.Write(t, dir, "README.md", "**Latest Release: v1.0.0**\n")
	for _, handler := range []string{"release.changelog_create", "release.changelog_update", "release.readme_update"} {
		use := handlertest.Call{Handler: handler, Dir: dir}
		effects := use.Plan(t)
		if len(effects) != 1 || effects[0].Known || !strings.Contains(effects[0].Diff, "{version}") {
			t.Errorf("%s: %+v", handler, effects)
		}
	}
	entries, err := os.ReadDir(dir)
	if err != nil || len(entries) != 1 || handlertest.Read(t, dir, "README.md") != "**Latest Release: v1.0.0**\n" {
		t.Errorf("a plan wrote: %v %v", entries, err)
	}
}

func updater() *pluginsdk.Handler {
	return pluginsdk.NewHandler(pluginsdk.HandlerInfo{Path: "release.changelog_update"}, changelogUpdater{func() time.Time { return noon }})
}

func TestChangelogUpdateInsertsTheRelease(t *testing.T) {
	kept := "# Changelog\n\nAll notable changes.\n\n## [Unreleased]\n\n### Added\n\n- Something\n\n## [0.21.0.1] - 2025-01-01\n\n- Old\n\n" +
		"[unreleased]: https://example.com/x/compare/v0.21.0.1...HEAD\n[0.21.0.1]: https://example.com/x/releases/tag/v0.21.0.1\n"
	recent := "# Changelog\n\n## Recent Releases\n\n### [0.21.0.1] - 20-11-25\nOld one\n\n## Archive\n\n- x\n"
	for name, test := range map[string]struct {
		before  string
		config  map[string]any
		outputs []map[string]any
	}{
		"update-missing":      {"", nil, nil},
		"update-recent":       {recent, nil, []map[string]any{{"changelog_file": "docs/change logs/CHANGELOG_v0.21.0.2.md"}}},
		"update-append":       {recent, map[string]any{"prepend": false, "date_format": "%d/%m/%Y"}, nil},
		"update-no-link":      {recent, map[string]any{"link_to_detailed": false, "date_format": "YYYY-MM-DD"}, []map[string]any{{"changelog_file": "x.md"}}},
		"update-no-heading":   {"# Changelog\n\nIntro.\n\n## Archive\n\n- x\n", nil, nil},
		"update-only-title":   {"# Changelog", nil, nil},
		"update-in-code":      {"# Changelog\n\n```\n## Recent Releases\n```\n\nText\n", nil, nil},
		"update-kept":         {kept, nil, nil},
		"update-kept-pattern": {kept, map[string]any{"date_format": "%Y.%m.%d", "link_to_detailed": true, "changelog_file": "c/x.md"}, nil},
		"update-crlf":         {strings.ReplaceAll(recent, "\n", "\r\n"), nil, nil},
		"update-end-missing":  {"# Changelog\n\n## Recent Releases", nil, nil},
	} {
		t.Run(name, func(t *testing.T) {
			dir := t.TempDir()
			if test.before != "" {
				handlertest.Write(t, dir, "CHANGELOG.md", test.before)
			}
			config := map[string]any{"values": fixRelease}
			for key, value := range test.config {
				config[key] = value
			}
			use := handlertest.Call{Handler: "release.changelog_update", Dir: dir, Config: config, Outputs: test.outputs}
			for range 2 {
				// The second time the entry is there, and stays as it is.
				_, step := use.Step(t)
				outcome := updater().Execute(t.Context(), step)
				if outcome.Kind != pluginsdk.OutcomeSuccess {
					t.Fatalf("%+v", outcome.Failure)
				}
				handlertest.Golden(t, name+".md", handlertest.Read(t, dir, "CHANGELOG.md"))
			}
			config["values"] = map[string]string{"version": "0.21.0.2", "summary": "Something else"}
			use.Fail(t, pluginsdk.FailurePermanent, "already")
		})
	}
}

func TestChangelogUpdateLinksFromItsOwnFolder(t *testing.T) {
	dir := t.TempDir()
	use := handlertest.Call{Handler: "release.changelog_update", Dir: dir, Config: map[string]any{
		"values": fixRelease, "main_changelog": "docs/CHANGELOG.md", "changelog_file": "changelogs/CHANGELOG_v0.21.0.2.md",
	}}
	use.Succeed(t, nil)
	if got := handlertest.Read(t, dir, "docs/CHANGELOG.md"); !strings.Contains(got, "(../changelogs/CHANGELOG_v0.21.0.2.md)") {
		t.Errorf("got %s", got)
	}
}

func TestDatesHaveTheThreeForms(t *testing.T) {
	for pattern, want := range map[string]string{"DD-MM-YY": "21-11-25", "YYYY-MM-DD": "2025-11-21", "%d/%m/%Y": "21/11/2025", "%e. %B %y": "21. November 25"} {
		if got, err := formatDate("/date_format", pattern, noon); err != nil || got != want {
			t.Errorf("%s: %q %v, want %q", pattern, got, err, want)
		}
	}
	for _, pattern := range []string{"", "DD.MM.YYYY", "%d\n%m"} {
		if got, err := formatDate("/date_format", pattern, noon); err == nil {
			t.Errorf("%q gave %q", pattern, got)
		}
	}
}

func TestReadmeUpdateShowsTheVersion(t *testing.T) {
	for name, test := range map[string]struct {
		before string
		config map[string]any
	}{
		"readme-both": {"# X\n\n[![Version](https://img.shields.io/badge/version-0.21.0.1-blue)](https://example.com/releases)\n" +
			"![Version](https://img.shields.io/badge/Version-0.1-green.svg?style=flat)\n\n**🎉 Latest Release: v0.21.0.1** - 🐞 Fix: old\n\nNeeds v0.21.0.1.\n", nil},
		"readme-link":        {"Latest release: [v0.21.0.1](https://example.com/v0.21.0.1) (see notes)\r\nlast", nil},
		"readme-plain":       {"```\nLatest Release: v9.9.9\n```\n> **Latest Release: 0.21.0.1**\n", nil},
		"readme-badge-off":   {"https://img.shields.io/badge/version-0.1.0-blue\nLatest Release: v0.1.0\n", map[string]any{"update_badge": false}},
		"readme-line-off":    {"https://img.shields.io/badge/version-0.1.0-blue\nLatest Release: v0.1.0\n", map[string]any{"update_latest_release": false}},
		"readme-own-badge":   {"![v](https://badges.example.com/v/0.1.0.png) https://img.shields.io/badge/version-0.1.0-blue\n", map[string]any{"badge_format": "https://badges.example.com/v/{version}.png"}},
		"readme-pre-release": {"![v](https://img.shields.io/badge/version-1.0.0--rc.1-blue)\n", map[string]any{"values": map[string]string{"version": "1.0.0-rc.2+7", "summary": "x"}}},
		"readme-neither":     {"# X\n", nil},
	} {
		t.Run(name, func(t *testing.T) {
			dir := t.TempDir()
			handlertest.Write(t, dir, "README.md", test.before)
			config := map[string]any{"values": fixRelease}
			for key, value := range test.config {
				config[key] = value
			}
			use := handlertest.Call{Handler: "release.readme_update", Dir: dir, Config: config}
			outcome := use.Succeed(t, nil)
			handlertest.Golden(t, name+".md", handlertest.Read(t, dir, "README.md"))
			if outcome.UndoToken != nil {
				if err := use.Undo(t, outcome.UndoToken); err != nil {
					t.Fatal(err)
				}
			}
			if handlertest.Read(t, dir, "README.md") != test.before {
				t.Error("the undo left something else")
			}
		})
	}
}

func TestAMissingReadmeIsASkip(t *testing.T) {
	use := handlertest.Call{Handler: "release.readme_update", Dir: t.TempDir(), Config: map[string]any{"values": fixRelease}}
	outcome := use.Execute(t)
	if outcome.Kind != pluginsdk.OutcomeSkipped || !strings.Contains(outcome.SkipReason, "README.md") {
		t.Errorf("got %s %s", outcome.Kind, outcome.SkipReason)
	}
	if effects := use.Plan(t); len(effects) != 0 {
		t.Errorf("plan %+v", effects)
	}
	use.Config["badge_format"] = "no placeholder"
	use.Fail(t, pluginsdk.FailureInvalidInput, "{version}")
}
