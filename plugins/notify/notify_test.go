package main

import (
	"bufio"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"io"
	"mime"
	"net"
	"net/http"
	"net/http/httptest"
	"net/mail"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/vwmp/vwmp/plugins/internal/handlertest"
	"github.com/vwmp/vwmp/pluginsdk"
)

func TestMain(m *testing.M) { handlertest.Main(m, notifyPlugin()) }

func TestThePluginIsWhatTheContractSays(t *testing.T) {
	due := handlertest.Abilities{Effect: pluginsdk.EffectUnsafe, Plan: true}
	handlertest.CheckDescription(t, map[string]handlertest.Abilities{"notify.webhook": due, "notify.slack": due, "notify.email": due})
}

func call(handler string, config, adapter map[string]any) *handlertest.Call {
	if adapter == nil {
		adapter = map[string]any{}
	}
	if _, ok := adapter["allow_private"]; !ok {
		adapter["allow_private"] = true
	}
	return &handlertest.Call{Handler: "notify." + handler, Config: config, Adapter: adapter,
		Parameters: map[string]any{"summary": "Faster <start>"}, Outputs: []map[string]any{{"new_version": "1.2.3"}}}
}

// received is what a server got.
type received struct {
	mu     sync.Mutex
	header http.Header
	body   string
}

func (r *received) server(t *testing.T, status int, answer string) string {
	t.Helper()
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, request *http.Request) {
		body, _ := io.ReadAll(request.Body)
		r.mu.Lock()
		r.header, r.body = request.Header.Clone(), string(body)
		r.mu.Unlock()
		w.Header().Set("Retry-After", "9")
		w.Header().Set("Location", "http://127.0.0.1:1/")
		w.WriteHeader(status)
		_, _ = io.WriteString(w, answer)
	}))
	t.Cleanup(server.Close)
	return server.URL + "/hooks/s3cret"
}

func TestAWebhookGetsASignedMessage(t *testing.T) {
	t.Parallel()
	var got received
	use := call("webhook", map[string]any{"url": got.server(t, 200, "thanks"), "message": "{version}: {summary} {other}", "status": "success", "data": map[string]any{"a": 1}, "signing_secret": "k", "headers": map[string]string{"X-Own": "y"}}, nil)
	if effects := use.Plan(t); len(effects) != 1 || effects[0].Action != "send" || strings.Contains(effects[0].Target, "s3cret") {
		t.Errorf("plan %+v", effects)
	}
	if got.body != "" {
		t.Error("planning sent something")
	}
	var output sentOutput
	use.Succeed(t, &output)
	var body payload
	handlertest.FromJSON(t, []byte(got.body), &body)
	if body.Message != "1.2.3: Faster <start> {other}" || body.Status != "success" || string(body.Data) != `{"a":1}` || body.SentAt == "" {
		t.Errorf("body %s", got.body)
	}
	mac := hmac.New(sha256.New, []byte("k"))
	mac.Write([]byte(got.body))
	if got.header.Get("X-VWMP-Signature") != "sha256="+hex.EncodeToString(mac.Sum(nil)) || got.header.Get("Idempotency-Key") != "key" || got.header.Get("X-Own") != "y" {
		t.Errorf("headers %v", got.header)
	}
	if !output.Sent || output.Detail != "thanks" || strings.Contains(output.Target, "s3cret") || strings.Contains(use.Recorder.Log(), "s3cret") {
		t.Errorf("output %+v, log %s", output, use.Recorder.Log())
	}
	if effects := use.Recorder.Effects; len(effects) != 2 || effects[0].Done || !effects[1].Done {
		t.Errorf("effects %+v", effects)
	}
}

