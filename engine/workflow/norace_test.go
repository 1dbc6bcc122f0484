//go:build !race

package workflow_test

// slowdown is how much slower than usual the code runs.
const slowdown = 1
