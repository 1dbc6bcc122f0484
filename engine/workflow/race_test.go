//go:build race

package workflow_test

// slowdown is how much slower the code runs under the race detector.
const slowdown = 8
