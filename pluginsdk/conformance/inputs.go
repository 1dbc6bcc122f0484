package conformance

import (
	"context"
	"encoding/json"
	"fmt"
	"maps"
	"path/filepath"
	"slices"
	"strings"
	"sync"

	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"
	"google.golang.org/protobuf/encoding/protowire"

	pb "github.com/vwmp/vwmp/pluginsdk/proto"
)

// with returns a config, an object, with one property set.
func with(config json.RawMessage, name string, value json.RawMessage) json.RawMessage {
	object := map[string]json.RawMessage{}
	if json.Unmarshal(config, &object) != nil {
		return config
	}
	object[name] = value
	raw, err := json.Marshal(object)
	if err != nil {
		// The value is meant to be broken.
		delete(object, name)
		raw, _ = json.Marshal(object)
		separator := ","
		if len(object) == 0 {
			separator = ""
		}
		return append(raw[:len(raw)-1:len(raw)-1], fmt.Sprintf("%s%q:%s}", separator, name, value)...)
	}
	return raw
}

// types lists what a property may be; nothing where it may be anything.
func (p property) types() []string {
	switch v := p.Type.(type) {
	case string:
		return []string{v}
	case []any:
		var list []string
		for _, one := range v {
			if text, ok := one.(string); ok {
				list = append(list, text)
			}
		}
		return list
	}
	return nil
}

// refuses gives a handler what its schema refuses.
func (k *kit) refuses(t *trial, s *subject, c *Case) {
	bad := map[string]json.RawMessage{"a config that is no JSON": json.RawMessage(`{"`), "a list for a config": json.RawMessage(`[]`)}
	if s.closed {
		bad["an unknown key"] = with(c.Config, "no_such_key_of_any_handler", json.RawMessage(`1`))
	}
	for name, p := range s.properties {
		// Of the wrong type whatever the type is.
		value := json.RawMessage(`{"wrong":["type"]}`)
		if slices.Contains(p.types(), "object") {
			value = json.RawMessage(`7`)
		}
		if len(p.types()) > 0 {
			bad["a "+strings.ToLower(string(value[:1]))+"… for "+name] = with(c.Config, name, value)
		}
	}
	for _, what := range slices.Sorted(maps.Keys(bad)) {
		if json.Valid(bad[what]) && validate(s.config, bad[what]) == nil {
			continue
		}
		b := k.box(t, c.Files)
		call := k.execute(k.request(c, bad[what], b), nil)
		if status.Code(call.err) == codes.InvalidArgument {
			continue
		}
		end := call.judge(t, s, b)
		switch {
		case end == nil:
			t.note("that was for " + what)
		case end.GetFailure() == nil:
			t.fail("it takes %s, and ends as %s", what, kindOf(end))
		case end.GetFailure().GetCode() == "HANDLER_PANIC":
			t.fail("for %s: %s", what, end.GetFailure().GetMessage())
		case end.GetFailure().GetClass() != pb.FailureClass_FAILURE_CLASS_INVALID_INPUT:
			t.warn("it fails as %s for %s, and not as invalid input: %s", end.GetFailure().GetClass(), what, end.GetFailure().GetMessage())
		}
		if k.p.isGone() {
			t.note("that was for " + what)
			return
		}
	}
}

// hostileTexts are JSON strings that programs trip over.
func hostileTexts(b *box) []string {
	quote := func(text string) string {
		raw, _ := json.Marshal(text)
		return string(raw)
	}
	return []string{
		`""`, quote("../" + outside), quote(filepath.Join(b.root, outside)), quote("../../../../../../../../etc/passwd"),
		quote("../escaped.txt"), `"\u0000"`, `"a\u0000b"`, `"\ud800"`, quote("--help"), quote("%s%n%d{}{{}}${x}$(x)`x`"), quote("\r\n\t\x1b[31m"),
		quote("déjà 😀 \u202e\u2028"), quote(strings.Repeat("a", 1<<20)), quote(strings.Repeat("(", 10_000)), quote(strings.Repeat("../", 2000)),
	}
}

// hostile gives each text of a config values that its schema accepts, and that
// programs trip over.
func (k *kit) hostile(t *trial, s *subject, c *Case) {
	for _, name := range slices.Sorted(maps.Keys(s.properties)) {
		if !slices.Contains(s.properties[name].types(), "string") {
			continue
		}
		for i := range hostileTexts(&box{}) {
			b := k.box(t, c.Files)
			text := hostileTexts(b)[i]
			config := with(c.Config, name, json.RawMessage(text))
			if validate(s.config, config) != nil {
				continue
			}
			before := take(b.root)
			call := k.execute(k.request(c, config, b), nil)
			one := &trial{}
			end := call.judge(one, s, b)
			if end.GetFailure().GetCode() == "HANDLER_PANIC" {
				one.fail("%s", end.GetFailure().GetMessage())
			}
			if where, told := call.tells(secretValue); told {
				one.fail("it reads a file outside of the workspace, and tells it in its %s", where)
			}
			now := take(b.root)
			if change := before.outsideOnly().difference(now.outsideOnly()); change != "" {
				one.fail("it changes what is outside of the workspace: %s", change)
			}
			for _, note := range one.notes {
				t.fail("with %.60s for %s: %s", text, name, note)
			}
			if k.p.isGone() {
				return
			}
		}
	}
}

// outsideOnly leaves out what is in the workspace.
func (s snapshot) outsideOnly() snapshot {
	kept := snapshot{}
	for name, sum := range s {
		if name != "workspace" && !strings.HasPrefix(name, "workspace/") {
			kept[name] = sum
		}
	}
	return kept
}

