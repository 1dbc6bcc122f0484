package host

import (
	"context"
	"net/http"
	"strings"
	"testing"

	"github.com/vwmp/vwmp/engine"
	"github.com/vwmp/vwmp/engine/enginetest"
	"github.com/vwmp/vwmp/host/edge"
	"github.com/vwmp/vwmp/host/live"
	"github.com/vwmp/vwmp/pluginsdk"
	"github.com/vwmp/vwmp/store/memory"
)

// bare is a catalogue of the built-ins.
type bare struct{ enginetest.Catalogue }

func (bare) Ready(context.Context) error { return nil }

func (bare) PluginOfType(string) string { return "" }

type noEngine struct{ engine.Engine }

func newBare(t testing.TB) *Server {
	t.Helper()
	store := memory.New(memory.Options{})
	s, err := New(Options{
		Engine: noEngine{}, Workflows: store, Executions: store, Documents: store, Outputs: store, Hub: live.NewHub(nil), Auth: edge.ModeNone,
		Catalogue: bare{enginetest.NewCatalogue(map[string]pluginsdk.EffectClass{})}, Workspaces: []engine.Workspace{{Name: "default", Dir: t.TempDir()}},
	})
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func TestEveryRegisteredRouteHasAPermission(t *testing.T) {
	s := newBare(t)
	rows := map[routeKey]route{}
	for _, r := range routeTable() {
		key := routeKey{r.method, fiberPattern(r.pattern)}
		if _, twice := rows[key]; twice {
			t.Errorf("%s %s has two rows", r.method, r.pattern)
		}
		if r.permission < edge.Public || r.permission > edge.Admin {
			t.Errorf("%s %s has no permission", r.method, r.pattern)
		}
		rows[key] = r
	}
	registered := map[routeKey]bool{}
	for _, r := range s.app.GetRoutes(true) {
		method := r.Method
		if method == http.MethodHead {
			method = http.MethodGet
		}
		key := routeKey{method, r.Path}
		registered[key] = true
		if _, found := rows[key]; !found {
			t.Errorf("%s %s is answered and has no row", r.Method, r.Path)
		}
	}
	for key := range rows {
		if !registered[key] {
			t.Errorf("%s %s has a row and is not answered", key.method, key.pattern)
		}
	}
}

func TestOnlyTheseNeedNoSignIn(t *testing.T) {
	public := map[string]bool{
		"GET /healthz": true, "GET /readyz": true, "GET /": true, "GET /vwmp/sign-in": true, "GET /vwmp/assets/{name}": true, "GET /assets/{name}": true,
		"POST /api/vwmp/auth/login/": true, "POST /api/vwmp/hooks/{token}/": true,
		"GET /api/vwmp/auth/oidc/start/": true, "GET /api/vwmp/auth/oidc/callback/": true,
	}
	for _, pattern := range appPages {
		public["GET "+pattern] = true
	}
	for _, r := range routeTable() {
		if name := r.method + " " + r.pattern; (r.permission == edge.Public) != public[name] {
			t.Errorf("%s: permission %s", name, r.permission)
		}
		if !safe(r.method) && r.permission < edge.Executor && !strings.Contains(r.pattern, "/auth/") && !strings.HasSuffix(r.pattern, "/validate/") && !strings.Contains(r.pattern, "/hooks/") {
			t.Errorf("%s %s changes something and needs only %s", r.method, r.pattern, r.permission)
		}
	}
}

func TestWhatChangesSomethingIsAudited(t *testing.T) {
	changesNothing := map[string]bool{"/workflows/validate/": true, "/workflows/{id}/plan/": true, "/auth/tickets/": true}
	actions := map[string]string{}
	for _, r := range routeTable() {
		name := r.method + " " + r.pattern
		if safe(r.method) || changesNothing[strings.TrimPrefix(r.pattern, apiBase)] {
			if r.action != "" {
				t.Errorf("%s changes nothing and is audited as %s", name, r.action)
			}
			continue
		}
		if r.action == "" {
			t.Errorf("%s changes something and is not audited", name)
		}
		if other := actions[r.action]; other != "" {
			t.Errorf("%s and %s are both audited as %s", name, other, r.action)
		}
		actions[r.action] = name
	}
}

func TestARouteWithoutARowIsNotRegistered(t *testing.T) {
	s := newBare(t)
	defer func() {
		if recover() == nil {
			t.Error("it was registered")
		}
	}()
	s.add(http.MethodGet, "/secret", nil)
}

func TestTheDescriptionListsEveryRouteOfTheAPI(t *testing.T) {
	s := newBare(t)
	paths := s.describingTwin().api.OpenAPI().Paths
	for _, r := range routeTable() {
		if r.page {
			continue
		}
		item := paths[r.pattern]
		if item == nil {
			t.Errorf("%s is not described", r.pattern)
			continue
		}
		op := map[string]any{http.MethodGet: item.Get, http.MethodPost: item.Post, http.MethodPut: item.Put, http.MethodDelete: item.Delete}[r.method]
		if op == nil {
			t.Errorf("%s %s is not described", r.method, r.pattern)
		}
	}
}

func TestADeepBodyIsFoundBeforeItIsRead(t *testing.T) {
	for text, want := range map[string]bool{
		strings.Repeat("[", 64): false, strings.Repeat("[", 65): true, strings.Repeat(`{"a":`, 65): true,
		`"` + strings.Repeat("[", 100) + `"`: false, `"\"` + strings.Repeat("[", 100): false, strings.Repeat("[]", 1000): false, "": false, `"\`: false,
	} {
		if tooDeep([]byte(text)) != want {
			t.Errorf("%.20q…: got %v", text, !want)
		}
	}
}

func TestATypeIsReadFromItsHeader(t *testing.T) {
	for header, want := range map[string]string{
		"": "", "application/json": "json", "application/json; charset=utf-8": "json", "application/merge-patch+json": "json",
		"application/yaml": "yaml", "text/x-yaml; charset=utf-8": "yaml",
	} {
		if format, known := formatOf(header); !known || string(format) != want {
			t.Errorf("%q: %q, %v", header, format, known)
		}
	}
	for _, header := range []string{"text/plain", "application/x-www-form-urlencoded", "multipart/form-data; boundary=x", ";", "json"} {
		if _, known := formatOf(header); known {
			t.Errorf("%q is taken", header)
		}
	}
}

func TestAnETagIsReadAsARevision(t *testing.T) {
	for header, want := range map[string]int{"": 0, "*": 0, `"3"`: 3, `W/"3"`: 3, "3": 3} {
		if got, err := expectedRevision(header); err != nil || got != want {
			t.Errorf("%q: %d, %v", header, got, err)
		}
	}
	for _, header := range []string{`"x"`, "0", "-1", `"1", "2"`} {
		if _, err := expectedRevision(header); err == nil {
			t.Errorf("%q was taken", header)
		}
	}
}
