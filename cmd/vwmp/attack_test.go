package main

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"maps"
	"mime/multipart"
	"net"
	"net/http"
	"os"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/vwmp/vwmp/engine/workflow"
)

// The attack table's cases of API input, on the real server.

// reply is what came back for an attack.
type reply struct {
	t      *testing.T
	what   string
	status int
	header http.Header
	body   string
	took   time.Duration
}

// attack sends a request as the administrator unless the headers, given as
// pairs, say otherwise; an empty value leaves one out.
func (r *running) attack(method, path, body string, headers ...string) reply {
	r.t.Helper()
	answer, err := r.tryAttack(r.t.Context(), http.DefaultClient, method, path, body, headers...)
	if err != nil {
		r.t.Fatal(err)
	}
	return answer
}

func (r *running) tryAttack(ctx context.Context, client *http.Client, method, path, body string, headers ...string) (reply, error) {
	request, err := http.NewRequestWithContext(ctx, method, r.url+path, strings.NewReader(body))
	if err != nil {
		return reply{}, err
	}
	request.Header.Set("Authorization", "Bearer "+r.token)
	request.Header.Set("Content-Type", "application/json")
	for i := 0; i+1 < len(headers); i += 2 {
		switch request.Header.Set(headers[i], headers[i+1]); {
		case headers[i+1] == "":
			request.Header.Del(headers[i])
		case headers[i] == "Host":
			request.Host = headers[i+1]
		}
	}
	began := time.Now()
	response, err := client.Do(request)
	if err != nil {
		return reply{}, fmt.Errorf("%s %.80s: %w", method, path, err)
	}
	defer response.Body.Close()
	text, err := io.ReadAll(response.Body)
	return reply{r.t, fmt.Sprintf("%s %.80s", method, path), response.StatusCode, response.Header, string(text), time.Since(began)}, err
}

// raw writes a request that Go's own client would not send.
func (r *running) raw(text string) reply {
	r.t.Helper()
	addr := strings.TrimPrefix(r.url, "http://")
	conn, err := net.Dial("tcp", addr)
	if err != nil {
		r.t.Fatal(err)
	}
	defer conn.Close()
	if err := conn.SetDeadline(time.Now().Add(20 * time.Second)); err != nil {
		r.t.Fatal(err)
	}
	line, rest, _ := strings.Cut(text, "\r\n")
	began := time.Now()
	if _, err := io.WriteString(conn, line+"\r\nHost: "+addr+"\r\nAuthorization: Bearer "+r.token+"\r\nConnection: close\r\n"+rest); err != nil {
		r.t.Fatal(err)
	}
	response, err := http.ReadResponse(bufio.NewReader(conn), nil)
	if err != nil {
		r.t.Fatalf("%.80s: %v", line, err)
	}
	body, err := io.ReadAll(response.Body)
	if err != nil {
		r.t.Fatal(err)
	}
	return reply{r.t, fmt.Sprintf("%.80s", line), response.StatusCode, response.Header, string(body), time.Since(began)}
}

// refused holds a refusal to its status and code, and, as case 23 asks, to
// saying nothing of the inside.
func (a reply) refused(status int, code string) reply {
	a.t.Helper()
	var told struct {
		Status    int    `json:"status"`
		ErrorCode string `json:"error_code"`
		RequestID string `json:"request_id"`
	}
	switch {
	case a.status != status:
		a.t.Errorf("%s: status %d, want %d: %.400s", a.what, a.status, status, a.body)
	case a.header.Get("Content-Type") != "application/problem+json":
		a.t.Errorf("%s: type %q", a.what, a.header.Get("Content-Type"))
	case json.Unmarshal([]byte(a.body), &told) != nil || told.Status != status || told.ErrorCode != code || told.RequestID != a.header.Get("X-Request-Id"):
		a.t.Errorf("%s: want %s: %.400s", a.what, code, a.body)
	}
	a.tellsNothing()
	return a
}

// want holds an answer to one of some statuses, and to saying nothing of a
// crash.
func (a reply) want(statuses ...int) reply {
	a.t.Helper()
	if !slices.Contains(statuses, a.status) {
		a.t.Errorf("%s: status %d, not %v: %.400s", a.what, a.status, statuses, a.body)
	}
	for _, inside := range []string{"goroutine ", ".go:", "panic:"} {
		if strings.Contains(a.body, inside) {
			a.t.Errorf("%s shows %q: %.400s", a.what, inside, a.body)
		}
	}
	return a
}

