//go:build long

package main

import (
	"archive/zip"
	"bytes"
	"context"
	"encoding/base64"
	"encoding/binary"
	"encoding/json"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/fasthttp/websocket"
	bolt "go.etcd.io/bbolt"

	"github.com/vwmp/vwmp/engine"
	"github.com/vwmp/vwmp/host"
)

// attacked is a server with the bundled plugins, on one data folder and one
// workspace, that all cases share: what one does must not harm another.
type attacked struct {
	*running
	workspace string
	// plugins is a folder that the server watches.
	plugins string
	names   int
}

// TestAttackTable sends the cases of the attack table to the real server, as
// far as no test of their own does. Each subtest has the number of its case.
func TestAttackTable(t *testing.T) {
	plugins := builtPlugins(t, "shell", "http", "file")
	repository := demoRepository(t)
	// A folder inside the temporary one can't be hidden from plugins.
	home := t.TempDir()
	temporary := filepath.Join(home, "tmp")
	if err := os.Mkdir(temporary, 0o700); err != nil {
		t.Fatal(err)
	}
	t.Setenv("TMPDIR", temporary)
	a := &attacked{running: startRunning(t, filepath.Join(home, "data"), repository, "--plugins", plugins, "--plugins", labDir, "--plugins", pluginsDir), workspace: repository}
	for name, test := range map[string]func(*testing.T, *attacked){
		"Case25": suffixesOpenNothing, "Case27": rolesAreJudgedOnTheAction, "Case29": foreignHosts, "Case31": foreignOrigins, "Case35": endedTokens,
		"Case39": foreignSockets, "Case41": foreignExecutions, "Case49": outputsAreData, "Case51": costlyExpressions, "Case53": secretsAreMasked, "Case55": pathsThatLeave,
		"Case57": linksWithASlash, "Case59": hostileArchives, "Case61": writesIntoTheData, "Case65": hostileAddresses, "Case69": tokensInRemotes,
		"Case71": hostileAnswers, "Case75": floods, "Case77": killedPlugin, "Case79": daemons, "Case87": ignoredCancel, "Case81": hangingPlugin, "Case89": whatAStepSees, "Case91": writablePlugin,
		"Case93": silence, "Case105": missingFiles, "Case107": slowSenders, "Case111": endlessLog, "Case121": impossibleZones,
		"Rule6": unsafeScriptsAreNoted,
	} {
		t.Run(name, func(t *testing.T) {
			// The server's own helpers report to this case.
			one := &attacked{running: &running{t: t, cmd: a.cmd, url: a.url, token: a.token, data: a.data, ended: a.ended}, workspace: a.workspace, plugins: plugins}
			test(t, one)
			one.attack(http.MethodGet, api+"/workflows/", "").want(http.StatusOK)
		})
	}
}

// account makes an account and a token of a role.
func (a *attacked) account(t *testing.T, name, role string) string {
	t.Helper()
	a.attack(http.MethodPost, api+"/users/", fmt.Sprintf(`{"name":%q,"role":%q}`, name, role)).want(http.StatusCreated)
	made := a.attack(http.MethodPost, api+"/auth/tokens/", fmt.Sprintf(`{"name":"attack","user":%q,"role":%q}`, name, role)).want(http.StatusCreated)
	return field(t, made.body, "token")
}

func field(t *testing.T, body, name string) string {
	t.Helper()
	var object map[string]any
	if err := json.Unmarshal([]byte(body), &object); err != nil {
		t.Fatalf("%v: %s", err, body)
	}
	text, _ := object[name].(string)
	return text
}

// step runs a workflow of one step, named a, and returns the execution.
func (a *attacked) step(t *testing.T, handler, config string) engine.Result {
	t.Helper()
	return a.finish(a.start(a.save(fmt.Sprintf(`{"name":%q,"steps":[{"id":"a","handler":%q,"timeout":"60s","config":%s}]}`, t.Name()+" "+handler+" "+strconv.Itoa(a.next()), handler, config))))
}

func (a *attacked) next() int { a.names++; return a.names }

// fails wants that a step failed with one of the codes and wrote nothing
// outside.
func (a *attacked) fails(t *testing.T, handler, config string) engine.StepResult {
	t.Helper()
	result := a.step(t, handler, config)
	got := result.StepResults["a"]
	if got.Status != "failed" || got.Error == nil {
		t.Errorf("%s %.200s ends as %s", handler, config, got.Status)
		return got
	}
	if (strings.Contains(got.Error.Message, a.data) && !strings.Contains(config, a.data)) || strings.Contains(got.Error.Message, "goroutine ") {
		t.Errorf("the error shows the inside: %s", got.Error.Message)
	}
	return got
}

func suffixesOpenNothing(t *testing.T, a *attacked) {
	for _, path := range []string{"/workflows/", "/secrets/", "/users/", "/audit/", "/plugins/", "/admin/check/", "/executions/"} {
		for _, suffix := range []string{"health", "/healthz", "configs", ";x", "%00", ".json", "%2e%2e/healthz", "?/healthz", "..;/", "//"} {
			// 405 is that of a path with a name below it, which takes no GET.
			a.attack(http.MethodGet, api+strings.TrimSuffix(path, "/")+"/"+suffix, "", "Authorization", "").want(http.StatusUnauthorized, http.StatusNotFound, http.StatusBadRequest, http.StatusMethodNotAllowed)
		}
	}
}