func (k *kit) large(t *trial, s *subject, c *Case) {
	const size = 6 << 20
	b := k.box(t, c.Files)
	request := k.request(c, c.Config, b)
	request.Outputs = append(request.Outputs, &pb.StepOutput{StepId: "large", Output: []byte(`"` + strings.Repeat("x", size) + `"`)})
	call := k.execute(request, nil)
	if status.Code(call.err) == codes.ResourceExhausted {
		t.fail("it refuses a request of 6 MiB: %s; set its limits for messages to 8 MiB", status.Convert(call.err).Message())
		return
	}
	call.judge(t, s, b)
}

// protocolChecks look at what no handler alone answers for.
func (k *kit) protocolChecks() {
	k.check("protocol.unknown_handler", "", "a call of a handler that it has not is refused", func(t *trial) {
		b := k.box(t, nil)
		call := k.execute(k.request(&Case{Handler: k.description.GetName() + ".no_such_handler"}, json.RawMessage(`{}`), b), nil)
		if call.err != nil {
			if code := status.Code(call.err); code != codes.NotFound && code != codes.InvalidArgument && code != codes.Unimplemented && code != codes.FailedPrecondition {
				t.fail("it ended with status %s, and must with NOT_FOUND: %s", code, status.Convert(call.err).Message())
			}
			return
		}
		if end := call.judge(t, &subject{info: &pb.Handler{}}, b); end != nil && end.GetFailure() == nil {
			t.fail("it ends as %s", kindOf(end))
		}
	})
	k.check("protocol.unknown_fields", "", "fields of a later protocol are passed over", func(t *trial) {
		s, c := k.anyCase()
		if s == nil {
			t.skip("no handler can be called to try it")
			return
		}
		b := k.box(t, c.Files)
		request := k.request(c, c.Config, b)
		unknown := protowire.AppendTag(nil, 1999, protowire.BytesType)
		request.ProtoReflect().SetUnknown(protowire.AppendString(unknown, "from a later protocol"))
		k.execute(request, nil).judge(t, s, b)
	})
	k.check("protocol.cancel_unknown", "", "a Cancel of a call that it does not know is answered, and says so", func(t *trial) {
		if found, err := k.cancel("no-such-call", "cancelled"); err != nil || found {
			t.fail("the answer is found %t, and status %s", found, status.Code(err))
		}
	})
	k.check("protocol.configure", "", "Configure takes {} where its schema does, and survives what is no JSON", k.configure)
	k.check("protocol.workflows", "", "ValidateWorkflow survives any document", func(t *trial) {
		for _, kind := range k.description.GetWorkflowTypes() {
			for _, document := range []string{"{}", "null", "[", `{"steps":7}`} {
				ctx, stop := context.WithTimeout(k.ctx, endLimit)
				_, err := k.p.plugin.ValidateWorkflow(ctx, &pb.ValidateWorkflowRequest{WorkflowType: kind.GetName(), Document: []byte(document)})
				stop()
				if code := status.Code(err); kind.GetHasRules() && code != codes.OK && code != codes.InvalidArgument {
					t.fail("for a document %s of type %s it ended with status %s: %s", document, kind.GetName(), code, status.Convert(err).Message())
				}
			}
		}
	})
}

func (k *kit) configure(t *trial) {
	schema, _ := k.schema(k.description.GetAdapterSchema())
	for _, adapter := range []string{"{}", "{"} {
		ctx, stop := context.WithTimeout(k.ctx, endLimit)
		answer, err := k.p.plugin.Configure(ctx, &pb.ConfigureRequest{Adapter: []byte(adapter)})
		stop()
		code := status.Code(err)
		if code == codes.Unimplemented && schema == nil {
			return
		}
		if code != codes.OK && code != codes.InvalidArgument {
			t.fail("Configure with %s ended with status %s: %s", adapter, code, status.Convert(err).Message())
		}
		if adapter == "{}" && validate(schema, json.RawMessage(adapter)) == nil && len(answer.GetProblems()) > 0 && schema != nil {
			t.fail("its adapter schema accepts {}, and Configure does not: %s", answer.GetProblems()[0].GetMessage())
		}
		if adapter == "{" && err == nil && len(answer.GetProblems()) == 0 && schema != nil {
			t.fail("Configure takes what is no JSON")
		}
	}
}

// leftChecks look for what calls leave behind in the process.
func (k *kit) leftChecks() {
	k.check("left.nothing", "", "calls leave no open file and no thread behind", func(t *trial) {
		s, c := k.anyCase()
		if s == nil {
			t.skip("no handler can be called to try it")
			return
		}
		pid := k.p.cmd.Process.Pid
		b := k.box(t, c.Files)
		run := func(times int) {
			for range times {
				var calls sync.WaitGroup
				for range 4 {
					k.calls++
					request := k.request(c, c.Config, b)
					calls.Go(func() { k.execute(request, nil) })
				}
				calls.Wait()
			}
		}
		const rounds = 10
		run(rounds)
		files, threads := holdings(pid)
		run(rounds)
		nowFiles, nowThreads := holdings(pid)
		if files == 0 {
			t.skip("the system does not say what a process holds")
			return
		}
		if grown := nowFiles - files; grown >= 2*rounds {
			t.fail("after 40 more calls it holds %d more open files", grown)
		}
		if grown := nowThreads - threads; grown >= 2*rounds {
			t.fail("after 40 more calls it has %d more threads", grown)
		}
	})
}
