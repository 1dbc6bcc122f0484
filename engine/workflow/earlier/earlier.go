// Package earlier reads what the earlier Python platform left behind: a
// folder of workflow files with their versions, and documents whose language
// was a little different.
//
// A folder's way:
//  1. Read finds the workflows in it, each with its revisions in order: the
//     files below versions, then the one below workflows. What belongs to
//     nothing is told, not dropped.
//  2. Translate makes of each text one in today's language, and says what it
//     changed. A text that needs nothing stays as it is, byte for byte.
//
// The folder holds:
//
//	workflows_metadata.json   what there is: id, name, times
//	workflows/ID-Name.yaml    each workflow as it is now
//	versions/ID/…             what it was before; or versions/ID-…
//
// The package changes nothing in the folder, validates no workflow and
// stores none.
package earlier

import (
	"cmp"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"path"
	"regexp"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/vwmp/vwmp/engine/workflow"
)

// MetadataFile is the name by which a folder of the earlier platform is
// known.
const MetadataFile = "workflows_metadata.json"

// Workflow is one workflow of the folder.
type Workflow struct {
	ID   string
	Name string
	// Revisions are in the order of their making; the last is the newest.
	Revisions []Revision
}

// Revision is one text.
type Revision struct {
	// File is its path below the folder, with slashes.
	File string
	Text []byte
	// SavedAt is the best that is known: what the metadata say, else the
	// time in the file's name, else the file's own.
	SavedAt time.Time
	// Author and Message are empty where nobody noted them.
	Author  string
	Message string
}

// Store is what a folder holds.
type Store struct {
	// Workflows are in the order of their ids.
	Workflows []Workflow
	// LeftOut says of each thing that can't be imported why.
	LeftOut []Finding
}

// Finding is a sentence about a file of the folder.
type Finding struct {
	File    string
	Message string
}

// IsStore reports whether a folder is one of the earlier platform.
func IsStore(folder fs.FS) bool {
	info, err := fs.Stat(folder, MetadataFile)
	return err == nil && !info.IsDir()
}

const maxFile = 8 << 20

// Read reads a folder. Its error is one of the folder itself; what is wrong
// with single files is among LeftOut.
func Read(folder fs.FS) (*Store, error) {
	r := &reader{folder: folder, store: &Store{}, byID: map[string]*found{}}
	if err := r.metadata(); err != nil {
		return nil, err
	}
	for _, part := range []struct {
		name string
		take func(file string, info fs.FileInfo)
	}{{"workflows", r.current}, {"versions", r.version}} {
		if err := r.walk(part.name, part.take); err != nil {
			return nil, err
		}
	}
	r.finish()
	return r.store, nil
}

// found is a workflow while the folder is being read.
type found struct {
	workflow Workflow
	meta     entry
	listed   bool
	current  *Revision
	versions []Revision
}

type reader struct {
	folder fs.FS
	store  *Store
	byID   map[string]*found
}

func (r *reader) leaveOut(file, format string, args ...any) {
	r.store.LeftOut = append(r.store.LeftOut, Finding{file, fmt.Sprintf(format, args...)})
}

func (r *reader) metadata() error {
	text, err := fs.ReadFile(r.folder, MetadataFile)
	if err != nil {
		return fmt.Errorf("read the metadata: %w", err)
	}
	entries, err := readEntries(text)
	if err != nil {
		r.leaveOut(MetadataFile, "it can't be read (%v); ids, names and times come from the files", err)
		return nil
	}
	for _, e := range entries {
		id := cmp.Or(e.ID, e.WorkflowID, e.key)
		if !workflow.ValidID(id) {
			r.leaveOut(MetadataFile, "the id %q of workflow %q is none that can be kept", id, e.Name)
			continue
		}
		r.byID[id] = &found{workflow: Workflow{ID: id, Name: e.Name}, meta: e, listed: true}
	}
	return nil
}

// walk passes every file below a folder that may be a document. A folder
// that isn't there has none.
func (r *reader) walk(root string, take func(file string, info fs.FileInfo)) error {
	err := fs.WalkDir(r.folder, root, func(file string, item fs.DirEntry, err error) error {
		if err != nil || item.IsDir() {
			return err
		}
		switch path.Ext(file) {
		case ".yaml", ".yml", ".json":
		default:
			r.leaveOut(file, "it is no YAML and no JSON")
			return nil
		}
		info, err := item.Info()
		switch {
		case err != nil:
			r.leaveOut(file, "it can't be read: %v", errors.Unwrap(err))
		case !info.Mode().IsRegular():
			r.leaveOut(file, "it is no plain file")
		case info.Size() > maxFile:
			r.leaveOut(file, "it is larger than %d MiB", maxFile>>20)
		default:
			take(file, info)
		}
		return nil
	})
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err != nil {
		return fmt.Errorf("read %s: %w", root, err)
	}
	return nil
}

func (r *reader) revision(file string, info fs.FileInfo) (Revision, bool) {
	text, err := fs.ReadFile(r.folder, file)
	if err != nil {
		r.leaveOut(file, "it can't be read")
		return Revision{}, false
	}
	at := info.ModTime()
	if stamp, ok := stampOf(path.Base(file)); ok {
		at = stamp
	}
	return Revision{File: file, Text: text, SavedAt: at.UTC()}, true
}

// owner finds the workflow that a path names: the longest id that one of its
// parts begins with.
func (r *reader) owner(file string) *found {
	var best *found
	for id, f := range r.byID {
		for part := range strings.SplitSeq(file, "/") {
			if beginsWith(part, id) && (best == nil || len(id) > len(best.workflow.ID)) {
				best = f
			}
		}
	}
	return best
}

