package main

import (
	"encoding/hex"
	"encoding/json"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"strings"
	"sync"
	"testing"

	collector "go.opentelemetry.io/proto/otlp/collector/trace/v1"
	common "go.opentelemetry.io/proto/otlp/common/v1"
	traces "go.opentelemetry.io/proto/otlp/trace/v1"
	"google.golang.org/protobuf/proto"

	"github.com/vwmp/vwmp/engine"
	"github.com/vwmp/vwmp/engine/plan"
)

// collecting is a collector of traces as OTLP over HTTP has them.
type collecting struct {
	url string

	mu    sync.Mutex
	spans []*traces.Span
	// about is what the spans' resource said of the server.
	about []*common.KeyValue
	raw   strings.Builder
}

func startCollecting(t *testing.T) *collecting {
	t.Helper()
	c := &collecting{}
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, request *http.Request) {
		body, err := io.ReadAll(request.Body)
		if err != nil || request.URL.Path != "/v1/traces" || request.Header.Get("Content-Type") != "application/x-protobuf" {
			t.Errorf("the collector got %s %s (%s): %v", request.Method, request.URL.Path, request.Header.Get("Content-Type"), err)
		}
		var sent collector.ExportTraceServiceRequest
		if err := proto.Unmarshal(body, &sent); err != nil {
			t.Errorf("the collector can't read it: %v", err)
		}
		c.mu.Lock()
		defer c.mu.Unlock()
		c.raw.Write(body)
		for _, resource := range sent.GetResourceSpans() {
			c.about = resource.GetResource().GetAttributes()
			for _, scope := range resource.GetScopeSpans() {
				c.spans = append(c.spans, scope.GetSpans()...)
			}
		}
		w.Header().Set("Content-Type", "application/x-protobuf")
	}))
	t.Cleanup(server.Close)
	c.url = server.URL
	return c
}

func attributeOf(list []*common.KeyValue, key string) string {
	for _, kv := range list {
		if kv.GetKey() == key {
			return kv.GetValue().GetStringValue()
		}
	}
	return ""
}

// one finds the only span of a name that belongs to an execution, or to any
// where that is empty.
func (c *collecting) one(t *testing.T, name, executionID string) *traces.Span {
	t.Helper()
	c.mu.Lock()
	defer c.mu.Unlock()
	var found []*traces.Span
	for _, span := range c.spans {
		if span.GetName() == name && (executionID == "" || attributeOf(span.GetAttributes(), "vwmp.execution.id") == executionID) {
			found = append(found, span)
		}
	}
	if len(found) != 1 {
		t.Fatalf("there are %d spans %q of execution %q, want one", len(found), name, executionID)
	}
	return found[0]
}

const tracedYAML = `name: Traced
parameters:
  - {name: key, type: secret, required: true}
steps:
  - {id: first, handler: lab.traced}
  - {id: second, handler: lab.flaky, config: {succeed_at: 9, message: "it was ${parameters.key}", permanent: true}, required: false, dependencies: [first]}
  - {id: child, handler: flow.workflow, config: {workflow: inner}, dependencies: [first]}
`

const innerYAML = `name: Inner
steps:
  - {id: deep, handler: lab.traced}
`

const (
	callersTrace = "4bf92f3577b34da6a3ce929d0e0e4736"
	callersSpan  = "00f067aa0ba902b7"
	tracedSecret = "correct-horse-battery-staple"
)

// execute starts a workflow as a caller who is part of a trace.
func (r *running) executeTraced(query string) (answer engine.Result) {
	r.t.Helper()
	request, err := http.NewRequestWithContext(r.t.Context(), http.MethodPost, r.url+"/api/vwmp/workflows/traced/execute/"+query,
		strings.NewReader(`{"parameters": {"key": "`+tracedSecret+`"}}`))
	if err != nil {
		r.t.Fatal(err)
	}
	request.Header.Set("Authorization", "Bearer "+r.token)
	request.Header.Set("Content-Type", "application/json")
	request.Header.Set("traceparent", "00-"+callersTrace+"-"+callersSpan+"-01")
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		r.t.Fatal(err)
	}
	defer response.Body.Close()
	body, err := io.ReadAll(response.Body)
	if err == nil {
		err = json.Unmarshal(body, &answer)
	}
	if err != nil || response.StatusCode >= http.StatusBadRequest {
		r.t.Fatalf("execute: %s, %v\n%s", response.Status, err, body)
	}
	return answer
}

// outputTrace is the trace parent that a step was told.
func outputTrace(t *testing.T, result *engine.Result, step string) string {
	t.Helper()
	var output struct {
		TraceParent string `json:"trace_parent"`
	}
	if err := json.Unmarshal(result.StepResults[step].Output, &output); err != nil {
		t.Fatal(err)
	}
	return output.TraceParent
}

