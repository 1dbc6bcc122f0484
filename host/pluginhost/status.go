package pluginhost

import (
	"time"

	"github.com/vwmp/vwmp/host/pluginhost/internal/disk"
)

// The states of a plugin as Status has them.
const (
	stateStopped     = "stopped"
	stateStarting    = "starting"
	stateRunning     = "running"
	stateStopping    = "stopping"
	stateFailed      = "failed"
	stateQuarantined = "quarantined"
	stateDisabled    = "disabled"
	stateUnkillable  = "unkillable"
	// StateRefused is that of a file that is not used.
	StateRefused = "refused"
)

// States are all states that a plugin may be in.
func States() []string {
	return []string{
		stateStopped, stateStarting, stateRunning, stateStopping, stateFailed, stateQuarantined, stateDisabled, stateUnkillable, StateRefused,
	}
}

// Status is a plugin as the API shows it.
type Status struct {
	Name        string
	Version     string
	Author      string
	Description string
	// Build is the version-control revision that the binary was made from.
	Build string
	// State is stopped, starting, running, stopping, failed (the last start
	// failed), quarantined (it crashed too often and rests until NextStart),
	// disabled, unkillable (a process of it can't be ended) or refused.
	State string
	// Reason is a sentence that says more of a state that is no good one.
	Reason string
	// Path is the file's name with the folder it is in.
	Path     string
	Checksum string
	Handlers []string
	// WorkflowTypes are those that the plugin declares.
	WorkflowTypes []string

	PID       int
	StartedAt time.Time
	// Memory is the resident memory of the running processes, in bytes, and CPU
	// the processor time of all that there were.
	Memory int64
	CPU    time.Duration
	// Calls counts all, Running those of the moment, Waiting those that wait
	// for a process, Draining those that still run on an earlier version,
	// Failures those that failed or whose outcome is unknown.
	Calls, Running, Waiting, Draining, Failures int
	// Restarts counts the starts after the first.
	Restarts int
	// Latency is of the last calls.
	Latency Latency
	// NextStart is when a plugin whose processes crashed may start again.
	NextStart time.Time
	LastError string
	// LastWords are the last lines on standard error of the last process
	// that ended by itself.
	LastWords []string
	// DisabledBy and DisabledAt are set for a disabled plugin.
	DisabledBy string
	DisabledAt time.Time
	// Held is a version that is there and not used; nil where there is none.
	Held *Held
}

// Latency is how long the last calls of a plugin took.
type Latency struct{ Mean, P50, P95, Max time.Duration }

// The reasons for which a version is held back.
const (
	// HeldBreaking: stored workflows would not go together with it.
	HeldBreaking = "breaking"
	// HeldRemoved: the file is gone, and stored workflows use what it offers.
	HeldRemoved = "removed"
	// HeldCrashed: it crashed too often right after it was taken up.
	HeldCrashed = "crashed"
	// HeldUnchecked: the stored workflows could not be read.
	HeldUnchecked = "unchecked"
	// HeldBroken: it could not be described.
	HeldBroken = "broken"
)

// Held is a version of a plugin that is not used, while an earlier one is.
type Held struct {
	Version  string
	Checksum string
	// Reason is one of the words above, Message a sentence.
	Reason  string
	Message string
	// Changes are what in stored workflows would break.
	Changes []Impact
	// LastWords are of the last process of it that crashed.
	LastWords []string
}

func refusal(path string, reason error) Status {
	return Status{
		Name: disk.NameOf(path), State: StateRefused, Path: disk.ShortPath(path),
		Reason: reason.Error(), LastError: reason.Error(), Handlers: []string{},
	}
}

// Plugins lists every plugin that was found, refused ones last.
func (h *Host) Plugins() []Status {
	c := h.catalog.Load()
	list := make([]Status, 0, len(c.entries)+len(c.refused))
	for _, e := range c.entries {
		list = append(list, e.status())
	}
	return append(list, c.refused...)
}

// Plugin returns one plugin's status, and whether there is one of that name.
func (h *Host) Plugin(name string) (Status, bool) {
	c := h.catalog.Load()
	if e := c.byName[name]; e != nil {
		return e.status(), true
	}
	for _, status := range c.refused {
		if status.Name == name {
			return status, true
		}
	}
	return Status{}, false
}

// status joins what the catalogue, the process's owner and the plugin's
// figures have of it.
func (e *entry) status() Status {
	s := e.instance.snapshot()
	e.plugin.tally.fill(&s)
	s.Held, s.Path = e.held, disk.ShortPath(e.path)
	s.Draining = e.plugin.draining()
	switch {
	case e.disabled != nil:
		s.State, s.DisabledBy, s.DisabledAt = stateDisabled, e.disabled.By, e.disabled.At
		s.Reason = "disabled by " + e.disabled.By
	case s.State == stateQuarantined:
		s.Reason = "it crashed too often"
	}
	return s
}
