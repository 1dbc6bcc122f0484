package engine

import (
	"errors"
	"fmt"
	"time"

	"github.com/vwmp/vwmp/engine/plan"
	"github.com/vwmp/vwmp/pluginsdk"
)

// UnavailableError: a handler's plugin can't be called at the moment, and
// nothing ran. Its step waits, and uses up no attempt.
type UnavailableError struct {
	Plugin string
	// Reason is what follows the plugin's name in a sentence.
	Reason string
	// Until is when to ask again; zero is when something changes.
	Until time.Time
}

// Error returns the sentence.
func (e *UnavailableError) Error() string { return fmt.Sprintf("plugin %s %s", e.Plugin, e.Reason) }

// Outcome is what becomes of a call that met the error.
func (e *UnavailableError) Outcome(now time.Time) pluginsdk.Outcome {
	failure := &pluginsdk.Failure{Class: pluginsdk.FailureRetryable, Code: CodeNotReady, Message: e.Error(), Fault: pluginsdk.FaultHost}
	if !e.Until.IsZero() {
		failure.RetryAfter = max(e.Until.Sub(now), time.Millisecond)
	}
	return pluginsdk.Outcome{Kind: pluginsdk.OutcomeNotRun, Failure: failure}
}

// NoHandlerError: no plugin offers a handler any more.
type NoHandlerError struct{ Handler string }

// Error returns a sentence.
func (e *NoHandlerError) Error() string {
	return fmt.Sprintf("no plugin offers the handler %s any more", e.Handler)
}

// ErrNoBinary: the binary that an attempt ran with is gone, so that nobody
// can say what became of it.
var ErrNoBinary = errors.New("the plugin's binary that the attempt ran with is gone")

// Usage is what one attempt took of the machine.
type Usage struct {
	// CPU is processor time. Where several calls ran in one process at the
	// same time, it is an equal part for each.
	CPU time.Duration
	// Memory is the most resident memory that the process had, in bytes.
	Memory int64
	// Shared: other calls ran in the process meanwhile.
	Shared bool
}

// UsageReporter is a pluginsdk.Reporter that wants to know what an attempt
// took. Used is called at most once, before the attempt's outcome is returned.
type UsageReporter interface {
	Used(usage Usage)
}

// Codes of outcomes that an Invoker makes itself.
const (
	// CodeNotReady belongs to pluginsdk.OutcomeNotRun.
	CodeNotReady = "PLUGIN_NOT_READY"
	// CodeCrashedAlone: of unknown outcome, because its process crashed
	// while no other call was in it.
	CodeCrashedAlone = plan.CodeCrashedAlone
)
