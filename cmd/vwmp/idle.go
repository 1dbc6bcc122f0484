package main

import (
	"context"
	"runtime"
	"runtime/debug"
	"runtime/metrics"
	"time"
)

const (
	// idlePeriod is how often the allocations are looked at.
	idlePeriod = 2 * time.Second
	// idleAllocations is what a server that nobody uses allocates at most in a
	// period, in bytes: timers and the look itself.
	idleAllocations = 64 << 10
	// idleGarbage is what must have been allocated since memory was last given
	// back, in bytes, for giving it back again to be worth a collection.
	idleGarbage = 256 << 10
)

// giveBackWhenIdle returns memory to the system each time the server falls
// quiet, until ctx ends. Go collects only when the heap has doubled, and at the
// latest after two minutes: until then a server that has nothing to do would
// keep what its start or its last burst of work left behind.
func giveBackWhenIdle(ctx context.Context) {
	sample := []metrics.Sample{{Name: "/gc/heap/allocs:bytes"}}
	ticker := time.NewTicker(idlePeriod)
	defer ticker.Stop()
	var last, given uint64
	for {
		select {
		case <-ctx.Done():
			return
		case <-ticker.C:
		}
		metrics.Read(sample)
		now := sample[0].Value.Uint64()
		if now-last < idleAllocations && now-given > idleGarbage {
			// What pools hold, such as the buffers of large answers, goes with the
			// second collection that finds it unused.
			runtime.GC()
			debug.FreeOSMemory()
			// Where the system has another mind, the memory is only larger.
			_ = giveBackProgram()
			given = now
		}
		last = now
	}
}
