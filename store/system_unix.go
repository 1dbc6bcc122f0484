//go:build unix

package store

// unixSystem: elsewhere a mapping makes the file as large as itself.
const unixSystem = true
