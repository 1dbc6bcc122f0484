package local_test

import (
	"testing"

	"go.uber.org/goleak"

	"github.com/vwmp/vwmp/engine"
	"github.com/vwmp/vwmp/engine/enginetest"
	"github.com/vwmp/vwmp/engine/local"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

func TestContract(t *testing.T) {
	t.Parallel()
	enginetest.Run(t, func(ports enginetest.Ports) engine.Engine {
		return local.New(local.Options{
			Journal: ports.Store, Blobs: ports.Store, Logs: ports.Store, Invoker: ports.Invoker, Catalogue: ports.Catalogue,
			Settings: enginetest.Settings{}, Publisher: ports.Recorder, Clock: enginetest.Clock{}, BootEpoch: ports.Epoch,
			Definitions: ports.Definitions,
		})
	})
}