// tellsNothing holds an answer to showing neither a stack nor a path, nor what
// only the server knows.
func (a reply) tellsNothing() {
	a.t.Helper()
	home, err := os.UserHomeDir()
	if err != nil {
		a.t.Fatal(err)
	}
	for _, inside := range []string{"goroutine ", ".go:", "runtime.", "panic", "/tmp/", "/home/", home + "/", os.TempDir(), "root:x:", "vwmp_", "bbolt", "0xc0"} {
		if strings.Contains(a.body, inside) {
			a.t.Errorf("%s shows %q: %.400s", a.what, inside, a.body)
		}
	}
}

// item finds one problem by its code, and returns its pointer.
func (a reply) item(code string) string {
	a.t.Helper()
	var told struct {
		Errors []struct{ Pointer, Code string } `json:"errors"`
	}
	if err := json.Unmarshal([]byte(a.body), &told); err != nil {
		a.t.Errorf("%s: %v: %.400s", a.what, err, a.body)
	}
	for _, e := range told.Errors {
		if e.Code == code {
			return e.Pointer
		}
	}
	a.t.Errorf("%s: no problem %q: %.400s", a.what, code, a.body)
	return ""
}

// memory is what the server has in memory of its own, in bytes.
func (r *running) memory() int64 {
	r.t.Helper()
	status, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", r.cmd.Process.Pid))
	if err != nil {
		r.t.Skip("this system does not tell what a process has in memory")
	}
	_, rest, _ := strings.Cut(string(status), "RssAnon:")
	kib, err := strconv.ParseInt(strings.Fields(rest)[0], 10, 64)
	if err != nil {
		r.t.Fatal(err)
	}
	return kib << 10
}

const (
	api           = "/api/vwmp"
	workflowsPath = api + "/workflows/"
	typeYAML      = "application/yaml"
	echoSteps     = `"steps":[{"id":"a","handler":"flow.log","config":{"message":"x"}}]`
)

func underAttack(t *testing.T, more ...string) *running {
	t.Helper()
	t.Parallel()
	return startRunning(t, t.TempDir(), t.TempDir(), more...)
}

func TestCase1AnOversizedWorkflowIsRefusedCheaply(t *testing.T) {
	r := underAttack(t)
	document := func(size int) string {
		head := `{"name":"Big","description":"`
		return head + strings.Repeat("x", size-len(head)-len(`",`+echoSteps+`}`)) + `",` + echoSteps + "}"
	}
	const bound = 2 << 20
	r.attack("POST", workflowsPath, document(bound+1)).refused(413, "PAYLOAD_TOO_LARGE")
	before := r.memory()
	for range 20 {
		r.attack("POST", workflowsPath, document(bound+1)).refused(413, "PAYLOAD_TOO_LARGE")
		r.attack("POST", workflowsPath+"any/execute/", document(1<<20+1)).refused(413, "PAYLOAD_TOO_LARGE")
		if got := r.attack("GET", workflowsPath, ""); got.status != 200 {
			t.Fatalf("the next request: %d", got.status)
		}
	}
	if grown := r.memory() - before; grown > 5e6 {
		t.Errorf("the server grew by %d bytes", grown)
	}
}

func TestCase3DepthIsBounded(t *testing.T) {
	r := underAttack(t)
	deep := func(depth int) string {
		return `{"name":"Deep","steps":[{"id":"a","handler":"flow.log","config":` + strings.Repeat(`{"a":`, depth) + `1` + strings.Repeat("}", depth) + `}]}`
	}
	if at := r.attack("POST", workflowsPath, deep(65)).refused(400, "VALIDATION_ERROR").item("too_deep"); !strings.HasPrefix(at, "/steps/0/config") && at != "" {
		t.Errorf("the pointer is %q", at)
	}
	for _, path := range []string{workflowsPath + "any/execute/", "/api/vwmp/auth/login/", "/api/vwmp/users/"} {
		r.attack("POST", path, strings.Repeat(`{"a":`, 65)+"1"+strings.Repeat("}", 65)).refused(400, "VALIDATION_ERROR").item("too_deep")
		r.attack("POST", path, strings.Repeat("[", 500_000)).refused(400, "VALIDATION_ERROR").item("too_deep")
	}
}

