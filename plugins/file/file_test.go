package main

import (
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/vwmp/vwmp/plugins/internal/handlertest"
	"github.com/vwmp/vwmp/pluginsdk"
)

func TestThePluginIsWhatTheContractSays(t *testing.T) {
	pure := handlertest.Abilities{Effect: pluginsdk.EffectPure}
	changing := handlertest.Abilities{Effect: pluginsdk.EffectIdempotent, Plan: true, Undo: true}
	handlertest.CheckDescription(t, map[string]handlertest.Abilities{
		"file.read": pure, "file.glob": pure, "file.checksum": pure,
		"file.write": changing, "file.append": changing, "file.copy": changing, "file.move": changing, "file.delete": changing,
		"file.template": changing, "file.archive": changing, "file.extract": changing,
	})
}

// snapshot is the workspace's files, without what is kept for undo.
func snapshot(t *testing.T, dir string) string {
	t.Helper()
	var all []string
	err := filepath.WalkDir(dir, func(name string, entry fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		relative, err := filepath.Rel(dir, name)
		switch {
		case err != nil:
			return err
		case relative == keptFolder:
			return fs.SkipDir
		case entry.IsDir():
			all = append(all, relative+"/")
			return nil
		}
		raw, err := os.ReadFile(name)
		all = append(all, relative+": "+string(raw))
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	slices.Sort(all)
	return strings.Join(all, "\n")
}

// project is a small workspace.
func project(t *testing.T) string {
	t.Helper()
	dir := t.TempDir()
	for name, text := range map[string]string{"a.txt": "one\n", "docs/b.md": "two", "docs/old/c.md": "three", "bin/run": "#!/bin/sh\n", ".git/config": "[core]\n"} {
		handlertest.Write(t, dir, name, text)
	}
	if err := os.Chmod(filepath.Join(dir, "bin/run"), 0o755); err != nil {
		t.Fatal(err)
	}
	(call("archive", dir, map[string]any{"paths": []string{"docs"}, "to": "docs.zip", "keep_for_undo": false})).Succeed(t, nil)
	return dir
}

// TestEveryChangeIsPlannedMadeAndTakenBack runs each handler twice, as after a
// crash, and takes it back twice.
func TestEveryChangeIsPlannedMadeAndTakenBack(t *testing.T) {
	t.Parallel()
	tests := map[string]struct {
		handler string
		config  map[string]any
		effects int
		due     string // in the snapshot after it
	}{
		"a new file":           {"write", map[string]any{"path": "x/y/new.txt", "content": "n"}, 1, "x/y/new.txt: n"},
		"a file replaced":      {"write", map[string]any{"path": "a.txt", "content": "other"}, 1, "a.txt: other"},
		"JSON":                 {"write", map[string]any{"path": "a.json", "json": map[string]any{"b": []int{1}}}, 1, "\"b\": ["},
		"base64":               {"write", map[string]any{"path": "bin.dat", "content": "AAE=", "encoding": "base64"}, 1, "bin.dat: \x00\x01"},
		"text added":           {"append", map[string]any{"path": "a.txt", "content": "more"}, 1, "a.txt: one\nmore\n"},
		"text added on a line": {"append", map[string]any{"path": "docs/b.md", "content": "more"}, 1, "docs/b.md: two\nmore\n"},
		"a file copied":        {"copy", map[string]any{"from": "a.txt", "to": "n/c.txt"}, 1, "n/c.txt: one"},
		"a folder copied":      {"copy", map[string]any{"from": "docs", "to": "copy"}, 2, "copy/old/c.md: three"},
		"copied over":          {"copy", map[string]any{"from": "a.txt", "to": "docs/b.md"}, 1, "docs/b.md: one"},
		"a folder moved":       {"move", map[string]any{"from": "docs", "to": "m/docs"}, 2, "m/docs/old/c.md: three"},
		"moved over":           {"move", map[string]any{"from": "a.txt", "to": "docs/b.md", "overwrite": true}, 2, "docs/b.md: one"},
		"files deleted":        {"delete", map[string]any{"paths": []string{"docs/**/*.md"}}, 2, "docs/old/"},
		"a folder deleted":     {"delete", map[string]any{"paths": []string{"docs", "docs/b.md", "none"}, "recursive": true}, 1, "a.txt"},
		"a template":           {"template", map[string]any{"template": "Hi {{.n | upper}}", "values": map[string]any{"n": "ada"}, "path": "a.txt"}, 1, "a.txt: Hi ADA"},
		"an archive":           {"archive", map[string]any{"paths": []string{"docs", "bin"}, "to": "out/all.tar.gz"}, 1, "out/all.tar.gz"},
		"an archive unpacked":  {"extract", map[string]any{"path": "docs.zip", "to": "u", "strip_components": 1}, 2, "u/old/c.md: three"},
		"unpacked over":        {"extract", map[string]any{"path": "docs.zip"}, 2, "docs/b.md: two"},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			dir := project(t)
			if name == "unpacked over" {
				handlertest.Write(t, dir, "docs/b.md", "changed")
			}
			before := snapshot(t, dir)
			use := call(test.handler, dir, test.config)
			if effects := use.Plan(t); len(effects) != test.effects {
				t.Errorf("plan %+v", effects)
			}
			if now := snapshot(t, dir); now != before {
				t.Fatalf("planning changed\n%s\nto\n%s", before, now)
			}
			first := use.Succeed(t, nil)
			after := snapshot(t, dir)
			if after == before || !strings.Contains(after, test.due) {
				t.Fatalf("no %q in\n%s", test.due, after)
			}
			use.Checkpoint = use.Recorder.Checkpoint
			second := use.Succeed(t, nil)
			if now := snapshot(t, dir); now != after {
				t.Errorf("a second attempt changed\n%s\nto\n%s", after, now)
			}
			token := second.UndoToken
			if len(token) == 0 {
				token = first.UndoToken
			}
			for range 2 {
				if err := use.Undo(t, token); err != nil {
					t.Fatal(err)
				}
				if now := snapshot(t, dir); now != before {
					t.Fatalf("undo left\n%s\nof\n%s", now, before)
				}
			}
			if handlertest.Exists(filepath.Join(dir, keptFolder)) {
				t.Error("undo left what was kept for it")
			}
			if info, err := os.Stat(filepath.Join(dir, "bin/run")); err != nil || info.Mode().Perm() != 0o755 {
				t.Errorf("mode %v %v", info, err)
			}
		})
	}
}

