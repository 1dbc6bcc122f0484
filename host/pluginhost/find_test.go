//go:build unix

package pluginhost

import (
	"strings"
	"testing"
)

func TestTheFirstFolderThatHasANameWins(t *testing.T) {
	one, two := pluginDir(t, "good"), pluginDir(t, "good", "other")
	h := newTestHost(t, Options{Dirs: []string{one, two, one}})
	list := h.Plugins()
	if len(list) != 3 {
		t.Fatalf("the list is %+v", list)
	}
	if list[2].State != stateRefused || !strings.Contains(list[2].LastError, "the first one counts") {
		t.Errorf("the second one is %+v", list[2])
	}
	if !strings.Contains(h.log.String(), "the first one counts") {
		t.Error("the log does not warn")
	}
}

func TestVariablesAreAllowedByNameOrPrefix(t *testing.T) {
	list := append(DefaultEnvAllow(), "CI_*", "*")
	tests := map[string]bool{
		"PATH": true, "LC_TIME": true, "http_proxy": true, "HTTPS_PROXY": true, "CI_JOB": true,
		"PATHS": false, "LC": false, "VWMP_SECRET_KEY_FILE": false, "CI": false, "": false,
	}
	for name, allowed := range tests {
		if EnvAllowed(list, name) != allowed {
			t.Errorf("%q: allowed should be %v", name, allowed)
		}
	}
}

func TestLinesOfAnyKindBecomeRecords(t *testing.T) {
	tests := map[string]struct{ level, message string }{
		`{"@level":"warn","@message":"m"}`:  {"WARN", "m"},
		`{"@level":"trace","@message":"m"}`: {"DEBUG", "m"},
		`{"@level":3,"@message":"m"}`:       {"INFO", "m"},
		`{"@message":1}`:                    {"INFO", `{"@message":1}`},
		`{"@message"`:                       {"INFO", `{"@message"`},
		`null`:                              {"INFO", "null"},
		`plain`:                             {"INFO", "plain"},
	}
	for line, due := range tests {
		if level, message, _ := parseLine(line); level.String() != due.level || message != due.message {
			t.Errorf("%s becomes %s %q", line, level, message)
		}
	}
}
