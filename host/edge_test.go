package host_test

import (
	"bufio"
	"fmt"
	"io"
	"net"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/vwmp/vwmp/host"
)

// raw sends a request whose path Go's own client would not write.
func (w *world) raw(method, target string, headers ...string) answer {
	w.t.Helper()
	return w.rawAs("Authorization: Bearer "+token+"\r\n", method, target, headers...)
}

func (w *world) rawAs(who, method, target string, headers ...string) answer {
	w.t.Helper()
	conn, err := net.Dial("tcp", w.addr)
	if err != nil {
		w.t.Fatal(err)
	}
	defer func() { _ = conn.Close() }()
	if err := conn.SetDeadline(time.Now().Add(10 * time.Second)); err != nil {
		w.t.Fatal(err)
	}
	text := method + " " + target + " HTTP/1.1\r\nHost: " + w.addr + "\r\n" + who + "Content-Length: 0\r\nConnection: close\r\n"
	for i := 0; i+1 < len(headers); i += 2 {
		text += headers[i] + ": " + headers[i+1] + "\r\n"
	}
	if _, err := io.WriteString(conn, text+"\r\n"); err != nil {
		w.t.Fatal(err)
	}
	response, err := http.ReadResponse(bufio.NewReader(conn), &http.Request{Method: method})
	if err != nil {
		w.t.Fatalf("%s %s: %v", method, target, err)
	}
	body, err := io.ReadAll(response.Body)
	if err != nil {
		w.t.Fatal(err)
	}
	return answer{w.t, response.StatusCode, response.Header, body}
}

func TestEveryPathAnswersWithAndWithoutItsSlash(t *testing.T) {
	w := newWorld(t)
	id := w.save("[{id: a, handler: test.echo}]")
	execution := fmt.Sprint(w.ask("POST", workflows+id+"/execute/?async=false", "").want(200).object()["execution_id"])
	for _, path := range []string{
		workflows, workflows + id + "/", workflows + id + "/versions/", workflows + id + "/versions/1/", workflows + id + "/export/",
		executions, executions + execution + "/", executions + execution + "/logs/", executions + execution + "/events/",
		"/api/vwmp/step-handlers/", "/api/vwmp/step-handlers/test.echo/schema/", "/api/vwmp/workflow-types/", "/api/vwmp/plugins/",
		"/api/vwmp/workspaces/", "/api/vwmp/stats/", "/api/vwmp/about/", "/api/vwmp/auth/me/", "/openapi.json/", "/docs/", "/healthz/", "/readyz/",
	} {
		with, without := w.ask("GET", path, "").want(200), w.ask("GET", strings.TrimSuffix(path, "/"), "").want(200)
		if path != executions+execution+"/" && string(with.body) != string(without.body) && !strings.Contains(path, "executions") {
			t.Errorf("%s answers differently without its slash", path)
		}
		if head := w.ask("HEAD", path, "").want(200); len(head.body) != 0 {
			t.Errorf("HEAD %s has a body", path)
		}
	}
	for _, path := range []string{workflows + "validate", workflows + id + "/execute"} {
		w.ask("POST", path, "{}").want(map[bool]int{true: 200, false: 202}[strings.HasSuffix(path, "validate")])
	}
}