func TestUndoLeavesWhatWasChangedSince(t *testing.T) {
	t.Parallel()
	dir := project(t)
	use := call("write", dir, map[string]any{"path": "a.txt", "content": "x"})
	outcome := use.Succeed(t, nil)
	handlertest.Write(t, dir, "a.txt", "mine")
	if err := use.Undo(t, outcome.UndoToken); err == nil || !strings.Contains(err.Error(), "changed since") || handlertest.Read(t, dir, "a.txt") != "mine" {
		t.Errorf("got %v", err)
	}
	gone := call("delete", dir, map[string]any{"paths": []string{"docs/b.md"}})
	outcome = gone.Succeed(t, nil)
	handlertest.Write(t, dir, "docs/b.md", "mine")
	if err := gone.Undo(t, outcome.UndoToken); err == nil || handlertest.Read(t, dir, "docs/b.md") != "mine" {
		t.Errorf("got %v", err)
	}
	none := call("write", dir, map[string]any{"path": "n.txt", "content": "x", "keep_for_undo": false})
	if outcome := none.Succeed(t, nil); len(outcome.UndoToken) > 0 {
		t.Errorf("there is an undo token %s", outcome.UndoToken)
	}
}

func TestWhatIsKeptForUndoIsForgotten(t *testing.T) {
	t.Parallel()
	dir := project(t)
	call("write", dir, map[string]any{"path": "a.txt", "content": "x"}).Succeed(t, nil)
	folders, err := filepath.Glob(filepath.Join(dir, keptFolder, "[0-9a-f]*"))
	if err != nil || len(folders) != 1 || !strings.HasPrefix(handlertest.Read(t, dir, keptFolder+"/.gitignore"), "*") {
		t.Fatalf("kept %v %v", folders, err)
	}
	old := time.Now().Add(-keptFor - time.Hour)
	if err := os.Chtimes(folders[0], old, old); err != nil {
		t.Fatal(err)
	}
	call("delete", dir, map[string]any{"paths": []string{"none"}}).Succeed(t, nil)
	if handlertest.Exists(folders[0]) {
		t.Error("it is still there")
	}
}

