//go:build long

package main

// defaultKills is how often TestKillLoop kills the server.
const defaultKills = 200
