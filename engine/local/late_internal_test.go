package local

import (
	"testing"
	"time"

	"github.com/vwmp/vwmp/pluginsdk"
)

func TestATimeoutOverTheDeadlineIsTheAttemptsOwn(t *testing.T) {
	t.Parallel()
	deadline := time.Unix(1000, 0)
	failed := func(class pluginsdk.FailureClass) pluginsdk.Outcome {
		return pluginsdk.Outcome{Kind: pluginsdk.OutcomeFailure, Failure: &pluginsdk.Failure{Class: class}}
	}
	for name, c := range map[string]struct {
		outcome  pluginsdk.Outcome
		deadline time.Time
		now      time.Time
		want     bool
	}{
		"at the deadline":              {failed(pluginsdk.FailureTimeout), deadline, deadline, true},
		"a timeout of the handler's":   {failed(pluginsdk.FailureTimeout), deadline, deadline.Add(-time.Millisecond), false},
		"another failure, late":        {failed(pluginsdk.FailurePermanent), deadline, deadline.Add(time.Second), false},
		"a success, late":              {pluginsdk.Outcome{Kind: pluginsdk.OutcomeSuccess}, deadline, deadline.Add(time.Second), false},
		"a timeout without a deadline": {failed(pluginsdk.FailureTimeout), time.Time{}, deadline, false},
	} {
		if got := late(c.outcome, &pluginsdk.Request{Deadline: c.deadline}, c.now); got != c.want {
			t.Errorf("%s: late is %v, want %v", name, got, c.want)
		}
	}
}
