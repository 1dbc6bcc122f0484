package pluginhost

import (
	"fmt"
	"math"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/vwmp/vwmp/host/pluginhost/internal/system"
)

// Limits bound the processes of a plugin. A zero field has its default, a
// negative one is no bound.
type Limits struct {
	// Memory is in bytes, of the process; where there are control groups, of
	// all that it starts too. Go programs are told nine tenths of it.
	Memory int64
	// Processes counts those of the plugin with their threads, where there
	// are control groups.
	Processes int
	// OpenFiles is per process, FileSize in bytes.
	OpenFiles int64
	FileSize  int64
	// Calls is how many one process serves at once.
	Calls int
	// Write are further folders in which the plugin may write.
	Write []string
}

// The defaults of Limits.
const (
	DefaultMemory    = 1 << 30
	DefaultProcesses = 1024
	DefaultOpenFiles = 4096
)

func (l Limits) withDefaults(calls int) Limits {
	if l.Memory == 0 {
		l.Memory = DefaultMemory
	}
	if l.Processes == 0 {
		l.Processes = DefaultProcesses
	}
	if l.OpenFiles == 0 {
		l.OpenFiles = DefaultOpenFiles
	}
	switch {
	case l.Calls == 0:
		l.Calls = calls
	case l.Calls < 0:
		l.Calls = math.MaxInt
	}
	return l
}

// limitsOf are the limits of one plugin.
func (h *Host) limitsOf(name string) Limits {
	limits := Limits{}
	if h.options.Limits != nil {
		limits = h.options.Limits(name)
	}
	return limits.withDefaults(h.options.MaxCalls)
}

// Fence says how plugins are kept in on this machine.
type Fence struct {
	// Files: plugins may write only in workspaces, their own folder and the
	// temporary folder. FilesReason says why not, where they may.
	Files       bool
	FilesReason string
	// Hidden: plugins can't read the files of the data folder.
	Hidden       bool
	HiddenReason string
	// Groups: each process has a control group, so that all it starts is
	// counted and ended with it. Memory and Processes: it has limits there.
	Groups       bool
	GroupsReason string
	Memory       bool
	Processes    bool
	// Pinned: only plugins of plugins.lock run.
	Pinned bool
}

// setUpFence finds out what this machine can do.
func (h *Host) setUpFence() {
	f := &h.fence
	for _, workspace := range h.options.Workspaces {
		h.repositories = append(h.repositories, repositoriesOf(workspace)...)
	}
	switch {
	case system.LandlockABI() == 0:
		f.FilesReason = "this system has no Landlock: plugins may write and read whatever the server's user may"
	default:
		f.Files = true
	}
	if f.HiddenReason = f.FilesReason; f.Files {
		f.HiddenReason = h.whyNotHidden()
	}
	f.Hidden = f.HiddenReason == ""
	groups, err := system.OpenCgroups()
	if err != nil {
		f.GroupsReason = err.Error()
		return
	}
	h.groups = groups
	f.Groups, f.Memory, f.Processes = true, groups.Memory, groups.Processes
	if !f.Memory {
		f.GroupsReason = "the limits of memory and processes are not delegated: the memory of a plugin's own process is watched instead"
	}
}

// whyNotHidden is empty where the data folder can be hidden. Landlock can't
// take away what is below a folder that is given.
func (h *Host) whyNotHidden() string {
	data := resolved(h.options.DataDir)
	if info, err := os.Stat(data); data == "" || err != nil || !info.IsDir() {
		return "there is no data folder"
	}
	for what, dirs := range map[string][]string{"a workspace": h.options.Workspaces, "the temporary folder": {os.TempDir()}} {
		for _, dir := range dirs {
			if inside, err := filepath.Rel(resolved(dir), data); err == nil && filepath.IsLocal(inside) {
				return "the data folder lies inside " + what + ", so that plugins can read it; move it elsewhere"
			}
		}
	}
	return ""
}

func resolved(path string) string {
	if path == "" {
		return ""
	}
	absolute, err := filepath.Abs(path)
	if err != nil {
		return path
	}
	if real, err := filepath.EvalSymlinks(absolute); err == nil {
		return real
	}
	return absolute
}

// fenceFor is what keeps one process in.
func (h *Host) fenceFor(v *version, work, sockets string) (*system.Fence, error) {
	limits := h.limitsOf(v.name())
	fence := &system.Fence{Limits: system.Limits{
		Memory: max(limits.Memory, 0), Processes: max(limits.Processes, 0),
		OpenFiles: uint64(max(limits.OpenFiles, 0)), FileSize: uint64(max(limits.FileSize, 0)),
	}}
	if h.fence.Files {
		fence.Files = &system.Files{
			Write: slices.Concat([]string{work, sockets, os.TempDir()}, h.options.Workspaces, h.repositories, expanded(limits.Write)),
			Read:  []string{v.program.Path, v.file.Path},
		}
		if h.fence.Hidden {
			fence.Files.Hidden = h.options.DataDir
		}
	}
	if h.groups != nil {
		group, err := h.groups.New(fence.Limits)
		if err != nil {
			return nil, err
		}
		fence.Group = group
	}
	return fence, nil
}

// expanded puts the home folder in the place of ~.
func expanded(paths []string) []string {
	list := make([]string, 0, len(paths))
	for _, path := range paths {
		if rest, found := strings.CutPrefix(path, "~/"); found {
			if home, err := os.UserHomeDir(); err == nil {
				path = filepath.Join(home, rest)
			}
		}
		list = append(list, path)
	}
	return list
}

// Fence says how plugins are kept in.
func (h *Host) Fence() Fence {
	f := h.fence
	f.Pinned = h.catalog.Load().pinned
	return f
}

// memoryEnv tells Go programs when to collect more often.
func memoryEnv(limits Limits) []string {
	if limits.Memory <= 0 {
		return nil
	}
	return []string{fmt.Sprintf("GOMEMLIMIT=%d", limits.Memory/10*9)}
}