func TestWhatIsNotTakenFailsTheStep(t *testing.T) {
	t.Parallel()
	var got received
	for status, class := range map[int]pluginsdk.FailureClass{404: pluginsdk.FailurePermanent, 302: pluginsdk.FailurePermanent, 429: pluginsdk.FailureRetryable, 503: pluginsdk.FailureRetryable} {
		failure := call("webhook", map[string]any{"url": got.server(t, status, "why not")}, nil).Fail(t, class, "why not")
		if class == pluginsdk.FailureRetryable && failure.RetryAfter != 9*time.Second {
			t.Errorf("%d: retry after %v", status, failure.RetryAfter)
		}
		if strings.Contains(failure.Message, "s3cret") {
			t.Errorf("the address is told: %s", failure.Message)
		}
	}
	refused := call("webhook", map[string]any{"url": got.server(t, 200, "")}, map[string]any{"allow_private": false})
	if failure := refused.Fail(t, pluginsdk.FailurePermanent, "not public"); failure.Code != "ADDRESS_REFUSED" {
		t.Errorf("code %s", failure.Code)
	}
	call("webhook", map[string]any{"url": "http://127.0.0.1:1/s3cret"}, nil).Fail(t, pluginsdk.FailureRetryable, "refused")
	call("webhook", map[string]any{"url": "ftp://example.com"}, nil).Fail(t, pluginsdk.FailureInvalidInput, "http")
	call("webhook", map[string]any{"url": "http://127.0.0.1:1", "headers": map[string]string{"A": "b\r\nC: d"}}, nil).Fail(t, pluginsdk.FailureInvalidInput, "line break")
}

func TestSlackGetsTextWithValuesThatAreNoMarkup(t *testing.T) {
	t.Parallel()
	var got received
	address := got.server(t, 200, "ok")
	for _, use := range []*handlertest.Call{
		call("slack", map[string]any{"webhook_url": address, "text": "*{version}* <!here> {summary}", "status": "failure", "channel": "#x", "blocks": []any{map[string]any{"type": "divider"}}}, nil),
		call("slack", map[string]any{"text": "*{version}* <!here> {summary}", "status": "failure", "channel": "#x", "blocks": []any{map[string]any{"type": "divider"}}}, map[string]any{"slack_webhook_url": address}),
	} {
		use.Succeed(t, nil)
		if want := `{"blocks":[{"type":"divider"}],"channel":"#x","text":"❌ *1.2.3* \u003c!here\u003e Faster \u0026lt;start\u0026gt;"}`; got.body != want {
			t.Errorf("got %s, want %s", got.body, want)
		}
		got.body = ""
	}
	call("slack", map[string]any{"text": "x"}, nil).Fail(t, pluginsdk.FailureInvalidInput, "slack_webhook_url")
}

// mailServer takes one mail after another and refuses a recipient.
type mailServer struct {
	mu         sync.Mutex
	recipients []string
	data       string
}

func (s *mailServer) listen(t *testing.T) int {
	t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = listener.Close() })
	go func() {
		for {
			connection, err := listener.Accept()
			if err != nil {
				return
			}
			go s.talk(connection)
		}
	}()
	return listener.Addr().(*net.TCPAddr).Port
}

func (s *mailServer) talk(connection net.Conn) {
	defer func() { _ = connection.Close() }()
	lines := bufio.NewScanner(connection)
	say := func(text string) { _, _ = fmt.Fprint(connection, text+"\r\n") }
	say("220 test")
	for lines.Scan() {
		line := lines.Text()
		switch verb := strings.ToUpper(strings.Fields(line + " x")[0]); {
		case verb == "EHLO":
			say("250-test\r\n250 8BITMIME")
		case strings.Contains(line, "nobody@"):
			say("550 no such user")
		case strings.Contains(line, "later@"):
			say("451 try again")
		case verb == "RCPT":
			s.mu.Lock()
			s.recipients = append(s.recipients, line)
			s.mu.Unlock()
			say("250 ok")
		case verb == "DATA":
			say("354 go on")
			var data strings.Builder
			for lines.Scan() && lines.Text() != "." {
				data.WriteString(lines.Text() + "\r\n")
			}
			s.mu.Lock()
			s.data = data.String()
			s.mu.Unlock()
			say("250 taken")
		case verb == "QUIT":
			say("221 bye")
			return
		default:
			say("250 ok")
		}
	}
}

