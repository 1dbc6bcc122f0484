package host_test

import (
	"encoding/json"
	"fmt"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/vwmp/vwmp/store/data"
)

const (
	users    = "/api/vwmp/users/"
	tokens   = "/api/vwmp/auth/tokens/"
	sessions = "/api/vwmp/auth/sessions/"
	audit    = "/api/vwmp/audit/"
	password = "correct horse battery"
)

// user makes an account with a password.
func (w *world) user(name, role string, teams ...string) {
	w.t.Helper()
	body, err := json.Marshal(map[string]any{"name": name, "role": role, "teams": teams, "password": password})
	if err != nil {
		w.t.Fatal(err)
	}
	w.ask("POST", users, string(body)).want(201)
}

// as makes an account that needs no password and returns the headers that
// send a token of it.
func (w *world) as(name, role string, teams ...string) []string {
	w.t.Helper()
	body, err := json.Marshal(map[string]any{"name": name, "role": role, "teams": teams})
	if err != nil {
		w.t.Fatal(err)
	}
	w.ask("POST", users, string(body)).want(201)
	return w.tokenOf(name, role)
}

func (w *world) tokenOf(name, role string) []string {
	w.t.Helper()
	made := w.ask("POST", tokens, fmt.Sprintf(`{"name":"test","user":%q,"role":%q}`, name, role)).want(201)
	return []string{"Authorization", "Bearer " + made.text("token")}
}

// browser signs an account in and returns the headers of its browser.
func (w *world) browser(name string) []string {
	w.t.Helper()
	got := w.ask("POST", "/api/vwmp/auth/login/", fmt.Sprintf(`{"user":%q,"password":%q}`, name, password), "Authorization", "").want(200)
	value, _, _ := strings.Cut(got.header.Get("Set-Cookie"), ";")
	return []string{"Authorization", "", "Cookie", value, "Origin", w.url, "X-VWMP-Request", "1"}
}

func TestAnAccountIsMadeUsedChangedAndRemoved(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.user("ann", "editor", "ops")
	w.ask("POST", users, `{"name":"ann","role":"viewer"}`).problem(409, "CONFLICT")
	for _, bad := range []string{
		`{"name":"admin","role":"admin"}`, `{"name":"Ann","role":"viewer"}`, `{"name":"b","role":"root"}`, `{"name":"b"}`,
		`{"name":"b","role":"viewer","password":"short"}`, `{"name":"b","role":"viewer","hash":"x"}`,
	} {
		w.ask("POST", users, bad).problem(400, "VALIDATION_ERROR")
	}
	ann := w.browser("ann")
	me := w.ask("GET", "/api/vwmp/auth/me/", "", ann...).want(200)
	if me.text("user") != "ann" || me.text("role") != "editor" || fmt.Sprint(me.object()["teams"]) != "[ops]" || me.text("signed_in_by") != "cookie" {
		t.Errorf("me: %s", me.body)
	}
	w.ask("POST", workflows, echoYAML, append(ann, "Content-Type", "application/yaml")...).want(201)
	w.ask("GET", users, "", ann...).problem(403, "AUTHORIZATION_ERROR")
	w.ask("PUT", users+"ann/", `{"role":"viewer"}`).want(200)
	w.ask("POST", workflows, echoYAML, append(ann, "Content-Type", "application/yaml")...).problem(403, "AUTHORIZATION_ERROR")
	w.ask("PUT", users+"ann/", `{"disabled":true}`).want(200)
	w.ask("GET", "/api/vwmp/auth/me/", "", ann...).problem(401, "AUTHENTICATION_ERROR")
	w.ask("POST", "/api/vwmp/auth/login/", `{"user":"ann","password":"`+password+`"}`, "Authorization", "").problem(401, "AUTHENTICATION_ERROR")
	list := w.ask("GET", users, "").want(200)
	if text := string(list.body); !strings.Contains(text, `"disabled":true`) || strings.Contains(text, "argon2") {
		t.Errorf("listed: %s", text)
	}
	w.ask("DELETE", users+"ann/", "").want(204)
	w.ask("GET", users+"ann/", "").problem(404, "NOT_FOUND")
	w.ask("PUT", users+"ann/", `{}`).problem(404, "NOT_FOUND")
	w.user("bob", "admin")
	w.ask("DELETE", users+"bob/", "").problem(409, "CONFLICT")
	w.ask("PUT", users+"bob/", `{"role":"viewer"}`).problem(409, "CONFLICT")
}

