//go:build !linux

package main

// runOn is for Linux.
func runOn() error { return nil }
