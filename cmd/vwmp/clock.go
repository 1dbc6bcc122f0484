package main

import (
	"context"
	"log/slog"
	"time"
)

const (
	// clockLook is how often the clock on the wall is compared with the time
	// that passed.
	clockLook = 30 * time.Second
	// clockSlack is what they may differ by: a clock that is kept right in
	// small steps is not worth a line.
	clockSlack = 5 * time.Second
)

// watchClock notes in the log when the clock on the wall was set, until ctx
// ends: times of before and after don't compare, and a person who reads them
// must know. passed is the time that passed since any moment.
func watchClock(ctx context.Context, wall func() time.Time, passed func() time.Duration, logger *slog.Logger) {
	ticker := time.NewTicker(clockLook)
	defer ticker.Stop()
	for shown, at := wall().Round(0), passed(); ; {
		select {
		case <-ticker.C:
		case <-ctx.Done():
			return
		}
		shows, now := wall().Round(0), passed()
		if by := shows.Sub(shown) - (now - at); by.Abs() >= clockSlack {
			logger.Warn("the clock jumped: it was set, or the machine slept", "by", by.Round(time.Second), "from", shown.UTC(), "to", shows.UTC())
		}
		shown, at = shows, now
	}
}