func TestOnesOwnPasswordIsChangedAndEndsOtherSessions(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.user("ann", "viewer")
	one, two := w.browser("ann"), w.browser("ann")
	list := w.ask("GET", sessions, "", one...).want(200)
	if strings.Count(string(list.body), `"user":"ann"`) != 2 || strings.Count(string(list.body), `"current":true`) != 1 {
		t.Errorf("sessions: %s", list.body)
	}
	w.ask("GET", sessions+"?user=*", "", one...).problem(403, "AUTHORIZATION_ERROR")
	w.ask("POST", "/api/vwmp/auth/password/", `{"current":"wrong","password":"another good one"}`, one...).problem(403, "AUTHORIZATION_ERROR")
	w.ask("POST", "/api/vwmp/auth/password/", `{"current":"`+password+`","password":"short"}`, one...).problem(400, "VALIDATION_ERROR")
	w.ask("POST", "/api/vwmp/auth/password/", `{"current":"`+password+`","password":"another good one"}`, one...).want(204)
	w.ask("GET", "/api/vwmp/auth/me/", "", one...).want(200)
	w.ask("GET", "/api/vwmp/auth/me/", "", two...).problem(401, "AUTHENTICATION_ERROR")
	w.ask("POST", "/api/vwmp/auth/login/", `{"user":"ann","password":"`+password+`"}`, "Authorization", "").problem(401, "AUTHENTICATION_ERROR")
	var kept struct{ Sessions []struct{ ID string } }
	if err := json.Unmarshal(w.ask("GET", sessions+"?user=ann", "").want(200).body, &kept); err != nil || len(kept.Sessions) != 1 {
		t.Fatalf("sessions: %+v, %v", kept, err)
	}
	w.ask("DELETE", sessions+"none/", "").problem(404, "NOT_FOUND")
	w.ask("DELETE", sessions+kept.Sessions[0].ID+"/", "").want(204)
	w.ask("GET", "/api/vwmp/auth/me/", "", one...).problem(401, "AUTHENTICATION_ERROR")
}

func TestATokenIsShownOnceAndActsForItsOwner(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.user("ann", "executor")
	ann := w.browser("ann")
	made := w.ask("POST", tokens, `{"name":"ci","role":"executor","expires_in":3600}`, ann...).want(201)
	secret, id := made.text("token"), made.text("id")
	bearer := []string{"Authorization", "Bearer " + secret}
	if me := w.ask("GET", "/api/vwmp/auth/me/", "", bearer...).want(200); me.text("user") != "ann" || me.text("signed_in_by") != "token" {
		t.Errorf("me: %s", me.body)
	}
	list := w.ask("GET", tokens, "", ann...).want(200)
	if text := string(list.body); strings.Contains(text, secret) || !strings.Contains(text, `"last_used":"20`) || !strings.Contains(text, `"expires_at":"20`) {
		t.Errorf("listed: %s", text)
	}
	w.ask("POST", tokens, `{"name":"more","role":"viewer"}`, bearer...).problem(403, "AUTHORIZATION_ERROR")
	w.ask("POST", tokens, `{"name":"theirs","role":"viewer","user":"bob"}`, ann...).problem(403, "AUTHORIZATION_ERROR")
	w.ask("POST", tokens, `{"name":"theirs","role":"viewer","user":"bob"}`).problem(400, "VALIDATION_ERROR")
	w.ask("GET", tokens+"?user=*", "", ann...).problem(403, "AUTHORIZATION_ERROR")
	w.user("bob", "executor")
	w.ask("DELETE", tokens+id+"/", "", w.browser("bob")...).problem(404, "NOT_FOUND")
	greedy := w.ask("POST", tokens, `{"name":"greedy","role":"admin"}`, ann...).want(201).text("token")
	w.ask("GET", users, "", "Authorization", "Bearer "+greedy).problem(403, "AUTHORIZATION_ERROR")
	w.ask("DELETE", tokens+id+"/", "", ann...).want(204)
	w.ask("GET", "/api/vwmp/auth/me/", "", bearer...).problem(401, "AUTHENTICATION_ERROR")
	if strings.Contains(w.log.String(), secret) {
		t.Error("the log has the token")
	}
}

