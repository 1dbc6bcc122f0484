// Package conformance judges a built plugin from outside, whatever language it
// is written in: it starts the program as a host does, speaks the protocol to
// it, and looks for each mistake that an author can make without noticing.
//
// It knows nothing of the host and of Go's package testing. Package plugintest
// runs it in a Go test; "vwmp plugin test" prints its report.
//
// Handlers are called with the cases that their author gives, or else with the
// example of their description, each in a workspace of its own. Those that
// declare that they use the network are called only where Options.Network
// says so.
package conformance

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"sync/atomic"
	"time"

	"google.golang.org/protobuf/types/known/timestamppb"

	pb "github.com/vwmp/vwmp/pluginsdk/proto"
)

// Schema says what is wrong with a JSON value.
type Schema func(value json.RawMessage) error

// Compile makes a Schema of a JSON Schema's text. The host gives the one by
// which it judges configs; package plugintest has one for authors.
type Compile func(text json.RawMessage) (Schema, error)

// Options say what is judged, and how.
type Options struct {
	// Command starts the plugin: its program, absolute, and arguments.
	Command []string
	Cases   []Case
	Compile Compile
	// Checks, where there are any, are the only ones that are made, by their
	// ids or the beginnings of ids, such as "cancel".
	Checks []string
	// Network calls the handlers that declare that they use it, too.
	Network bool
	// Template says what is wrong with a template's document; it may be nil.
	Template func(document string) []string
	// CallLimit bounds one call; zero stands for 30 s.
	CallLimit time.Duration
}

// Case is one use of a handler, with what must come of it.
type Case struct {
	Name           string                     `json:"name,omitempty"`
	Handler        string                     `json:"handler"`
	Config         json.RawMessage            `json:"config,omitempty"`
	Parameters     json.RawMessage            `json:"parameters,omitempty"`
	WorkflowConfig json.RawMessage            `json:"workflow_config,omitempty"`
	Outputs        map[string]json.RawMessage `json:"outputs,omitempty"`
	// Files are put into the workspace, by their paths.
	Files map[string]string `json:"files,omitempty"`
	// Expect is success, skipped or failure; empty takes any of them.
	Expect string `json:"expect,omitempty"`
	// Output, where there is one, is what the output must be.
	Output json.RawMessage `json:"output,omitempty"`
	// Code is that of the failure that must come.
	Code string `json:"code,omitempty"`
}

// secretValue stands for a secret in the kit's calls; no plugin may tell it.
const secretValue = "vwmp-conformance-s3cr3t" //nolint:gosec // It opens nothing.

// kit is one run of the kit.
type kit struct {
	ctx     context.Context
	options Options
	report  *Report
	// dir holds the workspaces, sockets the plugin's sockets.
	dir, sockets string
	launches     int
	calls        int
	boxes        int
	ids          atomic.Uint64

	p           *process
	description *pb.DescribeResponse
	subjects    []*subject
}

// Run judges a plugin. The error is for what kept the kit from looking; what
// is wrong with the plugin stands in the report. The end of ctx ends it.
func Run(ctx context.Context, options Options) (report *Report, err error) {
	if !supported {
		return nil, errors.New("the conformance kit needs a system with Unix sockets")
	}
	if len(options.Command) == 0 || options.Compile == nil {
		return nil, errors.New("the conformance kit needs a plugin's command, and what compiles a schema")
	}
	if options.CallLimit == 0 {
		options.CallLimit = 30 * time.Second
	}
	began := time.Now()
	k := &kit{ctx: ctx, options: options, report: &Report{Checks: []Check{}}}
	for _, target := range []*string{&k.dir, &k.sockets} {
		if *target, err = os.MkdirTemp("", "vwmp-c-"); err != nil {
			return nil, fmt.Errorf("make a folder for the kit: %w", err)
		}
		// Programs may say where they are by the path without links.
		if *target, err = filepath.EvalSymlinks(*target); err != nil {
			return nil, err
		}
		defer func() { err = errors.Join(err, os.RemoveAll(*target)) }()
	}
	defer func() {
		if k.p != nil {
			k.p.kill()
		}
	}()
	k.startChecks()
	if k.p != nil && k.describeChecks() {
		for _, s := range k.subjects {
			k.handlerChecks(s)
		}
		k.protocolChecks()
		k.leftChecks()
		k.endChecks()
	}
	k.report.Seconds = time.Since(began).Seconds()
	if err := ctx.Err(); err != nil {
		return k.report, fmt.Errorf("the kit was ended: %w", context.Cause(ctx))
	}
	return k.report, nil
}

