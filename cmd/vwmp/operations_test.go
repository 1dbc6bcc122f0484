package main

import (
	"encoding/json"
	"fmt"
	"maps"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"testing"
	"time"
)

// operation is what the server's own description says of one.
type operation struct {
	ID         string `json:"operationId"`
	Permission string `json:"x-vwmp-permission"`
	Parameters []struct {
		Name, In string
		Schema   struct {
			Type any `json:"type"`
		}
	}
	RequestBody *struct {
		Content map[string]struct {
			Schema json.RawMessage `json:"schema"`
		}
	}
	Responses map[string]json.RawMessage

	method, path string
}

// takesAnything are operations that read every body, whatever its type.
func (o *operation) takesAnything() bool { return o.ID == "call-hook" }

// judges are operations whose answer is what they think of a body: they refuse
// none that they can read at all.
func (o *operation) judges() bool { return o.ID == "validate-workflow" }

// takesAnyJSON are those to which every JSON is right.
func (o *operation) takesAnyJSON() bool { return o.ID == "send-signal" }

func (o *operation) socket() bool { return strings.HasPrefix(o.path, "/ws/") }

var roleRanks = []string{"public", "viewer", "executor", "editor", "admin"}

// surface is a server with something of everything, and somebody of each role.
type surface struct {
	*running
	operations []*operation
	schemas    map[string]json.RawMessage
	tokens     map[string]string
	values     map[string]string
	sent       int
}

func newSurface(t *testing.T) *surface {
	s := &surface{running: underAttack(t), tokens: map[string]string{}}
	s.tokens["admin"] = s.token
	for _, role := range []string{"viewer", "executor", "editor"} {
		if got := s.attack("POST", "/api/vwmp/users/", fmt.Sprintf(`{"name":%q,"role":%q}`, "a-"+role, role)); got.status != 201 {
			t.Fatalf("%d %s", got.status, got.body)
		}
		made := s.attack("POST", "/api/vwmp/auth/tokens/", fmt.Sprintf(`{"name":"t","user":%q,"role":%q}`, "a-"+role, role))
		var token struct{ Token string }
		if err := json.Unmarshal([]byte(made.body), &token); err != nil || token.Token == "" {
			t.Fatalf("%d %s", made.status, made.body)
		}
		s.tokens[role] = token.Token
	}
	if got := s.attack("POST", "/api/vwmp/users/", `{"name":"a-nobody","role":"viewer"}`); got.status != 201 {
		t.Fatalf("%d %s", got.status, got.body)
	}
	if got := s.attack("POST", workflowsPath+"import/?id=surface", `{"name":"A",`+echoSteps+`}`); got.status != 201 {
		t.Fatalf("%d %s", got.status, got.body)
	}
	var ran struct {
		ID string `json:"execution_id"`
	}
	if err := json.Unmarshal([]byte(s.attack("POST", workflowsPath+"surface/execute/?async=false", "").body), &ran); err != nil {
		t.Fatal(err)
	}
	s.values = map[string]string{
		"workflows": "surface", "executions": ran.ID, "step": "a", "revision": "1", "a": "1", "b": "1", "other": ran.ID, "users": "a-nobody",
		"name": "none", "path": "flow.log", "plugins": "git", "template": "Standard Release", "workflow-types": "release", "sha256": strings.Repeat("0", 64), "token": "none",
	}
	s.readOperations()
	return s
}

func (s *surface) readOperations() {
	s.t.Helper()
	var document struct {
		Paths      map[string]map[string]*operation
		Components struct {
			Schemas map[string]json.RawMessage
		}
	}
	if err := json.Unmarshal([]byte(s.attack("GET", "/openapi.json", "").body), &document); err != nil {
		s.t.Fatal(err)
	}
	s.schemas = document.Components.Schemas
	for _, path := range slices.Sorted(maps.Keys(document.Paths)) {
		for _, method := range slices.Sorted(maps.Keys(document.Paths[path])) {
			o := document.Paths[path][method]
			o.method, o.path = strings.ToUpper(method), path
			s.operations = append(s.operations, o)
		}
	}
	if len(s.operations) < 80 {
		s.t.Fatalf("only %d operations are described", len(s.operations))
	}
}

