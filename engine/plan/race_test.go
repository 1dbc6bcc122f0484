//go:build race

package plan_test

// checks is less here: the decision has no goroutines for the detector to see.
const checks = 2_000