func TestATraceGoesFromTheRequestToTheCall(t *testing.T) {
	t.Parallel()
	c := startCollecting(t)
	r := startTraced(t, c.url)
	awaited := r.executeTraced("?async=false")
	outlives := r.finish(r.executeTraced("").ID)
	r.stop() // What is left is sent then.

	id := hex.EncodeToString
	request := func(status string) (found *traces.Span) {
		for _, span := range c.spans {
			for _, kv := range span.GetAttributes() {
				if span.GetName() == "POST /api/vwmp/workflows/{id}/execute/" && kv.GetKey() == "http.response.status_code" && kv.GetValue().String() == "int_value:"+status {
					found = span
				}
			}
		}
		if found == nil {
			t.Fatalf("no span has a request that was answered with %s", status)
		}
		return found
	}
	// Where the caller waits, all is one trace: the caller's.
	chain := []*traces.Span{
		request("200"), c.one(t, "execution", awaited.ID), c.one(t, "step first", awaited.ID), c.one(t, "call lab.traced", awaited.ID),
	}
	parent := callersSpan
	for _, span := range chain {
		if id(span.GetTraceId()) != callersTrace || id(span.GetParentSpanId()) != parent {
			t.Errorf("%s is in trace %x below %x, want %s below %s", span.GetName(), span.GetTraceId(), span.GetParentSpanId(), callersTrace, parent)
		}
		if span.GetEndTimeUnixNano() < span.GetStartTimeUnixNano() || span.GetStartTimeUnixNano() == 0 {
			t.Errorf("%s lasts from %d to %d", span.GetName(), span.GetStartTimeUnixNano(), span.GetEndTimeUnixNano())
		}
		parent = id(span.GetSpanId())
	}
	if got, want := outputTrace(t, &awaited, "first"), "00-"+callersTrace+"-"+parent+"-01"; got != want {
		t.Errorf("the plugin was told %q, want %q", got, want)
	}
	// A child belongs to its parent's step.
	child := awaited.StepResults["child"].ChildID
	if inner := c.one(t, "execution", child); id(inner.GetTraceId()) != callersTrace || id(inner.GetParentSpanId()) != id(c.one(t, "step child", awaited.ID).GetSpanId()) {
		t.Errorf("the child execution is in trace %x below %x", inner.GetTraceId(), inner.GetParentSpanId())
	}
	failed := c.one(t, "call lab.flaky", awaited.ID)
	if failed.GetStatus().GetCode() != traces.Status_STATUS_CODE_ERROR {
		t.Errorf("the call that failed has the status %v", failed.GetStatus())
	}

	// Where the caller does not, the execution has a trace of its own.
	execution := c.one(t, "execution", outlives.ID)
	if id(execution.GetTraceId()) == callersTrace || len(execution.GetParentSpanId()) != 0 {
		t.Errorf("the execution that outlives its request is in trace %x below %x", execution.GetTraceId(), execution.GetParentSpanId())
	}
	if links := execution.GetLinks(); len(links) != 1 || id(links[0].GetTraceId()) != callersTrace || id(links[0].GetSpanId()) != id(request("202").GetSpanId()) {
		t.Errorf("its links are %v", links)
	}
	if call := c.one(t, "call lab.traced", outlives.ID); id(call.GetTraceId()) != id(execution.GetTraceId()) {
		t.Errorf("its call is in trace %x, want %x", call.GetTraceId(), execution.GetTraceId())
	}

	if strings.Contains(c.raw.String(), tracedSecret) || strings.Contains(c.raw.String(), r.token) {
		t.Error("a secret was sent to the collector")
	}
	if attributeOf(c.about, "service.name") != "vwmp" || attributeOf(c.about, "service.instance.id") == "" {
		t.Errorf("the collector is told of %v", c.about)
	}
	if awaited.Status != plan.StatusPartial {
		t.Errorf("the run ended as %s", awaited.Status)
	}
}

// startTraced starts a server that sends its traces to an address.
func startTraced(t *testing.T, address string) *running {
	t.Helper()
	config := t.TempDir() + "/vwmp.yaml"
	if err := os.WriteFile(config, []byte("telemetry: {traces: {endpoint: \""+address+"\"}}\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	r := startRunning(t, t.TempDir(), t.TempDir(), "--plugins", labDir, "--config", config)
	r.importText("inner", innerYAML)
	r.importText("traced", tracedYAML)
	return r
}

func TestACollectorThatIsGoneHurtsNobody(t *testing.T) {
	t.Parallel()
	gone := httptest.NewServer(http.NotFoundHandler())
	gone.Close()
	r := startTraced(t, gone.URL)
	if result := r.executeTraced("?async=false"); result.Status != plan.StatusPartial {
		t.Errorf("the run ended as %s", result.Status)
	}
}
