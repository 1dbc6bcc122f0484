// Command bench measures a release build of vwmp as its users meet it, and
// prints the figures as a table beside their targets. It judges nothing: a
// machine may be busy.
//
// Run it with "make bench", from the root of the repository.
package main

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"sync"
	"text/tabwriter"
	"time"

	"github.com/valyala/fasthttp"
)

type figure struct{ name, measured, target string }

func main() {
	figures, err := measure(context.Background())
	out := tabwriter.NewWriter(os.Stdout, 0, 0, 3, ' ', 0)
	fmt.Fprintln(out, "FIGURE\tMEASURED\tTARGET")
	for _, f := range figures {
		fmt.Fprintf(out, "%s\t%s\t%s\n", f.name, f.measured, f.target)
	}
	if flushErr := out.Flush(); flushErr != nil {
		err = errors.Join(err, flushErr)
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, "bench:", err)
		os.Exit(1)
	}
}

func measure(ctx context.Context) (figures []figure, err error) {
	dir, err := os.MkdirTemp("", "vwmp-bench-")
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, os.RemoveAll(dir)) }()
	info, err := os.Stat("bin/vwmp")
	if err != nil {
		return nil, fmt.Errorf("%w; run make build first", err)
	}
	figures = append(figures, figure{"host binary, stripped", mib(info.Size()), "< 34 MB with the pages and everything"})

	s := &server{dir: dir, plugins: filepath.Join(dir, "more")}
	ready, err := s.startOften(ctx)
	if err != nil {
		return figures, err
	}
	figures = append(figures, figure{fmt.Sprintf("start to first 200, %d plugins known (median of %d)", ownPlugins, starts), ready.String(), "< 100 ms"})

	if err := s.start(ctx); err != nil {
		return figures, err
	}
	defer s.stop()
	if err := s.settle(ctx); err != nil {
		return figures, err
	}
	figures = append(figures, figure{fmt.Sprintf("host RSS, idle, %d plugins known, none running", ownPlugins), mib(rss(s.cmd.Process.Pid)), "< 26 MB after the first slice, 28 in the end"})
	many, err := known(ctx, dir)
	figures = append(figures, many...)
	if err != nil {
		return figures, err
	}
	for _, part := range []func(context.Context) (figure, error){s.reads, s.chain, s.memoryInUse, s.loneStep, s.throughput, s.fanOut} {
		f, err := part(ctx)
		if err != nil {
			return figures, err
		}
		figures = append(figures, f)
	}
	more, err := s.large(ctx)
	return append(figures, more...), err
}

// server is a vwmp process on a data folder of its own.
type server struct {
	dir string
	// plugins is a folder of further plugins, once it is there.
	plugins string
	cmd     *exec.Cmd
	url     string
	token   string
	ready   time.Duration
}

var servesOn = regexp.MustCompile(`serves on (http://\S+)`)

func (s *server) start(ctx context.Context) error {
	repository := filepath.Join(s.dir, "demo", "repo")
	if _, err := os.Stat(repository); err != nil {
		if output, err := exec.CommandContext(ctx, "bin/vwmp", "demo", filepath.Join(s.dir, "demo")).CombinedOutput(); err != nil {
			return fmt.Errorf("%w: %s", err, output)
		}
	}
	s.cmd = exec.CommandContext(ctx, "bin/vwmp", "serve", "--addr", "127.0.0.1:0", "--data", filepath.Join(s.dir, "data"), "--workspace", repository)
	if _, err := os.Stat(s.plugins); err == nil {
		s.cmd.Args = append(s.cmd.Args, "--plugins", s.plugins)
	}
	stdout, err := s.cmd.StdoutPipe()
	if err != nil {
		return err
	}
	begin := time.Now()
	if err := s.cmd.Start(); err != nil {
		return err
	}
	lines := bufio.NewScanner(stdout)
	for s.url = ""; s.url == "" && lines.Scan(); {
		if found := servesOn.FindStringSubmatch(lines.Text()); found != nil {
			s.url = found[1]
		}
	}
	if s.url == "" {
		return errors.New("the server did not start")
	}
	go func() { _, _ = io.Copy(io.Discard, stdout) }()
	for {
		response, err := http.Get(s.url + "/readyz") //nolint:noctx // It ends with the process.
		if err == nil {
			_ = response.Body.Close()
			if response.StatusCode == http.StatusOK {
				break
			}
		}
		if time.Since(begin) > 20*time.Second {
			return errors.New("the server does not get ready")
		}
	}
	s.ready = time.Since(begin).Round(100 * time.Microsecond)
	http.DefaultClient.CloseIdleConnections()
	token, err := os.ReadFile(filepath.Join(s.dir, "data", "admin-token"))
	s.token = strings.TrimSpace(string(token))
	return err
}

