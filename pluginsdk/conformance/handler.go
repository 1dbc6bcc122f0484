package conformance

import (
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"sync"
	"time"

	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/types/known/timestamppb"

	"github.com/vwmp/vwmp/pluginsdk/client"
	"github.com/vwmp/vwmp/pluginsdk/internal/wire"
	pb "github.com/vwmp/vwmp/pluginsdk/proto"
)

// parallel is how many calls are made at once.
const parallel = 16

// handlerChecks look at one handler.
func (k *kit) handlerChecks(s *subject) {
	path := s.info.GetPath()
	if len(s.cases) == 0 {
		k.check("execute.runs", path, "it runs its cases", func(t *trial) { t.skip("%s", s.why) })
		return
	}
	for i := range s.cases {
		k.caseChecks(s, &s.cases[i])
	}
	first := &s.cases[0]
	k.check("capabilities.true", path, "what it does not declare it answers with UNIMPLEMENTED", func(t *trial) { k.undeclared(t, s, first) })
	k.check("validate.answers", path, "it finds nothing wrong with its own example, and survives any config", func(t *trial) { k.validates(t, s) })
	k.check("config.refused", path, "what its schema refuses it refuses, as invalid input", func(t *trial) { k.refuses(t, s, first) })
	k.check("config.hostile", path, "no text in its config breaks it, or leads out of the workspace", func(t *trial) { k.hostile(t, s, first) })
	k.check("config.large", path, "a request of 6 MiB reaches it", func(t *trial) { k.large(t, s, first) })
	k.check("secrets.kept", path, "the values of secret properties are not told in logs or messages", func(t *trial) { k.secrets(t, s, first) })
	k.check("execute.parallel", path, "calls at the same time do not disturb each other", func(t *trial) { k.parallel(t, s, first) })
}

// caseChecks look at one use of a handler.
func (k *kit) caseChecks(s *subject, c *Case) {
	path, caps := s.info.GetPath(), s.info.GetCapabilities()
	named := ""
	if c.Name != "" {
		named = " (" + c.Name + ")"
	}
	var end *pb.ExecuteEvent
	var took time.Duration
	k.check("execute.runs", path, "one attempt is told as the protocol has it"+named, func(t *trial) {
		b := k.box(t, c.Files)
		before, call := take(b.root), k.execute(k.request(c, c.Config, b), nil)
		end, took = call.judge(t, s, b), call.took
		k.expected(t, c, end)
		if s.info.GetEffectClass() == pb.EffectClass_EFFECT_CLASS_PURE {
			if change := before.difference(take(b.root)); change != "" {
				t.fail("it calls itself pure, and changes the workspace: %s", change)
			}
		}
		k.noChildren(t)
	})
	if end == nil {
		return
	}
	if caps.GetPlan() {
		k.check("plan.changes_nothing", path, "Plan says what would be done, and does nothing"+named, func(t *trial) { k.plans(t, c) })
	}
	if caps.GetUndo() && end.GetResult() != nil {
		k.check("undo.undoes", path, "Undo takes an attempt back, and does no harm twice"+named, func(t *trial) { k.undoes(t, s, c) })
	}
	if caps.GetReconcile() {
		k.check("reconcile.answers", path, "Reconcile says what became of an attempt, and changes nothing"+named, func(t *trial) { k.reconciles(t, s, c, end) })
	} else if s.info.GetEffectClass() == pb.EffectClass_EFFECT_CLASS_RECONCILABLE {
		k.check("reconcile.answers", path, "Reconcile says what became of an attempt", func(t *trial) {
			t.fail("it calls itself reconcilable, and does not declare the capability reconcile")
		})
	}
	if class := s.info.GetEffectClass(); end.GetResult() != nil && (class == pb.EffectClass_EFFECT_CLASS_IDEMPOTENT || class == pb.EffectClass_EFFECT_CLASS_KEYED) {
		k.check("execute.again", path, "a second attempt of the same key leads to the same state"+named, func(t *trial) { k.again(t, s, c) })
	}
	k.check("cancel.ends", path, "a cancelled call ends within a second, and says so"+named, func(t *trial) {
		k.cancels(t, s, c, end, took, wire.ReasonCancelled, pb.FailureClass_FAILURE_CLASS_CANCELLED)
		if k.p == nil {
			return // It ignores them.
		}
		k.cancels(t, s, c, end, took, wire.ReasonTimeout, pb.FailureClass_FAILURE_CLASS_TIMEOUT)
	})
	k.check("cancel.closed", path, "a call whose stream is closed ends within a second"+named, func(t *trial) { k.closes(t, c, took) })
	k.check("cancel.deadline", path, "a call ends at its deadline"+named, func(t *trial) { k.deadline(t, s, c, took) })
}

