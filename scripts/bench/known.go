package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"time"
)

const (
	// manyPlugins is what an installation may have, ownPlugins of them come
	// with every build.
	manyPlugins = 12
	ownPlugins  = 10
	starts      = 9
)

// known measures start and rest of a server with many plugins, none of which
// runs.
func known(ctx context.Context, dir string) (figures []figure, err error) {
	s := &server{dir: filepath.Join(dir, "many"), plugins: filepath.Join(dir, "many", "plugins")}
	for i := range manyPlugins - ownPlugins {
		name := fmt.Sprintf("bench%d", i+1)
		build := exec.CommandContext(ctx, "go", "build", "-ldflags", "-s -w -X main.name="+name,
			"-o", filepath.Join(s.plugins, "vwmp-plugin-"+name), "./scripts/bench/plugin")
		build.Env = append(os.Environ(), "CGO_ENABLED=0")
		if output, err := build.CombinedOutput(); err != nil {
			return nil, fmt.Errorf("%w: %s", err, output)
		}
	}
	ready, err := s.startOften(ctx)
	if err != nil {
		return nil, err
	}
	figures = append(figures, figure{fmt.Sprintf("start to first 200, %d plugins known (median of %d)", manyPlugins, starts), ready.String(), "< 100 ms"})
	if err := s.start(ctx); err != nil {
		return figures, err
	}
	defer s.stop()
	if err := s.settle(ctx); err != nil {
		return figures, err
	}
	idle := rss(s.cmd.Process.Pid)
	if err := s.expect(ctx, manyPlugins); err != nil {
		return figures, err
	}
	return append(figures, figure{fmt.Sprintf("host RSS, idle, %d plugins known, none running", manyPlugins), mib(idle), "< 28 MB"}), nil
}

// startOften starts the server until it is ready, and stops it again, several
// times; the first one, which makes the data folder and asks the plugins what
// they are, does not count.
func (s *server) startOften(ctx context.Context) (time.Duration, error) {
	var times []time.Duration
	for i := range starts + 1 {
		if err := s.start(ctx); err != nil {
			return 0, err
		}
		s.stop()
		if i > 0 {
			times = append(times, s.ready)
		}
	}
	return median(times), nil
}

// expect refuses to measure where other plugins are known than meant, or one
// of them runs.
func (s *server) expect(ctx context.Context, count int) error {
	raw, err := s.call(ctx, http.MethodGet, "/api/vwmp/plugins/", "")
	if err != nil {
		return err
	}
	var answer struct {
		Plugins []struct {
			Name string `json:"name"`
			PID  int    `json:"pid"`
		} `json:"plugins"`
	}
	if err := json.Unmarshal(raw, &answer); err != nil {
		return err
	}
	if len(answer.Plugins) != count {
		err = fmt.Errorf("%d plugins are known, not %d", len(answer.Plugins), count)
	}
	for _, plugin := range answer.Plugins {
		if plugin.PID != 0 {
			err = errors.Join(err, fmt.Errorf("the plugin %s runs", plugin.Name))
		}
	}
	return err
}
