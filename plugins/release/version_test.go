package main

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/vwmp/vwmp/plugins/internal/handlertest"
	"github.com/vwmp/vwmp/pluginsdk"
)

func TestBumpFollowsTheArithmetic(t *testing.T) {
	tests := []struct {
		from, increment, want string
		keepBuild             bool
	}{
		{from: "0.21.0.1", increment: "patch", want: "0.21.0.2"},
		{from: "0.21.0.1", increment: "minor", want: "0.21.1.0"},
		{from: "0.21.0.1", increment: "feature", want: "0.21.1.0"},
		{from: "0.21.0.1", increment: "feature_set", want: "0.22.0.0"},
		{from: "0.21.0.1", increment: "major", want: "1.0.0.0"},
		{from: "0.21.0.9", increment: "patch", want: "0.21.0.10"},
		{from: "1.2.3", increment: "patch", want: "1.2.4"},
		{from: "1.2.3", increment: "minor", want: "1.3.0"},
		{from: "1.2.3", increment: "feature", want: "1.3.0"},
		{from: "1.2.3", increment: "major", want: "2.0.0"},
		{from: "1.2.3-rc.1", increment: "patch", want: "1.2.3"},
		{from: "1.2.3-rc.1", increment: "minor", want: "1.3.0"},
		{from: "1.3.0-rc.1", increment: "minor", want: "1.3.0"},
		{from: "2.0.0-rc.1", increment: "major", want: "2.0.0"},
		{from: "2.0.1-rc.1", increment: "major", want: "3.0.0"},
		{from: "0.21.0.41+9", increment: "build", want: "0.21.0.41+10"},
		{from: "1.2.3", increment: "build", want: "1.2.3+1"},
		{from: "1.2.3-rc.1+7", increment: "build", want: "1.2.3-rc.1+8"},
		{from: "0.21.0.41+9", increment: "patch", want: "0.21.0.42"},
		{from: "0.21.0.41+9", increment: "patch", want: "0.21.0.42+9", keepBuild: true},
		{from: "1.2.3+sha.5", increment: "major", want: "2.0.0"},
		{from: "1.2.3+sha.5", increment: "major", want: "2.0.0+sha.5", keepBuild: true},
	}
	for _, test := range tests {
		t.Run(test.from+" "+test.increment, func(t *testing.T) {
			current, err := parseVersion(test.from)
			if err != nil {
				t.Fatal(err)
			}
			next, err := current.bump(test.increment, !test.keepBuild)
			if err != nil || next.String() != test.want {
				t.Errorf("got %v %v, want %s", next, err, test.want)
			}
			if current.String() != test.from {
				t.Errorf("the old version became %s", current)
			}
		})
	}
}

func TestBumpRefusesWhatHasNoAnswer(t *testing.T) {
	for _, text := range []string{"", "1", "1.2", "1.2.3.4.5", "1.2.x", "01.2.3", "1.2.3-", "1.2.3.4-rc.1", "1.2.3 ", "1234567890123456789012.0.0"} {
		if v, err := parseVersion(text); err == nil {
			t.Errorf("%q was read as %v", text, v)
		}
	}
	for from, increment := range map[string]string{"1.2.3": "feature_set", "1.2.3+sha": "build", "1.2.4": "huge"} {
		v, err := parseVersion(from)
		if err != nil {
			t.Fatal(err)
		}
		if next, err := v.bump(increment, true); err == nil {
			t.Errorf("%s %s gave %v", from, increment, next)
		}
	}
}

// Each content has the version once as §; every other byte must stay.
func TestVersionIsFoundAndTheRestKeptByteForByte(t *testing.T) {
	tests := map[string]struct{ file, content string }{
		"bare":                   {"VERSION", "§\n"},
		"bare without final end": {"VERSION", "§"},
		"bare with CRLF":         {"VERSION", "§\r\n"},
		"bare with v":            {"VERSION", "v§\n"},
		"bare with byte order":   {"VERSION", "\uFEFF§\n"},
		"bare with blank lines":  {"VERSION", "\n  §  \n\n"},
		"bare with a comment":    {"VERSION", "§\n# raised by the release\n"},
		"python":                 {"src/app/__init__.py", "\"\"\"An app.\"\"\"\nversion = \"9.9.9\"\n__version__ = \"§\"  # keep\nx = 1\n"},
		"python single quotes":   {"version.py", "__version__ = '§'"},
		"python with a type":     {"version.py", "__version__: str = \"§\"\r\nNAME = 'x'\r\n"},
		"python constant":        {"version.py", "VERSION = \"§\"\n"},
		"toml top level":         {"x.toml", "name = \"x\"\nversion   =   \"§\" # note\n"},
		"toml project":           {"pyproject.toml", "[build-system]\nversion = \"8.8.8\"\n\n[project]\nname = \"x\"\nversion = \"§\"\n\n[tool.x]\nversion = \"7.7.7\"\n"},
		"toml package":           {"Cargo.toml", "[package]\r\nversion = '§'\r\n[dependencies.serde]\r\nversion = \"1.0.0\"\r\n"},
		"toml poetry":            {"pyproject.toml", "[ tool.poetry ]\nversion = \"§\""},
		"toml odd table":         {"x.toml", "[release]\nversion = \"§\"\n"},
		"json":                   {"package.json", "{\n  \"name\": \"x\",\n  \"version\": \"§\",\n  \"dependencies\": {\"version\": \"1.0.0\"}\n}\n"},
		"json nested first":      {"package.json", "{\"engines\": {\"version\": \"1.0.0\"}, \"list\": [{\"version\": \"2.0.0\"}], \"version\" : \"§\"}"},
		"json with v and CRLF":   {"manifest.json", "\uFEFF{\r\n\t\"version\":\"v§\"\r\n}"},
		"json without ending":    {"manifest", "{\"version\": \"§\"}"},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			dir := t.TempDir()
			before := strings.Replace(test.content, "§", "0.21.0.1", 1)
			handlertest.Write(t, dir, test.file, before)
			use := handlertest.Call{Handler: "release.version_bump", Dir: dir, Config: map[string]any{"version_file": test.file}}
			if effects := use.Plan(t); len(effects) != 1 || !strings.Contains(effects[0].Diff, "0.21.0.2") || !effects[0].Known {
				t.Errorf("plan %+v", effects)
			}
			if handlertest.Read(t, dir, test.file) != before {
				t.Fatal("the plan changed the file")
			}
			var output bumpOutput
			outcome := use.Succeed(t, &output)
			if output.OldVersion != "0.21.0.1" || output.NewVersion != "0.21.0.2" {
				t.Errorf("output %+v", output)
			}
			if got, want := handlertest.Read(t, dir, test.file), strings.Replace(test.content, "§", "0.21.0.2", 1); got != want {
				t.Errorf("got %q, want %q", got, want)
			}
			for range 2 {
				if err := use.Undo(t, outcome.UndoToken); err != nil {
					t.Fatal(err)
				}
			}
			if got := handlertest.Read(t, dir, test.file); got != before {
				t.Errorf("undone to %q", got)
			}
		})
	}
}

