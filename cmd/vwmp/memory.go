package main

import (
	"context"
	"os"
	"path/filepath"
	"runtime/debug"
	"runtime/metrics"
	"time"
)

const (
	// memoryPeriod is how often the memory is looked at, and busyPeriod how
	// often while mapped files come into it, by more than mappedStep since the
	// last look: where lists are read, hundreds of megabytes a second.
	memoryPeriod = 500 * time.Millisecond
	busyPeriod   = 50 * time.Millisecond
	mappedStep   = 1 << 20
	// softMemory is what Go's own memory may take, in bytes, before garbage is
	// collected more often than when the heap has doubled: thousands of open
	// sockets are to cost what they hold, and not twice that.
	softMemory = 144 << 20
	// mostMapped is how much of the databases may come into this process' memory,
	// in bytes, before they are let go of. The kernel has them in its cache all
	// the same.
	mostMapped = 12 << 20
	// mostProgram bounds what is taken for the program's own pages, which stay,
	// in bytes: under load others come back while they are let go of.
	mostProgram = 20 << 20
)

// boundMemory keeps the memory of a busy server close to what it needs, until
// ctx ends. A GOMEMLIMIT of the environment stands.
func boundMemory(ctx context.Context, data string) {
	if real, err := filepath.EvalSymlinks(data); err == nil {
		data = real
	}
	timer := time.NewTimer(memoryPeriod)
	defer timer.Stop()
	// rest is what of mapped files stays: the program is one of them.
	for limit, rest, before := int64(0), int64(0), int64(0); ; {
		period := memoryPeriod
		if now := memoryLimit(); os.Getenv("GOMEMLIMIT") == "" && now != limit {
			limit = now
			debug.SetMemoryLimit(limit)
		}
		mapped := mappedMemory()
		if mapped > before+mappedStep {
			period = busyPeriod
		}
		if mapped > rest+mostMapped {
			// Where the system has another mind, the memory is only larger.
			_ = giveBackData(data)
			mapped = mappedMemory()
			rest, period = min(mapped, mostProgram), busyPeriod
		}
		before = mapped
		timer.Reset(period)
		select {
		case <-ctx.Done():
			return
		case <-timer.C:
		}
	}
}

// memoryLimit is softMemory, or a quarter more than what is in use: with less
// room the server would collect garbage and do little else.
func memoryLimit() int64 {
	sample := []metrics.Sample{{Name: "/gc/heap/live:bytes"}, {Name: "/memory/classes/heap/stacks:bytes"}}
	metrics.Read(sample)
	used := int64(sample[0].Value.Uint64() + sample[1].Value.Uint64()) //nolint:gosec // No machine has as much.
	return max(softMemory, used+used/4) >> 20 << 20
}