func TestFilesAreRead(t *testing.T) {
	t.Parallel()
	dir := project(t)
	handlertest.Write(t, dir, "x.json", `{"n": 12345678901234567}`)
	handlertest.Write(t, dir, "bad.txt", "\xff")
	var output readOutput
	call("read", dir, map[string]any{"path": "a.txt"}).Succeed(t, &output)
	if output.Content != "one\n" || output.Size != 4 || len(output.SHA256) != 64 {
		t.Errorf("got %+v", output)
	}
	if outcome := call("read", dir, map[string]any{"path": "x.json", "format": "json"}).Succeed(t, nil); !strings.Contains(string(outcome.Output), "12345678901234567") {
		t.Errorf("got %s", outcome.Output)
	}
	call("read", dir, map[string]any{"path": "bad.txt", "format": "base64"}).Succeed(t, &output)
	if output.Content != "/w==" {
		t.Errorf("got %+v", output)
	}
	call("read", dir, map[string]any{"path": "bad.txt"}).Fail(t, pluginsdk.FailurePermanent, "not text")
	call("read", dir, map[string]any{"path": "a.txt", "max_size": 3}).Fail(t, pluginsdk.FailurePermanent, "more than the 3 allowed")
	call("read", dir, map[string]any{"path": "a.txt", "format": "json"}).Fail(t, pluginsdk.FailurePermanent, "not JSON")
	call("read", dir, map[string]any{"path": "docs"}).Fail(t, pluginsdk.FailureInvalidInput, "not a file")
}

func TestFilesAreFound(t *testing.T) {
	t.Parallel()
	dir := project(t)
	for name, test := range map[string]struct {
		patterns, exclude []string
		want              string
	}{
		"by ending":        {[]string{"**/*.md"}, nil, "docs/b.md docs/old/c.md"},
		"except":           {[]string{"docs/**"}, []string{"docs/old"}, "docs/b.md"},
		"in one folder":    {[]string{"docs/*"}, nil, "docs/b.md"},
		"all, without git": {[]string{"**"}, nil, "a.txt bin/run docs.zip docs/b.md docs/old/c.md"},
		"twice":            {[]string{"a.txt", "*.txt"}, nil, "a.txt"},
		"nothing":          {[]string{"*.none"}, nil, ""},
	} {
		var output globOutput
		call("glob", dir, map[string]any{"patterns": test.patterns, "exclude": test.exclude}).Succeed(t, &output)
		if got := strings.Join(output.Files, " "); got != test.want || output.Count != len(output.Files) {
			t.Errorf("%s: got %q, want %q", name, got, test.want)
		}
	}
	call("glob", dir, map[string]any{"patterns": []string{"*.none"}, "fail_if_none": true}).Fail(t, pluginsdk.FailurePermanent, "nothing matches")
	call("glob", dir, map[string]any{"patterns": []string{"a[", "x"}}).Fail(t, pluginsdk.FailureInvalidInput, "can't be read")
	call("glob", dir, map[string]any{"patterns": []string{strings.Repeat("**/a/", 20) + "b"}}).Fail(t, pluginsdk.FailureInvalidInput, "five **")
}