func TestVersionBumpSaysWhatIsWrongWithAFile(t *testing.T) {
	for name, test := range map[string]struct{ file, content, text string }{
		"nothing":          {"VERSION", "hello\n", "no version found"},
		"not three parts":  {"x.toml", "version = \"1.2\"\n", "1.2"},
		"json array":       {"x.json", "[1]", "not a JSON object"},
		"json without":     {"x.json", "{\"a\": {\"version\": \"1.0.0\"}}", "top-level"},
		"json number":      {"x.json", "{\"version\": 1}", "plain string"},
		"json broken":      {"x.json", "{\"a\": ", "JSON"},
		"several versions": {"x.toml", "[a]\nversion = \"1.0.0\"\n[b]\nversion = \"1.0.0\"\n", "several"},
		"feature set":      {"VERSION", "1.2.3", "four numbers"},
	} {
		t.Run(name, func(t *testing.T) {
			dir := t.TempDir()
			handlertest.Write(t, dir, test.file, test.content)
			use := handlertest.Call{Handler: "release.version_bump", Dir: dir, Config: map[string]any{"version_file": test.file}}
			if name == "feature set" {
				use.Config["increment_type"] = "feature_set"
			}
			outcome := use.Execute(t)
			if outcome.Kind != pluginsdk.OutcomeFailure || !strings.Contains(outcome.Failure.Message, test.text) {
				t.Errorf("got %s %+v", outcome.Kind, outcome.Failure)
			}
			if handlertest.Read(t, dir, test.file) != test.content {
				t.Error("the file changed")
			}
		})
	}
	use := handlertest.Call{Handler: "release.version_bump", Dir: t.TempDir(), Config: map[string]any{"version_file": "VERSION"}}
	use.Fail(t, pluginsdk.FailurePermanent, "is not there")
}

// Cases 55, 57 and 61, for every handler that writes.
func TestCase55PathsStayInsideTheWorkspace(t *testing.T) {
	outside := t.TempDir()
	handlertest.Write(t, outside, "VERSION", "1.2.3\n")
	values := map[string]string{"version": "1.2.3", "summary": "x"}
	for handler, key := range map[string]string{
		"release.version_bump": "version_file", "release.changelog_create": "changelog_dir",
		"release.changelog_update": "main_changelog", "release.readme_update": "readme_file",
	} {
		for _, name := range []string{
			"../x", "a/../../x", outside + "/VERSION", "C:\\x", "\\\\?\\x", "CON", "x\x00y", "x.", "x ", "link/VERSION", "filelink", "link/",
			".git/config", ".GIT/hooks/pre-commit", "sub/.git/x",
		} {
			dir := t.TempDir()
			handlertest.Git(t, dir, "init", "-q")
			if err := os.Symlink(outside, filepath.Join(dir, "link")); err != nil {
				t.Fatal(err)
			}
			if err := os.Symlink(filepath.Join(outside, "VERSION"), filepath.Join(dir, "filelink")); err != nil {
				t.Fatal(err)
			}
			use := handlertest.Call{Handler: handler, Dir: dir, Config: map[string]any{key: name}}
			if handler != "release.version_bump" {
				use.Config["values"] = values
			}
			outcome := use.Execute(t)
			// A folder for changelogs may be named like a link's target file;
			// what counts is that nothing is written through it.
			if outcome.Kind != pluginsdk.OutcomeFailure {
				t.Errorf("%s took %q: %s %s", handler, name, outcome.Kind, outcome.Output)
			}
		}
	}
	entries, err := os.ReadDir(outside)
	if err != nil || len(entries) != 1 || handlertest.Read(t, outside, "VERSION") != "1.2.3\n" {
		t.Errorf("outside: %v %v", entries, err)
	}
}
