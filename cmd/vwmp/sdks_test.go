//go:build !long

package main

// kitChecks keep the conformance of the SDKs short where time is; the long
// tests make all checks.
var kitChecks = []string{"--check", "start", "--check", "execute", "--check", "cancel.ends", "--check", "undo"}