func TestChecksumsAreComputedAndCompared(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	handlertest.Write(t, dir, "a", "abc")
	for algorithm, want := range map[string]string{
		"sha256": "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad", "sha1": "a9993e364706816aba3e25717850c26c9cd0d89d", "md5": "900150983cd24fb0d6963f7d28e17f72",
	} {
		var output checksumOutput
		call("checksum", dir, map[string]any{"paths": []string{"a"}, "algorithm": algorithm, "expected": strings.ToUpper(want)}).Succeed(t, &output)
		if output.Checksum != want || output.Checksums[0].Size != 3 {
			t.Errorf("%s: %+v", algorithm, output)
		}
	}
	if failure := call("checksum", dir, map[string]any{"paths": []string{"a"}, "expected": "00"}).Fail(t, pluginsdk.FailurePermanent, "not the expected 00"); failure.Code != "CHECKSUM_MISMATCH" {
		t.Errorf("code %s", failure.Code)
	}
	call("checksum", dir, map[string]any{"paths": []string{"none"}}).Fail(t, pluginsdk.FailurePermanent, "no file matches")
}

// TestCase55PathsThatLeaveAreRefused tries each handler with each bad path.
func TestCase55PathsThatLeaveAreRefused(t *testing.T) {
	t.Parallel()
	dir := project(t)
	outside := t.TempDir()
	handlertest.Write(t, outside, "secret", "s3cret")
	for name, target := range map[string]string{"link": outside, "filelink": filepath.Join(outside, "secret")} {
		if err := os.Symlink(target, filepath.Join(dir, name)); err != nil {
			t.Fatal(err)
		}
	}
	handlertest.Git(t, dir, "init", "--quiet")
	if err := os.Symlink(".git", filepath.Join(dir, "gitlink")); err != nil {
		t.Fatal(err)
	}
	before := snapshot(t, outside)
	for _, bad := range []string{
		"../x", "/etc/passwd", `C:\x`, `\\?\C:\x`, "CON", "nul.txt", "a\x00b", "x. ", "x.", "a/../../x", ".git/config", "sub/.GIT/x", "link/secret", "link/", "filelink", "gitlink/config", "gitlink/hooks/pre-commit", keptFolder + "/x", "",
	} {
		for handler, config := range map[string]map[string]any{
			"read": {"path": bad}, "write": {"path": bad, "content": "x"}, "append": {"path": bad, "content": "x"},
			"copy": {"from": bad, "to": "n"}, "copy ": {"from": "a.txt", "to": bad}, "move": {"from": bad, "to": "n"}, "move ": {"from": "a.txt", "to": bad},
			"delete": {"paths": []string{bad}, "missing_ok": false}, "template": {"template": "x", "path": bad}, "archive": {"paths": []string{"a.txt"}, "to": bad + ".zip"},
			"extract": {"path": bad}, "extract ": {"path": "docs.zip", "to": bad}, "checksum": {"paths": []string{bad}},
		} {
			if (handler == "template" || strings.HasPrefix(handler, "delete")) && (bad == "" || bad == "filelink") || bad == "filelink" && strings.TrimSpace(handler) != "read" && handler != "copy" && handler != "extract" && handler != "append" {
				// An empty path means none; a link itself may be replaced, moved or deleted.
				continue
			}
			if handler == "archive" && (strings.HasSuffix(bad, ".") || strings.HasSuffix(bad, " ") || bad == "" || bad == "CON" || strings.HasSuffix(bad, "/")) {
				continue
			}
			outcome := call(strings.TrimSpace(handler), dir, config).Execute(t)
			if outcome.Kind != pluginsdk.OutcomeFailure {
				t.Errorf("%s of %q: %s %s", handler, bad, outcome.Kind, outcome.Output)
			}
		}
	}
	if now := snapshot(t, outside); now != before {
		t.Errorf("outside was changed:\n%s", now)
	}
	if text := handlertest.Read(t, dir, "a.txt"); text != "one\n" {
		t.Errorf("a.txt is %q", text)
	}
}

