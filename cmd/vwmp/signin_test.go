package main

import (
	"bufio"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// startProvider starts the OpenID provider and returns its address.
func startProvider(t *testing.T) string {
	t.Helper()
	command := exec.Command("vwmp-test-provider")
	stdout, err := command.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := command.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		_ = command.Process.Kill()
		_ = command.Wait()
	})
	line, err := bufio.NewReader(stdout).ReadString('\n')
	found := servesOn.FindStringSubmatch(line)
	if err != nil || found == nil {
		t.Fatalf("the provider says %q, %v", line, err)
	}
	return found[1]
}

// startFederated starts a server that takes a provider's word.
func startFederated(t *testing.T, provider string) *running {
	t.Helper()
	dir := t.TempDir()
	config := fmt.Sprintf(`auth:
  mode: token
  oidc:
    issuer: %[1]s
    client_id: %[2]s
    client_secret: %[3]s
    role_claim: groups
    roles: {ops-admins: admin, eng: executor, readers: viewer}
    team_claim: groups
  jwt:
    issuer: %[1]s
    audience: vwmp-api
    jwks_url: %[1]s/keys
    role_claim: realm.roles
    roles: {runner: executor}
`, provider, providerClient, providerSecret)
	path := filepath.Join(dir, "vwmp.yaml")
	if err := os.WriteFile(path, []byte(config), 0o600); err != nil {
		t.Fatal(err)
	}
	return startRunning(t, filepath.Join(dir, "data"), dir, "--config", path)
}

// browser keeps its cookies as a browser does, as far as it matters here.
type browser struct {
	t       *testing.T
	cookies map[string]string
}

func (b *browser) get(address string) (int, http.Header, string) {
	b.t.Helper()
	request, err := http.NewRequestWithContext(b.t.Context(), http.MethodGet, address, nil)
	if err != nil {
		b.t.Fatal(err)
	}
	request.Header.Set("Accept", "text/html")
	for name, value := range b.cookies {
		request.AddCookie(&http.Cookie{Name: name, Value: value})
	}
	client := http.Client{CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}
	response, err := client.Do(request)
	if err != nil {
		b.t.Fatal(err)
	}
	text, err := io.ReadAll(response.Body)
	_ = response.Body.Close()
	if err != nil {
		b.t.Fatal(err)
	}
	for _, cookie := range response.Cookies() {
		if b.cookies[cookie.Name] = cookie.Value; cookie.Value == "" {
			delete(b.cookies, cookie.Name)
		}
	}
	return response.StatusCode, response.Header, string(text)
}

// signInElsewhere goes to the provider as somebody and back; it returns the
// address that the provider sent the browser to.
func (r *running) signInElsewhere(b *browser, person string) (back string, status int, page string) {
	r.t.Helper()
	status, header, page := b.get(r.url + "/api/vwmp/auth/oidc/start/")
	if status != http.StatusSeeOther {
		r.t.Fatalf("the start: %d %s", status, page)
	}
	status, header, page = b.get(header.Get("Location") + "&person=" + person)
	back = header.Get("Location")
	if status != http.StatusSeeOther || !strings.HasPrefix(back, r.url+"/api/vwmp/auth/oidc/callback/?") {
		r.t.Fatalf("the provider: %d %s %s", status, back, page)
	}
	status, _, page = b.get(back)
	return back, status, page
}

func newBrowser(t *testing.T) *browser { return &browser{t: t, cookies: map[string]string{}} }

