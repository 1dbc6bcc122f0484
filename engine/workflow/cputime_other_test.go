//go:build !linux

package workflow_test

import (
	"testing"
	"time"
)

var began = time.Now()

// timeSpent is the time since the tests began, where the system does not tell
// what a thread has had of a processor.
func timeSpent(testing.TB) time.Duration { return time.Since(began) }
