package main

import (
	"testing"

	"github.com/rogpeppe/go-internal/txtar"

	"github.com/vwmp/vwmp/plugins/internal/handlertest"
)

func TestMain(m *testing.M) { handlertest.Main(m, kanbanPlugin()) }

// project unpacks a tree of testdata into a workspace.
func project(t *testing.T, name string) string {
	t.Helper()
	archive, err := txtar.ParseFile("testdata/" + name)
	if err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	for _, file := range archive.Files {
		handlertest.Write(t, dir, file.Name, string(file.Data))
	}
	return dir
}