func TestAMailIsSent(t *testing.T) {
	t.Parallel()
	var server mailServer
	port := server.listen(t)
	config := map[string]any{"to": []string{"Ada <ada@example.com>"}, "cc": []string{"bo@example.com"}, "bcc": []string{"cy@example.com"}, "from": "VWMP <vwmp@example.com>", "subject": "Größe {version}\r\nX: y", "body": "Hello\n.\n{summary}\n", "html": "<p>Hi</p>", "host": "127.0.0.1", "port": port, "security": "none"}
	use := call("email", config, nil)
	if effects := use.Plan(t); len(effects) != 1 || !strings.Contains(effects[0].Target, "ada@example.com") {
		t.Errorf("plan %+v", effects)
	}
	var output emailOutput
	use.Succeed(t, &output)
	if !output.Sent || output.Recipients != 3 || len(server.recipients) != 3 {
		t.Errorf("output %+v, recipients %v", output, server.recipients)
	}
	message, err := mail.ReadMessage(strings.NewReader(server.data))
	if err != nil {
		t.Fatal(err)
	}
	subject, err := new(mime.WordDecoder).DecodeHeader(message.Header.Get("Subject"))
	if err != nil || subject != "Größe 1.2.3 X: y" || message.Header.Get("X") != "" || message.Header.Get("Bcc") != "" || message.Header.Get("Message-Id") != "<"+output.MessageID+">" {
		t.Errorf("header %v, subject %q", message.Header, subject)
	}
	body, err := io.ReadAll(message.Body)
	if err != nil || !strings.Contains(string(body), "Faster <start>") || !strings.Contains(string(body), "<p>Hi</p>") || !strings.Contains(string(body), "\n..\r\n") {
		t.Errorf("body %s %v", body, err)
	}
	// The plugin's configuration names the server where the step does not.
	adapter := map[string]any{"allow_private": false, "smtp_host": "127.0.0.1", "smtp_port": port, "smtp_security": "none", "from": "vwmp@example.com"}
	call("email", map[string]any{"to": []string{"ada@example.com"}, "subject": "s"}, adapter).Succeed(t, nil)
}

func TestAMailThatCantBeSentIsNamed(t *testing.T) {
	t.Parallel()
	var server mailServer
	config := func(change map[string]any) map[string]any {
		config := map[string]any{"to": []string{"ada@example.com"}, "from": "vwmp@example.com", "subject": "s", "host": "127.0.0.1", "port": server.listen(t), "security": "none"}
		for name, value := range change {
			config[name] = value
		}
		return config
	}
	for name, test := range map[string]struct {
		change map[string]any
		class  pluginsdk.FailureClass
		want   string
	}{
		"nobody":         {map[string]any{"to": []string{"nobody@example.com"}}, pluginsdk.FailurePermanent, "no such user"},
		"later":          {map[string]any{"to": []string{"later@example.com"}}, pluginsdk.FailureRetryable, "try again"},
		"no STARTTLS":    {map[string]any{"security": "starttls"}, pluginsdk.FailurePermanent, "no STARTTLS"},
		"not an address": {map[string]any{"to": []string{"ada"}}, pluginsdk.FailureInvalidInput, "not an e-mail address"},
		"two lines":      {map[string]any{"to": []string{"ada@example.com\r\nBcc: x@example.com"}}, pluginsdk.FailureInvalidInput, "not an e-mail address"},
		"no sender":      {map[string]any{"from": ""}, pluginsdk.FailureInvalidInput, "name the sender"},
		"no server":      {map[string]any{"host": ""}, pluginsdk.FailureInvalidInput, "smtp_host"},
		"a bad server":   {map[string]any{"host": "a b"}, pluginsdk.FailureInvalidInput, "not a host"},
	} {
		t.Run(name, func(t *testing.T) { call("email", config(test.change), nil).Fail(t, test.class, test.want) })
	}
	if failure := call("email", config(nil), map[string]any{"allow_private": false}).Fail(t, pluginsdk.FailurePermanent, "not public"); failure.Code != "ADDRESS_REFUSED" {
		t.Errorf("code %s", failure.Code)
	}
	silent, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = silent.Close() }()
	_, port, err := net.SplitHostPort(silent.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	number, err := strconv.Atoi(port)
	if err != nil {
		t.Fatal(err)
	}
	call("email", config(map[string]any{"port": number, "timeout": "200ms"}), nil).Fail(t, pluginsdk.FailureTimeout, "in time")
	if _, err := json.Marshal(server.data); err != nil || server.data != "" {
		t.Errorf("a mail was sent: %s", server.data)
	}
}
