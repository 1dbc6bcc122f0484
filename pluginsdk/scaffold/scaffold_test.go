package scaffold

import (
	"bytes"
	"os"
	"path/filepath"
	"testing"
)

// TestTheArchiveIsThatOfTheExamples: "go run ./scripts/scaffold" packs it.
func TestTheArchiveIsThatOfTheExamples(t *testing.T) {
	t.Parallel()
	for language, source := range Sources {
		files, err := Files(projects, language)
		if err != nil || len(files) < 3 {
			t.Fatalf("%s has %d files: %v", language, len(files), err)
		}
		for name, content := range files {
			now, err := os.ReadFile(filepath.Join("../..", source, name))
			if err != nil || !bytes.Equal(now, content) {
				t.Errorf("%s of %s is not as in the archive: %v; make generate packs it anew", name, language, err)
			}
		}
	}
}