func TestCase5UnknownFieldsHavePointers(t *testing.T) {
	r := underAttack(t)
	if at := r.attack("POST", workflowsPath, `{"name":"A","extra":1,`+echoSteps+`}`).refused(400, "VALIDATION_ERROR").item("unknown_key"); at != "/extra" {
		t.Errorf("of the workflow: %q", at)
	}
	if at := r.attack("POST", workflowsPath, `{"name":"A","steps":[{"id":"a","handler":"flow.log","nope":2}]}`).refused(400, "VALIDATION_ERROR").item("unknown_key"); at != "/steps/0/nope" {
		t.Errorf("of a step: %q", at)
	}
}

func TestCase7NamesThatMisleadAreRefused(t *testing.T) {
	r := underAttack(t)
	for _, name := range []string{`A\u0000B`, `A\nB`, `\u202Egnp.exe`, `A\ud800`} {
		r.attack("POST", workflowsPath, `{"name":"`+name+`",`+echoSteps+`}`).refused(400, "VALIDATION_ERROR")
		r.attack("POST", workflowsPath, `{"name":"A","steps":[{"id":"a`+name+`","handler":"flow.log"}]}`).refused(400, "VALIDATION_ERROR")
	}
	twins := `{"name":"A","parameters":[{"name":"Caf\u00e9","type":"string"},{"name":"Cafe\u0301","type":"string"}],` + echoSteps + `}`
	r.attack("POST", workflowsPath, twins).refused(400, "VALIDATION_ERROR")
	if got := r.attack("POST", workflowsPath, `{"name":"Caf\u00e9",`+echoSteps+`}`); got.status != 201 {
		t.Errorf("an honest name: %d %s", got.status, got.body)
	}
}

func TestCase9NoBodyNamesAFileOfTheServer(t *testing.T) {
	r := underAttack(t)
	forged := `{"files":{"x":{"filepath":"/etc/passwd"}},"filepath":"/etc/passwd","file":"/etc/passwd"}`
	r.attack("POST", workflowsPath+"import/", forged).refused(400, "VALIDATION_ERROR")
	var form bytes.Buffer
	writer := multipart.NewWriter(&form)
	part, err := writer.CreateFormFile("file", "/etc/passwd")
	if err == nil {
		_, err = io.WriteString(part, "x")
	}
	if err != nil || writer.Close() != nil {
		t.Fatal(err)
	}
	r.attack("POST", workflowsPath+"import/", form.String(), "Content-Type", writer.FormDataContentType()).refused(415, "UNSUPPORTED_MEDIA_TYPE")
	r.attack("POST", workflowsPath+"import/", "file=%2Fetc%2Fpasswd", "Content-Type", "application/x-www-form-urlencoded").refused(415, "UNSUPPORTED_MEDIA_TYPE")
}

func TestCase11HostileYAMLIsRefusedSoonAndCheaply(t *testing.T) {
	r := underAttack(t)
	bomb := "a0: &a0 [x, x, x, x, x, x, x, x, x]\n"
	for i := range 12 {
		bomb += fmt.Sprintf("a%d: &a%d [%s]\n", i+1, i+1, strings.TrimSuffix(strings.Repeat(fmt.Sprintf("*a%d, ", i), 9), ", "))
	}
	var anchors strings.Builder
	for i := 0; anchors.Len() < 256<<10-100; i++ {
		fmt.Fprintf(&anchors, "k%d: &a%d 1\n", i, i)
	}
	r.attack("POST", workflowsPath, bomb, "Content-Type", typeYAML)
	before := r.memory()
	for what, text := range map[string]string{
		"an alias bomb": bomb, "flow depth": "a: " + strings.Repeat("[", 100_000), "anchors": anchors.String(),
		"a merge cycle": "a: &a\n  <<: *b\nb: &b\n  <<: *a\n", "a Python object": "name: !!python/object/apply:os.system ['id']\n",
		"too much": "name: A\ndescription: " + strings.Repeat("x", 256<<10) + "\n",
	} {
		got := r.attack("POST", workflowsPath, text, "Content-Type", typeYAML)
		if want := map[bool]int{true: 413, false: 400}[what == "too much"]; got.status != want {
			t.Errorf("%s: %d, want %d: %.200s", what, got.status, want, got.body)
		}
		got.tellsNothing()
		// A second on a quiet machine.
		if got.took > 5*time.Second {
			t.Errorf("%s: %s", what, got.took)
		}
	}
	if grown := r.memory() - before; grown > 50e6 {
		t.Errorf("the server grew by %d bytes", grown)
	}
}