func (s *server) stop() {
	_ = s.cmd.Process.Signal(os.Interrupt)
	_ = s.cmd.Wait()
}

func (s *server) call(ctx context.Context, method, path, body string) ([]byte, error) {
	request, err := http.NewRequestWithContext(ctx, method, s.url+path, strings.NewReader(body))
	if err != nil {
		return nil, err
	}
	request.Header.Set("Authorization", "Bearer "+s.token)
	request.Header.Set("Content-Type", "application/json")
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		return nil, err
	}
	defer func() { _ = response.Body.Close() }()
	raw, err := io.ReadAll(response.Body)
	if err == nil && response.StatusCode >= 300 {
		err = fmt.Errorf("%s %s: %s: %s", method, path, response.Status, raw)
	}
	return raw, err
}

// settle lets the start's garbage go: it waits until the resident memory has
// not moved for two seconds.
func (s *server) settle(ctx context.Context) error {
	last, still := int64(0), 0
	for range 60 {
		select {
		case <-time.After(500 * time.Millisecond):
		case <-ctx.Done():
			return ctx.Err()
		}
		if now := rss(s.cmd.Process.Pid); now == last {
			if still++; still == 8 {
				return nil
			}
		} else {
			last, still = now, 0
		}
	}
	return nil
}

const (
	connections = 32
	requests    = 60_000
)

// reads asks for one workflow over many connections at once.
func (s *server) reads(ctx context.Context) (figure, error) {
	f := figure{name: fmt.Sprintf("GET of one workflow, %d connections", connections), target: "≥ 15,000 requests/s, p99 < 10 ms"}
	if _, err := s.call(ctx, http.MethodPost, "/api/vwmp/workflows/import/?id=bench", chainOf(10, "flow.log", `{"message":"x"}`)); err != nil {
		return f, err
	}
	address := strings.TrimPrefix(s.url, "http://")
	client := &fasthttp.HostClient{Addr: address, MaxConns: connections, Dial: func(addr string) (net.Conn, error) {
		return (&net.Dialer{}).DialContext(ctx, "tcp", addr)
	}}
	times := make([][]time.Duration, connections)
	failures := make([]error, connections)
	begin := time.Now()
	var workers sync.WaitGroup
	for w := range connections {
		workers.Go(func() {
			request, response := fasthttp.AcquireRequest(), fasthttp.AcquireResponse()
			request.SetRequestURI(s.url + "/api/vwmp/workflows/bench/")
			request.Header.Set("Authorization", "Bearer "+s.token)
			for range requests / connections {
				at := time.Now()
				if err := client.Do(request, response); err != nil || response.StatusCode() != http.StatusOK {
					failures[w] = fmt.Errorf("GET a workflow: %d, %w", response.StatusCode(), err)
					return
				}
				times[w] = append(times[w], time.Since(at))
			}
		})
	}
	workers.Wait()
	took := time.Since(begin)
	all := slices.Concat(times...)
	slices.Sort(all)
	if err := errors.Join(failures...); err != nil {
		return f, err
	}
	f.measured = fmt.Sprintf("%.0f requests/s, p99 %s", float64(len(all))/took.Seconds(), all[len(all)*99/100].Round(10*time.Microsecond))
	return f, nil
}

func chainOf(n int, handler, config string) string {
	steps := make([]string, n)
	for i := range n {
		dependencies := "[]"
		if i > 0 {
			dependencies = fmt.Sprintf(`["s%d"]`, i-1)
		}
		steps[i] = fmt.Sprintf(`{"id":"s%d","handler":%q,"config":%s,"dependencies":%s}`, i, handler, config, dependencies)
	}
	return `{"name":"Bench","steps":[` + strings.Join(steps, ",") + `]}`
}

