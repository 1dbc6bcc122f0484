package conformance

import (
	"context"
	"strings"
	"time"

	"google.golang.org/grpc/codes"
	healthpb "google.golang.org/grpc/health/grpc_health_v1"
	"google.golang.org/grpc/status"

	"github.com/vwmp/vwmp/pluginsdk/internal/wire"
	pb "github.com/vwmp/vwmp/pluginsdk/proto"
)

// startChecks look at how the process begins, and leave one running.
func (k *kit) startChecks() {
	k.own("start.handshake", "it says within 10 s where it listens, with nothing before that", func(t *trial) {
		p, err := k.start()
		if err != nil {
			t.fail("%v", err)
			return
		}
		k.p = p
	})
	if k.p == nil {
		return
	}
	k.own("start.by_hand", "started by hand it says a sentence, and exits with an error", k.byHand)
	k.own("start.other_protocol", "a host of another protocol gets an answer, not a hang", k.otherProtocol)
	k.check("start.health", "", "it serves grpc.health.v1.Health, and the service plugin", func(t *trial) {
		ctx, stop := context.WithTimeout(k.ctx, endLimit)
		defer stop()
		answer, err := healthpb.NewHealthClient(k.p.connection).Check(ctx, &healthpb.HealthCheckRequest{Service: "plugin"})
		switch {
		case err != nil:
			t.fail("the health check ended with status %s: %s", status.Code(err), status.Convert(err).Message())
		case answer.GetStatus() != healthpb.HealthCheckResponse_SERVING:
			t.fail("it says that it is %s", answer.GetStatus())
		}
	})
}

// own is a check that makes processes of its own, or does without one.
func (k *kit) own(id, title string, look func(*trial)) {
	if k.ctx.Err() != nil || !k.wants(id) {
		return
	}
	began, t := time.Now(), &trial{}
	look(t)
	k.report.Add(Check{ID: id, Title: title, Status: t.status(), Notes: t.notes, Seconds: time.Since(began).Seconds()})
}

func (k *kit) byHand(t *trial) {
	p, err := k.launch(wire.CookieKey, wire.LifelineEnv, "PLUGIN_PROTOCOL_VERSIONS", "PLUGIN_UNIX_SOCKET_DIR")
	if err != nil {
		t.fail("%v", err)
		return
	}
	defer p.kill()
	switch {
	case strings.Count(p.line, "|") >= 4:
		t.fail("without %s it serves all the same: %q", wire.CookieKey, p.line)
	case !p.awaitGone(endLimit):
		t.fail("without %s it does not end within %s", wire.CookieKey, endLimit)
	case p.cmd.ProcessState.Success():
		t.fail("without %s it exits with 0", wire.CookieKey)
	case p.line == "" && len(p.output.tail) == 0:
		t.warn("without %s it exits without a word to whoever started it", wire.CookieKey)
	}
}

func (k *kit) otherProtocol(t *trial) {
	p, err := k.launch("PLUGIN_PROTOCOL_VERSIONS=99")
	if err != nil {
		t.fail("%v", err)
		return
	}
	defer p.kill()
	fields := strings.Split(p.line, "|")
	switch {
	case len(fields) >= 2 && fields[1] == "99":
		t.fail("it says that it speaks protocol 99: %q", p.line)
	case p.line == "" && !p.isGone():
		t.fail("it neither prints a line with the version that it speaks nor ends, within %s", startLimit)
	}
}

// endChecks look at how the process ends. Each has a process of its own.
func (k *kit) endChecks() {
	k.stopped()
	k.check("end.drain", "", "after Drain it refuses new work with the failure DRAINING", k.drains)
	k.stopped()
	k.check("end.shutdown", "", "plugin.GRPCController/Shutdown ends it", func(t *trial) {
		ctx, stop := context.WithTimeout(k.ctx, endLimit)
		defer stop()
		err := k.p.shutdown(ctx)
		if status.Code(err) == codes.Unimplemented {
			t.warn("it has no plugin.GRPCController; the host ends it with SIGTERM after 2 s")
			return
		}
		k.mustEnd(t, "after Shutdown", 2*time.Second)
	})
	k.stopped()
	k.check("end.terminate", "", "SIGTERM ends it", func(t *trial) {
		terminate(k.p.cmd.Process.Pid)
		k.mustEnd(t, "after SIGTERM", 3*time.Second)
	})
	k.stopped()
	k.check("end.lifeline", "", "it ends when the host is gone", func(t *trial) {
		_ = k.p.lifeline.Close()
		k.mustEnd(t, "after the end of VWMP_LIFELINE_FD", 3*time.Second)
	})
	k.stopped()
}

// mustEnd waits for the end of the process, and looks for what it left.
func (k *kit) mustEnd(t *trial, when string, limit time.Duration) {
	p, pid := k.p, k.p.cmd.Process.Pid
	if !p.awaitGone(limit) {
		t.fail("it lives on for more than %s %s", limit, when)
	} else if left := inSession(pid); len(left) > 0 {
		t.fail("%s it left processes behind: %v", when, left)
	}
	k.stopped()
}

func (k *kit) drains(t *trial) {
	ctx, stop := context.WithTimeout(k.ctx, endLimit)
	defer stop()
	if _, err := k.p.plugin.Drain(ctx, &pb.DrainRequest{}); err != nil {
		t.fail("Drain of an idle plugin ended with status %s: %s", status.Code(err), status.Convert(err).Message())
		return
	}
	s, c := k.anyCase()
	if s == nil {
		t.skip("no handler can be called to try it")
		return
	}
	b := k.box(t, c.Files)
	call := k.execute(k.request(c, c.Config, b), nil)
	var failure *pb.Failure
	if len(call.events) > 0 {
		failure = call.events[len(call.events)-1].GetFailure()
	}
	if failure.GetCode() != "DRAINING" || failure.GetClass() != pb.FailureClass_FAILURE_CLASS_RETRYABLE {
		t.fail("a call after Drain ends with %v and status %s, and must end with a retryable failure DRAINING", failure, status.Code(call.err))
	}
}
