package problem_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"strings"
	"testing"

	"github.com/vwmp/vwmp/engine"
	"github.com/vwmp/vwmp/host/problem"
	"github.com/vwmp/vwmp/pluginsdk"
)

func TestEveryErrorHasItsStatusAndCode(t *testing.T) {
	for name, test := range map[string]struct {
		err    error
		status int
		code   problem.Code
	}{
		"not found":            {fmt.Errorf("read: %w", engine.ErrNotFound), 404, problem.NotFound},
		"conflict":             {fmt.Errorf("%w: the execution is success", engine.ErrConflict), 409, problem.Conflict},
		"forbidden":            {fmt.Errorf("%w: this approval is for alice", engine.ErrForbidden), 403, problem.AuthorizationError},
		"idempotency mismatch": {engine.ErrIdempotencyMismatch, 422, problem.IdempotencyMismatch},
		"store full":           {engine.ErrStoreFull, 503, problem.StoreFull},
		"busy":                 {fmt.Errorf("%w: 3", engine.ErrBusy), 503, problem.Unavailable},
		"stopping":             {engine.ErrStopping, 503, problem.Unavailable},
		"deadline":             {context.DeadlineExceeded, 503, problem.Unavailable},
		"problems":             {&engine.ProblemsError{Summary: "s"}, 400, problem.ValidationError},
		"itself":               {problem.New(404, problem.WorkflowNotFound, "d"), 404, problem.WorkflowNotFound},
		"anything else":        {errors.New("open /secret/place: boom"), 500, problem.ExecutionError},
	} {
		t.Run(name, func(t *testing.T) {
			p := problem.From(test.err)
			if p.Status != test.status || p.ErrorCode != test.code {
				t.Fatalf("got %d %s, want %d %s", p.Status, p.ErrorCode, test.status, test.code)
			}
			if !errors.Is(p, test.err) {
				t.Errorf("the cause is lost: %v", p)
			}
			if p.Status == http.StatusServiceUnavailable && p.GetHeaders().Get("Retry-After") == "" {
				t.Error("a 503 does not say when to come again")
			}
		})
	}
}

func TestACauseIsNeverShown(t *testing.T) {
	text, err := json.Marshal(problem.From(errors.New("open /secret/place: boom")).At("/x", "r1"))
	if err != nil {
		t.Fatal(err)
	}
	if strings.Contains(string(text), "secret") || !strings.Contains(string(text), `"request_id":"r1"`) {
		t.Errorf("answer: %s", text)
	}
}

func TestProblemsKeepTheirPlacesAndWarningsStayOut(t *testing.T) {
	p := problem.From(&engine.ProblemsError{Summary: "two things", Problems: []pluginsdk.Problem{
		{Pointer: "/name", Code: "required", Message: "give it a name", Line: 3, Column: 5},
		{Severity: pluginsdk.SeverityWarning, Pointer: "/x", Code: "unused", Message: "unused"},
	}})
	if len(p.Errors) != 1 || p.Errors[0].Pointer != "/name" || p.Errors[0].Line != 3 {
		t.Errorf("errors: %+v", p.Errors)
	}
}

func TestALibrarysRefusalGetsACode(t *testing.T) {
	for status, code := range map[int]problem.Code{
		404: problem.NotFound, 405: problem.MethodNotAllowed, 413: problem.PayloadTooLarge, 415: problem.UnsupportedMediaType,
		431: problem.HeadersTooLarge, 414: problem.HeadersTooLarge, 401: problem.AuthenticationError, 403: problem.AuthorizationError,
		429: problem.RateLimitError, 503: problem.Unavailable, 418: problem.ValidationError, 502: problem.ExecutionError,
	} {
		if p := problem.FromStatus(status); p.ErrorCode != code {
			t.Errorf("%d: got %s, want %s", status, p.ErrorCode, code)
		}
	}
}