// chain runs ten steps in a row through a real plugin that does nothing, each
// step durable. Two thirds of that are the disk's, and disks change with the
// hour: what ten commits of nothing but one record take is measured before and after,
// and printed beside it.
func (s *server) chain(ctx context.Context) (figure, error) {
	f := figure{name: "ten-step no-op chain through a plugin, durable (median of 60)", target: "< 15 ms"}
	build := exec.CommandContext(ctx, "go", "build", "-o", filepath.Join(s.plugins, "vwmp-plugin-echo"), "./examples/plugins/echo")
	build.Env = append(os.Environ(), "CGO_ENABLED=0")
	if output, err := build.CombinedOutput(); err != nil {
		return f, fmt.Errorf("%w: %s", err, output)
	}
	s.stop()
	if err := s.start(ctx); err != nil {
		return f, err
	}
	if _, err := s.call(ctx, http.MethodPost, "/api/vwmp/workflows/import/?id=chain", chainOf(10, "echo.say", `{"text":"x"}`)); err != nil {
		return f, err
	}
	disk, err := openDisk(s.dir)
	if err != nil {
		return f, err
	}
	defer func() { _ = disk.Close() }()
	bare, err := disk.commits(10, nil)
	if err != nil {
		return f, err
	}
	var times []time.Duration
	for i := range 65 {
		raw, err := s.call(ctx, http.MethodPost, "/api/vwmp/workflows/chain/execute/?async=false", "")
		if err != nil {
			return f, err
		}
		var result struct {
			Status    string  `json:"status"`
			TotalTime float64 `json:"total_time"`
		}
		if err := json.Unmarshal(raw, &result); err != nil || result.Status != "success" {
			return f, fmt.Errorf("the chain ended as %q: %w", result.Status, err)
		}
		if i >= 5 { // The first ones start the plugin.
			times = append(times, time.Duration(result.TotalTime*float64(time.Second)))
		}
	}
	if bare, err = disk.commits(10, bare); err != nil {
		return f, err
	}
	f.measured = fmt.Sprintf("%s; ten bare commits %s", median(times).Round(10*time.Microsecond), median(bare).Round(10*time.Microsecond))
	return f, nil
}

// memoryInUse releases the demo and sums what host and plugins share and own.
func (s *server) memoryInUse(ctx context.Context) (figure, error) {
	f := figure{name: "host and the release's three plugins in use (PSS)", target: "< 90 MB"}
	if output, err := exec.CommandContext(ctx, "bin/vwmp", "workflow", "import", "--server", s.url, "--token", s.token,
		"--template", "release/Standard Release", "--id", "release").CombinedOutput(); err != nil {
		return f, fmt.Errorf("%w: %s", err, output)
	}
	if _, err := s.call(ctx, http.MethodPost, "/api/vwmp/workflows/release/execute/?async=false",
		`{"summary":"A release to measure","kb_docs_ok":true}`); err != nil {
		return f, err
	}
	raw, err := s.call(ctx, http.MethodGet, "/api/vwmp/plugins/", "")
	if err != nil {
		return f, err
	}
	var answer struct {
		Plugins []struct {
			Name string `json:"name"`
			PID  int    `json:"pid"`
		} `json:"plugins"`
	}
	if err := json.Unmarshal(raw, &answer); err != nil {
		return f, err
	}
	sum := pss(s.cmd.Process.Pid)
	for _, p := range answer.Plugins {
		if p.PID != 0 && p.Name != "echo" {
			sum += pss(p.PID)
		}
	}
	f.measured = mib(sum)
	return f, nil
}

func median(times []time.Duration) time.Duration {
	slices.Sort(times)
	return times[len(times)/2]
}

func mib(bytes int64) string { return fmt.Sprintf("%.1f MB", float64(bytes)/1e6) }

func rss(pid int) int64 { return memoryLine(pid, "status", "VmRSS:") }
func pss(pid int) int64 { return memoryLine(pid, "smaps_rollup", "Pss:") }

// memoryLine reads one figure of /proc, in bytes; 0 where there is none.
func memoryLine(pid int, file, key string) int64 {
	raw, err := os.ReadFile(filepath.Join("/proc", strconv.Itoa(pid), file))
	if err != nil {
		return 0
	}
	for line := range bytes.Lines(raw) {
		if rest, found := bytes.CutPrefix(line, []byte(key)); found {
			fields := bytes.Fields(rest)
			kib, err := strconv.ParseInt(string(fields[0]), 10, 64)
			if err != nil {
				return 0
			}
			return kib << 10
		}
	}
	return 0
}
