package main

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"time"
)

const (
	loadedWorkflow  = "load"
	waitingWorkflow = "waits"
)

// server is a vwmp process on a data folder of its own.
type server struct {
	cmd   *exec.Cmd
	url   string
	token string
	ended chan struct{}
	// idleExecution waits for somebody, so that nothing happens to it.
	idleExecution string
	log           *lockedBuffer
}

type lockedBuffer struct {
	mu   sync.Mutex
	text bytes.Buffer
}

func (b *lockedBuffer) Write(p []byte) (int, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.text.Len() > 1<<20 {
		return len(p), nil // It has said enough.
	}
	return b.text.Write(p)
}

var servesOn = regexp.MustCompile(`serves on (http://\S+)`)

// settings lift the bounds that a single caller could not be a crowd under,
// and keep all that was started, so that it can be counted.
const settings = `limits:
  sockets_per_caller: 10000
  connections: 15000
retention: {per_workflow: 0}
`

func startServer(ctx context.Context, p plan, dir string) (*server, error) {
	config := filepath.Join(dir, "vwmp.yaml")
	if err := os.WriteFile(config, []byte(settings), 0o600); err != nil {
		return nil, err
	}
	s := &server{ended: make(chan struct{}), log: &lockedBuffer{}}
	data := filepath.Join(dir, "data")
	s.cmd = exec.CommandContext(ctx, p.binary, "serve", "--addr", "127.0.0.1:0", "--data", data, "--workspace", dir, "--config", config)
	s.cmd.Stderr = s.log
	stdout, err := s.cmd.StdoutPipe()
	if err != nil {
		return nil, err
	}
	if err := s.cmd.Start(); err != nil {
		return nil, fmt.Errorf("%w; run make build first", err)
	}
	go func() {
		defer close(s.ended)
		lines := bufio.NewScanner(stdout)
		for lines.Scan() && s.url == "" {
			if found := servesOn.FindStringSubmatch(lines.Text()); found != nil {
				s.url = found[1]
				s.ended <- struct{}{}
			}
		}
		_, _ = io.Copy(io.Discard, stdout)
		_ = s.cmd.Wait()
	}()
	if _, serves := <-s.ended; !serves {
		return nil, fmt.Errorf("the server does not start: %s", s.log.text.String())
	}
	token, err := os.ReadFile(filepath.Join(data, "admin-token"))
	if err != nil {
		return nil, err
	}
	s.token = strings.TrimSpace(string(token))
	return s, s.prepare(ctx)
}

func (s *server) prepare(ctx context.Context) error {
	for id, document := range map[string]string{
		loadedWorkflow:  `{"name":"Load","steps":[{"id":"a","handler":"flow.wait","config":{"duration":0}}]}`,
		waitingWorkflow: `{"name":"Waits","steps":[{"id":"a","handler":"flow.approval","config":{"message":"Go on?"}}]}`,
	} {
		if err := s.call(ctx, http.MethodPost, "/workflows/import/?id="+id, document, nil); err != nil {
			return err
		}
	}
	var started struct {
		ExecutionID string `json:"execution_id"`
	}
	if err := s.call(ctx, http.MethodPost, "/workflows/"+waitingWorkflow+"/execute/", "", &started); err != nil {
		return err
	}
	s.idleExecution = started.ExecutionID
	http.DefaultClient.CloseIdleConnections()
	return nil
}

func (s *server) call(ctx context.Context, method, path, body string, answer any) error {
	request, err := http.NewRequestWithContext(ctx, method, s.url+"/api/vwmp"+path, strings.NewReader(body))
	if err != nil {
		return err
	}
	request.Header.Set("Authorization", "Bearer "+s.token)
	request.Header.Set("Content-Type", "application/json")
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		return err
	}
	defer func() { _ = response.Body.Close() }()
	raw, err := io.ReadAll(response.Body)
	switch {
	case err != nil:
		return err
	case response.StatusCode >= http.StatusMultipleChoices:
		return fmt.Errorf("%s %s: %s: %s", method, path, response.Status, raw)
	case answer == nil:
		return nil
	}
	return json.Unmarshal(raw, answer)
}

// resources are what the process has.
type resources struct {
	// memory is what is resident, and own the part of it that is not a
	// mapped file.
	memory, own int64
	files       int
	children    int
}

func (s *server) resources() (r resources, err error) {
	proc := filepath.Join("/proc", strconv.Itoa(s.cmd.Process.Pid))
	files, err := os.ReadDir(filepath.Join(proc, "fd"))
	if err != nil {
		return r, err
	}
	r.files = len(files)
	status, err := os.ReadFile(filepath.Join(proc, "status"))
	if err != nil {
		return r, err
	}
	for line := range strings.Lines(string(status)) {
		for key, value := range map[string]*int64{"VmRSS:": &r.memory, "RssAnon:": &r.own} {
			if rest, found := strings.CutPrefix(line, key); found {
				kib, err := strconv.ParseInt(strings.Fields(rest)[0], 10, 64)
				if err != nil {
					return r, err
				}
				*value = kib << 10
			}
		}
	}
	tasks, err := filepath.Glob(filepath.Join(proc, "task", "*", "children"))
	for _, task := range tasks {
		// A thread may have ended meanwhile.
		if children, err := os.ReadFile(task); err == nil {
			r.children += len(strings.Fields(string(children)))
		}
	}
	return r, err
}