// expected holds the end of a case against what its author wants.
func (k *kit) expected(t *trial, c *Case, end *pb.ExecuteEvent) {
	if end == nil {
		return
	}
	reason := end.GetFailure().GetMessage() + end.GetSkipped().GetReason()
	if kind := kindOf(end); c.Expect != "" && kind != c.Expect {
		t.fail("it ends as %s, and not as %s: %s", kind, c.Expect, reason)
		return
	}
	if c.Code != "" && end.GetFailure().GetCode() != c.Code {
		t.fail("it fails with the code %q, and not %q: %s", end.GetFailure().GetCode(), c.Code, reason)
	}
	if got := end.GetResult().GetOutput(); len(c.Output) > 0 && canonical(got) != canonical(c.Output) {
		t.fail("the output is %s, and not %s", canonical(got), canonical(c.Output))
	}
	if end.GetFailure().GetCode() == "HANDLER_PANIC" {
		t.fail("%s", reason)
	}
	if c.Expect == "" && end.GetFailure() != nil {
		t.warn("the example fails in an empty workspace (%s: %s): what follows success was not looked at; give it a case", end.GetFailure().GetCode(), reason)
	}
}

// noChildren finds programs that a call left running.
func (k *kit) noChildren(t *trial) {
	leader := k.p.cmd.Process.Pid
	deadline := time.Now().Add(time.Second)
	left := inSession(leader)
	for len(left) > 0 && time.Now().Before(deadline) {
		k.p.awaitGone(20 * time.Millisecond)
		left = inSession(leader)
	}
	if len(left) > 0 {
		t.fail("a call left processes running: %v", left)
	}
}

func (k *kit) plans(t *trial, c *Case) {
	b := k.box(t, c.Files)
	before := take(b.root)
	ctx, stop := context.WithTimeout(k.ctx, client.PlanTimeout)
	defer stop()
	answer, err := k.p.plugin.Plan(ctx, &pb.PlanRequest{Request: k.request(c, c.Config, b)})
	if change := before.difference(take(b.root)); change != "" {
		t.fail("Plan changes the workspace: %s", change)
	}
	if code := status.Code(err); code == codes.Unimplemented || code == codes.Unavailable || code == codes.DeadlineExceeded || code == codes.Unknown {
		t.fail("Plan ended with status %s: %s", code, status.Convert(err).Message())
	}
	for _, effect := range answer.GetEffects() {
		if !slices.Contains([]string{"create", "update", "delete", "run", "send"}, effect.GetAction()) {
			t.fail("a planned effect has the action %q, and must have create, update, delete, run or send", effect.GetAction())
		}
		if effect.GetTarget() == "" {
			t.fail("a planned effect has no target")
		}
	}
}

func (k *kit) undoes(t *trial, s *subject, c *Case) {
	b := k.box(t, c.Files)
	before, request := take(b.root), k.request(c, c.Config, b)
	done := k.execute(request, nil).judge(t, s, b)
	token := done.GetResult().GetUndoToken()
	if len(token) == 0 {
		if change := before.difference(take(b.root)); change != "" {
			t.warn("it gives no undo token, and has changed the workspace: %s", change)
		}
		return
	}
	for _, what := range []string{"Undo", "a second Undo"} {
		end := k.undo(request, token).judge(t, s, b)
		if end != nil && end.GetResult() == nil {
			t.fail("%s ends as %s", what, summary(end))
		}
		now := take(b.root)
		if change := before.files().difference(now.files()); change != "" {
			t.fail("after %s the workspace is not as it was: %s", what, change)
			return
		}
		if change := before.difference(now); change != "" {
			t.warn("after %s the workspace has folders that were not there: %s", what, change)
			return
		}
	}
}

func (k *kit) reconcile(request *pb.Request) (*pb.ReconcileResponse, error) {
	ctx, stop := context.WithTimeout(k.ctx, client.ReconcileTimeout)
	defer stop()
	return k.p.plugin.Reconcile(ctx, &pb.ReconcileRequest{Request: request})
}

