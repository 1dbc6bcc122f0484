package main

import (
	"context"
	"encoding/json"
	"fmt"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/fasthttp/websocket"

	"github.com/vwmp/vwmp/engine/plan"
)

// from is a client that comes from another address of this machine.
func from(address string) *http.Client {
	dialer := &net.Dialer{LocalAddr: &net.TCPAddr{IP: net.ParseIP(address)}}
	return &http.Client{Transport: &http.Transport{DialContext: dialer.DialContext, DisableKeepAlives: true}}
}

func TestCase33GuessingIsLimitedByAddressAndByAccount(t *testing.T) {
	r := underAttack(t)
	if conn, err := (&net.Dialer{LocalAddr: &net.TCPAddr{IP: net.ParseIP("127.0.0.2")}}).Dial("tcp", strings.TrimPrefix(r.url, "http://")); err != nil {
		t.Skip("this machine has one loopback address")
	} else {
		_ = conn.Close()
	}
	elsewhere, third := from("127.0.0.2"), from("127.0.0.3")
	seen := map[int]int{}
	for range 1000 {
		got := r.attack("GET", workflowsPath, "", "Authorization", "Bearer wrong")
		if seen[got.status]++; got.status == 429 && got.header.Get("Retry-After") == "" {
			t.Fatal("a 429 does not say when to come again")
		}
	}
	// A minute may have ended meanwhile, on a busy machine.
	if seen[401] < 10 || seen[401] > 30 || seen[401]+seen[429] != 1000 {
		t.Errorf("statuses: %v", seen)
	}
	if got := r.attack("GET", workflowsPath, ""); got.status != 200 {
		t.Errorf("the right token from the same address: %d", got.status)
	}
	ask := func(client *http.Client, method, path, body string, headers ...string) reply {
		t.Helper()
		got, err := r.tryAttack(t.Context(), client, method, path, body, headers...)
		if err != nil {
			t.Fatal(err)
		}
		return got
	}
	if got := ask(elsewhere, "GET", workflowsPath, ""); got.status != 200 {
		t.Errorf("the right token from another address: %d", got.status)
	}
	for _, name := range []string{"ann", "bob"} {
		if got := r.attack("POST", "/api/vwmp/users/", fmt.Sprintf(`{"name":%q,"role":"viewer","password":"the right password"}`, name)); got.status != 201 {
			t.Fatalf("%d %s", got.status, got.body)
		}
	}
	login := func(client *http.Client, name, password string) int {
		return ask(client, "POST", "/api/vwmp/auth/login/", fmt.Sprintf(`{"user":%q,"password":%q}`, name, password), "Authorization", "").status
	}
	for range 10 {
		if status := login(elsewhere, "ann", "a wrong password"); status != 401 {
			t.Fatalf("a wrong password: %d", status)
		}
	}
	if status := login(elsewhere, "bob", "a wrong password"); status != 429 {
		t.Errorf("the address, for another account: %d", status)
	}
	if status := login(third, "ann", "a wrong password"); status != 429 {
		t.Errorf("the account, from another address: %d", status)
	}
	if status := login(third, "bob", "the right password"); status != 200 {
		t.Errorf("another account from another address: %d", status)
	}
}

func TestCase37TextsAreDataAndDownloadsAreSandboxed(t *testing.T) {
	r := underAttack(t)
	const script = `<script>alert(1)</script>`
	saved := r.attack("POST", workflowsPath+"import/?id=xss", `{"name":"<img src=x onerror=alert(1)>","steps":[{"id":"a","name":"`+script+`","handler":"flow.log","config":{"message":"`+script+`"}}]}`)
	if saved.status != 201 {
		t.Fatalf("%d %s", saved.status, saved.body)
	}
	ran := r.attack("POST", workflowsPath+"xss/execute/?async=false", "")
	var result struct {
		ID string `json:"execution_id"`
	}
	if err := json.Unmarshal([]byte(ran.body), &result); err != nil || ran.status != 200 {
		t.Fatalf("%d %s", ran.status, ran.body)
	}
	base := "/api/vwmp/executions/" + result.ID
	for path, accept := range map[string]string{
		workflowsPath: "", workflowsPath + "xss/": "", base + "/": "", base + "/logs/": "", base + "/events/": "",
		base + "/logs/?x=text": "text/plain", base + "/steps/a/output/": "", workflowsPath + "xss/export/?format=yaml": "", base + "/steps/a/input/": "",
	} {
		got := r.attack("GET", path, "", "Accept", accept)
		kind := got.header.Get("Content-Type")
		if got.status != 200 || strings.Contains(kind, "html") || strings.Contains(kind, "svg") || got.header.Get("X-Content-Type-Options") != "nosniff" ||
			!strings.Contains(got.header.Get("Content-Security-Policy"), "default-src 'none'") {
			t.Errorf("%s: %d %v", path, got.status, got.header)
		}
		if strings.HasPrefix(got.header.Get("Content-Disposition"), "attachment") && !strings.Contains(got.header.Get("Content-Security-Policy"), "sandbox") {
			t.Errorf("%s is a download, and not sandboxed: %v", path, got.header)
		}
	}
	if got := r.attack("GET", base+"/steps/a/output/", ""); !strings.HasPrefix(got.header.Get("Content-Disposition"), "attachment") {
		t.Errorf("an output is not a download: %v", got.header)
	}
}