func TestTemplatesAreFilledWithinBounds(t *testing.T) {
	t.Parallel()
	dir := project(t)
	handlertest.Write(t, dir, "t.txt", "{{range $i, $x := .list}}{{$i}}={{$x}};{{end}}")
	for name, test := range map[string]struct {
		config map[string]any
		want   string
	}{
		"a file":       {map[string]any{"template_file": "t.txt", "values": map[string]any{"list": []any{"a", 2}}}, "0=a;1=2;"},
		"functions":    {map[string]any{"template": `{{.a | default "x" | upper}} {{join "," .l}} {{replace "a" "b" "aa"}} {{json .}} {{printf "%04.1f" .f}}`, "values": map[string]any{"l": []string{"1", "2"}, "f": 2.5}}, `X 1,2 bb {"f":2.5,"l":["1","2"]} 02.5`},
		"missing":      {map[string]any{"template": "a{{.none}}b", "missing": "empty"}, "ab"},
		"calls itself": {map[string]any{"template": `{{define "t"}}{{if .}}{{len .}}{{template "t" slice . 1}}{{end}}{{end}}{{template "t" "abc"}}`}, "321"},
	} {
		if name == "functions" {
			test.config["missing"] = "empty"
		}
		var output templateOutput
		call("template", dir, test.config).Succeed(t, &output)
		if output.Content != test.want {
			t.Errorf("%s: got %q", name, output.Content)
		}
	}
	for name, test := range map[string]struct{ template, want string }{
		"a missing value": {"{{.none}}", "no entry for key"},
		"an endless loop": {"{{range 1000000000000}}{{end}}", "turns"},
		"nested loops":    {"{{range 100000}}{{range 100000}}{{end}}{{end}}", "turns"},
		"endless calls":   {`{{define "t"}}{{template "t"}}{{end}}{{template "t"}}`, "depth"},
		"much text":       {"{{range 900000}}0123456789{{end}}", "more than 4 MiB"},
		"doubling":        {`{{$x := "0123456789"}}{{range 60}}{{$x = print $x $x}}{{end}}`, "more than 4 MiB"},
		"doubling by js":  {`{{$x := "\\"}}{{range 60}}{{$x = js $x}}{{end}}`, "more than 4 MiB"},
		"a wide printf":   {`{{printf "%999999d" 1}}`, "four digits"},
		"repeated printf": {`{{$x := printf "%9999d" 1}}{{printf "` + strings.Repeat("%[1]s", 5000) + `" $x}}`, "more than 4 MiB"},
		"a call":          {`{{call .x}}`, ""},
		"broken":          {"{{.a", "template"},
	} {
		outcome := call("template", dir, map[string]any{"template": test.template}).Execute(t)
		if outcome.Kind != pluginsdk.OutcomeFailure || !strings.Contains(outcome.Failure.Message, test.want) {
			t.Errorf("%s: %s %+v", name, outcome.Kind, outcome.Failure)
		}
	}
}

func TestOnlyFoldersThatAPatternLeadsIntoAreLookedThrough(t *testing.T) {
	for pattern, folders := range map[string]map[string]bool{
		"docs/**":       {"docs": true, "docs/a/b": true, "other": false, "doc": false},
		"docs/*.md":     {"docs": true, "docs/a": false},
		"*/src/**/x.go": {"a": true, "a/src": true, "a/src/b/c": true, "a/test": false},
		"**/x":          {"a": true, "a/b/c": true},
		"x":             {"x": false, "y": false},
	} {
		for folder, want := range folders {
			if got := leadsInto(strings.Split(pattern, "/"), strings.Split(folder, "/")); got != want {
				t.Errorf("%s leads into %s: %t", pattern, folder, got)
			}
		}
	}
	// Whatever matches lies where a pattern leads.
	parts := []string{"a", "b", "*", "**"}
	for n := range 4 * 4 * 4 {
		pattern := []string{parts[n%4], parts[n/4%4], parts[n/16]}
		for m := range 2 * 2 * 2 * 2 {
			name := []string{parts[m%2], parts[m/2%2], parts[m/4%2], parts[m/8]}
			for end := range name {
				if matchSegments(pattern, name[:end+1]) && end > 0 && !leadsInto(pattern, name[:end]) {
					t.Errorf("%v matches %v, and does not lead into its folder", pattern, name[:end+1])
				}
			}
		}
	}
}