func TestASignInElsewhereLetsThoseInWhoHaveARole(t *testing.T) {
	t.Parallel()
	r := startFederated(t, startProvider(t))
	me := func(b *browser) string {
		_, _, text := b.get(r.url + "/api/vwmp/auth/me/")
		return text
	}
	ann := newBrowser(t)
	back, status, page := r.signInElsewhere(ann, "ann")
	if text := me(ann); status != http.StatusSeeOther || !strings.Contains(text, `"user":"ann","role":"admin","teams":["ops-admins","eng"]`) {
		t.Fatalf("ann: %d %s, %s", status, page, text)
	}
	if status, _, page := ann.get(back); status != http.StatusUnauthorized || !strings.Contains(page, "used before") {
		t.Errorf("the same answer again: %d %s", status, page)
	}
	bob := newBrowser(t)
	r.signInElsewhere(bob, "bob")
	if text := me(bob); !strings.Contains(text, `"user":"bob","role":"executor"`) {
		t.Errorf("bob: %s", text)
	}
	r.signInElsewhere(newBrowser(t), "moved")
	if text := me(bob); !strings.Contains(text, `"user":"bob","role":"viewer","teams":["readers"]`) {
		t.Errorf("bob's open session after his groups changed: %s", text)
	}
	r.call("POST", "/users/", "application/json", `{"name":"carl","role":"viewer"}`, 201, nil)
	for person, want := range map[string]struct {
		status int
		text   string
	}{
		"eve": {403, "no role here"}, "thief": {403, "another account of your name"}, "local": {403, "another account of your name"},
		"root": {401, "be used"}, "stale": {401, "be used"}, "other": {401, "be used"},
	} {
		b := newBrowser(t)
		if _, status, page := r.signInElsewhere(b, person); status != want.status || !strings.Contains(page, want.text) || b.cookies["vwmp_session"] != "" {
			t.Errorf("%s: %d %s", person, status, page)
		}
	}
	r.call("PUT", "/users/bob/", "application/json", `{"disabled":true}`, 200, nil)
	if _, status, _ := r.signInElsewhere(newBrowser(t), "bob"); status != 403 {
		t.Errorf("bob, disabled: %d", status)
	}
	if _, _, page := newBrowser(t).get(r.url + "/vwmp/sign-in"); !strings.Contains(page, "/api/vwmp/auth/oidc/start/") {
		t.Errorf("the sign-in page does not lead there: %s", page)
	}
	if strings.Contains(r.log(), providerSecret) {
		t.Error("the log has the client's secret")
	}
}

func TestASignInElsewhereBelongsToItsBrowser(t *testing.T) {
	t.Parallel()
	r := startFederated(t, startProvider(t))
	victim, attacker := newBrowser(t), newBrowser(t)
	status, header, _ := attacker.get(r.url + "/api/vwmp/auth/oidc/start/")
	if cookie := header.Get("Set-Cookie"); status != 303 || !strings.Contains(cookie, "HttpOnly") || !strings.Contains(cookie, "SameSite=Lax") {
		t.Errorf("the start: %d %s", status, cookie)
	}
	_, header, _ = attacker.get(header.Get("Location") + "&person=ann")
	back := header.Get("Location")
	if status, _, _ := victim.get(back); status != http.StatusUnauthorized || victim.cookies["vwmp_session"] != "" {
		t.Errorf("another browser is signed in by the link: %d", status)
	}
	broken, err := url.Parse(back)
	if err != nil {
		t.Fatal(err)
	}
	query := broken.Query()
	query.Set("code", "guessed")
	broken.RawQuery = query.Encode()
	if status, _, _ := attacker.get(broken.String()); status != http.StatusUnauthorized {
		t.Errorf("a guessed code: %d", status)
	}
	if status, _, _ := attacker.get(r.url + "/api/vwmp/auth/oidc/callback/?state=x&code=y"); status != http.StatusUnauthorized {
		t.Errorf("an unknown state: %d", status)
	}
}

func TestWithoutAProviderThereIsNoSignInElsewhere(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	r := startRunning(t, filepath.Join(dir, "data"), dir)
	for _, path := range []string{"start", "callback"} {
		if status, _, _ := newBrowser(t).get(r.url + "/api/vwmp/auth/oidc/" + path + "/"); status != http.StatusNotFound {
			t.Errorf("%s: %d", path, status)
		}
	}
}

