package local_test

import (
	"testing"

	"github.com/vwmp/vwmp/engine"
	"github.com/vwmp/vwmp/engine/enginetest"
	"github.com/vwmp/vwmp/engine/local"
)

func newRuntime(ports enginetest.Ports) engine.Engine {
	return local.New(local.Options{
		Journal: ports.Store, Blobs: ports.Store, Logs: ports.Store, Invoker: ports.Invoker, Catalogue: ports.Catalogue,
		Settings: enginetest.Settings{}, Publisher: ports.Recorder, Clock: enginetest.Clock{}, BootEpoch: ports.Epoch, Definitions: ports.Definitions,
	})
}

// Every reference workflow ends as it says, and does so whichever of its
// commits the host dies at, and in whichever way.
func TestCrashAtEveryCommit(t *testing.T) {
	t.Parallel()
	enginetest.RunReferences(t, newRuntime, long)
}
