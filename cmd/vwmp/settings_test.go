package main

import (
	"fmt"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"
)

// settingsPage is made of the configuration's own struct.
var settingsPage = filepath.Join("..", "..", "docs", "operations", "settings.md")

// settingsRows lists the keys of a struct, and those below them.
func settingsRows(t *testing.T, prefix string, of reflect.Type) []string {
	t.Helper()
	var rows []string
	for field := range of.Fields() {
		key := field.Tag.Get("yaml")
		if key == "" || key == "-" || !field.IsExported() {
			continue
		}
		key, _, _ = strings.Cut(prefix+key, ",")
		byDefault := field.Tag.Get("default")
		if byDefault != "" {
			byDefault = "`" + byDefault + "`"
		}
		if field.Tag.Get("doc") == "" {
			t.Errorf("nothing says what %s means", key)
		}
		rows = append(rows, fmt.Sprintf("| `%s` | %s | %s |", key, byDefault, field.Tag.Get("doc")))
		inner := field.Type
		for inner.Kind() == reflect.Pointer {
			inner = inner.Elem()
		}
		if inner.Kind() == reflect.Map {
			key, inner = key+".NAME", inner.Elem()
		}
		if inner.Kind() == reflect.Struct && inner.PkgPath() == reflect.TypeFor[config]().PkgPath() {
			rows = append(rows, settingsRows(t, key+".", inner)...)
		}
	}
	return rows
}

// TestTheSettingsPageIsCurrent holds the page against the struct that reads the
// file. VWMP_UPDATE=1 writes it anew, and fails once more.
func TestTheSettingsPageIsCurrent(t *testing.T) {
	t.Parallel()
	rows := settingsRows(t, "", reflect.TypeFor[config]())
	if len(rows) < 20 {
		t.Fatalf("only %d keys were found", len(rows))
	}
	want := `# Settings

Every key of ` + "`vwmp.yaml`" + `; a dot leads into an object. An unknown key is an error. Flags stand over ` + "`VWMP_…`" + ` variables, those over the
file, and the file over the defaults; ` + "`vwmp serve --print-config`" + ` shows what is in force and where each value came from.
This page is made of the program's own struct: ` + "`VWMP_UPDATE=1 go test ./cmd/vwmp -run TheSettingsPage`" + `.

| key | default | meaning |
| --- | --- | --- |
` + strings.Join(rows, "\n") + "\n"
	have, err := os.ReadFile(settingsPage)
	if err != nil && !os.IsNotExist(err) {
		t.Fatal(err)
	}
	if string(have) == want {
		return
	}
	t.Errorf("%s is not what the configuration has", settingsPage)
	if os.Getenv("VWMP_UPDATE") != "" {
		if err := os.WriteFile(settingsPage, []byte(want), 0o600); err != nil {
			t.Fatal(err)
		}
	}
}