func TestCase13TenThousandStepsAreTaken(t *testing.T) {
	r := underAttack(t)
	var text strings.Builder
	text.WriteString(`{"name":"Large","steps":[`)
	for i := range workflow.MaxSteps {
		if i > 0 {
			text.WriteByte(',')
		}
		fmt.Fprintf(&text, `{"id":"s%d","handler":"flow.log","config":{"message":"x"},"dependencies":[`, i)
		for j := 1; j <= min(i, 5); j++ {
			if j > 1 {
				text.WriteByte(',')
			}
			fmt.Fprintf(&text, `"s%d"`, i-j)
		}
		text.WriteString("]}")
	}
	text.WriteString("]}")
	saved := r.attack("POST", workflowsPath, text.String())
	// 2 s and 200 ms on a quiet machine, which this is not.
	if saved.status != 201 || saved.took > 10*time.Second {
		t.Errorf("saving: %d after %s: %.300s", saved.status, saved.took, saved.body)
	}
	fastest := time.Hour
	for range 10 {
		list := r.attack("GET", workflowsPath, "")
		if list.status != 200 || len(list.body) > 10_000 {
			t.Fatalf("the list: %d, %d bytes", list.status, len(list.body))
		}
		fastest = min(fastest, list.took)
	}
	if fastest > 200*time.Millisecond {
		t.Errorf("the list takes %s", fastest)
	}
	r.attack("POST", workflowsPath, `{"name":"A","steps":[`+strings.Repeat("{},", workflow.MaxSteps)+`{}]}`).refused(400, "VALIDATION_ERROR").item("too_many_steps")
}

func TestCase15AMillionItemsAreRefusedBeforeTheyAreMade(t *testing.T) {
	r := underAttack(t)
	list := func(n int) string { return "[" + strings.Repeat("1,", n-1) + "1]" }
	step := `"steps":[{"id":"a","handler":"flow.log","for_each":%s,"config":{"message":"${item}"}}]}`
	r.attack("POST", workflowsPath, `{"name":"A",`+fmt.Sprintf(step, list(1_000_000))).refused(400, "VALIDATION_ERROR").item("too_many_items")
	r.attack("POST", workflowsPath, `{"name":"A",`+fmt.Sprintf(step, list(1_200_000))).refused(413, "PAYLOAD_TOO_LARGE")
	saved := r.attack("POST", workflowsPath+"import/?id=each", `{"name":"A","parameters":[{"name":"n","type":"json"}],`+fmt.Sprintf(step, `"${parameters.n}"`))
	if saved.status != 201 {
		t.Fatalf("%d %s", saved.status, saved.body)
	}
	before := r.memory()
	ran := r.attack("POST", workflowsPath+"each/execute/?async=false", `{"n":`+list(500_000)+`}`)
	var result struct {
		Status string                     `json:"status"`
		Steps  map[string]json.RawMessage `json:"step_results"`
	}
	if err := json.Unmarshal([]byte(ran.body), &result); ran.status != 200 || err != nil || result.Status != "failed" || !strings.Contains(string(result.Steps["a"]), "10000") {
		t.Errorf("half a million items at run time: %d %s: %.300s", ran.status, result.Status, result.Steps["a"])
	}
	// The parameters themselves are a megabyte.
	if grown := r.memory() - before; grown > 60e6 {
		t.Errorf("the server grew by %d bytes", grown)
	}
}

func TestCase17OversizedHeadersAreRefused(t *testing.T) {
	r := underAttack(t)
	r.raw("GET "+workflowsPath+" HTTP/1.1\r\nX-Big: "+strings.Repeat("x", 64<<10)+"\r\n\r\n").refused(431, "HEADERS_TOO_LARGE")
	var many strings.Builder
	for i := range 1000 {
		fmt.Fprintf(&many, "X-%d: 1\r\n", i)
	}
	r.raw("GET "+workflowsPath+" HTTP/1.1\r\n"+many.String()+"\r\n").refused(431, "HEADERS_TOO_LARGE")
	r.raw("GET "+workflowsPath+"?q="+strings.Repeat("x", 10<<10)+" HTTP/1.1\r\n\r\n").refused(414, "HEADERS_TOO_LARGE")
	if got := r.attack("GET", workflowsPath, ""); got.status != 200 {
		t.Errorf("the next request: %d", got.status)
	}
}