func rolesAreJudgedOnTheAction(t *testing.T, a *attacked) {
	viewer, executor := a.account(t, "case27-viewer", "viewer"), a.account(t, "case27-executor", "executor")
	id := a.save("name: Case 27\nsteps: [{id: a, handler: flow.log, config: {message: hello}}]\n")
	execution := a.finish(a.start(id)).ID
	for _, one := range [][3]string{
		{http.MethodPost, "/workflows/" + id + "/execute/", "{}"},
		{http.MethodPost, "/executions/" + execution + "/cancel/", ""},
		{http.MethodPost, "/executions/" + execution + "/retry/", "{}"},
		{http.MethodPost, "/executions/" + execution + "/fork/", `{"from_step":"a"}`},
		{http.MethodPost, "/executions/" + execution + "/undo/", ""},
		{http.MethodPut, "/workflows/" + id + "/", `{"name":"Mine","steps":[]}`},
		{http.MethodPost, "/workflows/", `{"name":"Mine","steps":[]}`},
		{http.MethodPost, "/workflows/" + id + "/steps/a/run/", `{"config":{"message":"mine"}}`},
		{http.MethodDelete, "/workflows/" + id + "/", ""},
		{http.MethodGet, "/secrets/", ""},
		{http.MethodPut, "/secrets/MINE/", `{"value":"x"}`},
		{http.MethodPost, "/plugins/lab/disable/", ""},
		{http.MethodPost, "/plugins/lab/reload/", "{}"},
		{http.MethodGet, "/users/", ""},
		{http.MethodGet, "/audit/", ""},
	} {
		a.attack(one[0], api+one[1], one[2], "Authorization", "Bearer "+viewer).want(http.StatusForbidden)
	}
	for _, one := range [][3]string{
		{http.MethodPost, "/workflows/" + id + "/steps/a/run/", `{"config":{"message":"mine"}}`},
		{http.MethodPost, "/executions/" + execution + "/fork/", `{"from_step":"a","config":{"message":"mine"}}`},
		{http.MethodPut, "/workflows/" + id + "/", `{"name":"Mine","steps":[]}`},
		{http.MethodPut, "/secrets/MINE/", `{"value":"x"}`},
	} {
		a.attack(one[0], api+one[1], one[2], "Authorization", "Bearer "+executor).want(http.StatusForbidden)
	}
	a.attack(http.MethodPost, api+"/workflows/"+id+"/execute/", "{}", "Authorization", "Bearer "+executor).want(http.StatusAccepted)
}

func (a *attacked) dial(t *testing.T, path, token string, headers ...string) (*websocket.Conn, int) {
	t.Helper()
	header := http.Header{}
	if token != "" {
		header.Set("Authorization", "Bearer "+token)
	}
	for i := 0; i+1 < len(headers); i += 2 {
		header.Set(headers[i], headers[i+1])
	}
	socket, response, err := websocket.DefaultDialer.Dial("ws"+strings.TrimPrefix(a.url, "http")+path, header)
	if response == nil {
		t.Fatal(err)
	}
	if response.Body != nil {
		_ = response.Body.Close()
	}
	if err == nil {
		t.Cleanup(func() { _ = socket.Close() })
	}
	return socket, response.StatusCode
}

func foreignHosts(t *testing.T, a *attacked) {
	for _, host := range []string{"evil.example", "evil.example:80", "127.0.0.1.evil.example", "localhost.evil.example:8000"} {
		a.attack(http.MethodGet, api+"/workflows/", "", "Host", host).want(http.StatusMisdirectedRequest, http.StatusForbidden)
		if _, status := a.dial(t, "/ws/vwmp/events", a.token, "Host", host); status != http.StatusMisdirectedRequest && status != http.StatusForbidden {
			t.Errorf("a socket by the name %s gets %d", host, status)
		}
	}
}

func foreignOrigins(t *testing.T, a *attacked) {
	for _, origin := range []string{"https://evil.example", "null", "http://127.0.0.1.evil.example"} {
		got := a.attack(http.MethodOptions, api+"/workflows/", "", "Authorization", "", "Origin", origin, "Access-Control-Request-Method", "POST", "Access-Control-Request-Headers", "authorization")
		read := a.attack(http.MethodGet, api+"/workflows/", "", "Origin", origin)
		for _, answer := range []reply{got, read} {
			if allowed := answer.header.Get("Access-Control-Allow-Origin"); allowed != "" {
				t.Errorf("%s is allowed: %q", origin, allowed)
			}
		}
		a.attack(http.MethodPost, api+"/workflows/", "name: x", "Origin", origin).want(http.StatusForbidden)
	}
}

func endedTokens(t *testing.T, a *attacked) {
	token := a.account(t, "case35", "viewer")
	a.attack(http.MethodGet, api+"/workflows/", "", "Authorization", "Bearer "+token).want(http.StatusOK)
	socket, _ := a.dial(t, "/ws/vwmp/events", token)
	if socket == nil {
		t.Fatal("no socket")
	}
	id, _, _ := strings.Cut(strings.TrimPrefix(token, "vwt_"), "_")
	a.attack(http.MethodDelete, api+"/auth/tokens/"+id+"/", "").want(http.StatusNoContent)
	revoked := time.Now()
	a.attack(http.MethodGet, api+"/workflows/", "", "Authorization", "Bearer "+token).want(http.StatusUnauthorized)
	_ = socket.SetReadDeadline(time.Now().Add(20 * time.Second))
	for err := error(nil); err == nil; {
		_, _, err = socket.ReadMessage()
	}
	if took := time.Since(revoked); took > 5*time.Second {
		t.Errorf("the socket of a revoked token stayed open for %s", took)
	}
	encode := base64.RawURLEncoding.EncodeToString
	claims := encode([]byte(`{"sub":"admin","role":"admin","exp":99999999999}`))
	for _, header := range []string{`{"alg":"none"}`, `{"alg":"HS256","kid":"../../../../dev/null"}`, `{"alg":"HS256","jwk":{"kty":"oct","k":""}}`} {
		for _, signature := range []string{"", encode([]byte("x"))} {
			a.attack(http.MethodGet, api+"/workflows/", "", "Authorization", "Bearer "+encode([]byte(header))+"."+claims+"."+signature).want(http.StatusUnauthorized)
		}
	}
	for _, wrong := range []string{"vwt_", "vwt__", token + "x", strings.ToUpper(token), "vwmp_" + strings.Repeat("A", 43)} {
		a.attack(http.MethodGet, api+"/workflows/", "", "Authorization", "Bearer "+wrong).want(http.StatusUnauthorized, http.StatusTooManyRequests)
	}
}

