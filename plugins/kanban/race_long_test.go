//go:build long && race

package main

// documents are fewer here, and their time is nobody's: the detector makes
// everything several times slower.
const (
	documents = 200
	timed     = false
)
