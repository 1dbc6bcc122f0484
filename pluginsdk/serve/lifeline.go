package serve

import (
	"fmt"
	"os"
	"strconv"
	"time"

	"github.com/vwmp/vwmp/pluginsdk/internal/wire"
)

// lifelineGrace is how long cancelled calls get to end the commands that they
// run in process groups of their own, once the host is gone. It is short: the
// next host may run their steps again.
const lifelineGrace = time.Second

// watchLifeline ends the process when its host is gone, however it went. The
// goroutine that it starts lives as long as the process.
func watchLifeline(server *Server) error {
	text := os.Getenv(wire.LifelineEnv)
	if text == "" {
		return nil
	}
	number, err := strconv.ParseUint(text, 10, 31)
	if err != nil {
		return fmt.Errorf("%s must be the number of a file descriptor, not %q", wire.LifelineEnv, text)
	}
	lifeline := os.NewFile(uintptr(number), "lifeline")
	if _, err := lifeline.Stat(); err != nil {
		return fmt.Errorf("%s names the file descriptor %d: %w", wire.LifelineEnv, number, err)
	}
	closeOnExec(uintptr(number))
	go func() {
		// Nothing is ever written: a read returns when the host is gone.
		_, _ = lifeline.Read(make([]byte, 1))
		server.cancelAll()
		server.waitIdle(lifelineGrace)
		killOwnGroup()
		os.Exit(1)
	}()
	return nil
}
