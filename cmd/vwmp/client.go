package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"github.com/vwmp/vwmp/engine/plan"
	"github.com/vwmp/vwmp/pluginsdk"
)

// defaultServer is where a server listens unless it is told otherwise.
const defaultServer = "http://127.0.0.1:8000"

// serverFile is the name, below the data folder, of the note that a running
// server leaves of its address.
const serverFile = "server.json"

type serverNote struct {
	URL string `json:"url"`
	PID int    `json:"pid"`
	// Certificate is the file that the server shows itself with, empty where
	// it speaks plain HTTP.
	Certificate string `json:"certificate,omitempty"`
}

// target is how a command finds what it talks to.
type target struct {
	server string
	token  string
	data   string
}

func targetFlags(command *cobra.Command) *target {
	t := &target{}
	flags := command.PersistentFlags()
	flags.StringVar(&t.server, "server", "", "URL of a running server (VWMP_SERVER; default "+defaultServer+")")
	flags.StringVar(&t.token, "token", "", "API token (VWMP_TOKEN; by default the admin token of the data folder)")
	flags.StringVar(&t.data, "data", "", "data folder; opened here where no server has it open")
	flags.StringArray("workspace", nil, "with --data: folder that runs may touch, as [NAME=]DIR")
	flags.StringArray("plugins", nil, "with --data: folder with plugins")
	return t
}

// client speaks the REST contract.
type client struct {
	base  string
	token string
	http  *http.Client
	stop  func()
}

// connect finds a server: the named one, the one that has the data folder
// open, or, with --data, one within this process.
func (t *target) connect(cmd *cobra.Command) (*client, error) {
	server, token := t.server, t.token
	if server == "" && t.data == "" {
		server = os.Getenv("VWMP_SERVER")
	}
	if token == "" {
		token = os.Getenv("VWMP_TOKEN")
	}
	data := t.data
	if data == "" {
		data = defaultDataDir()
	}
	httpClient := newHTTPClient()
	if server == "" {
		if running := runningServer(cmd.Context(), data); running != nil {
			server, httpClient = running.URL, running.http
		}
	}
	if server == "" && t.data != "" {
		return openStack(cmd, t.data)
	}
	if server == "" {
		server = defaultServer
	}
	address, err := url.Parse(server)
	if err != nil || address.Host == "" {
		return nil, usageError("--server must be a URL such as %s, not %q", defaultServer, server)
	}
	if token == "" {
		if text, err := os.ReadFile(filepath.Join(data, "admin-token")); err == nil {
			token = strings.TrimSpace(string(text))
		}
	}
	return &client{base: strings.TrimSuffix(server, "/"), token: token, http: httpClient, stop: func() {}}, nil
}

// runningServer is the server that has the data folder open, or nil.
func runningServer(ctx context.Context, data string) *noted {
	note, err := readNote(data)
	if err != nil {
		return nil
	}
	ctx, cancel := context.WithTimeout(ctx, 2*time.Second)
	defer cancel()
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, note.URL+"/healthz", nil)
	if err != nil {
		return nil
	}
	response, err := note.http.Do(request)
	if err != nil {
		return nil
	}
	_ = response.Body.Close()
	return note
}

// close ends what connect opened.
func (c *client) close() { c.stop() }

// problem is an error answer of the server (RFC 9457).
type problem struct {
	Status    int                 `json:"status"`
	Title     string              `json:"title"`
	Detail    string              `json:"detail"`
	ErrorCode string              `json:"error_code"`
	Errors    []pluginsdk.Problem `json:"errors"`
}

func (p *problem) Error() string {
	var text strings.Builder
	text.WriteString(p.Detail)
	if p.Detail == "" {
		text.WriteString(p.Title)
	}
	for _, e := range p.Errors {
		fmt.Fprintf(&text, "\n  %s: %s", e.Pointer, e.Message)
	}
	return text.String()
}

// exit gives an answer its exit code.
func (p *problem) exit() *exitError {
	switch p.Status {
	case http.StatusNotFound:
		return &exitError{exitMissing, p}
	case http.StatusUnauthorized, http.StatusForbidden, http.StatusConflict, http.StatusPreconditionFailed, http.StatusMisdirectedRequest:
		return &exitError{exitRefused, p}
	}
	return &exitError{exitFailed, p}
}

// request is one call of the API.
type request struct {
	method string
	// path is below /api/vwmp, its parts escaped.
	path        string
	query       url.Values
	body        []byte
	contentType string
	accept      string
	header      http.Header
}

