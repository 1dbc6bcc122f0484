//go:build long

package main

var kitChecks []string
