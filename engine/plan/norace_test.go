//go:build !race

package plan_test

// checks is how many random executions the properties are held against.
const checks = 20_000
