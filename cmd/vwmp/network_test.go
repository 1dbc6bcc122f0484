package main

import (
	"bytes"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"io"
	"log/slog"
	"math/big"
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/fasthttp/websocket"
)

// makeCertificate writes a certificate for vwmp.test and its key, each time
// another one, and returns a client's trust in it.
func makeCertificate(t *testing.T, dir string, until time.Time) (cert, key string, trusted *tls.Config) {
	t.Helper()
	private, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	serial, err := rand.Int(rand.Reader, big.NewInt(1<<62))
	if err != nil {
		t.Fatal(err)
	}
	template := &x509.Certificate{
		SerialNumber: serial, Subject: pkix.Name{CommonName: "vwmp.test"}, DNSNames: []string{"vwmp.test"},
		NotBefore: time.Now().Add(-time.Hour), NotAfter: until, KeyUsage: x509.KeyUsageDigitalSignature,
		ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth}, BasicConstraintsValid: true,
	}
	der, err := x509.CreateCertificate(rand.Reader, template, template, &private.PublicKey, private)
	if err != nil {
		t.Fatal(err)
	}
	sealed, err := x509.MarshalPKCS8PrivateKey(private)
	if err != nil {
		t.Fatal(err)
	}
	cert, key = filepath.Join(dir, "cert.pem"), filepath.Join(dir, "key.pem")
	text := pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der})
	writeFile(t, cert, text)
	writeFile(t, key, pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: sealed}))
	roots := x509.NewCertPool()
	roots.AppendCertsFromPEM(text)
	return cert, key, &tls.Config{RootCAs: roots, ServerName: "vwmp.test"}
}

func writeFile(t *testing.T, path string, text []byte) {
	t.Helper()
	if err := os.WriteFile(path, text, 0o600); err != nil {
		t.Fatal(err)
	}
}

func TestTheServerSpeaksTLS(t *testing.T) {
	t.Parallel()
	cert, key, trusted := makeCertificate(t, t.TempDir(), time.Now().Add(time.Hour))
	r := startRunning(t, t.TempDir(), demoRepository(t), "--tls-cert", cert, "--tls-key", key)
	if !strings.HasPrefix(r.url, "https://127.0.0.1:") {
		t.Fatalf("it serves on %s", r.url)
	}
	transport := &http.Transport{TLSClientConfig: trusted, DisableKeepAlives: true}
	r.client = &http.Client{Transport: transport}
	r.call(http.MethodPost, "/workflows/import/?id=log", "application/yaml", "name: Log\nsteps: [{id: a, handler: flow.log, config: {message: hello}}]\n", http.StatusCreated, nil)

	// A body that is refused unread comes with its answer, here too.
	r.call(http.MethodPost, "/auth/login/", "application/json", `{"token":"`+strings.Repeat("x", 3<<20)+`"}`, http.StatusRequestEntityTooLarge, nil)

	header := r.call(http.MethodPost, "/auth/login/", "application/json", `{"token":"`+r.token+`"}`, http.StatusOK, nil)
	if cookie := header.Get("Set-Cookie"); !strings.Contains(strings.ToLower(cookie), "secure") {
		t.Errorf("the session's cookie may be sent without TLS: %s", cookie)
	}

	dialer := websocket.Dialer{TLSClientConfig: trusted}
	socket, response, err := dialer.Dial("wss"+strings.TrimPrefix(r.url, "https")+"/ws/vwmp/workflows/log/execute", http.Header{"Authorization": {"Bearer " + r.token}})
	if err != nil {
		t.Fatal(err)
	}
	defer socket.Close()
	_ = response.Body.Close()
	for last := ""; last != "workflow_completed"; {
		var event struct {
			Event  string `json:"event"`
			Status string `json:"status"`
		}
		if err := socket.ReadJSON(&event); err != nil {
			t.Fatalf("after %s: %v", last, err)
		}
		last = event.Event
	}

	old := trusted.Clone()
	old.MaxVersion = tls.VersionTLS11
	if _, err := (&http.Client{Transport: &http.Transport{TLSClientConfig: old}}).Get(r.url + "/healthz"); err == nil { //nolint:bodyclose // There is none.
		t.Error("it speaks TLS 1.1")
	}
	if response, err := http.Get("http" + strings.TrimPrefix(r.url, "https") + "/healthz"); err == nil {
		_ = response.Body.Close()
		if response.StatusCode < 400 {
			t.Errorf("it answers %s to plain HTTP", response.Status)
		}
	}

	// The command line on the same machine trusts the file that the server has.
	if stdout, stderr, code := vwmp(t, "workflow", "list", "--data", r.data); code != 0 || !strings.Contains(stdout, "Log") {
		t.Errorf("workflow list ends with %d: %s%s", code, stdout, stderr)
	}
	if stdout, stderr, code := vwmp(t, "open", "--data", r.data); code != 0 || !strings.HasPrefix(stdout, r.url+"/vwmp/sign-in?ticket=") {
		t.Errorf("open ends with %d: %s%s", code, stdout, stderr)
	}
	// By its address alone it is a stranger, whom nobody vouches for.
	if _, stderr, code := vwmp(t, "workflow", "list", "--server", r.url, "--token", r.token); code == 0 || !strings.Contains(stderr, "certificate") {
		t.Errorf("a stranger is trusted: %d %s", code, stderr)
	}
}

