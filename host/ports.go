package host

import (
	"context"
	"encoding/json"

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