func beginsWith(name, id string) bool {
	rest, ok := strings.CutPrefix(name, id)
	return ok && (rest == "" || strings.ContainsRune("-_.", rune(rest[0])))
}

func (r *reader) current(file string, info fs.FileInfo) {
	made, ok := r.revision(file, info)
	if !ok {
		return
	}
	f := r.named(file)
	if f == nil {
		f = r.owner(file)
	}
	if f == nil {
		f = r.unlisted(file, made.Text)
	}
	switch {
	case f == nil:
		r.leaveOut(file, "no id for it is in its name, its text or %s", MetadataFile)
	case f.current != nil:
		r.leaveOut(file, "it is a second file of workflow %s; the first is %s", f.workflow.ID, f.current.File)
	default:
		if at, ok := f.meta.updated(); ok {
			made.SavedAt = at
		}
		f.current = &made
	}
}

// named finds the workflow whose metadata name this file.
func (r *reader) named(file string) *found {
	for _, f := range r.byID {
		if name := f.meta.file(); name != "" && path.Base(name) == path.Base(file) {
			return f
		}
	}
	return nil
}

var uuidPrefix = sync.OnceValue(func() *regexp.Regexp {
	return regexp.MustCompile(`^[0-9a-fA-F]{8}(-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}`)
})

// unlisted makes a workflow of a file that the metadata don't know.
func (r *reader) unlisted(file string, text []byte) *found {
	stem := strings.TrimSuffix(path.Base(file), path.Ext(file))
	id := cmp.Or(idIn(text), uuidPrefix().FindString(stem), stem)
	if !workflow.ValidID(id) || r.byID[id] != nil {
		return nil
	}
	f := &found{workflow: Workflow{ID: id}}
	r.byID[id] = f
	return f
}

func (r *reader) version(file string, info fs.FileInfo) {
	f := r.owner(strings.TrimPrefix(file, "versions/"))
	if f == nil {
		r.leaveOut(file, "it is a version of no workflow that is there")
		return
	}
	made, ok := r.revision(file, info)
	if !ok {
		return
	}
	for _, v := range f.meta.versions() {
		if path.Base(v.file()) != path.Base(file) {
			continue
		}
		if at, ok := v.updated(); ok {
			made.SavedAt = at
		}
		made.Author, made.Message = cmp.Or(v.Author, v.CreatedBy), cmp.Or(v.Message, v.Comment)
	}
	f.versions = append(f.versions, made)
}

// finish puts the revisions of each workflow in order.
func (r *reader) finish() {
	for _, id := range sortedKeys(r.byID) {
		f := r.byID[id]
		f.order()
		if f.current == nil && len(f.versions) == 0 {
			r.leaveOut(MetadataFile, "workflow %s (%q) has no file", id, f.workflow.Name)
			continue
		}
		w := f.workflow
		w.Revisions = f.versions
		if n := len(w.Revisions); f.current != nil && (n == 0 || string(w.Revisions[n-1].Text) != string(f.current.Text)) {
			w.Revisions = append(w.Revisions, *f.current)
		}
		// The first was made when the workflow was, if nothing says more.
		if at, ok := f.meta.created(); ok && at.Before(w.Revisions[0].SavedAt) && len(f.meta.versions()) == 0 {
			if _, stamped := stampOf(path.Base(w.Revisions[0].File)); !stamped {
				w.Revisions[0].SavedAt = at
			}
		}
		if w.Name == "" {
			w.Name = id
		}
		r.store.Workflows = append(r.store.Workflows, w)
	}
	slices.SortStableFunc(r.store.LeftOut, func(a, b Finding) int { return strings.Compare(a.File, b.File) })
}

// order sorts the versions by the numbers in their names, which are version
// numbers or times; those without any by the time of the file.
func (f *found) order() {
	numbers := func(v Revision) []string {
		name := strings.TrimPrefix(v.File, "versions/")
		name = strings.TrimSuffix(strings.ReplaceAll(name, f.workflow.ID, ""), path.Ext(name))
		return digits().FindAllString(name, -1)
	}
	slices.SortStableFunc(f.versions, func(a, b Revision) int {
		x, y := numbers(a), numbers(b)
		if len(x) == 0 || len(y) == 0 {
			return cmp.Or(cmp.Compare(len(x), len(y)), a.SavedAt.Compare(b.SavedAt), strings.Compare(a.File, b.File))
		}
		return cmp.Or(slices.CompareFunc(x, y, compareNumbers), a.SavedAt.Compare(b.SavedAt), strings.Compare(a.File, b.File))
	})
}

var digits = sync.OnceValue(func() *regexp.Regexp { return regexp.MustCompile(`[0-9]+`) })

// compareNumbers compares texts of digits by their value.
func compareNumbers(a, b string) int {
	a, b = strings.TrimLeft(a, "0"), strings.TrimLeft(b, "0")
	return cmp.Or(cmp.Compare(len(a), len(b)), strings.Compare(a, b))
}

func sortedKeys[V any](m map[string]V) []string {
	keys := make([]string, 0, len(m))
	for key := range m {
		keys = append(keys, key)
	}
	slices.Sort(keys)
	return keys
}

// idIn is the id that a text itself names at its top, or "".
func idIn(text []byte) string {
	var document struct {
		ID string `json:"id"`
	}
	if json.Unmarshal(text, &document) == nil && document.ID != "" {
		return document.ID
	}
	if line := idLine().FindSubmatch(text); line != nil {
		return string(line[1])
	}
	return ""
}

var idLine = sync.OnceValue(func() *regexp.Regexp {
	return regexp.MustCompile(`(?m)^id:[ ]*["']?([A-Za-z0-9_-]+)["']?[ ]*(?:#.*)?\r?$`)
})
