//go:build !long

package local_test

const long = false
