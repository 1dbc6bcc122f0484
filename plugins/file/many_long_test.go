//go:build long

package main

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/vwmp/vwmp/plugins/internal/handlertest"
	"github.com/vwmp/vwmp/pluginsdk"
)

// deep makes a chain of folders called d with a file at its end, deeper than a
// path can be long.
func deep(t *testing.T, dir string, depth int) {
	t.Helper()
	at, err := os.OpenRoot(dir)
	if err != nil {
		t.Fatal(err)
	}
	for range depth {
		if err := at.Mkdir("d", 0o755); err != nil {
			t.Fatal(err)
		}
		next, err := at.OpenRoot("d")
		if err != nil {
			t.Fatal(err)
		}
		_ = at.Close()
		at = next
	}
	defer func() { _ = at.Close() }()
	if err := at.WriteFile("end.txt", nil, 0o644); err != nil {
		t.Fatal(err)
	}
}

// patience is far above the seconds that the depth takes, and below the minutes
// where the time grows with its square.
const patience = time.Minute

// TestCase63AHugeWorkspaceIsRefusedByItsBounds and can be cleared away: more
// files than a pattern may find, a sparse file of 50 GB, and folders 4,000
// deep.
func TestCase63AHugeWorkspaceIsRefusedByItsBounds(t *testing.T) {
	dir, tall := t.TempDir(), t.TempDir()
	for i := range 100_001 {
		folder := filepath.Join(dir, "many", fmt.Sprint(i/1000))
		if i%1000 == 0 {
			if err := os.MkdirAll(folder, 0o755); err != nil {
				t.Fatal(err)
			}
		}
		if err := os.WriteFile(filepath.Join(folder, fmt.Sprint(i, ".txt")), nil, 0o644); err != nil {
			t.Fatal(err)
		}
	}
	handlertest.Write(t, dir, "big/huge.bin", "")
	if err := os.Truncate(filepath.Join(dir, "big", "huge.bin"), 50<<30); err != nil {
		t.Fatal(err)
	}
	deep(t, tall, 4000)
	for name, test := range map[string]struct {
		handler string
		config  map[string]any
		want    string
	}{
		"too many to find":  {"glob", map[string]any{"patterns": []string{"many/**"}}, "more than 100000 files match"},
		"too many to pack":  {"archive", map[string]any{"paths": []string{"many/**"}, "to": "x.tar"}, "more than 100000 files match"},
		"too many to hash":  {"checksum", map[string]any{"paths": []string{"many/**"}}, "more than 100000 files match"},
		"too large to pack": {"archive", map[string]any{"paths": []string{"big/**"}, "to": "x.zip"}, "more than the 1073741824 allowed"},
		"too large to read": {"read", map[string]any{"path": "big/huge.bin"}, "more than"},
	} {
		outcome := call(test.handler, dir, test.config).Execute(t)
		if outcome.Kind != pluginsdk.OutcomeFailure || !strings.Contains(outcome.Failure.Message, test.want) {
			t.Errorf("%s: %s %+v", name, outcome.Kind, outcome.Failure)
		}
	}
	for _, name := range []string{"x.tar", "x.zip"} {
		if handlertest.Exists(filepath.Join(dir, name)) {
			t.Errorf("%s is left", name)
		}
	}
	began := time.Now()
	var found globOutput
	call("glob", tall, map[string]any{"patterns": []string{"d/**/*.txt"}}).Succeed(t, &found)
	if found.Count != 1 {
		t.Errorf("in the depth %d files are found", found.Count)
	}
	for folder, dir := range map[string]string{"d": tall, "big": dir, "many": dir} {
		call("delete", dir, map[string]any{"paths": []string{folder}, "recursive": true, "keep_for_undo": false}).Succeed(t, nil)
		if handlertest.Exists(filepath.Join(dir, folder)) {
			t.Errorf("%s is left", folder)
		}
	}
	if took := time.Since(began); took > patience {
		t.Errorf("the depth took %v", took)
	}
}