func writeConfig(t *testing.T, text string) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "vwmp.yaml")
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

func TestCase43SocketsBeyondTheCapAreRefusedBeforeTheUpgrade(t *testing.T) {
	r := underAttack(t)
	header := http.Header{"Authorization": {"Bearer " + r.token}}
	address := "ws" + strings.TrimPrefix(r.url, "http") + "/ws/vwmp/events"
	for i := range 51 {
		conn, response, err := websocket.DefaultDialer.DialContext(t.Context(), address, header)
		if i < 50 {
			if err != nil {
				t.Fatalf("socket %d: %v", i+1, err)
			}
			defer conn.Close()
			// Its count begins in the goroutine that serves it, which has
			// begun once it answers.
			if err := conn.WriteMessage(websocket.TextMessage, []byte(`{"type":"ping"}`)); err != nil {
				t.Fatal(err)
			}
			if _, _, err := conn.ReadMessage(); err != nil {
				t.Fatal(err)
			}
			continue
		}
		if err == nil || response == nil || response.StatusCode != 503 || response.Header.Get("Retry-After") == "" {
			t.Errorf("one too many: %v, %v", err, response)
		}
	}
}

// Case 109, with a small queue: full, it refuses politely, and what runs goes
// on.
func TestCase109AFullQueueRefusesAndWhatRunsGoesOn(t *testing.T) {
	r := underAttack(t, "--config", writeConfig(t, "limits: {executions: 20}\n"))
	for id, steps := range map[string]string{
		"waits": `[{"id":"a","handler":"flow.approval","config":{"message":"Go on?"}},{"id":"b","handler":"flow.log","config":{"message":"x"},"dependencies":["a"]}]`,
		"runs":  `[{"id":"a","handler":"flow.log","config":{"message":"x"}}]`,
	} {
		if got := r.attack("POST", workflowsPath+"import/?id="+id, `{"name":"A","steps":`+steps+`}`); got.status != 201 {
			t.Fatalf("%d %s", got.status, got.body)
		}
	}
	var mu sync.Mutex
	var taken []string
	refused := 0
	var group sync.WaitGroup
	for range 16 {
		group.Go(func() {
			for range 20 {
				got, err := r.tryAttack(t.Context(), http.DefaultClient, "POST", workflowsPath+"waits/execute/", "")
				if err != nil {
					t.Error(err)
					return
				}
				mu.Lock()
				switch got.status {
				case 202:
					var started struct {
						ID string `json:"execution_id"`
					}
					if err := json.Unmarshal([]byte(got.body), &started); err != nil {
						t.Error(err)
					}
					taken = append(taken, started.ID)
				default:
					if refused++; got.header.Get("Retry-After") == "" {
						t.Errorf("a refusal does not say when to come again: %v", got.header)
					}
					got.refused(503, "UNAVAILABLE")
				}
				mu.Unlock()
			}
		})
	}
	group.Wait()
	// A few that begin at the same moment may be too many.
	if len(taken) < 20 || len(taken) > 20+16 || refused != 320-len(taken) {
		t.Fatalf("%d were taken and %d refused", len(taken), refused)
	}
	for _, id := range taken {
		r.await(id+" waits", func() bool { return r.result(id).Status == plan.StatusWaiting })
		r.call(http.MethodPost, "/executions/"+id+"/steps/a/approve/", "application/json", `{"approved": true}`, http.StatusOK, nil)
		if result := r.finish(id); result.Status != plan.StatusSuccess {
			t.Errorf("%s ended as %s", id, result.Status)
		}
	}
	r.await("there is room again", func() bool { return r.attack("POST", workflowsPath+"runs/execute/", "").status == 202 })
}

// stopCase is a server with a step that does not end by itself, of an unsafe
// handler, and others that start and end all the time.
type stopCase struct {
	*running
	held  string
	goOn  string
	mu    sync.Mutex
	taken []string
}

func newStopCase(t *testing.T, grace string) *stopCase {
	t.Helper()
	repository := demoRepository(t)
	begun, goOn := waitingValidator(t, repository)
	s := &stopCase{running: startRunning(t, t.TempDir(), repository, "--grace", grace), goOn: goOn}
	for id, steps := range map[string]string{
		"held":  `[{"id":"a","handler":"vwmp.run_validators","config":{"validators":["wait.sh"]}}]`,
		"quick": `[{"id":"a","handler":"flow.log","config":{"message":"x"}}]`,
	} {
		s.call(http.MethodPost, "/workflows/import/?id="+id, "application/json", `{"name":"A","steps":`+steps+`}`, http.StatusCreated, nil)
	}
	var started struct {
		ID string `json:"execution_id"`
	}
	s.call(http.MethodPost, "/workflows/held/execute/", "", "", http.StatusAccepted, &started)
	s.held = started.ID
	s.await("the step runs", func() bool { return fileExists(begun) })
	return s
}

