package pluginhost

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/vwmp/vwmp/host/pluginhost/internal/system"
	"github.com/vwmp/vwmp/pluginsdk"
)

// watchHealth asks the process now and then whether it is well, until it is
// gone, and ends it when it does not answer.
func (p *process) watchHealth() {
	p.runner.host.watchers.Go(func() {
		l := &p.runner.host.limits
		ticker := time.NewTicker(l.healthEvery)
		defer ticker.Stop()
		look := time.NewTicker(l.memoryEvery)
		defer look.Stop()
		most := p.runner.host.limitsOf(p.runner.version.name()).Memory
		for misses := 0; misses < l.healthMisses; {
			select {
			case <-p.gone:
				return
			case <-look.C:
				if p.busy() && most > 0 && system.Memory(p.pid) > most {
					p.runner.end(fmt.Sprintf("it used more than %d MB of memory", most/1e6))
					return
				}
				continue
			case <-ticker.C:
			}
			if p.healthy(l.healthLimit) {
				misses = 0
			} else {
				misses++
			}
		}
		p.runner.end(fmt.Sprintf("it did not answer %d health probes, one every %s", l.healthMisses, l.healthEvery))
	})
}

func (p *process) healthy(limit time.Duration) bool {
	ctx, cancel := context.WithTimeout(context.Background(), limit)
	defer cancel()
	err := p.client.Health(ctx)
	// One that does not know the question answers too.
	return err == nil || errors.Is(err, pluginsdk.ErrUnsupported)
}