func foreignSockets(t *testing.T, a *attacked) {
	login := a.attack(http.MethodPost, api+"/auth/login/", `{"token":"`+a.token+`"}`, "Authorization", "").want(http.StatusOK)
	cookie, _, _ := strings.Cut(login.header.Get("Set-Cookie"), ";")
	for _, path := range []string{"/ws/vwmp/events", "/ws/vwmp/executions/x", "/ws/vwmp/workflows/x/execute"} {
		for _, origin := range []string{"https://evil.example", "null", "http://127.0.0.1:1", ""} {
			headers := []string{"Cookie", cookie}
			if origin != "" {
				headers = append(headers, "Origin", origin)
			}
			if _, status := a.dial(t, path, "", headers...); status != http.StatusForbidden {
				t.Errorf("%s from %q gets %d", path, origin, status)
			}
		}
	}
	if socket, status := a.dial(t, "/ws/vwmp/events", "", "Cookie", cookie, "Origin", a.url); socket == nil {
		t.Errorf("from the server's own page it gets %d", status)
	}
}

func foreignExecutions(t *testing.T, a *attacked) {
	owner, other := a.account(t, "case41-owner", "editor"), a.account(t, "case41-other", "editor")
	made := a.attack(http.MethodPost, api+"/workflows/", `{"name":"Case 41","steps":[{"id":"a","handler":"flow.log","config":{"message":"hidden words"}}]}`, "Authorization", "Bearer "+owner).want(http.StatusCreated)
	id := field(t, made.body, "id")
	a.attack(http.MethodPut, api+"/workflows/"+id+"/access/", `{"visibility":"private"}`, "Authorization", "Bearer "+owner).want(http.StatusOK)
	execution := a.finish(a.start(id)).ID
	for _, path := range []string{"/ws/vwmp/executions/" + execution, "/ws/vwmp/workflows/" + id + "/execute"} {
		socket, _ := a.dial(t, path, other)
		if socket == nil {
			continue
		}
		_ = socket.SetReadDeadline(time.Now().Add(10 * time.Second))
		for {
			_, text, err := socket.ReadMessage()
			if err != nil {
				break
			}
			if !strings.Contains(string(text), `"error"`) || strings.Contains(string(text), "hidden") || strings.Contains(string(text), id) {
				t.Errorf("%s says %s", path, text)
			}
		}
	}
	a.attack(http.MethodGet, api+"/executions/"+execution+"/events/", "", "Authorization", "Bearer "+other).want(http.StatusNotFound)
}

func outputsAreData(t *testing.T, a *attacked) {
	a.attack(http.MethodPut, api+"/secrets/CASE49/", `{"value":"case-49-value"}`).want(http.StatusCreated, http.StatusNoContent)
	result := a.finish(a.start(a.save(`{"name":"Case 49","parameters":[{"name":"p","type":"string","default":"$${secrets.CASE49}"}],"steps":[
		{"id":"a","handler":"lab.echo","config":{"value":"${parameters.p}"}},
		{"id":"b","handler":"lab.echo","dependencies":["a"],"config":{"value":"${step-outputs.a.value}"}}]}`)))
	for _, id := range []string{"a", "b"} {
		if got := string(result.StepResults[id].Output); !strings.Contains(got, `${secrets.CASE49}`) || strings.Contains(got, "case-49-value") {
			t.Errorf("step %s gives %s", id, got)
		}
	}
}

func costlyExpressions(t *testing.T, a *attacked) {
	for name, when := range map[string]string{
		"64 KiB":        strings.Repeat("1 + ", 16<<10) + "1 == 1",
		"nested":        strings.Repeat("(", 1000) + "true" + strings.Repeat(")", 1000),
		"a regex":       `"` + strings.Repeat("a", 60) + `!" matches "(a+)+$"`,
		"growing texts": `len(repeat(repeat(repeat("x", 10000), 10000), 10000)) > 1`,
	} {
		body, err := json.Marshal(map[string]any{"name": "Case 51 " + name, "steps": []any{map[string]any{"id": "a", "handler": "flow.log", "when": when, "config": map[string]any{"message": "x"}}}})
		if err != nil {
			t.Fatal(err)
		}
		begin := time.Now()
		saved := a.attack(http.MethodPost, api+"/workflows/", string(body)).want(http.StatusBadRequest, http.StatusCreated)
		if saved.status == http.StatusCreated {
			result := a.finish(a.start(field(t, saved.body, "id")))
			if status := result.StepResults["a"].Status; name != "a regex" && status != "failed" {
				t.Errorf("%s: the step is %s", name, status)
			}
		}
		if took := time.Since(begin); took > 2*time.Second {
			t.Errorf("%s takes %s", name, took)
		}
	}
}