func TestWhatIsNotThereIsAProblemToo(t *testing.T) {
	w := newWorld(t)
	w.ask("GET", "/api/vwmp/nothing/", "").problem(404, "NOT_FOUND")
	w.ask("GET", "/api/vwmp/nothing/", "", "Accept", "text/html").problem(404, "NOT_FOUND")
	w.ask("GET", "/nothing", "").problem(404, "NOT_FOUND")
	w.ask("GET", "/api/vwmp/step-handlers/test.none/schema/", "").problem(404, "HANDLER_NOT_FOUND")
	if page := w.ask("GET", "/nothing", "", "Accept", "text/html").want(404); !strings.Contains(string(page.body), "<p>There is nothing at this path.</p>") {
		t.Errorf("a browser gets %s", page.body)
	}
	for method, path := range map[string]string{"PATCH": workflows, "DELETE": workflows, "POST": "/api/vwmp/stats/", "TRACE": workflows, "OPTIONS": workflows} {
		got := w.raw(method, path)
		got.problem(405, "METHOD_NOT_ALLOWED")
		if !strings.Contains(got.header.Get("Allow"), "GET") {
			t.Errorf("%s %s: Allow is %q", method, path, got.header.Get("Allow"))
		}
	}
	w.raw("BREW", workflows).problem(405, "METHOD_NOT_ALLOWED")
	id := w.save("[{id: a, handler: test.echo}]")
	w.ask("GET", workflows+id+"/", "", "X-HTTP-Method-Override", "DELETE").want(200)
	w.ask("GET", workflows+id+"/", "").want(200)
	preflight := w.raw("OPTIONS", workflows, "Origin", "http://evil.example", "Access-Control-Request-Method", "POST")
	if preflight.header.Get("Access-Control-Allow-Origin") != "" {
		t.Error("a foreign page is allowed in")
	}
}

func TestNobodySignedOutGetsPastASuffix(t *testing.T) {
	w := newWorld(t)
	for _, suffix := range []string{"", "/health", "/configs", ";x", "%00", ".json", "/../healthz/x", "//", "?x=/healthz", "%2f..%2fhealthz"} {
		got := w.rawAs("", "GET", "/api/vwmp/workflows"+suffix)
		if got.status != 401 && got.status != 404 {
			t.Errorf("suffix %q: %d %s", suffix, got.status, got.body)
		}
	}
}

func TestCase17OversizedRequestsAreRefused(t *testing.T) {
	w := newWorld(t)
	w.raw("GET", workflows, "X-Big", strings.Repeat("x", 64<<10)).problem(431, "HEADERS_TOO_LARGE")
	many := make([]string, 0, 2000)
	for i := range 1000 {
		many = append(many, fmt.Sprintf("X-%d", i), "1")
	}
	w.raw("GET", workflows, many...).problem(431, "HEADERS_TOO_LARGE")
	w.raw("GET", workflows+"?q="+strings.Repeat("x", 10<<10)).problem(414, "HEADERS_TOO_LARGE")
	w.ask("GET", workflows, "").want(200)
}

func TestAnUnknownHostIsRefused(t *testing.T) {
	w := newWorld(t, func(o *host.Options) { o.AllowedHosts = []string{"vwmp.example"} })
	_, port, err := net.SplitHostPort(w.addr)
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{"localhost:" + port, "[::1]:" + port, "vwmp.example", "vwmp.example:" + port} {
		w.ask("GET", workflows, "", "Host", name).want(200)
	}
	for _, name := range []string{"evil.example", "evil.example:" + port, "127.0.0.1:1"} {
		for _, path := range []string{workflows, "/", "/healthz", "/ws/vwmp/events", "/api/vwmp/nothing"} {
			w.ask("GET", path, "", "Host", name).problem(421, "HOST_NOT_ALLOWED")
		}
	}
}

func TestAForeignPageCanChangeNothing(t *testing.T) {
	for name, settings := range map[string][]setting{"with sign-in": nil, "without": {withoutSignIn}} {
		t.Run(name, func(t *testing.T) {
			w := newWorld(t, settings...)
			for _, origin := range []string{"http://evil.example", "null", "http://127.0.0.1:1"} {
				w.ask("POST", workflows, echoYAML, "Origin", origin, "Content-Type", "application/yaml").problem(403, "AUTHORIZATION_ERROR")
				w.ask("POST", "/api/vwmp/auth/login/", `{"token":"`+token+`"}`, "Origin", origin).problem(403, "AUTHORIZATION_ERROR")
				w.ask("GET", "/ws/vwmp/events", "", "Origin", origin, "Connection", "Upgrade", "Upgrade", "websocket", "Sec-WebSocket-Version", "13", "Sec-WebSocket-Key", "AAAAAAAAAAAAAAAAAAAAAA==").
					problem(403, "AUTHORIZATION_ERROR")
			}
			w.ask("POST", workflows, echoYAML, "Origin", w.url, "Content-Type", "application/yaml").want(201)
		})
	}
}

