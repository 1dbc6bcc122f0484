package handlertest

import (
	"bytes"
	"flag"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

// Git runs the real git in a folder as a person would, and returns what it
// printed.
func Git(t *testing.T, dir string, args ...string) string {
	t.Helper()
	out, err := GitErr(dir, args...)
	if err != nil {
		t.Fatalf("git %v: %v\n%s", args, err, out)
	}
	return out
}

// GitErr is Git for what may fail.
func GitErr(dir string, args ...string) (string, error) {
	cmd := exec.Command("git", args...)
	cmd.Dir = dir
	var out bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &out
	err := cmd.Run()
	return strings.TrimSpace(out.String()), err
}

// Write makes a file and the folders that it is in; its name has slashes.
func Write(t *testing.T, dir, name, text string) {
	t.Helper()
	file := filepath.Join(dir, filepath.FromSlash(name))
	if err := os.MkdirAll(filepath.Dir(file), 0o755); err != nil { //nolint:gosec // Files of a test's own folder.
		t.Fatal(err)
	}
	if err := os.WriteFile(file, []byte(text), 0o644); err != nil { //nolint:gosec // Files of a test's own folder.
		t.Fatal(err)
	}
}

// Read returns a file's text; its name has slashes.
func Read(t *testing.T, dir, name string) string {
	t.Helper()
	raw, err := os.ReadFile(filepath.Join(dir, filepath.FromSlash(name))) //nolint:gosec // Files of a test's own folder.
	if err != nil {
		t.Fatal(err)
	}
	return string(raw)
}

// Exists reports whether there is anything of that name, a dangling link
// included.
func Exists(name string) bool {
	_, err := os.Lstat(name)
	return err == nil
}

var rewrite = flag.Bool("rewrite", false, "rewrite the golden files, and fail")

// Golden compares a text with the file of that name in testdata.
func Golden(t *testing.T, name, got string) {
	t.Helper()
	file := filepath.Join("testdata", name)
	if *rewrite {
		if err := os.MkdirAll("testdata", 0o755); err != nil { //nolint:gosec // Files of a test's own folder.
			t.Fatal(err)
		}
		if err := os.WriteFile(file, []byte(got), 0o644); err != nil { //nolint:gosec // Files of a test's own folder.
			t.Fatal(err)
		}
		t.Errorf("%s is rewritten; run again without -rewrite", file)
		return
	}
	want, err := os.ReadFile(file) //nolint:gosec // Files of a test's own folder.
	if err != nil {
		t.Fatal(err)
	}
	if got != string(want) {
		t.Errorf("%s differs:\n%s\nwant:\n%s", file, got, want)
	}
}
