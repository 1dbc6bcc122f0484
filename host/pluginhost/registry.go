package pluginhost

import (
	"encoding/json"
	"errors"
	"io/fs"
	"log/slog"
	"os"
	"path/filepath"
	"strconv"

	"github.com/vwmp/vwmp/host/pluginhost/internal/system"
)

// The registry is a folder with one file per running process, so that the
// next start finds what a host that was killed left behind. A process's start
// time is kept beside its pid: a pid that was given to somebody else since is
// never killed.

type registered struct {
	PID int `json:"pid"`
	// Started is the process's start as the system counts it, with the boot
	// where it counts from that.
	Started string `json:"started"`
}

func register(dir string, pid int, log *slog.Logger) {
	started := system.StartTime(pid)
	if started == "" {
		return // It is gone already, or the system does not tell.
	}
	raw, err := json.Marshal(registered{PID: pid, Started: started})
	if err == nil {
		err = os.WriteFile(filepath.Join(dir, strconv.Itoa(pid)), raw, 0o600)
	}
	if err != nil {
		log.Warn("a plugin process could not be noted", "pid", pid, "error", err)
	}
}

func unregister(dir string, pid int) {
	// A file that stays is swept at the next start.
	_ = os.Remove(filepath.Join(dir, strconv.Itoa(pid)))
}

// sweep ends the processes that an earlier host left.
func sweep(dir string, log *slog.Logger) {
	entries, err := os.ReadDir(dir)
	if err != nil {
		log.Warn("the processes of an earlier server can't be listed", "error", err)
		return
	}
	for _, entry := range entries {
		path := filepath.Join(dir, entry.Name())
		raw, err := os.ReadFile(path)
		if err != nil {
			log.Warn("a process of an earlier server can't be read", "error", err)
			continue
		}
		var left registered
		if json.Unmarshal(raw, &left) == nil && left.PID > 1 && left.Started != "" && system.StartTime(left.PID) == left.Started {
			log.Warn("a plugin process of an earlier server is ended", "pid", left.PID)
			system.KillLeft(left.PID)
		}
		if err := os.Remove(path); err != nil && !errors.Is(err, fs.ErrNotExist) {
			log.Warn("a process of an earlier server can't be forgotten", "error", err)
		}
	}
}