// check runs one check. A process that ends in the middle of one fails it,
// and the next check begins with a new process.
func (k *kit) check(id, subject, title string, look func(*trial)) {
	if k.ctx.Err() != nil || !k.wants(id) {
		return
	}
	began, t := time.Now(), &trial{}
	if k.p == nil {
		if p, err := k.start(); err != nil {
			t.fail("it does not start again: %v", err)
		} else {
			k.p = p
		}
	}
	if k.p != nil {
		look(t)
		if k.p != nil && k.p.isGone() {
			t.fail("its process ended (%s); %s", k.p.cmd.ProcessState, k.p.output.words())
			k.stopped()
		}
	}
	k.report.Add(Check{ID: id, Subject: subject, Title: title, Status: t.status(), Notes: t.notes, Seconds: time.Since(began).Seconds()})
}

// wants reports whether a check is to be made. What others stand on always is.
func (k *kit) wants(id string) bool {
	return len(k.options.Checks) == 0 || id == "start.handshake" || id == "describe.answers" || id == "execute.runs" ||
		slices.ContainsFunc(k.options.Checks, func(beginning string) bool { return strings.HasPrefix(id, beginning) })
}

// stopped clears away the process, so that the next check starts one.
func (k *kit) stopped() {
	if k.p != nil {
		k.p.kill()
		k.p = nil
	}
}

// box is the workspace of one call, with a file beside it that no handler may
// touch or tell.
type box struct{ root, workspace string }

// outside is the file beside a workspace.
const outside = "outside.txt"

func (k *kit) box(t *trial, files map[string]string) *box {
	k.boxes++
	b := &box{root: filepath.Join(k.dir, "boxes", strconv.Itoa(k.boxes))}
	b.workspace = filepath.Join(b.root, "workspace")
	err := errors.Join(os.MkdirAll(b.workspace, 0o700), os.WriteFile(filepath.Join(b.root, outside), []byte(secretValue+"\n"), 0o600))
	for name, content := range files {
		path := filepath.Join(b.workspace, filepath.FromSlash(name))
		if !filepath.IsLocal(filepath.FromSlash(name)) {
			err = errors.Join(err, fmt.Errorf("the case's file %q lies outside of its workspace", name))
			continue
		}
		err = errors.Join(err, os.MkdirAll(filepath.Dir(path), 0o700), os.WriteFile(path, []byte(content), 0o600))
	}
	if err != nil {
		t.fail("the kit can't make a workspace: %v", err)
	}
	return b
}

// request makes the request of a case.
func (k *kit) request(c *Case, config json.RawMessage, b *box) *pb.Request {
	k.calls++
	text := strconv.Itoa(k.calls)
	request := &pb.Request{
		ExecutionId: "conformance-" + text, StartedAt: timestamppb.Now(), WorkflowId: "conformance", WorkflowName: "Conformance",
		WorkflowVersion: "1.0.0", StepId: "step", StepName: "Step", Handler: c.Handler, Attempt: 1,
		IdempotencyKey: "conformance-" + text + "/step", BootEpoch: 1, Config: config, Parameters: orEmpty(c.Parameters),
		WorkflowConfig: orEmpty(c.WorkflowConfig), WorkspaceName: "default", WorkspaceDir: b.workspace,
		Deadline: timestamppb.New(time.Now().Add(k.options.CallLimit)),
	}
	for step, output := range c.Outputs {
		request.Outputs = append(request.Outputs, &pb.StepOutput{StepId: step, Output: output})
	}
	return request
}

func orEmpty(raw json.RawMessage) json.RawMessage {
	if len(raw) == 0 {
		return json.RawMessage(`{}`)
	}
	return raw
}
