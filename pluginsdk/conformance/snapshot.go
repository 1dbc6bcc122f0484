package conformance

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
)

// undoFolder is where handlers keep what their undo needs in a workspace: it
// is no content of it.
const undoFolder = ".vwmp-undo"

// snapshot is what lies below a folder: by path, the kind and the content.
type snapshot map[string]string

func take(dir string) snapshot {
	found := snapshot{}
	_ = filepath.WalkDir(dir, func(path string, entry fs.DirEntry, err error) error {
		name, relErr := filepath.Rel(dir, path)
		if err != nil || relErr != nil || name == "." {
			return nil //nolint:nilerr // What can't be read is as good as not there.
		}
		if entry.IsDir() && entry.Name() == undoFolder {
			return fs.SkipDir
		}
		name = filepath.ToSlash(name)
		switch {
		case entry.Type()&fs.ModeSymlink != 0:
			target, _ := os.Readlink(path)
			found[name] = "link to " + target
		case entry.IsDir():
			found[name] = "folder"
		default:
			found[name] = sumOf(path)
		}
		return nil
	})
	return found
}

// sumOf is the SHA-256 of a file; empty for one that can't be read.
func sumOf(path string) string {
	content, err := os.ReadFile(path) //nolint:gosec // It lies in the kit's own folder.
	if err != nil {
		return ""
	}
	sum := sha256.Sum256(content)
	return hex.EncodeToString(sum[:])
}

// files leaves out the folders.
func (s snapshot) files() snapshot {
	kept := maps.Clone(s)
	maps.DeleteFunc(kept, func(_, kind string) bool { return kind == "folder" })
	return kept
}

// difference says in words what is not as it was; empty where all is.
func (s snapshot) difference(now snapshot) string {
	names := maps.Clone(s)
	maps.Copy(names, now)
	var changes []string
	for _, name := range slices.Sorted(maps.Keys(names)) {
		before, was := s[name]
		after, is := now[name]
		switch {
		case !was:
			changes = append(changes, name+" is new")
		case !is:
			changes = append(changes, name+" is gone")
		case before != after:
			changes = append(changes, name+" is changed")
		}
	}
	const most = 5
	if len(changes) > most {
		changes = append(changes[:most], fmt.Sprintf("and %d more", len(changes)-most))
	}
	return strings.Join(changes, ", ")
}
