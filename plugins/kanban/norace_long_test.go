//go:build long && !race

package main

// documents are those of the tree whose review is timed.
const (
	documents = 2000
	timed     = true
)
