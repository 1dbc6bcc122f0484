package main

import (
	"fmt"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"
	"time"
)

func TestEveryLimitIsDocumentedAndHasItsDefault(t *testing.T) {
	t.Parallel()
	text, err := os.ReadFile("../../docs/limits.md")
	if err != nil {
		t.Fatal(err)
	}
	byDefault := defaultLimits()
	byDefault.keys(func(name string, field reflect.StructField, value reflect.Value) {
		row := fmt.Sprintf("| `%s` | %s | %s |", name, field.Tag.Get("default"), field.Tag.Get("doc"))
		if !strings.Contains(string(text), row) {
			t.Errorf("docs/limits.md lacks the row\n%s", row)
		}
		want := field.Tag.Get("default")
		switch got := value.Interface().(type) {
		case byteSize:
			if size, err := parseByteSize(want); err != nil || size != got {
				t.Errorf("%s is %d by default, and said to be %s", name, got, want)
			}
		case timeSpan:
			if d, err := time.ParseDuration(want); err != nil || timeSpan(d) != got {
				t.Errorf("%s is %s by default, and said to be %s", name, time.Duration(got), want)
			}
		default:
			if fmt.Sprint(got) != want {
				t.Errorf("%s is %v by default, and said to be %s", name, got, want)
			}
		}
	})
}

func TestLimitsAreReadFromTheConfiguration(t *testing.T) {
	t.Parallel()
	read := func(text string) (*settings, error) {
		path := filepath.Join(t.TempDir(), "vwmp.yaml")
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		flags := newServe().Flags()
		if err := flags.Set("config", path); err != nil {
			t.Fatal(err)
		}
		return loadSettings(flags, func(string) string { return "" })
	}
	s, err := read("limits:\n  executions: 5\n  requests_per_caller: 7\n  body: 2KiB\n  read_timeout: 1.5\n  idle_timeout: 3m\n")
	if err != nil {
		t.Fatal(err)
	}
	edge := s.Limits.edge()
	if s.Limits.Executions != 5 || edge.RequestsPerCaller != 7 || edge.Body != 2048 || edge.ReadTimeout != 1500*time.Millisecond || edge.IdleTimeout != 3*time.Minute {
		t.Errorf("read: %+v", s.Limits)
	}
	if edge.WriteTimeout != 30*time.Second || edge.SocketsPerCaller != 50 {
		t.Errorf("what is left out has not its default: %+v", edge)
	}
	if text := s.Limits.String(); text != "executions=5, requests_per_caller=7, body=2048, read_timeout=1.5s, idle_timeout=3m0s" {
		t.Errorf("shown as %q", text)
	}
	for wrong, want := range map[string]string{
		"limits: {executions: -1}": "limits.executions", "limits: {read_timeout: soon}": "duration", "limits: {body: much}": "size",
		"limits: {address: 32KiB}": "limits.address", "limits: {unknown: 1}": "unknown",
	} {
		if _, err := read(wrong + "\n"); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %v", wrong, err)
		}
	}
}
