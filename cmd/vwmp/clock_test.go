package main

import (
	"bytes"
	"context"
	"log/slog"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"
)

func TestCase115AJumpOfTheClockIsNoted(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		set  time.Duration
		want string
	}{
		"an hour on": {time.Hour, "by=1h0m0s"}, "an hour back": {-time.Hour, "by=-1h0m0s"}, "kept right": {time.Second, ""},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				var log bytes.Buffer
				var moved atomic.Int64
				begin := time.Now()
				ctx, cancel := context.WithCancel(t.Context())
				wall := func() time.Time { return time.Now().Add(time.Duration(moved.Load())) }
				go watchClock(ctx, wall, func() time.Duration { return time.Since(begin) }, slog.New(slog.NewTextHandler(&log, nil)))
				time.Sleep(2 * clockLook)
				moved.Store(int64(c.set))
				time.Sleep(5 * clockLook)
				cancel()
				synctest.Wait()
				lines := strings.Count(log.String(), "\n")
				if (c.want == "" && lines > 0) || (c.want != "" && (lines != 1 || !strings.Contains(log.String(), c.want))) {
					t.Errorf("the log says %q, want one line with %q", log.String(), c.want)
				}
			})
		})
	}
}
