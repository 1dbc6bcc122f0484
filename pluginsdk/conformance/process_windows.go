package conformance

import "os/exec"

// supported: plugins have no Unix sockets here, and the kit speaks no TLS.
const supported = false

func newSession(*exec.Cmd) {}

func endSession(int) {}

func terminate(int) {}

func inSession(int) []int { return nil }

func holdings(int) (files, threads int) { return 0, 0 }