func TestCase19OtherMethodsDoNothing(t *testing.T) {
	r := underAttack(t)
	if got := r.attack("POST", workflowsPath+"import/?id=stays", `{"name":"A",`+echoSteps+`}`); got.status != 201 {
		t.Fatalf("%d %s", got.status, got.body)
	}
	for _, header := range []string{"X-HTTP-Method-Override", "X-HTTP-Method", "X-Method-Override"} {
		if got := r.attack("GET", workflowsPath+"stays/?_method=DELETE", "", header, "DELETE"); got.status != 200 {
			t.Errorf("%s: %d", header, got.status)
		}
		r.attack("POST", workflowsPath+"stays/", `{}`, header, "DELETE").refused(405, "METHOD_NOT_ALLOWED")
	}
	for _, method := range []string{"TRACE", "PATCH", "CONNECT", "BREW", "PROPFIND"} {
		if got := r.raw(method+" "+workflowsPath+"stays/ HTTP/1.1\r\nX-Mine: echo-me\r\n\r\n").refused(405, "METHOD_NOT_ALLOWED"); got.header.Get("Allow") == "" || strings.Contains(got.body, "echo-me") {
			t.Errorf("%s: %v %s", method, got.header, got.body)
		}
	}
	if got := r.attack("GET", workflowsPath+"stays/", ""); got.status != 200 {
		t.Errorf("afterwards: %d", got.status)
	}
}

func TestCase21AnIdempotencyKeyStartsOneExecution(t *testing.T) {
	r := underAttack(t)
	if got := r.attack("POST", workflowsPath+"import/?id=once", `{"name":"A","parameters":[{"name":"n","type":"integer","default":1}],`+echoSteps+`}`); got.status != 201 {
		t.Fatalf("%d %s", got.status, got.body)
	}
	var group sync.WaitGroup
	var mu sync.Mutex
	ids := map[string]int{}
	for range 100 {
		group.Go(func() {
			got, err := r.tryAttack(t.Context(), http.DefaultClient, "POST", workflowsPath+"once/execute/", `{"n":7}`, "Idempotency-Key", "the same")
			var started struct {
				ID string `json:"execution_id"`
			}
			if err == nil {
				err = json.Unmarshal([]byte(got.body), &started)
			}
			if err != nil || got.status != 202 {
				t.Errorf("%d %v: %s", got.status, err, got.body)
			}
			mu.Lock()
			defer mu.Unlock()
			ids[started.ID]++
		})
	}
	group.Wait()
	if len(ids) != 1 {
		t.Errorf("the answers name %v", slices.Sorted(maps.Keys(ids)))
	}
	r.attack("POST", workflowsPath+"once/execute/", `{"n":8}`, "Idempotency-Key", "the same").refused(422, "IDEMPOTENCY_MISMATCH")
	var list struct {
		Executions []json.RawMessage `json:"executions"`
	}
	r.call(http.MethodGet, "/executions/?workflow_id=once", "", "", http.StatusOK, &list)
	if len(list.Executions) != 1 {
		t.Errorf("%d executions were started", len(list.Executions))
	}
}

// Case 23 is held by refused, for every refusal above; here, for what is not
// found, not known and not a document at all.
func TestCase23RefusalsTellNothingOfTheInside(t *testing.T) {
	r := underAttack(t)
	for _, c := range []struct {
		method, path, body string
		status             int
		code               string
	}{
		{"GET", workflowsPath + "none/", "", 404, "WORKFLOW_NOT_FOUND"},
		{"GET", "/api/vwmp/executions/none/", "", 404, "EXECUTION_NOT_FOUND"},
		{"GET", "/api/vwmp/executions/..%2f..%2fetc%2fpasswd/", "", 404, "EXECUTION_NOT_FOUND"},
		{"GET", "/api/vwmp/step-handlers/none.none/schema/", "", 404, "HANDLER_NOT_FOUND"},
		{"POST", "/api/vwmp/plugins/none/reload/", "", 404, "PLUGIN_NOT_FOUND"},
		{"GET", "/api/vwmp/none/", "", 404, "NOT_FOUND"},
		{"POST", workflowsPath, "{", 400, "VALIDATION_ERROR"},
		{"POST", workflowsPath, "\xff\xfe", 400, "VALIDATION_ERROR"},
		{"POST", workflowsPath + "none/execute/", "[", 400, "VALIDATION_ERROR"},
		{"GET", "/api/vwmp/executions/?limit=x", "", 400, "VALIDATION_ERROR"},
		{"GET", "/api/vwmp/executions/?cursor=%00", "", 400, "VALIDATION_ERROR"},
		{"POST", "/api/vwmp/hooks/none/", "{}", 404, "NOT_FOUND"},
	} {
		r.attack(c.method, c.path, c.body).refused(c.status, c.code)
	}
}
