package wire

import (
	"fmt"
	"strings"
	"unicode/utf8"

	"github.com/vwmp/vwmp/pluginsdk"
)

// maxText bounds one line of text on the wire, in bytes; the rest is cut.
const maxText = 64 << 10

// text makes s fit for a protobuf string: output of commands may hold bytes
// that are not UTF-8, and one such byte would break the whole stream.
func text(s string) string { return strings.ToValidUTF8(s, "\uFFFD") }

// line is text of bounded length.
func line(s string) string {
	if len(s) <= maxText {
		return text(s)
	}
	cut := maxText
	for cut > 0 && !utf8.RuneStart(s[cut]) {
		cut--
	}
	return text(s[:cut]) + fmt.Sprintf("… (%d bytes cut)", len(s)-cut)
}

// CheckRequest refuses a request whose text can't travel. Values can: they
// are bytes.
func CheckRequest(r *pluginsdk.Request) error {
	texts := []struct{ name, value string }{
		{"execution id", r.ExecutionID}, {"workflow id", r.WorkflowID}, {"workflow name", r.WorkflowName},
		{"workflow version", r.WorkflowVersion}, {"step id", r.StepID}, {"step name", r.StepName}, {"handler", r.Handler},
		{"idempotency key", r.IdempotencyKey}, {"workspace name", r.WorkspaceName}, {"workspace folder", r.WorkspaceDir},
		{"trace parent", r.TraceParent}, {"trace state", r.TraceState},
	}
	for _, t := range texts {
		if !utf8.ValidString(t.value) {
			return fmt.Errorf("the %s is not UTF-8", t.name)
		}
	}
	for name, value := range r.Secrets {
		if !utf8.ValidString(name) || !utf8.ValidString(value) {
			return fmt.Errorf("the secret %q is not UTF-8", name)
		}
	}
	return nil
}