// quiet is what the process has once it has had time to give back what it does
// not need.
func (s *server) quiet(ctx context.Context) (resources, error) {
	select {
	case <-time.After(6 * time.Second):
		return s.resources()
	case <-ctx.Done():
		return resources{}, ctx.Err()
	}
}

// watchMemory looks often, until what it returns is called, which says the
// most that it saw.
func (s *server) watchMemory(ctx context.Context) (most func() resources) {
	ctx, cancel := context.WithCancel(ctx)
	seen := make(chan resources)
	go func() {
		tick := time.NewTicker(200 * time.Millisecond)
		defer tick.Stop()
		var most resources
		for {
			if r, err := s.resources(); err == nil {
				most.memory, most.own = max(most.memory, r.memory), max(most.own, r.own)
			}
			select {
			case <-tick.C:
			case <-ctx.Done():
				seen <- most
				return
			}
		}
	}()
	return func() resources {
		cancel()
		return <-seen
	}
}

// settle waits until nothing runs, and counts what there is: everything that
// was acknowledged must be among it, and have ended.
func (s *server) settle(ctx context.Context, p plan, sent *traffic) ([]figure, error) {
	began := time.Now()
	for {
		var open struct {
			Executions []json.RawMessage `json:"executions"`
		}
		if err := s.call(ctx, http.MethodGet, "/executions/?workflow_id="+loadedWorkflow+"&status=pending,queued,running,waiting,paused&limit=1", "", &open); err != nil {
			return nil, err
		}
		if len(open.Executions) == 0 || time.Since(began) > p.mostEnd {
			break
		}
		select {
		case <-time.After(200 * time.Millisecond):
		case <-ctx.Done():
			return nil, ctx.Err()
		}
	}
	took := time.Since(began)
	lost, count, err := s.lost(ctx, sent.acknowledged)
	return []figure{
		{"until all have ended", took.Round(100 * time.Millisecond).String(), "< " + p.mostEnd.String(), took < p.mostEnd},
		{"executions that the API counts as success", strconv.Itoa(count), "", true},
		{"acknowledged and not among them", strconv.Itoa(lost), "0", lost == 0},
	}, err
}

func (s *server) lost(ctx context.Context, acknowledged map[string]bool) (lost, count int, err error) {
	missing := len(acknowledged)
	for path := "/executions/?workflow_id=" + loadedWorkflow + "&status=success&limit=1000"; path != ""; {
		var page struct {
			Executions []struct {
				ID string `json:"execution_id"`
			} `json:"executions"`
			Next string `json:"next"`
		}
		if err := s.call(ctx, http.MethodGet, path, "", &page); err != nil {
			return 0, 0, err
		}
		for _, e := range page.Executions {
			if acknowledged[e.ID] {
				missing--
			}
		}
		count += len(page.Executions)
		if path = ""; page.Next != "" {
			path = "/executions/?workflow_id=" + loadedWorkflow + "&status=success&limit=1000&cursor=" + page.Next
		}
	}
	return missing, count, nil
}

// left compares what the process has with what it had before the load.
func (s *server) left(ctx context.Context, before resources) ([]figure, error) {
	const patience = 30 * time.Second
	http.DefaultClient.CloseIdleConnections()
	began := time.Now()
	for {
		now, err := s.resources()
		if err != nil {
			return nil, err
		}
		// A log file or a month of the history may be open by now.
		files, children := now.files-before.files, now.children-before.children
		if (files <= 4 && children <= 0) || time.Since(began) > patience {
			return []figure{
				{"open files more than before", strconv.Itoa(files), "<= 4", files <= 4},
				{"processes more than before", strconv.Itoa(children), "0", children <= 0},
				{"host RSS at the end", mb(now.memory), "", true},
			}, nil
		}
		select {
		case <-time.After(200 * time.Millisecond):
		case <-ctx.Done():
			return nil, ctx.Err()
		}
	}
}

func (s *server) stop(ctx context.Context) (figure, error) {
	began := time.Now()
	if err := s.cmd.Process.Signal(syscall.SIGTERM); err != nil {
		return figure{}, err
	}
	select {
	case <-s.ended:
	case <-ctx.Done():
		return figure{}, ctx.Err()
	case <-time.After(time.Minute):
		return figure{}, errors.New("the server does not stop")
	}
	code, took := s.cmd.ProcessState.ExitCode(), time.Since(began)
	return figure{"stop", fmt.Sprintf("exit %d after %s", code, took.Round(10*time.Millisecond)), "0, < 30 s", code == 0 && took < 30*time.Second}, nil
}

func (s *server) kill() {
	_ = s.cmd.Process.Kill()
	<-s.ended
}