func TestTheTokenIsNeeded(t *testing.T) {
	w := newWorld(t)
	for _, path := range []string{workflows, executions, "/openapi.json", "/docs", "/api/vwmp/stats/", "/api/vwmp/about/", "/api/vwmp/auth/me/"} {
		for _, value := range []string{"", "Bearer wrong" + path[:5], "Basic " + token} {
			got := w.ask("GET", path, "", "Authorization", value)
			if got.status == 429 {
				continue
			}
			got.problem(401, "AUTHENTICATION_ERROR")
			if got.header.Get("WWW-Authenticate") == "" {
				t.Error("a 401 does not say how to sign in")
			}
		}
	}
	for _, path := range []string{"/healthz", "/readyz", "/vwmp/", "/vwmp/sign-in"} {
		w.ask("GET", path, "", "Authorization", "").want(200)
	}
}

func TestCase33FailedSignInsAreLimited(t *testing.T) {
	w := newWorld(t)
	seen := map[int]int{}
	for range 1000 {
		seen[w.ask("GET", workflows, "", "Authorization", "Bearer wrong").status]++
	}
	if seen[401] != 10 || seen[429] != 990 {
		t.Errorf("statuses: %v", seen)
	}
	limited := w.ask("POST", "/api/vwmp/auth/login/", `{"token":"wrong"}`, "Authorization", "")
	limited.problem(429, "RATE_LIMIT_ERROR")
	if limited.header.Get("Retry-After") == "" {
		t.Error("a 429 does not say when to come again")
	}
	w.ask("GET", workflows, "").want(200)
	w.ask("POST", "/api/vwmp/auth/login/", `{"token":"`+token+`"}`, "Authorization", "").want(200)
}

// signIn signs a browser in and returns its cookie.
func (w *world) signIn() string {
	w.t.Helper()
	got := w.ask("POST", "/api/vwmp/auth/login/", `{"token":"`+token+`"}`, "Authorization", "").want(200)
	set := got.header.Get("Set-Cookie")
	for _, part := range []string{"HttpOnly", "SameSite=Strict", "Path=/"} {
		if !strings.Contains(set, part) {
			w.t.Errorf("the cookie lacks %s: %s", part, set)
		}
	}
	value, _, _ := strings.Cut(set, ";")
	return value
}

func TestABrowserSignsInAndOut(t *testing.T) {
	w := newWorld(t)
	w.ask("POST", "/api/vwmp/auth/login/", `{"token":"wrong"}`, "Authorization", "").problem(401, "AUTHENTICATION_ERROR")
	w.ask("POST", "/api/vwmp/auth/login/", `{}`, "Authorization", "").problem(400, "VALIDATION_ERROR")
	browser := []string{"Authorization", "", "Cookie", w.signIn(), "Origin", w.url}
	me := w.ask("GET", "/api/vwmp/auth/me/", "", browser...).want(200)
	if me.text("user") != "admin" || me.text("role") != "admin" || me.text("signed_in_by") != "cookie" {
		t.Errorf("me: %s", me.body)
	}
	// A cookie alone, or without an origin, changes nothing.
	w.ask("POST", workflows, echoYAML, append(browser, "Content-Type", "application/yaml")...).problem(403, "AUTHORIZATION_ERROR")
	w.ask("POST", workflows, echoYAML, append(browser, "Content-Type", "application/yaml", "X-VWMP-Request", "1", "Origin", "")...).problem(403, "AUTHORIZATION_ERROR")
	own := append(browser, "X-VWMP-Request", "1")
	w.ask("POST", workflows, echoYAML, append(own, "Content-Type", "application/yaml")...).want(201)
	w.ask("POST", "/api/vwmp/auth/logout/", "", own...).want(204)
	w.ask("GET", "/api/vwmp/auth/me/", "", browser...).problem(401, "AUTHENTICATION_ERROR")
}