// load starts executions from several clients until the server takes none.
func (s *stopCase) load(group *sync.WaitGroup) {
	for range 8 {
		group.Go(func() {
			for {
				got, err := s.tryAttack(context.Background(), http.DefaultClient, "POST", workflowsPath+"quick/execute/", "")
				if err != nil || got.status != 202 {
					return // It stops, or has.
				}
				var started struct {
					ID string `json:"execution_id"`
				}
				if err := json.Unmarshal([]byte(got.body), &started); err != nil {
					s.t.Error(err)
					return
				}
				s.mu.Lock()
				s.taken = append(s.taken, started.ID)
				s.mu.Unlock()
			}
		})
	}
}

func (s *stopCase) takenSoFar() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return len(s.taken)
}

// term ends the server by signals and returns how long it took.
func (s *stopCase) term(twice bool) time.Duration {
	s.t.Helper()
	began := time.Now()
	if err := s.cmd.Process.Signal(syscall.SIGTERM); err != nil {
		s.t.Fatal(err)
	}
	if twice {
		s.await("the first signal was seen", func() bool { return strings.Contains(s.log(), "a second signal skips") })
		if err := s.cmd.Process.Signal(syscall.SIGTERM); err != nil {
			s.t.Fatal(err)
		}
	}
	select {
	case <-s.ended:
	case <-time.After(60 * time.Second):
		s.t.Fatal("the server does not stop")
	}
	if code := s.cmd.ProcessState.ExitCode(); code != 0 {
		s.t.Errorf("it ended with %d:\n%s", code, s.log())
	}
	return time.Since(began)
}

func TestCase113AStopUnderLoadLosesNothing(t *testing.T) {
	t.Parallel()
	s := newStopCase(t, "2s")
	// Who sends a byte at a time, and a socket that nobody reads, hold up
	// nothing.
	slow, err := net.Dial("tcp", strings.TrimPrefix(s.url, "http://"))
	if err != nil {
		t.Fatal(err)
	}
	defer slow.Close()
	if _, err := slow.Write([]byte("GET / HT")); err != nil {
		t.Fatal(err)
	}
	var group sync.WaitGroup
	s.load(&group)
	s.await("executions come and go", func() bool { return s.takenSoFar() > 50 })
	took := s.term(false)
	group.Wait()
	if took > 30*time.Second {
		t.Errorf("the stop took %s", took)
	}
	s.begin()
	// What was acknowledged is there, and ends; what ran longer than the grace
	// is nobody's to guess.
	s.await("the step is interrupted", func() bool {
		return s.result(s.held).StepResults["a"].Status == plan.StatusInterrupted
	})
	for _, id := range s.taken {
		if result := s.finish(id); result.Status != plan.StatusSuccess {
			t.Errorf("%s ended as %s", id, result.Status)
		}
	}
}

func TestCase113RunningStepsMayEndWithinTheGrace(t *testing.T) {
	t.Parallel()
	s := newStopCase(t, "20s")
	if err := s.cmd.Process.Signal(syscall.SIGTERM); err != nil {
		t.Fatal(err)
	}
	s.await("nothing new is taken", func() bool {
		_, err := s.tryAttack(t.Context(), &http.Client{Transport: &http.Transport{DisableKeepAlives: true}}, "POST", workflowsPath+"quick/execute/", "")
		return err != nil
	})
	if err := os.WriteFile(s.goOn, nil, 0o644); err != nil {
		t.Fatal(err)
	}
	select {
	case <-s.ended:
	case <-time.After(30 * time.Second):
		t.Fatal("the server does not stop")
	}
	if code := s.cmd.ProcessState.ExitCode(); code != 0 {
		t.Errorf("it ended with %d", code)
	}
	s.begin()
	if result := s.finish(s.held); result.Status != plan.StatusSuccess || result.StepResults["a"].Attempts != 1 {
		t.Errorf("the step that could end: %s after %d attempts", result.Status, result.StepResults["a"].Attempts)
	}
}

func TestCase113ASecondSignalSkipsTheGrace(t *testing.T) {
	t.Parallel()
	const grace = 50 * time.Second
	s := newStopCase(t, grace.String())
	if took := s.term(true); took > grace/2 {
		t.Errorf("the stop took %s", took)
	}
	s.begin()
	s.await("the step is interrupted", func() bool {
		return s.result(s.held).StepResults["a"].Status == plan.StatusInterrupted
	})
}