func TestCase27RolesAreJudgedOnTheAction(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	id := w.save("[{id: a, handler: test.echo}]")
	execution := w.begin("[{id: a, handler: test.block}]")
	viewer, executor := w.as("vic", "viewer"), w.as("exe", "executor")
	for _, c := range []struct{ method, path, body string }{
		{"POST", workflows + id + "/execute/", ""}, {"POST", executions + execution + "/cancel/", ""}, {"POST", executions + execution + "/retry/", ""},
		{"PUT", workflows + id + "/", echoYAML}, {"POST", workflows, echoYAML}, {"POST", workflows + id + "/steps/a/run/", `{"config":{}}`},
		{"POST", workflows + id + "/plan/", ""}, {"GET", "/api/vwmp/secrets/", ""}, {"PUT", "/api/vwmp/secrets/A/", `{"value":"x"}`},
		{"POST", "/api/vwmp/plugins/test/disable/", ""}, {"DELETE", executions + execution + "/", ""}, {"GET", audit, ""}, {"POST", users, `{"name":"x","role":"admin"}`},
	} {
		w.ask(c.method, c.path, c.body, append(viewer, "Content-Type", map[bool]string{true: "application/yaml", false: "application/json"}[c.body == echoYAML])...).problem(403, "AUTHORIZATION_ERROR")
	}
	w.ask("POST", workflows+id+"/steps/a/run/", `{"config":{"text":"inline"}}`, executor...).problem(403, "AUTHORIZATION_ERROR")
	w.ask("POST", workflows+id+"/execute/", "", executor...).want(202)
	w.ask("POST", executions+execution+"/cancel/", "", executor...).want(200)
}

func TestCase29And31AForeignNameOrOriginGetsNothing(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	for _, path := range []string{users, tokens, audit, sessions, "/ws/vwmp/events"} {
		w.ask("GET", path, "", "Host", "evil.example").problem(421, "HOST_NOT_ALLOWED")
		preflight := w.raw("OPTIONS", path, "Origin", "http://evil.example", "Access-Control-Request-Method", "POST")
		for _, name := range []string{"Access-Control-Allow-Origin", "Access-Control-Allow-Credentials"} {
			if preflight.header.Get(name) != "" {
				t.Errorf("%s: %s is %q", path, name, preflight.header.Get(name))
			}
		}
	}
	w.ask("POST", users, `{"name":"eve","role":"admin"}`, "Origin", "http://evil.example").problem(403, "AUTHORIZATION_ERROR")
}

func TestCase25ASuffixOpensNothingOfAccounts(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	for _, path := range []string{"/api/vwmp/users", "/api/vwmp/audit", "/api/vwmp/auth/tokens", "/api/vwmp/auth/sessions"} {
		for _, suffix := range []string{"", "/health", "/configs", ";x", "%00", ".json", "/../healthz/x", "//", "%2f..%2fhealthz"} {
			// 405: DELETE alone is answered there.
			if got := w.rawAs("", "GET", path+suffix); got.status != 401 && got.status != 404 && got.status != 405 {
				t.Errorf("%s%s: %d %s", path, suffix, got.status, got.body)
			}
		}
	}
}