func TestATLSCertificateThatCannotBeUsedIsToldAtTheStart(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	cert, key, _ := makeCertificate(t, dir, time.Now().Add(time.Hour))
	other := t.TempDir()
	_, otherKey, _ := makeCertificate(t, other, time.Now().Add(time.Hour))
	text := filepath.Join(dir, "text.pem")
	writeFile(t, text, []byte("hello"))
	for name, c := range map[string]struct {
		args []string
		code int
		says string
	}{
		"no key":              {[]string{"--tls-cert", cert}, exitUsage, "--tls-key"},
		"no file":             {[]string{"--tls-cert", filepath.Join(dir, "gone.pem"), "--tls-key", key}, exitRefused, "gone.pem"},
		"no certificate":      {[]string{"--tls-cert", text, "--tls-key", key}, exitRefused, text},
		"another one's key":   {[]string{"--tls-cert", cert, "--tls-key", otherKey}, exitRefused, "private key does not match"},
		"a proxy of any name": {[]string{"--trusted-proxy", "proxy.example"}, exitUsage, "proxy.example"},
	} {
		_, stderr, code := vwmp(t, append([]string{"serve", "--addr", "127.0.0.1:0", "--data", t.TempDir(), "--workspace", dir}, c.args...)...)
		if code != c.code || !strings.Contains(stderr, c.says) {
			t.Errorf("%s: %d, %s", name, code, stderr)
		}
	}
}

func TestARenewedCertificateIsTakenUp(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	cert, key, _ := makeCertificate(t, dir, time.Now().Add(time.Hour))
	var said bytes.Buffer
	config, err := (&tlsConfig{Cert: cert, Key: key}).open(slog.New(slog.NewTextHandler(&said, nil)))
	if err != nil {
		t.Fatal(err)
	}
	own := &certificate{files: tlsConfig{Cert: cert, Key: key}, log: slog.New(slog.NewTextHandler(&said, nil))}
	if err := own.read(); err != nil {
		t.Fatal(err)
	}
	config.GetCertificate = own.get
	serial := func() string {
		own.looked = time.Time{} // As if some time had passed.
		got, err := config.GetCertificate(nil)
		if err != nil {
			t.Fatal(err)
		}
		return got.Leaf.SerialNumber.String()
	}
	first := serial()
	makeCertificate(t, dir, time.Now().Add(2*time.Hour))
	later := time.Now().Add(time.Minute)
	for _, file := range []string{cert, key} {
		if err := os.Chtimes(file, later, later); err != nil {
			t.Fatal(err)
		}
	}
	second := serial()
	if second == first || !strings.Contains(said.String(), "renewed") {
		t.Errorf("the certificate stays %s; %s", first, said.String())
	}
	writeFile(t, cert, []byte("half"))
	if serial() != second || !strings.Contains(said.String(), "the one before it stays") {
		t.Errorf("a damaged file counts; %s", said.String())
	}
}

// proxyFor is a reverse proxy before a server.
func proxyFor(t *testing.T, target string, change func(*httputil.ProxyRequest)) string {
	t.Helper()
	address, err := url.Parse(target)
	if err != nil {
		t.Fatal(err)
	}
	proxy := httptest.NewServer(&httputil.ReverseProxy{Rewrite: func(r *httputil.ProxyRequest) {
		r.SetURL(address)
		r.Out.Header["X-Forwarded-For"] = r.In.Header["X-Forwarded-For"]
		r.SetXForwarded()
		change(r)
	}})
	t.Cleanup(proxy.Close)
	return proxy.URL
}

// through asks the server by way of a proxy, and returns the answer and its
// body.
func through(t *testing.T, proxy, from, path, body string, headers ...string) (*http.Response, string) {
	t.Helper()
	request, err := http.NewRequestWithContext(t.Context(), http.MethodPost, proxy+"/api/vwmp"+path, strings.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	request.Host = "vwmp.example"
	request.Header.Set("Content-Type", "application/json")
	request.Header.Set("X-Forwarded-For", from)
	for i := 0; i+1 < len(headers); i += 2 {
		request.Header.Set(headers[i], headers[i+1])
	}
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		t.Fatal(err)
	}
	defer response.Body.Close()
	text, err := io.ReadAll(response.Body)
	if err != nil {
		t.Fatal(err)
	}
	return response, string(text)
}