// address fills a path with what there is; hostile stands in the place of its
// last value where it is given.
func (s *surface) address(o *operation, hostile string) string {
	parts := strings.Split(o.path, "/")
	last := -1
	for i, part := range parts {
		name, found := strings.CutPrefix(part, "{")
		if !found {
			continue
		}
		name, last = strings.TrimSuffix(name, "}"), i
		value := s.values[name]
		if of := s.values[parts[i-1]]; of != "" && (name == "id" || name == "name") {
			value = of
		}
		if value == "" {
			value = "none"
		}
		parts[i] = url.PathEscape(value)
	}
	if last >= 0 && hostile != "" {
		parts[last] = hostile
	}
	return strings.Join(parts, "/")
}

// send asks as somebody; it holds every answer to what all must keep to.
func (s *surface) send(o *operation, role, address, body string, headers ...string) int {
	s.t.Helper()
	s.sent++
	authorization := ""
	if role != "" {
		authorization = "Bearer " + s.tokens[role]
	}
	got, err := s.tryAttack(s.t.Context(), &http.Client{
		Timeout: 20 * time.Second, CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}, o.method, address, body, append([]string{"Authorization", authorization}, headers...)...)
	if err != nil {
		s.t.Errorf("%s: %v", o.ID, err)
		return 0
	}
	_, documented := o.Responses["503"]
	if got.status >= 500 && (got.status != http.StatusServiceUnavailable || !documented) {
		s.t.Errorf("%s as %q with %.60q: %d %.300s", o.ID, role, body, got.status, got.body)
	}
	if got.status >= 400 {
		got.tellsNothing()
	}
	if got.took > 5*time.Second {
		s.t.Errorf("%s as %q with %.60q took %s", o.ID, role, body, got.took)
	}
	return got.status
}

// Every operation that the server describes refuses who may not and what is no
// request, and none of them fails for it.
func TestEveryOperationRefusesWhatItShould(t *testing.T) {
	s := newSurface(t)
	for _, o := range s.operations {
		if !slices.Contains(roleRanks, o.Permission) {
			t.Errorf("%s asks for %q", o.ID, o.Permission)
		}
		if !o.socket() {
			s.callers(o)
		}
		s.parameters(o)
		if o.RequestBody != nil {
			s.bodies(o)
		}
	}
	if s.sent < 1000 {
		t.Errorf("only %d requests were sent", s.sent)
	}
	if got := s.attack("GET", workflowsPath+"surface/", ""); got.status != 200 {
		t.Errorf("afterwards: %d", got.status)
	}
}

// callers asks as everybody who may not.
func (s *surface) callers(o *operation) {
	s.t.Helper()
	if o.Permission == "public" {
		return
	}
	if status := s.send(o, "", s.address(o, ""), ""); status != http.StatusUnauthorized {
		s.t.Errorf("%s without credentials: %d", o.ID, status)
	}
	for _, role := range roleRanks[1:slices.Index(roleRanks, o.Permission)] {
		if status := s.send(o, role, s.address(o, ""), ""); status != http.StatusForbidden {
			s.t.Errorf("%s as %s: %d", o.ID, role, status)
		}
	}
}

