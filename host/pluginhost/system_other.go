//go:build !linux

package pluginhost

import (
	"fmt"
	"io/fs"
	"os/exec"
)

// spawner starts processes. Without Linux's parent-death signal a plugin
// learns of its host's end by its lifeline, or by the end of its job.
type spawner struct{}

func newSpawner() *spawner { return &spawner{} }

func (*spawner) start(cmd *exec.Cmd) error {
	ownGroup(cmd)
	return cmd.Start()
}

func (*spawner) close() {}

// awaitExit can't wait without reaping here.
func awaitExit(int) bool { return false }

func fileKey(path string, info fs.FileInfo) string {
	return fmt.Sprintf("%s|%d|%d", path, info.Size(), info.ModTime().UnixNano())
}

// residentMemory is not told here.
func residentMemory(int) int64 { return 0 }