func secretsAreMasked(t *testing.T, a *attacked) {
	const value = "hush/hush+case&53=value"
	body, err := json.Marshal(map[string]string{"value": value})
	if err != nil {
		t.Fatal(err)
	}
	a.attack(http.MethodPut, api+"/secrets/CASE53/", string(body)).want(http.StatusCreated, http.StatusNoContent)
	script := `printf '%s\n' "$1"; printf '%s' "$1" | base64; printf '%s' "$1" | od -An -tx1 | tr -d ' \n' | sed 's/../%&/g'; echo; echo "$1" >&2; exit 3`
	config, err := json.Marshal(map[string]any{"script": script, "args": []string{"${secrets.CASE53}"}})
	if err != nil {
		t.Fatal(err)
	}
	socket, _ := a.dial(t, "/ws/vwmp/events", a.token)
	result := a.step(t, "shell.run", string(config))
	if result.StepResults["a"].Status != "failed" {
		t.Fatalf("it is %s", result.StepResults["a"].Status)
	}
	seen := []string{}
	for _, path := range []string{"/executions/" + result.ID + "/", "/executions/" + result.ID + "/logs/", "/executions/" + result.ID + "/events/", "/executions/" + result.ID + "/explain/", "/executions/" + result.ID + "/steps/a/input/"} {
		seen = append(seen, a.attack(http.MethodGet, api+path, "").body)
	}
	if socket != nil {
		_ = socket.SetReadDeadline(time.Now().Add(200 * time.Millisecond))
		for err := error(nil); err == nil; {
			var text []byte
			_, text, err = socket.ReadMessage()
			seen = append(seen, string(text))
		}
	}
	seen = append(seen, a.log())
	err = filepath.WalkDir(a.data, func(path string, entry os.DirEntry, err error) error {
		if err != nil || !entry.Type().IsRegular() {
			return nil //nolint:nilerr // What is gone meanwhile holds nothing.
		}
		text, err := os.ReadFile(path)
		if err != nil {
			return nil //nolint:nilerr // Likewise.
		}
		seen = append(seen, string(text))
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	all := strings.ToLower(strings.Join(seen, "\n"))
	for form, text := range map[string]string{
		"as it is": value, "in base64": base64.StdEncoding.EncodeToString([]byte(value)), "URL-encoded": "hush%2fhush%2bcase%2653%3dvalue",
		"in bytes": "%68%75%73%68%2f%68%75%73%68",
	} {
		if strings.Contains(all, strings.ToLower(text)) {
			t.Errorf("the secret shows %s", form)
		}
	}
	if !strings.Contains(all, "***") {
		t.Error("nothing is masked, so that nothing was looked at")
	}
}

var leavingPaths = []string{"../case55", "/tmp/case55", "a/../../case55", `C:\case55`, `\\?\case55`, "CON", "case\x0055", "case55 ", "case55.", "a//../../case55", ".git/hooks/post-commit", "sub/.GIT/config"}

func pathsThatLeave(t *testing.T, a *attacked) {
	for _, path := range leavingPaths {
		config, err := json.Marshal(map[string]string{"path": path, "content": "x"})
		if err != nil {
			t.Fatal(err)
		}
		body := fmt.Sprintf(`{"name":"Case 55 %d","steps":[{"id":"a","handler":"file.write","config":%s}]}`, a.next(), config)
		saved := a.attack(http.MethodPost, api+"/workflows/", body).want(http.StatusBadRequest, http.StatusCreated)
		if strings.Contains(saved.body, "unknown_handler") {
			t.Fatal(saved.body)
		}
		if saved.status == http.StatusCreated {
			if got := a.finish(a.start(field(t, saved.body, "id"))).StepResults["a"].Status; got != "failed" {
				t.Errorf("%q: %s", path, got)
			}
		}
	}
	for _, place := range []string{"/tmp/case55", filepath.Join(a.workspace, "..", "case55"), filepath.Join(a.workspace, ".git/hooks/post-commit")} {
		if _, err := os.Lstat(place); err == nil {
			t.Errorf("%s was made", place)
		}
	}
}

func linksWithASlash(t *testing.T, a *attacked) {
	outside := t.TempDir()
	for _, link := range []string{"case57", "case57dir"} {
		if err := os.Symlink(outside, filepath.Join(a.workspace, link)); err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { _ = os.Remove(filepath.Join(a.workspace, link)) })
	}
	a.fails(t, "file.write", `{"path":"case57/","content":"x"}`)
	a.fails(t, "file.write", `{"path":"case57dir/x","content":"x"}`)
	a.fails(t, "file.read", `{"path":"case57dir/../case57/x"}`)
	if entries, err := os.ReadDir(outside); err != nil || len(entries) > 0 {
		t.Errorf("outside are %v", entries)
	}
}

func hostileArchives(t *testing.T, a *attacked) {
	for name, fill := range map[string]func(*zip.Writer) error{
		"leaves":   func(w *zip.Writer) error { return entry(w, "../case59", 0o644, "x") },
		"absolute": func(w *zip.Writer) error { return entry(w, "/tmp/case59", 0o644, "x") },
		"a link first": func(w *zip.Writer) error {
			if err := entry(w, "l", os.ModeSymlink|0o777, "/tmp"); err != nil {
				return err
			}
			return entry(w, "l/case59", 0o644, "x")
		},
		"twice": func(w *zip.Writer) error {
			if err := entry(w, "a", 0o644, "x"); err != nil {
				return err
			}
			return entry(w, "a", 0o644, "y")
		},
		"setuid": func(w *zip.Writer) error { return entry(w, "s", os.ModeSetuid|0o755, "x") },
		"a bomb": func(w *zip.Writer) error { return entry(w, "b", 0o644, strings.Repeat("\x00", 64<<20)) },
	} {
		var archive bytes.Buffer
		w := zip.NewWriter(&archive)
		if err := fill(w); err != nil {
			t.Fatal(err)
		}
		if err := w.Close(); err != nil {
			t.Fatal(err)
		}
		writeFile(t, filepath.Join(a.workspace, "case59.zip"), archive.Bytes())
		to := "case59-" + strconv.Itoa(a.next())
		result := a.step(t, "file.extract", fmt.Sprintf(`{"path":"case59.zip","to":%q}`, to))
		info, err := os.Stat(filepath.Join(a.workspace, to, "s"))
		if bad := result.StepResults["a"].Status != "failed"; bad && (name != "setuid" || err != nil || info.Mode()&os.ModeSetuid != 0) {
			t.Errorf("%s: %s", name, result.StepResults["a"].Status)
		}
	}
	for _, place := range []string{"/tmp/case59", filepath.Join(a.workspace, "case59")} {
		if _, err := os.Lstat(place); err == nil {
			t.Errorf("%s was made", place)
		}
	}
	_ = os.Remove(filepath.Join(a.workspace, "case59.zip"))
}

func entry(w *zip.Writer, name string, mode os.FileMode, text string) error {
	header := &zip.FileHeader{Name: name, Method: zip.Deflate}
	header.SetMode(mode)
	file, err := w.CreateHeader(header)
	if err != nil {
		return err
	}
	_, err = io.WriteString(file, text)
	return err
}

func writesIntoTheData(t *testing.T, a *attacked) {
	var fence struct {
		Fence struct {
			Files bool `json:"files"`
		} `json:"fence"`
	}
	a.call(http.MethodGet, "/plugins/", "", "", http.StatusOK, &fence)
	a.fails(t, "file.write", fmt.Sprintf(`{"path":%q,"content":"x"}`, filepath.Join(a.data, "state.db")))
	if !fence.Fence.Files {
		t.Log("no Landlock here: a command may write what the server's user may")
		return
	}
	for _, place := range []string{"state.db", "admin-token", "plugins/vwmp-plugin-mine", "logs/x", "INSTANCE"} {
		config, err := json.Marshal(map[string]any{"script": `echo attacked >> "$1"`, "args": []string{filepath.Join(a.data, place)}})
		if err != nil {
			t.Fatal(err)
		}
		a.fails(t, "shell.run", string(config))
	}
}

func hostileAddresses(t *testing.T, a *attacked) {
	mark := filepath.Join(t.TempDir(), "case65")
	for _, address := range []string{
		"--upload-pack=touch " + mark, "-oProxyCommand=touch " + mark, "ext::sh -c 'touch " + mark + "'", "file:///etc", "ssh://-oProxyCommand=touch%20" + mark + "/x",
		"fd::17", "https://example.invalid/-x\n--upload-pack=touch " + mark,
	} {
		config, err := json.Marshal(map[string]any{"url": address, "directory": "case65"})
		if err != nil {
			t.Fatal(err)
		}
		body := fmt.Sprintf(`{"name":"Case 65 %d","steps":[{"id":"a","handler":"git.clone","retry":{"max_attempts":1},"config":%s}]}`, a.next(), config)
		saved := a.attack(http.MethodPost, api+"/workflows/", body).want(http.StatusBadRequest, http.StatusCreated)
		if strings.Contains(saved.body, "unknown_handler") {
			t.Fatal(saved.body)
		}
		if saved.status == http.StatusCreated {
			if got := a.finish(a.start(field(t, saved.body, "id"))).StepResults["a"].Status; got != "failed" {
				t.Errorf("%q: %s", address, got)
			}
		}
	}
	if _, err := os.Stat(mark); err == nil {
		t.Error("a program was run")
	}
}

func tokensInRemotes(t *testing.T, a *attacked) {
	result := a.finish(a.start(a.save(`{"name":"Case 69","steps":[{"id":"a","handler":"git.clone","retry":{"max_attempts":1},"timeout":"30s","config":{"url":"https://bot:tok-case-69@127.0.0.1:9/x.git","directory":"case69"}}]}`)))
	if result.StepResults["a"].Status != "failed" {
		t.Fatalf("it is %s", result.StepResults["a"].Status)
	}
	for _, path := range []string{"/", "/logs/", "/events/", "/explain/"} {
		if got := a.attack(http.MethodGet, api+"/executions/"+result.ID+path, ""); strings.Contains(got.body, "tok-case-69") {
			t.Errorf("%s shows the token: %.300s", path, got.body)
		}
	}
	if strings.Contains(a.log(), "tok-case-69") {
		t.Error("the server's log shows the token")
	}
}

func hostileAnswers(t *testing.T, a *attacked) {
	asked := false
	server := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { asked = true }))
	defer server.Close()
	for _, address := range []string{
		server.URL, strings.Replace(server.URL, "127.0.0.1", "localhost", 1), strings.Replace(server.URL, "127.0.0.1", "[::ffff:127.0.0.1]", 1),
		strings.Replace(server.URL, "127.0.0.1", "0.0.0.0", 1), strings.Replace(server.URL, "127.0.0.1", "2130706433", 1), "http://169.254.169.254/latest/meta-data", "file:///etc/passwd", "gopher://127.0.0.1/",
	} {
		config, err := json.Marshal(map[string]any{"url": address, "timeout": "3s"})
		if err != nil {
			t.Fatal(err)
		}
		body := fmt.Sprintf(`{"name":"Case 71 %d","steps":[{"id":"a","handler":"http.request","retry":{"max_attempts":1},"config":%s}]}`, a.next(), config)
		saved := a.attack(http.MethodPost, api+"/workflows/", body).want(http.StatusBadRequest, http.StatusCreated)
		if strings.Contains(saved.body, "unknown_handler") {
			t.Fatal(saved.body)
		}
		if saved.status == http.StatusCreated {
			if got := a.finish(a.start(field(t, saved.body, "id"))).StepResults["a"].Status; got != "failed" {
				t.Errorf("%q: %s", address, got)
			}
		}
	}
	if asked {
		t.Error("an address of this machine was asked")
	}
}

