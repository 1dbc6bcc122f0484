package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path"
	"runtime"
	"slices"
	"strings"
	"sync"
	"sync/atomic"

	"github.com/vwmp/vwmp/pluginsdk"
	"github.com/vwmp/vwmp/pluginsdk/fileedit"
)

const (
	// maxDocument bounds one document, in bytes; a larger one is left out
	// with a warning.
	maxDocument = 4 << 20
	// maxDocuments bounds a tree.
	maxDocuments = 50_000
)

// tree is all epics and stories below a folder, by file.
type tree struct {
	documents []*document
	// epics and stories are the documents by what they are about.
	epics   map[int][]*document
	stories map[entityID][]*document
}

// RootConfig is what every handler is told about where the documents are.
type RootConfig struct {
	KanbanRoot string `json:"kanban_root" title:"Kanban folder" description:"Folder with the epics (epics/**/Epic-*.md) and the stories (stories/**/Story-*.md, in the folder itself or beside their epics)." default:"kanban" min_length:"1" example:"docs/kanban"`
}

// read finds and reads the documents; those named in leaveOut are not looked
// at.
func (c RootConfig) read(ctx context.Context, step *pluginsdk.Step, leaveOut ...string) (*tree, error) {
	if err := fileedit.CheckPath("/kanban_root", c.KanbanRoot); err != nil {
		return nil, err
	}
	root, err := step.Workspace.Root()
	if err != nil {
		return nil, err
	}
	info, err := root.Stat(path.Clean(c.KanbanRoot))
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return nil, pluginsdk.Invalid("/kanban_root", fmt.Sprintf("the kanban folder %q is not there", c.KanbanRoot))
	case err != nil:
		return nil, pluginsdk.Invalid("/kanban_root", fmt.Sprintf("the kanban folder %q can't be read: %v", c.KanbanRoot, err))
	case !info.IsDir():
		return nil, pluginsdk.Invalid("/kanban_root", fmt.Sprintf("the kanban folder %q is not a folder", c.KanbanRoot))
	}
	for i := range leaveOut {
		leaveOut[i] = path.Clean(leaveOut[i])
	}
	files, err := findDocuments(ctx, root, path.Clean(c.KanbanRoot), leaveOut)
	if err != nil {
		return nil, err
	}
	if len(files) == 0 {
		step.Log.Warn("there is no epic (epics/**/Epic-*.md) and no story (stories/**/Story-*.md) in " + c.KanbanRoot)
	}
	documents, err := readAll(ctx, step, root, files)
	if err != nil {
		return nil, err
	}
	return newTree(documents), nil
}

func newTree(documents []*document) *tree {
	t := &tree{documents: documents, epics: map[int][]*document{}, stories: map[entityID][]*document{}}
	for _, d := range documents {
		switch {
		case d.kind == kindEpic && d.id.epic > 0:
			t.epics[d.id.epic] = append(t.epics[d.id.epic], d)
		case d.kind == kindStory && d.id.epic > 0 && d.id.story != 0:
			t.stories[d.id] = append(t.stories[d.id], d)
		}
	}
	return t
}

// findDocuments lists the files in order.
func findDocuments(ctx context.Context, root *os.Root, folder string, leaveOut []string) ([]string, error) {
	var found []string
	seen := map[string]bool{}
	for _, below := range []string{"epics", "stories"} {
		start := path.Join(folder, below)
		if info, err := root.Stat(start); err != nil || !info.IsDir() {
			continue
		}
		err := fs.WalkDir(root.FS(), start, func(name string, entry fs.DirEntry, err error) error {
			switch {
			case err != nil:
				return fmt.Errorf("look through %s: %w", start, err)
			case ctx.Err() != nil:
				return context.Cause(ctx)
			case entry.IsDir() && entry.Name() == ".git":
				return fs.SkipDir
			case !entry.Type().IsRegular() || kindOf(name) == "" || seen[name] || slices.Contains(leaveOut, name):
				return nil
			case below == "stories" && kindOf(name) == kindEpic:
				return nil
			}
			seen[name] = true
			if found = append(found, name); len(found) > maxDocuments {
				return pluginsdk.Invalid("/kanban_root", fmt.Sprintf("there are more than %d documents in %s", maxDocuments, folder))
			}
			return nil
		})
		if err != nil {
			return nil, err
		}
	}
	slices.Sort(found)
	return found, nil
}

// kindOf goes by a file's name; "" is neither an epic nor a story.
func kindOf(name string) string {
	base := path.Base(name)
	switch {
	case !strings.HasSuffix(base, ".md"):
		return ""
	case strings.HasPrefix(base, "Epic-"):
		return kindEpic
	case strings.HasPrefix(base, "Story-"):
		return kindStory
	}
	return ""
}

// readAll reads the documents on all processors and keeps their order.
func readAll(ctx context.Context, step *pluginsdk.Step, root *os.Root, files []string) ([]*document, error) {
	documents := make([]*document, len(files))
	var next atomic.Int64
	var failed error
	var once sync.Once
	var workers sync.WaitGroup
	for range min(runtime.GOMAXPROCS(0), len(files)) {
		workers.Go(func() {
			for {
				i := int(next.Add(1)) - 1
				if i >= len(files) || ctx.Err() != nil {
					return
				}
				data, err := readBounded(root, files[i])
				if err != nil {
					once.Do(func() { failed = err })
					return
				}
				if data == nil {
					step.Log.Warn(fmt.Sprintf("%s is left out: it has more than %d MiB", files[i], maxDocument>>20))
					continue
				}
				documents[i] = newDocument(files[i], kindOf(files[i]), data)
			}
		})
	}
	workers.Wait()
	if failed == nil && ctx.Err() != nil {
		failed = context.Cause(ctx)
	}
	return slices.DeleteFunc(documents, func(d *document) bool { return d == nil }), failed
}

// readBounded returns nil for a file that is too large.
func readBounded(root *os.Root, name string) ([]byte, error) {
	file, err := root.Open(name)
	if err != nil {
		return nil, fmt.Errorf("read %s: %w", name, err)
	}
	data, err := io.ReadAll(io.LimitReader(file, maxDocument+1))
	if err := errors.Join(err, file.Close()); err != nil {
		return nil, fmt.Errorf("read %s: %w", name, err)
	}
	if len(data) > maxDocument {
		return nil, nil
	}
	if data == nil {
		data = []byte{}
	}
	return data, nil
}

// epicIsThere reports whether there is a document about the epic.
func (t *tree) epicIsThere(epic int) bool { return len(t.epics[epic]) > 0 }

// storiesOf returns the stories of an epic that have documents, in order.
func (t *tree) storiesOf(epic int) []entityID {
	var ids []entityID
	for id := range t.stories {
		if id.epic == epic {
			ids = append(ids, id)
		}
	}
	slices.SortFunc(ids, func(a, b entityID) int { return a.story - b.story })
	return ids
}