func (k *kit) reconciles(t *trial, s *subject, c *Case, end *pb.ExecuteEvent) {
	b := k.box(t, c.Files)
	before, request := take(b.root), k.request(c, c.Config, b)
	answer, err := k.reconcile(request)
	if err != nil {
		tell := t.fail
		if end.GetFailure() != nil {
			// What keeps it from working may keep it from looking, too.
			tell = t.warn
		}
		tell("Reconcile of what never began ended with status %s: %s", status.Code(err), status.Convert(err).Message())
	} else if answer.GetStatus() == pb.ReconcileStatus_RECONCILE_STATUS_DONE && end.GetResult() != nil {
		t.fail("Reconcile says done of what never began: %s", answer.GetDetail())
	}
	if change := before.difference(take(b.root)); change != "" {
		t.fail("Reconcile changes the workspace: %s", change)
	}
	call := k.execute(request, nil)
	if ended := call.judge(t, s, b); ended.GetResult() == nil {
		return
	}
	call.next(request)
	answer, err = k.reconcile(request)
	switch {
	case err != nil:
		t.fail("Reconcile of what is done ended with status %s: %s", status.Code(err), status.Convert(err).Message())
	case answer.GetStatus() == pb.ReconcileStatus_RECONCILE_STATUS_NOT_STARTED:
		t.fail("Reconcile says not_started of what is done; it would be done twice")
	case answer.GetStatus() != pb.ReconcileStatus_RECONCILE_STATUS_DONE:
		t.warn("Reconcile does not know what is done: %s", answer.GetDetail())
	default:
		judgeResult(t, answer.GetResult(), s)
	}
}

func (k *kit) again(t *trial, s *subject, c *Case) {
	b := k.box(t, c.Files)
	request := k.request(c, c.Config, b)
	first := k.execute(request, nil)
	first.judge(t, s, b)
	once := take(b.root)
	first.next(request)
	if end := k.execute(request, nil).judge(t, s, b); end != nil && end.GetFailure() != nil {
		t.fail("a second attempt ends as %s: %s", summary(end), end.GetFailure().GetMessage())
	}
	if change := once.difference(take(b.root)); change != "" {
		t.fail("a second attempt changes what the first one made: %s", change)
	}
}

// beforeEnd is when to cut off a call that takes so long.
func beforeEnd(took time.Duration) time.Duration { return min(took/2, time.Second) }

func (k *kit) cancels(t *trial, s *subject, c *Case, plain *pb.ExecuteEvent, took time.Duration, reason string, class pb.FailureClass) {
	b := k.box(t, c.Files)
	call := k.execute(k.request(c, c.Config, b), &wish{beforeEnd(took), reason})
	if call.cancel != nil {
		t.fail("Cancel was not answered within %s: %v", cancelLimit, call.cancel)
	}
	end := call.judge(t, s, b)
	if call.late || end == nil {
		// It may run on; what follows must not meet it.
		k.stopped()
		return
	}
	if call.wished && call.ending > cancelLimit+cancelSlack {
		t.fail("it ends %s after it was cancelled, and has 1 s", call.ending.Round(10*time.Millisecond))
	}
	failure := end.GetFailure()
	if call.wished && !call.notFound && failure != nil && failure.GetClass() != class && summary(end) != summary(plain) {
		t.fail("cancelled with the reason %s it fails as %s (%s), and must as %s", reason, failure.GetClass(), failure.GetMessage(), class)
	}
	k.noChildren(t)
}

// closes closes the stream of a call, after which the plugin must get idle.
func (k *kit) closes(t *trial, c *Case, took time.Duration) {
	b := k.box(t, c.Files)
	k.execute(k.request(c, c.Config, b), &wish{beforeEnd(took), ""})
	ctx, stop := context.WithTimeout(k.ctx, cancelLimit+cancelSlack)
	defer stop()
	if _, err := k.p.plugin.Drain(ctx, &pb.DrainRequest{}); err != nil {
		t.fail("1 s after its stream was closed the call still runs: Drain ended with status %s", status.Code(err))
	}
	k.noChildren(t)
	k.stopped()
}

func (k *kit) deadline(t *trial, s *subject, c *Case, took time.Duration) {
	if took < 200*time.Millisecond {
		t.skip("it is done in %s", took.Round(time.Millisecond))
		return
	}
	b := k.box(t, c.Files)
	request := k.request(c, c.Config, b)
	const early = 100 * time.Millisecond
	request.Deadline = timestamppb.New(time.Now().Add(early))
	call := k.execute(request, &wish{early + 2*cancelLimit, wire.ReasonTimeout})
	if end := call.judge(t, s, b); call.wished || end.GetResult() != nil {
		t.warn("it goes on after its deadline, until it is done or the host cancels it")
	}
}