// parameters sends values of the wrong kind in path and query. Whether they
// are refused depends on what they mean; that nothing breaks does not.
func (s *surface) parameters(o *operation) {
	s.t.Helper()
	changes := o.method != http.MethodGet
	if strings.Contains(o.path, "{") {
		for _, hostile := range []string{"%00", "%2e%2e%2f%2e%2e%2fetc%2fpasswd", "%ff%fe", strings.Repeat("x", 2000), "a%0d%0aX: y", "-1"} {
			if status := s.send(o, "admin", s.address(o, hostile), ""); status < 400 && changes {
				s.t.Errorf("%s took the path value %.40s: %d", o.ID, hostile, status)
			}
		}
	}
	if changes {
		return // What is right about such a request would be done.
	}
	for _, p := range o.Parameters {
		if p.In != "query" {
			continue
		}
		for _, hostile := range []string{"", "%00", "x", "-1", "99999999999999999999", "%ff"} {
			status := s.send(o, "admin", s.address(o, "")+"?"+p.Name+"="+hostile, "")
			if p.Schema.Type == "integer" && hostile == "x" && status < 400 {
				s.t.Errorf("%s took %s=x: %d", o.ID, p.Name, status)
			}
		}
	}
}

// bodies sends what is no body of the operation.
func (s *surface) bodies(o *operation) {
	s.t.Helper()
	address := s.address(o, "")
	expect := func(what, body string, want []int, headers ...string) {
		s.t.Helper()
		if status := s.send(o, "admin", address, body, headers...); !slices.Contains(want, status) && (status != http.StatusNotFound || !s.missing(o)) {
			s.t.Errorf("%s with %s: %d, want one of %v", o.ID, what, status, want)
		}
	}
	bad := []int{http.StatusBadRequest, http.StatusUnprocessableEntity}
	if o.judges() {
		bad = append(bad, http.StatusOK)
	}
	if o.takesAnyJSON() {
		// What it is sent to has ended.
		bad = append(bad, http.StatusConflict)
	}
	expect("too much", strings.Repeat(" ", 2<<20+1), []int{http.StatusRequestEntityTooLarge})
	if o.takesAnything() {
		return
	}
	for what, body := range map[string]string{
		"half an object": "{", "a list": "[1]", "a text": `"text"`, "a number": "1", "bytes": "\xff\x00\xfe", "a wrong key": `{"zz_unknown":1,"zz":{}}`,
		"depth": strings.Repeat(`{"a":`, 70) + "1" + strings.Repeat("}", 70), "two values": `{} {}`,
	} {
		expect(what, body, bad)
	}
	for _, kind := range []string{"text/html", "application/xml", "multipart/form-data; boundary=x", "nonsense"} {
		expect(kind, "{}", []int{http.StatusUnsupportedMediaType}, "Content-Type", kind)
	}
	for _, wrong := range s.mistyped(o) {
		s.send(o, "admin", address, wrong)
	}
}

// missing reports whether the object that the operation is about is not there.
func (s *surface) missing(o *operation) bool {
	return strings.Contains(o.path, "/triggers/{id}") || strings.Contains(o.path, "/hooks/") || strings.Contains(o.path, "/signals/") || strings.Contains(o.path, "/approve/")
}

// mistyped are bodies with one property each that has another type than it
// should, or a value that nobody means.
func (s *surface) mistyped(o *operation) []string {
	s.t.Helper()
	var bodies []string
	for _, media := range o.RequestBody.Content {
		var schema struct {
			Ref        string                     `json:"$ref"`
			Properties map[string]json.RawMessage `json:"properties"`
		}
		raw := media.Schema
		for raw != nil {
			schema.Ref = ""
			if err := json.Unmarshal(raw, &schema); err != nil {
				s.t.Fatal(err)
			}
			raw = s.schemas[strings.TrimPrefix(schema.Ref, "#/components/schemas/")]
		}
		for _, name := range slices.Sorted(maps.Keys(schema.Properties)) {
			for _, value := range []string{"1e400", `{"a":[]}`, "true", `"` + strings.Repeat("x", 5000) + `"`, `"\u0000"`} {
				bodies = append(bodies, fmt.Sprintf(`{%q:%s}`, name, value))
			}
		}
	}
	return bodies
}