func floods(t *testing.T, a *attacked) {
	result := a.step(t, "shell.run", `{"script":"head -c 102400 /dev/zero | tr '\\0' x; echo; i=0; while [ $i -lt 20000 ]; do echo line $i; i=$((i+1)); done; printf '\\377\\376\\000binary\\n'"}`)
	if got := result.StepResults["a"]; got.Status != "success" || len(got.Output) > 1<<20 {
		t.Errorf("it is %s with %d bytes", got.Status, len(got.Output))
	}
}

func killedPlugin(t *testing.T, a *attacked) {
	beside := a.start(a.save(`{"name":"Case 77 beside","steps":[{"id":"a","handler":"lab.hang","timeout":"60s","config":{"until":"case77-go","arrive":"case77-here"}}]}`))
	id := a.start(a.save(`{"name":"Case 77","steps":[{"id":"a","handler":"shell.run","timeout":"60s","retry":{"max_attempts":1},"config":{"script":"echo here > case77-shell; sleep 60"}}]}`))
	for _, file := range []string{"case77-here", "case77-shell"} {
		a.await(file, func() bool { _, err := os.Stat(filepath.Join(a.workspace, file)); return err == nil })
	}
	pid := a.plugin("shell").PID
	if pid == 0 {
		t.Fatal("the plugin has no process")
	}
	killed := time.Now()
	if err := syscall.Kill(pid, syscall.SIGKILL); err != nil {
		t.Fatal(err)
	}
	a.await("the step is told", func() bool { return a.result(id).StepResults["a"].Status == "interrupted" })
	if took := time.Since(killed); took > 5*time.Second {
		t.Errorf("it took %s", took)
	}
	if got := a.result(beside).StepResults["a"].Status; got != "running" {
		t.Errorf("the step of another plugin is %s", got)
	}
	writeFile(t, filepath.Join(a.workspace, "case77-go"), nil)
	if got := a.finish(beside).Status; got != "success" {
		t.Errorf("the execution beside is %s", got)
	}
	a.attack(http.MethodPost, api+"/executions/"+id+"/steps/a/resolve/", `{"as":"failed"}`).want(http.StatusOK, http.StatusAccepted)
	if got := a.step(t, "shell.run", `{"script":"echo again"}`).Status; got != "success" {
		t.Errorf("afterwards it is %s", got)
	}
}

