package host

import (
	"context"
	"encoding/json"
	"time"

	"github.com/vwmp/vwmp/engine"
)

// Documents gives the definition that an execution is pinned to.
type Documents interface {
	// ExecutionDocument returns it as JSON; engine.ErrNotFound where there is
	// no such execution.
	ExecutionDocument(ctx context.Context, executionID string) (json.RawMessage, error)
}

// Outputs gives what was too large to stand in a result.
type Outputs interface {
	// Blob returns the content of this SHA-256, in hex; engine.ErrNotFound
	// for one that is gone.
	Blob(ctx context.Context, sha256 string) ([]byte, error)
}

// Catalogue is what the host shows of the handlers there are.
type Catalogue interface {
	engine.Catalogue
	// Ready waits until every plugin was described or failed. It bounds the
	// wait itself; its error is ctx's.
	Ready(ctx context.Context) error
	// PluginOfType names the plugin that declares a workflow type, or
	// nothing.
	PluginOfType(name string) string
}

// PluginStatus is a plugin as the API shows it.
type PluginStatus struct {
	Name        string `json:"name"`
	Version     string `json:"version"`
	Author      string `json:"author,omitempty"`
	Description string `json:"description,omitempty"`
	State       string `json:"state" doc:"stopped, starting, running, stopping, failed, unkillable or refused"`
	PID         int    `json:"pid,omitempty"`
	// Path is the file's name with the folder it is in, no more.
	Path        string    `json:"path" doc:"The file's name with the folder it is in"`
	Checksum    string    `json:"checksum,omitempty" doc:"SHA-256 of the binary, in hex"`
	Handlers    []string  `json:"handlers"`
	MemoryBytes int64     `json:"memory_bytes,omitempty" doc:"Resident memory of the running process"`
	Calls       int       `json:"calls" doc:"Calls so far"`
	Running     int       `json:"running" doc:"Calls now"`
	Failures    int       `json:"failures" doc:"Abnormal exits and failed starts"`
	Restarts    int       `json:"restarts"`
	StartedAt   time.Time `json:"started_at,omitzero"`
	LastError   string    `json:"last_error,omitempty"`
	LastWords   []string  `json:"last_words,omitempty" doc:"The last lines of its standard error"`
}