// trail is the audit trail, oldest first, as who action object result.
func (w *world) trail(filter string) []string {
	w.t.Helper()
	var lines []string
	for line := range strings.Lines(string(w.ask("GET", audit+"?format=jsonl"+filter, "").want(200).body)) {
		var r data.AuditRecord
		if err := json.Unmarshal([]byte(line), &r); err != nil {
			w.t.Fatal(err)
		}
		lines = append(lines, strings.Join([]string{r.Who, r.Action, r.Object, r.Result}, " "))
	}
	return lines
}

func TestWhoDidWhatIsWrittenDown(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.user("ann", "editor")
	ann := w.browser("ann")
	w.ask("POST", "/api/vwmp/auth/login/", `{"user":"ann","password":"wrong-password"}`, "Authorization", "").want(401)
	w.ask("GET", workflows, "", "Authorization", "Bearer wrong-token").want(401)
	w.ask("GET", workflows, "", "Authorization", "").want(401)
	id := w.ask("POST", workflows, echoYAML, append(ann, "Content-Type", "application/yaml")...).want(201).text("id")
	w.ask("GET", workflows+id+"/", "", ann...).want(200)
	execution := w.ask("POST", workflows+id+"/execute/?async=false", `{}`, ann...).want(200).text("execution_id")
	w.ask("DELETE", executions+execution+"/", "", ann...).want(403)
	w.ask("PUT", "/api/vwmp/secrets/TOKEN/", `{"value":"hush-hush"}`).want(201)
	w.ask("POST", workflows+"validate/", echoYAML, append(ann, "Content-Type", "application/yaml")...).want(200)
	w.ask("DELETE", workflows+id+"/", "", ann...).want(204)
	want := []string{
		"admin user.create users/ann done", "ann auth.sign-in users/ann done", " auth.sign-in users/ann refused", " auth.sign-in workflows refused",
		"ann workflow.create workflows/" + id + " done", "ann workflow.execute executions/" + execution + " done", "ann execution.delete executions/" + execution + " refused",
		"admin secret.set secrets/TOKEN done", "ann workflow.delete workflows/" + id + " done",
	}
	if got := w.trail(""); strings.Join(got, "\n") != strings.Join(want, "\n") {
		t.Errorf("the trail is\n%s\nnot\n%s", strings.Join(got, "\n"), strings.Join(want, "\n"))
	}
	for filter, count := range map[string]int{
		"&who=ann": 5, "&action=auth.sign-in": 3, "&result=refused": 3, "&result=failed": 0, "&object=workflows/" + id: 2, "&since=" + time.Now().Add(time.Hour).UTC().Format(time.RFC3339): 0,
	} {
		if got := w.trail(filter); len(got) != count {
			t.Errorf("%s: %v", filter, got)
		}
	}
	page := w.ask("GET", audit+"?limit=2", "").want(200)
	if next := page.text("next"); next != "8" {
		t.Errorf("next is %q", next)
	}
	all := w.ask("GET", audit+"?limit=1000", "").want(200)
	for _, secret := range []string{password, "wrong-password", "wrong-token", "hush", token} {
		if strings.Contains(string(all.body), secret) {
			t.Errorf("the trail has %q: %s", secret, all.body)
		}
	}
	for _, bad := range []string{"?limit=0", "?limit=1001", "?since=yesterday", "?cursor=x", "?format=csv"} {
		w.ask("GET", audit+bad, "").problem(400, "VALIDATION_ERROR")
	}
	report, err := w.store.Check(t.Context())
	if err != nil || !report.OK() || report.Audit != len(want) {
		t.Errorf("the chain: %+v, %v", report, err)
	}
}

func TestStrangersDoNotFillTheTrail(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	for range 200 {
		w.ask("GET", workflows, "", "Authorization", "Bearer wrong")
	}
	if got := w.trail(""); len(got) != 10 {
		t.Errorf("%d records of 200 wrong tokens", len(got))
	}
	for _, record := range w.trail("") {
		if !strings.HasPrefix(record, " auth.sign-in") {
			t.Errorf("a record of %s", record)
		}
	}
	w.ask("GET", workflows, "").want(http.StatusOK)
}