// do sends a request and returns the answer, whose body the caller closes.
func (c *client) do(ctx context.Context, r request) (*http.Response, error) {
	address := c.base + "/api/vwmp" + r.path
	if len(r.query) > 0 {
		address += "?" + r.query.Encode()
	}
	req, err := http.NewRequestWithContext(ctx, r.method, address, bytes.NewReader(r.body))
	if err != nil {
		return nil, fmt.Errorf("call the server: %w", err)
	}
	for key, values := range r.header {
		req.Header[key] = values
	}
	if c.token != "" {
		req.Header.Set("Authorization", "Bearer "+c.token)
	}
	if r.body != nil {
		req.Header.Set("Content-Type", r.contentType)
	}
	if r.accept != "" {
		req.Header.Set("Accept", r.accept)
	}
	response, err := c.http.Do(req)
	if err != nil {
		if ctx.Err() != nil {
			return nil, &exitError{exitInterrupted, nil}
		}
		return nil, fmt.Errorf("no server answers at %s: %w\nStart one with \"vwmp serve\", or name --data DIR to work without one", c.base, errors.Unwrap(err))
	}
	if response.StatusCode < 400 {
		return response, nil
	}
	defer response.Body.Close()
	p := &problem{Status: response.StatusCode, Title: response.Status}
	if raw, err := io.ReadAll(io.LimitReader(response.Body, 4<<20)); err == nil {
		if json.Unmarshal(raw, p) != nil {
			p.Detail = fmt.Sprintf("%s answered %s", c.base, response.Status)
		}
	}
	if p.Status == http.StatusUnauthorized {
		p.Detail += "\nGive a token with --token or VWMP_TOKEN, or name the server's --data folder"
	}
	return nil, p.exit()
}

// call sends a JSON body, where there is one, and decodes the answer.
func (c *client) call(ctx context.Context, method, path string, query url.Values, body, answer any) error {
	return c.callAs(ctx, "", method, path, query, body, answer)
}

// callAs is call for what starts executions: they show the trigger.
func (c *client) callAs(ctx context.Context, trigger, method, path string, query url.Values, body, answer any) error {
	r := request{method: method, path: path, query: query, accept: "application/json"}
	if trigger != "" {
		r.header = http.Header{"X-Vwmp-Trigger": {trigger}}
	}
	if body != nil {
		raw, err := json.Marshal(body)
		if err != nil {
			return fmt.Errorf("write the request: %w", err)
		}
		r.body, r.contentType = raw, "application/json"
	}
	response, err := c.do(ctx, r)
	if err != nil {
		return err
	}
	defer response.Body.Close()
	if answer == nil || response.StatusCode == http.StatusNoContent {
		return nil
	}
	if err := json.NewDecoder(response.Body).Decode(answer); err != nil {
		return fmt.Errorf("read the server's answer: %w", err)
	}
	return nil
}

// text fetches an answer as it stands.
func (c *client) text(ctx context.Context, path string, query url.Values, accept string) ([]byte, error) {
	response, err := c.do(ctx, request{method: http.MethodGet, path: path, query: query, accept: accept})
	if err != nil {
		return nil, err
	}
	defer response.Body.Close()
	return io.ReadAll(response.Body)
}

// follow reads an execution's event stream from after a number until the
// execution has ended, taking it up again where it breaks.
func (c *client) follow(ctx context.Context, id string, after uint64, show func(plan.Event)) error {
	failures := 0
	for {
		ended, last, err := c.followOnce(ctx, id, after, show)
		if ended || ctx.Err() != nil {
			return ctx.Err()
		}
		if last > after {
			after, failures = last, 0
		}
		var exit *exitError
		if failures++; failures > 5 || errors.As(err, &exit) {
			if err == nil {
				err = errors.New("the event stream ends again and again")
			}
			return fmt.Errorf("follow the execution: %w", err)
		}
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-time.After(time.Duration(failures) * 500 * time.Millisecond):
		}
	}
}

func (c *client) followOnce(ctx context.Context, id string, after uint64, show func(plan.Event)) (ended bool, last uint64, err error) {
	header := http.Header{}
	header.Set("Last-Event-Id", fmt.Sprint(after))
	response, err := c.do(ctx, request{
		method: http.MethodGet, path: "/executions/" + url.PathEscape(id) + "/events/", accept: "text/event-stream", header: header,
	})
	if err != nil {
		return false, after, err
	}
	defer response.Body.Close()
	last = after
	err = readEventStream(response.Body, func(data []byte) bool {
		var event plan.Event
		if json.Unmarshal(data, &event) != nil {
			return true
		}
		if event.Seq > 0 && event.Seq <= last {
			return true
		}
		last = max(last, event.Seq)
		show(event)
		ended = event.Type == plan.WorkflowCompleted
		return !ended
	})
	return ended, last, err
}

// embeddedFlags are the server's flags as far as a client command has them.
func embeddedFlags(cmd *cobra.Command, data string) *pflag.FlagSet {
	flags := pflag.NewFlagSet("embedded", pflag.ContinueOnError)
	configFlags(flags)
	set := func(name, value string) {
		// The flags are declared above and take any text.
		_ = flags.Set(name, value)
	}
	if data != "" {
		set("data", data)
	}
	for _, name := range []string{"workspace", "plugins"} {
		values, err := cmd.Flags().GetStringArray(name)
		if err != nil {
			continue
		}
		for _, value := range values {
			set(name, value)
		}
	}
	return flags
}

// newHTTPClient keeps no connection open that a stop would have to wait for.
func newHTTPClient() *http.Client {
	return &http.Client{Transport: &http.Transport{Proxy: http.ProxyFromEnvironment, DisableKeepAlives: true}}
}