func TestCase35OnlyWhatTheIssuerSignedForThisServerIsTaken(t *testing.T) {
	t.Parallel()
	provider := startProvider(t)
	r := startFederated(t, provider)
	claims := func(change map[string]any) string {
		all := map[string]any{
			"iss": provider, "aud": "vwmp-api", "sub": "robot", "exp": time.Now().Add(time.Hour).Unix(), "realm": map[string]any{"roles": []string{"runner"}},
		}
		for name, value := range change {
			all[name] = value
		}
		text, err := json.Marshal(all)
		if err != nil {
			t.Fatal(err)
		}
		return string(text)
	}
	sign := func(body, kid string) string {
		response, err := http.Post(provider+"/sign?kid="+url.QueryEscape(kid), "application/json", strings.NewReader(body))
		if err != nil {
			t.Fatal(err)
		}
		text, err := io.ReadAll(response.Body)
		_ = response.Body.Close()
		if err != nil || response.StatusCode != 200 {
			t.Fatalf("sign: %s, %v", text, err)
		}
		return string(text)
	}
	raw := func(header, body string) string {
		return base64.RawURLEncoding.EncodeToString([]byte(header)) + "." + base64.RawURLEncoding.EncodeToString([]byte(body)) + "."
	}
	ask := func(token string) (int, string) {
		request, err := http.NewRequestWithContext(t.Context(), http.MethodGet, r.url+"/api/vwmp/auth/me/", nil)
		if err != nil {
			t.Fatal(err)
		}
		request.Header.Set("Authorization", "Bearer "+token)
		response, err := http.DefaultClient.Do(request)
		if err != nil {
			t.Fatal(err)
		}
		text, err := io.ReadAll(response.Body)
		_ = response.Body.Close()
		if err != nil {
			t.Fatal(err)
		}
		return response.StatusCode, string(text)
	}
	good := sign(claims(nil), "one")
	if status, text := ask(good); status != 200 || !strings.Contains(text, `"user":"robot","role":"executor"`) {
		t.Fatalf("the good one: %d %s", status, text)
	}
	parts := strings.Split(good, ".")
	for name, token := range map[string]string{
		"expired":         sign(claims(map[string]any{"exp": time.Now().Add(-time.Minute).Unix()}), "one"),
		"other audience":  sign(claims(map[string]any{"aud": "another-api"}), "one"),
		"other issuer":    sign(claims(map[string]any{"iss": "https://issuer.example"}), "one"),
		"alg none":        raw(`{"alg":"none","kid":"one"}`, claims(nil)),
		"alg HS256":       raw(`{"alg":"HS256","kid":"one"}`, claims(nil)) + "c2lnbmF0dXJl",
		"kid traversal":   sign(claims(nil), "../../../../dev/null"),
		"changed claims":  parts[0] + "." + base64.RawURLEncoding.EncodeToString([]byte(claims(map[string]any{"sub": "admin"}))) + "." + parts[2],
		"no role":         sign(claims(map[string]any{"realm": map[string]any{}}), "one"),
		"the name admin":  sign(claims(map[string]any{"preferred_username": "admin"}), "one"),
		"without any end": sign(claims(map[string]any{"exp": nil}), "one"),
	} {
		if status, text := ask(token); status != http.StatusUnauthorized {
			t.Errorf("%s: %d %s", name, status, text)
		}
	}
	if status, _ := ask(good); status != 200 {
		t.Errorf("the good one after the bad ones: %d", status)
	}
	r.call("POST", "/users/", "application/json", `{"name":"robot","role":"viewer"}`, 201, nil)
	if status, _ := ask(good); status != http.StatusUnauthorized {
		t.Errorf("a name that a local account has: %d", status)
	}
}

func TestASignInElsewhereLeadsBackToThePageThatWasWanted(t *testing.T) {
	t.Parallel()
	r := startFederated(t, startProvider(t))
	for next, want := range map[string]string{
		"/vwmp/designer/w-1?step=a": "/vwmp/designer/w-1?step=a", "//evil.example/": "/vwmp/", "https://evil.example/": "/vwmp/", "": "/vwmp/",
	} {
		b := newBrowser(t)
		query := "?" + url.Values{"next": {next}}.Encode()
		if _, _, page := b.get(r.url + "/vwmp/sign-in" + query); want != "/vwmp/" && !strings.Contains(page, "/api/vwmp/auth/oidc/start/"+query) {
			t.Errorf("the page does not hand %q on: %s", next, page)
		}
		_, header, _ := b.get(r.url + "/api/vwmp/auth/oidc/start/" + query)
		_, header, _ = b.get(header.Get("Location") + "&person=ann")
		status, header, _ := b.get(header.Get("Location"))
		if got := header.Get("Location"); status != http.StatusSeeOther || got != want {
			t.Errorf("next %q leads to %d %q, not to %q", next, status, got, want)
		}
	}
}