func (a *attacked) pidIn(t *testing.T, file string) int {
	t.Helper()
	text, err := os.ReadFile(filepath.Join(a.workspace, file))
	if err != nil {
		t.Fatal(err)
	}
	pid, err := strconv.Atoi(strings.TrimSpace(string(text)))
	if err != nil {
		t.Fatal(err)
	}
	return pid
}

func ended(pid int) bool {
	stat, err := os.ReadFile("/proc/" + strconv.Itoa(pid) + "/stat")
	return err != nil || strings.Contains(string(stat), ") Z ")
}

func daemons(t *testing.T, a *attacked) {
	if _, err := os.Stat("/proc/self/stat"); err != nil {
		t.Skip("processes are found by /proc")
	}
	result := a.step(t, "shell.run", `{"script":"setsid sleep 600 & echo $! > case79; exit 0"}`)
	if result.Status != "success" {
		t.Errorf("it is %s", result.Status)
	}
	pid := a.pidIn(t, "case79")
	a.await("the daemon has ended", func() bool { return ended(pid) })
}

func ignoredCancel(t *testing.T, a *attacked) {
	id := a.start(a.save(`{"name":"Case 87","steps":[{"id":"a","handler":"shell.run","timeout":"120s","config":{"script":"trap '' TERM INT HUP; echo $$ > case87; while :; do sleep 1; done"}}]}`))
	a.await("it runs", func() bool {
		text, err := os.ReadFile(filepath.Join(a.workspace, "case87"))
		return err == nil && len(text) > 1
	})
	pid := a.pidIn(t, "case87")
	begin := time.Now()
	a.attack(http.MethodPost, api+"/executions/"+id+"/cancel/", "").want(http.StatusOK, http.StatusAccepted)
	if got := a.finish(id).Status; got != "cancelled" {
		t.Errorf("it is %s", got)
	}
	a.await("its process has ended", func() bool { return ended(pid) })
	if took := time.Since(begin); took > 12*time.Second {
		t.Errorf("it took %s", took)
	}
}

// refusal waits until a plugin's file is refused, and returns the reason.
func (a *attacked) refusal(t *testing.T, file string) string {
	t.Helper()
	reason := ""
	a.await(file+" is refused", func() bool {
		var answer struct{ Plugins []host.PluginStatus }
		a.call(http.MethodGet, "/plugins/", "", "", http.StatusOK, &answer)
		for _, p := range answer.Plugins {
			if p.State == "refused" && strings.Contains(p.Path, file) {
				reason = p.StateReason
			}
		}
		return reason != ""
	})
	return reason
}