func TestASignInLinkWorksOnce(t *testing.T) {
	w := newWorld(t)
	made := w.ask("POST", "/api/vwmp/auth/sign-in-links/", "").want(200)
	for _, link := range []string{made.text("url"), w.server.SignInURL(w.url)} {
		path := strings.TrimPrefix(link, w.url)
		if strings.Contains(link, token) {
			t.Error("the link has the token itself")
		}
		w.ask("HEAD", path, "", "Authorization", "").want(200)
		got := w.ask("GET", path, "", "Authorization", "").want(303)
		value, _, _ := strings.Cut(got.header.Get("Set-Cookie"), ";")
		if got.header.Get("Location") != "/vwmp/" || value == "" {
			t.Errorf("Location %q, cookie %q", got.header.Get("Location"), value)
		}
		w.ask("GET", "/api/vwmp/auth/me/", "", "Authorization", "", "Cookie", value).want(200)
		if again := w.ask("GET", path, "", "Authorization", "").want(401); !strings.Contains(string(again.body), "used before") {
			t.Errorf("the second use: %s", again.body)
		}
	}
}

func TestWithoutSignInEverybodyIsTheAdministrator(t *testing.T) {
	w := newWorld(t, withoutSignIn)
	me := w.ask("GET", "/api/vwmp/auth/me/", "", "Authorization", "").want(200)
	if me.text("role") != "admin" || me.text("auth") != "none" {
		t.Errorf("me: %s", me.body)
	}
	w.ask("POST", "/api/vwmp/auth/login/", `{"token":"any"}`, "Authorization", "").want(200)
	w.ask("GET", "/vwmp/sign-in?ticket=x", "", "Authorization", "").want(303)
	if page := w.ask("GET", "/docs", "", "Authorization", "").want(200); !strings.Contains(string(page.body), "No sign-in") {
		t.Error("the page does not say that nobody signs in")
	}
}

func TestEveryAnswerIsMarkedAndHardened(t *testing.T) {
	w := newWorld(t)
	for _, path := range []string{workflows, "/vwmp/", "/docs", "/api/vwmp/nothing", "/healthz", "/openapi.json"} {
		got := w.ask("GET", path, "", "Accept", "text/html", "X-Request-Id", "mine-1")
		for name, part := range map[string]string{
			"X-Request-Id": "mine-1", "X-Content-Type-Options": "nosniff", "Referrer-Policy": "same-origin", "Content-Security-Policy": "frame-ancestors 'none'",
		} {
			if !strings.Contains(got.header.Get(name), part) {
				t.Errorf("%s: %s is %q", path, name, got.header.Get(name))
			}
		}
		if got.header.Get("Server") != "" {
			t.Errorf("%s tells the server's make", path)
		}
	}
	for _, given := range []string{"has space", strings.Repeat("x", 65), "<script>"} {
		if got := w.ask("GET", "/healthz", "", "X-Request-Id", given).header.Get("X-Request-Id"); got == given || got == "" {
			t.Errorf("the id %q was taken over", given)
		}
	}
}

func TestASlowSenderIsCutOff(t *testing.T) {
	w := newWorld(t, func(o *host.Options) { o.Limits.ReadTimeout = 200 * time.Millisecond })
	conn, err := net.Dial("tcp", w.addr)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = conn.Close() }()
	if err := conn.SetDeadline(time.Now().Add(10 * time.Second)); err != nil {
		t.Fatal(err)
	}
	if _, err := io.WriteString(conn, "GET / HTTP/1.1\r\nHo"); err != nil {
		t.Fatal(err)
	}
	text, err := io.ReadAll(conn)
	if err != nil || strings.Contains(string(text), " 200 ") {
		t.Errorf("got %q, %v", text, err)
	}
	w.ask("GET", workflows, "").want(200)
}

func TestAServerThatOthersReachNeedsSignIn(t *testing.T) {
	for addr, want := range map[string]bool{"127.0.0.1:0": true, "0.0.0.0:0": false, ":0": false} {
		if err := host.CheckBind(addr, "none"); (err == nil) != want {
			t.Errorf("%s: %v", addr, err)
		}
	}
}