func (k *kit) undeclared(t *trial, s *subject, c *Case) {
	b := k.box(t, c.Files)
	caps, request := s.info.GetCapabilities(), k.request(c, c.Config, b)
	ctx, stop := context.WithTimeout(k.ctx, k.options.CallLimit)
	defer stop()
	declares := func(what string, declared bool, err error) {
		code := status.Code(err)
		if !declared && code != codes.Unimplemented {
			t.warn("it does not declare %s, and answers it with status %s; declare it, or answer UNIMPLEMENTED", what, code)
		}
		if declared && code == codes.Unimplemented {
			t.fail("it declares %s, and answers it with UNIMPLEMENTED", what)
		}
	}
	if !caps.GetPlan() {
		_, err := k.p.plugin.Plan(ctx, &pb.PlanRequest{Request: request})
		declares("plan", false, err)
	}
	if !caps.GetReconcile() {
		_, err := k.p.plugin.Reconcile(ctx, &pb.ReconcileRequest{Request: request})
		declares("reconcile", false, err)
	}
	_, err := k.p.plugin.ValidateConfig(ctx, &pb.ValidateConfigRequest{Handler: c.Handler, Config: c.Config})
	declares("validate", caps.GetValidate(), err)
	if !caps.GetUndo() {
		declares("undo", false, k.undo(request, []byte(`null`)).err)
	}
}

func (k *kit) validates(t *trial, s *subject) {
	if !s.info.GetCapabilities().GetValidate() {
		t.skip("it does not declare the capability validate")
		return
	}
	ask := func(config []byte) []*pb.Problem {
		ctx, stop := context.WithTimeout(k.ctx, client.ValidateTimeout)
		defer stop()
		answer, err := k.p.plugin.ValidateConfig(ctx, &pb.ValidateConfigRequest{Handler: s.info.GetPath(), Config: config})
		if code := status.Code(err); code != codes.OK && code != codes.InvalidArgument && code != codes.FailedPrecondition {
			t.fail("ValidateConfig of %.80q ended with status %s: %s", config, code, status.Convert(err).Message())
		}
		for _, problem := range answer.GetProblems() {
			if pointer := problem.GetPointer(); problem.GetMessage() == "" || (pointer != "" && !strings.HasPrefix(pointer, "/")) {
				t.fail("a problem has no message, or the pointer %q, which is no JSON pointer", pointer)
			}
		}
		return answer.GetProblems()
	}
	if example := s.info.GetExample(); len(example) > 0 {
		for _, problem := range ask(example) {
			if problem.GetSeverity() != "warning" {
				t.fail("it finds its own example wrong at %q: %s", problem.GetPointer(), problem.GetMessage())
			}
		}
	}
	for _, config := range []string{"", "null", "[]", "{", `{"":""}`, `"x"`} {
		ask([]byte(config))
	}
}

func (k *kit) secrets(t *trial, s *subject, c *Case) {
	config := c.Config
	found := false
	for name, p := range s.properties {
		if !p.Secret {
			continue
		}
		if changed := with(config, name, json.RawMessage(`"`+secretValue+`"`)); validate(s.config, changed) == nil {
			config, found = changed, true
		}
	}
	if !found {
		t.skip("its config has no secret property")
		return
	}
	printed := k.p.output
	printed.mu.Lock()
	printed.leak = false
	printed.mu.Unlock()
	b := k.box(t, c.Files)
	request := k.request(c, config, b)
	request.Secrets = map[string]string{"conformance": secretValue}
	call := k.execute(request, nil)
	call.judge(t, s, b)
	if where, told := call.tells(secretValue); told {
		t.fail("the value of a secret property is told in its %s", where)
	}
	// What it printed is all there only once it has ended.
	if !k.p.isGone() {
		k.stopped()
	}
	printed.mu.Lock()
	defer printed.mu.Unlock()
	if printed.leak {
		t.fail("the value of a secret property is printed on its standard output or standard error")
	}
}

func (k *kit) parallel(t *trial, s *subject, c *Case) {
	boxes, ends := make([]*box, parallel), make([]string, parallel)
	trials := make([]*trial, parallel)
	requests := make([]*pb.Request, parallel)
	for i := range boxes {
		boxes[i], trials[i] = k.box(t, c.Files), &trial{}
		requests[i] = k.request(c, c.Config, boxes[i])
	}
	var calls sync.WaitGroup
	for i := range boxes {
		calls.Go(func() {
			end := k.execute(proto.CloneOf(requests[i]), nil).judge(trials[i], s, boxes[i])
			ends[i] = kindOf(end)
			if end.GetFailure() != nil {
				ends[i] = fmt.Sprintf("failure %s", end.GetFailure().GetCode())
			}
		})
	}
	calls.Wait()
	want := take(boxes[0].root)
	for i := range boxes {
		for _, note := range trials[i].notes {
			t.fail("of %d calls at once: %s", parallel, note)
		}
		if ends[i] != ends[0] {
			t.fail("of %d like calls at once one ends as %s, another as %s", parallel, ends[0], ends[i])
		}
		if now := take(boxes[i].root); len(now) != len(want) {
			t.fail("of %d like calls at once one leaves other files than another: %s", parallel, want.difference(now))
		}
	}
	k.noChildren(t)
}