func hangingPlugin(t *testing.T, a *attacked) {
	file := filepath.Join(a.plugins, "vwmp-plugin-case81")
	if err := os.WriteFile(file, []byte("#!/bin/sh\necho $$ > "+filepath.Join(a.workspace, "case81")+"\nexec sleep 600\n"), 0o700); err != nil { //nolint:gosec // A plugin is run.
		t.Fatal(err)
	}
	defer func() { _ = os.Remove(file) }()
	if reason := a.refusal(t, "case81"); !strings.Contains(reason, "not ready within 10s") {
		t.Errorf("the reason is %q", reason)
	}
	pid := a.pidIn(t, "case81")
	a.await("its process has ended", func() bool { return ended(pid) })
}

func writablePlugin(t *testing.T, a *attacked) {
	text, err := os.ReadFile(filepath.Join(labDir, "vwmp-plugin-lab"))
	if err != nil {
		t.Fatal(err)
	}
	file := filepath.Join(a.plugins, "vwmp-plugin-case91")
	writeFile(t, file+".new", text)
	if err := os.Chmod(file+".new", 0o777); err != nil { //nolint:gosec // That is the case.
		t.Fatal(err)
	}
	if err := os.Rename(file+".new", file); err != nil {
		t.Fatal(err)
	}
	link := filepath.Join(a.plugins, "vwmp-plugin-case91link")
	if err := os.Symlink("/bin/true", link); err != nil {
		t.Fatal(err)
	}
	defer func() { _, _ = os.Remove(file), os.Remove(link) }()
	if reason := a.refusal(t, "vwmp-plugin-case91"); !strings.Contains(reason, "may write it") && !strings.Contains(reason, "link") {
		t.Errorf("the reason is %q", reason)
	}
	if reason := a.refusal(t, "vwmp-plugin-case91link"); reason == "" {
		t.Error("a link out of the folder is taken")
	}
}

func whatAStepSees(t *testing.T, a *attacked) {
	script, err := json.Marshal(map[string]any{"script": `env; cat "$1/admin-token"; ls -l /proc/$PPID/fd; cat /proc/$PPID/environ | tr '\0' '\n'; cat; exit 0`, "args": []string{a.data}})
	if err != nil {
		t.Fatal(err)
	}
	got := a.step(t, "shell.run", string(script)).StepResults["a"]
	text := string(got.Output)
	for _, forbidden := range []string{a.token, "state.db", "VWMP_SECRET"} {
		if strings.Contains(text, forbidden) {
			t.Errorf("a step sees %s", strings.Replace(forbidden, a.token, "the admin token", 1))
		}
	}
	if got.Status != "success" {
		t.Errorf("it is %s: %s", got.Status, text)
	}
}

func silence(t *testing.T, a *attacked) {
	// Forty minutes can't pass here; several probes and idle looks do.
	result := a.step(t, "shell.run", `{"script":"sleep 8"}`)
	if result.Status != "success" {
		t.Errorf("a silent step is %s", result.Status)
	}
}

func missingFiles(t *testing.T, a *attacked) {
	result := a.step(t, "shell.run", `{"script":"head -c 150000 /dev/zero | tr '\\0' x","max_output":200000}`)
	if result.Status != "success" {
		t.Fatalf("it is %s", result.Status)
	}
	if err := os.RemoveAll(filepath.Join(a.data, "logs", result.ID)); err != nil {
		t.Fatal(err)
	}
	if err := os.Rename(filepath.Join(a.data, "blobs"), filepath.Join(a.data, "blobs.case105")); err != nil {
		t.Fatal(err)
	}
	defer func() {
		_ = os.RemoveAll(filepath.Join(a.data, "blobs"))
		_ = os.Rename(filepath.Join(a.data, "blobs.case105"), filepath.Join(a.data, "blobs"))
	}()
	for _, path := range []string{"/executions/", "/executions/" + result.ID + "/", "/executions/" + result.ID + "/logs/", "/executions/" + result.ID + "/explain/"} {
		a.attack(http.MethodGet, api+path, "").want(http.StatusOK)
	}
	if output := a.attack(http.MethodGet, api+"/executions/"+result.ID+"/steps/a/output/", ""); output.status < 400 || output.status >= 500 {
		t.Errorf("the output that is gone: %d %.200s", output.status, output.body)
	}
}

// slowSenders: 300 connections that send a byte now and then are cut off, and
// others are served meanwhile.
func slowSenders(t *testing.T, a *attacked) {
	const farm = 300
	address := strings.TrimPrefix(a.url, "http://")
	begin := time.Now()
	var senders sync.WaitGroup
	longest := make([]time.Duration, farm)
	for i := range farm {
		senders.Go(func() {
			conn, err := net.Dial("tcp", address)
			if err != nil {
				return
			}
			defer conn.Close()
			_ = conn.SetDeadline(begin.Add(40 * time.Second))
			go func() {
				for _, b := range []byte("GET /api/vwmp/workflows/ HTTP/1.1\r\nHost: " + address + "\r\nX-Slow: " + strings.Repeat("x", 1000)) {
					if _, err := conn.Write([]byte{b}); err != nil {
						return
					}
					<-time.After(500 * time.Millisecond)
				}
			}()
			_, _ = io.Copy(io.Discard, conn)
			longest[i] = time.Since(begin)
		})
	}
	var times []time.Duration
	for time.Since(begin) < 8*time.Second {
		asked := time.Now()
		a.attack(http.MethodGet, api+"/workflows/", "").want(http.StatusOK)
		times = append(times, time.Since(asked))
	}
	senders.Wait()
	slices.Sort(times)
	if p99 := times[len(times)*99/100]; p99 > 500*time.Millisecond {
		t.Errorf("others wait for up to %s", p99)
	}
	if most := slices.Max(longest); most > 15*time.Second {
		t.Errorf("a slow sender was kept for %s", most)
	}
}