func TestATrustedProxySpeaksForThoseBehindIt(t *testing.T) {
	t.Parallel()
	r := startRunning(t, t.TempDir(), demoRepository(t), "--trusted-proxy", "127.0.0.1", "--allowed-host", "vwmp.example")
	if r.url != "https://vwmp.example" {
		t.Errorf("it tells people to come to %s", r.url)
	}
	note, err := readNote(r.data)
	if err != nil {
		t.Fatal(err)
	}
	r.url = note.URL
	proxy := proxyFor(t, r.url, func(p *httputil.ProxyRequest) { p.Out.Header.Set("X-Forwarded-Proto", "https") })

	// The session is for https, and the browser's origin is the proxy's name.
	login, body := through(t, proxy, "203.0.113.5", "/auth/login/", `{"token":"`+r.token+`"}`, "Origin", "https://vwmp.example")
	cookie := login.Header.Get("Set-Cookie")
	if login.StatusCode != http.StatusOK || !strings.Contains(strings.ToLower(cookie), "secure") {
		t.Fatalf("%s, %q, %s", login.Status, cookie, body)
	}
	value, _, _ := strings.Cut(cookie, ";")
	own := []string{"Cookie", value, "Origin", "https://vwmp.example", "X-VWMP-Request", "1"}
	if made, text := through(t, proxy, "203.0.113.5", "/auth/sign-in-links/", "", own...); made.StatusCode != http.StatusOK || !strings.Contains(text, `"https://vwmp.example/vwmp/sign-in?ticket=`) {
		t.Errorf("a link: %s %s", made.Status, text)
	}
	own[3] = "https://evil.example"
	if made, text := through(t, proxy, "203.0.113.5", "/auth/sign-in-links/", "", own...); made.StatusCode != http.StatusForbidden {
		t.Errorf("from a foreign page: %s %s", made.Status, text)
	}

	// Who guesses passwords locks out only themselves, and is named.
	status := 0
	for range 12 {
		answer, _ := through(t, proxy, "203.0.113.66", "/auth/login/", `{"token":"wrong-wrong-wrong-wrong"}`)
		status = answer.StatusCode
	}
	if answer, text := through(t, proxy, "203.0.113.7", "/auth/login/", `{"token":"wrong-wrong-wrong-wrong"}`); status != http.StatusTooManyRequests || answer.StatusCode != http.StatusUnauthorized {
		t.Errorf("the guesser gets %d, another %s %s", status, answer.Status, text)
	}
	var trail struct {
		Records []struct{ Address, Action string }
	}
	r.call(http.MethodGet, "/audit/", "", "", http.StatusOK, &trail)
	seen := map[string]bool{}
	for _, record := range trail.Records {
		seen[record.Address] = true
	}
	if !seen["203.0.113.5"] || !seen["203.0.113.66"] {
		t.Errorf("the trail names %v", seen)
	}
}

func TestNobodyElseSpeaksForOthers(t *testing.T) {
	t.Parallel()
	r := startRunning(t, t.TempDir(), demoRepository(t), "--trusted-proxy", "198.51.100.0/24", "--allowed-host", "vwmp.example")
	note, err := readNote(r.data)
	if err != nil {
		t.Fatal(err)
	}
	r.url = note.URL
	proxy := proxyFor(t, r.url, func(p *httputil.ProxyRequest) {
		p.Out.Header.Set("X-Forwarded-Proto", "https")
		p.Out.Header.Set("X-Forwarded-Host", "vwmp.example")
	})
	login, body := through(t, proxy, "203.0.113.5", "/auth/login/", `{"token":"`+r.token+`"}`)
	if cookie := login.Header.Get("Set-Cookie"); login.StatusCode != http.StatusOK || strings.Contains(strings.ToLower(cookie), "secure") {
		t.Errorf("%s, %q, %s", login.Status, cookie, body)
	}
	var trail struct{ Records []struct{ Address string } }
	r.call(http.MethodGet, "/audit/", "", "", http.StatusOK, &trail)
	if len(trail.Records) == 0 {
		t.Error("the trail has nothing of the sign-in")
	}
	for _, record := range trail.Records {
		if record.Address != "127.0.0.1" {
			t.Errorf("the trail takes the word of %s", record.Address)
		}
	}
}
