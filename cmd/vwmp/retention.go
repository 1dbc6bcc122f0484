package main

import (
	"fmt"

	"github.com/vwmp/vwmp/store/data"
)

// retentionConfig bounds what is kept of executions that have ended; 0 is
// without bound.
type retentionConfig struct {
	Days        int `json:"days" yaml:"days" doc:"days after its end that an execution is kept; 0 is without bound" default:"90"`
	PerWorkflow int `json:"per_workflow" yaml:"per_workflow" doc:"executions of each workflow that are kept; 0 is without bound" default:"1000"`
}

func (r retentionConfig) check() error {
	if r.Days < 0 || r.PerWorkflow < 0 {
		return usageError("retention: days and per_workflow must be 0, which is without bound, or more, not %d and %d", r.Days, r.PerWorkflow)
	}
	return nil
}

// String tells the bounds to a person.
func (r retentionConfig) String() string {
	text := func(n int, what string) string {
		if n == 0 {
			return "any number of " + what
		}
		return fmt.Sprintf("%d %s", n, what)
	}
	return text(r.Days, "days") + ", " + text(r.PerWorkflow, "executions of a workflow")
}

func (r retentionConfig) bounds() data.Retention {
	return data.Retention{Days: r.Days, PerWorkflow: r.PerWorkflow}
}