func endlessLog(t *testing.T, a *attacked) {
	id := a.start(a.save(`{"name":"Case 111","steps":[{"id":"a","handler":"shell.run","timeout":"5m","config":{"script":"yes 'a line of a log that has no end and says nothing at all, again and again and again' | head -c 80000000"}}]}`))
	begin := time.Now()
	if got := a.step(t, "lab.echo", `{"value":1}`).Status; got != "success" {
		t.Errorf("another is %s", got)
	}
	if took := time.Since(begin); took > 10*time.Second {
		t.Errorf("another waits for %s", took)
	}
	ctx, cancel := context.WithTimeout(t.Context(), 4*time.Minute)
	defer cancel()
	for !a.result(id).Status.Ended() {
		select {
		case <-ctx.Done():
			t.Fatal("it does not end")
		case <-time.After(200 * time.Millisecond):
		}
	}
	var size int64
	files, err := filepath.Glob(filepath.Join(a.data, "logs", id, "*"))
	if err != nil || len(files) == 0 {
		t.Fatalf("no log: %v", err)
	}
	for _, file := range files {
		info, err := os.Stat(file)
		if err != nil {
			t.Fatal(err)
		}
		size += info.Size()
	}
	if size > 52<<20 {
		t.Errorf("the log has %d bytes", size)
	}
	if got := a.result(id).Status; got != "success" {
		t.Errorf("it is %s", got)
	}
}

func impossibleZones(t *testing.T, a *attacked) {
	for _, schedule := range []string{`cron: "0 0 * * *", timezone: Mars/Olympus`, `cron: "0 0 30 2 *"`, `cron: "60 0 * * *"`, `cron: "0 0 * * *", timezone: "../../etc/passwd"`} {
		a.attack(http.MethodPost, api+"/workflows/", "name: Case 121\ntriggers: [{type: schedule, id: t, "+schedule+"}]\nsteps: [{id: a, handler: flow.log, config: {message: x}}]\n", "Content-Type", "application/yaml").want(http.StatusBadRequest)
	}
}

func unsafeScriptsAreNoted(t *testing.T, a *attacked) {
	const script = `{"name":"Rule 6","parameters":[{"name":"p","type":"string"}],"steps":[{"id":"unsafe-step","handler":"shell.run","config":{"script":"echo ${parameters.p}"%s}}]}`
	refused := a.attack(http.MethodPost, api+"/workflows/", fmt.Sprintf(script, "")).want(http.StatusBadRequest)
	if !strings.Contains(refused.body, "reference_in_script") {
		t.Errorf("it is refused for %s", refused.body)
	}
	a.attack(http.MethodPost, api+"/workflows/", fmt.Sprintf(script, `,"unsafe_interpolation":true`)).want(http.StatusCreated)
	if trail := a.attack(http.MethodGet, api+"/audit/?action=workflow.create", "").want(http.StatusOK); !strings.Contains(trail.body, "unsafe_interpolation in unsafe-step") {
		t.Errorf("the trail does not tell: %.600s", trail.body)
	}
}

// The database on the real server: what is damaged, or of a newer version, is
// refused with what to do, and stays as it is.
func TestAttackTableOfTheStore(t *testing.T) {
	for name, damage := range map[string]func(t *testing.T, file string){
		"Case99 half of it": func(t *testing.T, file string) { truncate(t, file, 2) },
		"Case99 a text":     func(t *testing.T, file string) { writeFile(t, file, []byte("hello")) },
		"Case99 random pages": func(t *testing.T, file string) {
			overwrite(t, file, 0, bytes.Repeat([]byte{0xa5}, 8192)) // Both metas.
		},
		"Case101 a newer format": func(t *testing.T, file string) {
			db, err := bolt.Open(file, 0o600, nil)
			if err != nil {
				t.Fatal(err)
			}
			if err := db.Update(func(tx *bolt.Tx) error {
				return tx.Bucket([]byte("meta")).Put([]byte("format"), binary.BigEndian.AppendUint64(nil, 999))
			}); err != nil {
				t.Fatal(err)
			}
			if err := db.Close(); err != nil {
				t.Fatal(err)
			}
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			data := filepath.Join(t.TempDir(), "data")
			r := startRunning(t, data, t.TempDir())
			r.call(http.MethodPost, "/workflows/", "application/yaml", "name: Hello\nsteps: [{id: a, handler: flow.log, config: {message: hello}}]\n", http.StatusCreated, nil)
			r.stop()
			file := filepath.Join(data, "state.db")
			damage(t, file)
			before, err := os.ReadFile(file)
			if err != nil {
				t.Fatal(err)
			}
			_, stderr, code := vwmp(t, r.args...)
			if code != exitRefused || strings.Contains(stderr, "goroutine ") {
				t.Errorf("it ends with %d: %s", code, stderr)
			}
			if newer := strings.Contains(name, "newer"); newer != strings.Contains(stderr, "has format 999") || newer == strings.Contains(stderr, "vwmp restore") {
				t.Errorf("it says %s", stderr)
			}
			if after, err := os.ReadFile(file); err != nil || !bytes.Equal(before, after) {
				t.Errorf("the database was changed: %v", err)
			}
		})
	}
}

func truncate(t *testing.T, file string, parts int64) {
	t.Helper()
	info, err := os.Stat(file)
	if err != nil {
		t.Fatal(err)
	}
	if err := os.Truncate(file, info.Size()/parts); err != nil {
		t.Fatal(err)
	}
}

func overwrite(t *testing.T, file string, at int64, text []byte) {
	t.Helper()
	f, err := os.OpenFile(file, os.O_WRONLY, 0)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	if _, err := f.WriteAt(text, at); err != nil {
		t.Fatal(err)
	}
}
