package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"github.com/vwmp/vwmp/engine"
	"github.com/vwmp/vwmp/engine/workflow"
	"github.com/vwmp/vwmp/pluginsdk"
)

// beside finds the workflows that a workflow file runs as children: files in
// its folder, and below, or else what the store has.
type beside struct {
	root   *os.Root
	file   string
	stored engine.Definitions
}

// openBeside opens the folder of a workflow file; "-", which has none, stands
// in the current one.
func openBeside(file string, stored engine.Definitions) (*beside, error) {
	root, err := os.OpenRoot(filepath.Dir(file))
	if err != nil {
		return nil, fmt.Errorf("open the workflow's folder: %w", err)
	}
	return &beside{root: root, file: file, stored: stored}, nil
}

// WorkflowID implements engine.NamedDefinitions: a path is no id.
func (b *beside) WorkflowID(name string) string { return workflowIDOf(name) }

// Definition implements engine.Definitions.
func (b *beside) Definition(ctx context.Context, caller engine.Caller, name string) (json.RawMessage, int, error) {
	for _, path := range []string{name, name + ".yaml", name + ".yml", name + ".json"} {
		text, err := b.root.ReadFile(filepath.FromSlash(path))
		if err != nil {
			continue // Another ending, or the store, may have it.
		}
		document, err := b.read(path, text)
		return document, 0, err
	}
	document, revision, err := b.stored.Definition(ctx, caller, name)
	if errors.Is(err, engine.ErrNotFound) {
		sentence := fmt.Sprintf("there is no workflow file %s beside %s", name, filepath.Base(b.file))
		if !fs.ValidPath(name) || strings.Contains(name, "..") {
			sentence += "; its path must not leave that folder"
		}
		return nil, 0, pluginsdk.Invalid("/workflow", sentence).WithCode("WORKFLOW_NOT_FOUND")
	}
	return document, revision, err
}

// read makes the definition of a file's text.
func (b *beside) read(path string, text []byte) (json.RawMessage, error) {
	document, problems := workflow.Parse(text, workflow.ParseOptions{Format: workflow.DetectFormat(text), IgnoreMetadata: true})
	if document == nil || problems.HasErrors() {
		lines := make([]string, 0, len(problems))
		for _, p := range problems {
			lines = append(lines, problemLine(path, p.Line, p.Column, string(p.Severity), p.Message))
		}
		return nil, pluginsdk.Invalid("/workflow", strings.Join(lines, "\n")).WithCode("WORKFLOW_INVALID")
	}
	canonical, err := document.Definition.MarshalJSON()
	if err != nil {
		return nil, fmt.Errorf("write the definition of %s: %w", path, err)
	}
	return canonical, nil
}

func (b *beside) close() error { return b.root.Close() }
