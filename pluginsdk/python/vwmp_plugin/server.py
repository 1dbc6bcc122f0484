"""Turns a plugin into a process that a host can start; see docs/plugin-protocol.md."""

from __future__ import annotations

import json
import os
import queue
import signal
import sys
import tempfile
import threading
import time
from concurrent import futures
from typing import Any, Callable, Iterator

from .handler import Handler, Outcome, Plugin, Problem
from .outcome import Invalid, PluginError
from .schema import read, schema_of
from .step import Request, Step

COOKIE = ("VWMP_PLUGIN", "8e2c5a0e-6f0b-4d6b-9f6a-0f7c5d1d3b11")
PROTOCOL = 1
MAX_MESSAGE = 8 << 20
MAX_TEXT = 64 << 10
# The host makes up to 64 calls at a time; the rest is for Cancel and its like.
WORKERS = 96

_real_stdout = -1
if os.environ.get(COOKIE[0]) == COOKIE[1]:
    # Standard output is the host's until the handshake: what anybody prints
    # before, or after, goes to standard error, which the host logs.
    _real_stdout = os.dup(1)
    os.dup2(2, 1)


def serve(plugin: Plugin) -> None:
    """Is all of a plugin's main: serves until the host is done, and exits."""
    if sys.argv[1:] == ["--describe"]:
        print(json.dumps(_summary(plugin), indent=2))
        sys.exit(0)
    if _real_stdout < 0:
        sys.exit(f"This is the VWMP plugin {plugin.name} {plugin.version} (handlers: {len(plugin.handlers)}). It is started by a VWMP\n"
                 "host, not by hand. Run it with --describe to see what it offers.")
    _watch_lifeline()
    _Server(plugin).run()


def _summary(plugin: Plugin) -> dict[str, Any]:
    return {"name": plugin.name, "version": plugin.version, "description": plugin.description, "handlers": [
        {"path": h.path, **h.info, "config_schema": h.config_schema(), "output_schema": h.output_schema()} for h in plugin.handlers.values()]}


def _watch_lifeline() -> None:
    text = os.environ.get("VWMP_LIFELINE_FD", "")
    if not text:
        return
    os.set_inheritable(int(text), False)

    def wait() -> None:
        os.read(int(text), 1)  # Nothing is ever written: the host is gone.
        if os.getpgrp() == os.getpid():
            os.killpg(0, signal.SIGKILL)
        os._exit(1)

    threading.Thread(target=wait, daemon=True).start()


def _clean(text: str) -> str:
    """Makes text fit for the wire."""
    raw = text.encode("utf-8", "replace")
    return raw.decode() if len(raw) <= MAX_TEXT else raw[:MAX_TEXT].decode("utf-8", "ignore") + f"… ({len(raw) - MAX_TEXT} bytes cut)"


class _Events:
    """The reporter of one call: what it takes is streamed to the host."""

    def __init__(self, pb: Any, kind: Any):
        self.pb, self.kind = pb, kind
        self.queue: queue.Queue[Any] = queue.Queue(maxsize=256)
        self.ended = False
        # gone: the host takes no more, and nobody empties the queue.
        self.gone = threading.Event()

    def put(self, **event: Any) -> None:
        if not self.ended:
            self._push(self.kind(**event))

    def _push(self, event: Any) -> None:
        while not self.gone.is_set():
            try:
                self.queue.put(event, timeout=0.2)
                return
            except queue.Full:
                continue

    def log(self, level: str, message: str, fields: dict[str, Any]) -> None:
        line = self.pb.Log(level=level, message=_clean(message), fields=json.dumps(fields, default=str).encode() if fields else b"")
        line.time.FromNanoseconds(time.time_ns())
        self.put(log=line)

    def progress(self, percentage: float, message: str) -> None:
        self.put(progress=self.pb.Progress(percentage=percentage, message=_clean(message)))

    def heartbeat(self) -> None:
        self.put(heartbeat=self.pb.Heartbeat())

    # An undo has no such events.

    def checkpoint(self, data: bytes) -> None:
        if self.kind is self.pb.ExecuteEvent:
            self.put(checkpoint=self.pb.Checkpoint(data=data))

    def effect(self, action: str, target: str, external_id: str, done: bool) -> None:
        if self.kind is self.pb.ExecuteEvent:
            self.put(effect=self.pb.Effect(action=_clean(action), target=_clean(target), external_id=_clean(external_id), done=done))

    def artifact(self, path: str, size: int, sha256: str, media_type: str) -> None:
        if self.kind is self.pb.ExecuteEvent:
            self.put(artifact=self.pb.Artifact(path=_clean(path), size=size, sha256=sha256, media_type=_clean(media_type)))

    def end(self, event: Any) -> None:
        self.ended = True
        self._push(event)
        self._push(None)


class _Silent:
    """The reporter of calls that have nothing to report to."""

    def log(self, level: str, message: str, fields: dict[str, Any]) -> None: ...
    def progress(self, percentage: float, message: str) -> None: ...
    def heartbeat(self) -> None: ...
    def checkpoint(self, data: bytes) -> None: ...
    def effect(self, action: str, target: str, external_id: str, done: bool) -> None: ...
    def artifact(self, path: str, size: int, sha256: str, media_type: str) -> None: ...


class _Server:
    def __init__(self, plugin: Plugin):
        # They are slow to load, and of no use to tests and to people.
        import grpc

        from . import plugin_pb2

        self.grpc, self.pb, self.plugin = grpc, plugin_pb2, plugin
        self.adapter = b""
        self.calls: dict[str, Step] = {}
        self.draining = False
        self.idle = threading.Condition()
        self.description = self._describe()

    def run(self) -> None:
        grpc = self.grpc
        server = grpc.server(futures.ThreadPoolExecutor(WORKERS), options=[
            ("grpc.max_receive_message_length", MAX_MESSAGE), ("grpc.max_send_message_length", MAX_MESSAGE),
            ("grpc.http2.min_ping_interval_without_data_ms", 1000), ("grpc.http2.max_ping_strikes", 0),
            ("grpc.keepalive_permit_without_calls", 1), ("grpc.so_reuseport", 0),
        ])
        stop = threading.Event()
        for service, methods in (("vwmp.plugin.v1.Plugin", self._methods()), ("grpc.health.v1.Health", {"Check": self._raw(self.health)}),
                                 ("plugin.GRPCController", {"Shutdown": self._raw(lambda _request, _context: stop.set() or b"")})):
            server.add_generic_rpc_handlers((grpc.method_handlers_generic_handler(service, methods),))
        path = os.path.join(os.environ.get("PLUGIN_UNIX_SOCKET_DIR") or tempfile.mkdtemp(prefix="vwmp-"), f"p{os.getpid()}")
        server.add_insecure_port("unix:" + path)
        server.start()
        os.write(_real_stdout, f"1|{PROTOCOL}|unix|{path}|grpc\n".encode())
        os.close(_real_stdout)
        stop.wait()
        for step in list(self.calls.values()):
            step._cancel(False)
        server.stop(1).wait()
        os._exit(0)  # A handler that hangs must not keep the process.

    def _raw(self, function: Callable[[bytes, Any], bytes]) -> Any:
        return self.grpc.unary_unary_rpc_method_handler(function)

    def _methods(self) -> dict[str, Any]:
        pb, grpc = self.pb, self.grpc
        unary = {"Describe": self.describe, "Configure": self.configure, "ValidateConfig": self.validate_config, "Plan": self.plan,
                 "ValidateWorkflow": self.validate_workflow, "Cancel": self.cancel, "Reconcile": self.reconcile, "Drain": self.drain}
        methods = {name: grpc.unary_unary_rpc_method_handler(
            function, request_deserializer=getattr(pb, name + "Request").FromString, response_serializer=getattr(pb, name + "Response").SerializeToString,
        ) for name, function in unary.items()}
        for name, function, kind in (("Execute", self.execute, pb.ExecuteEvent), ("Undo", self.undo, pb.UndoEvent)):
            methods[name] = grpc.unary_stream_rpc_method_handler(
                function, request_deserializer=getattr(pb, name + "Request").FromString, response_serializer=kind.SerializeToString)
        return methods

    def health(self, request: bytes, context: Any) -> bytes:
        """grpc.health.v1: field 1 of the request is the service, of the answer the status."""
        if request and request[2:] != b"plugin":
            context.abort(self.grpc.StatusCode.NOT_FOUND, "unknown service")
        return b"\x08\x01"

    def _describe(self) -> Any:
        p, pb = self.plugin, self.pb
        answer = pb.DescribeResponse(name=p.name, version=p.version, author=p.author, description=p.description,
                                     adapter_schema=_schema(p.adapter))
        for h in p.handlers.values():
            info = h.info
            handler = answer.handlers.add(
                path=h.path, name=info["name"], description=info["description"], category=info["category"], icon=info["icon"],
                config_schema=_json(h.config_schema()), output_schema=_json(h.output_schema()),
                example=b"" if info["example"] is None else _json(info["example"]), ui_hints=b"" if info["ui_hints"] is None else _json(info["ui_hints"]),
                effect_class=pb.EffectClass.Value("EFFECT_CLASS_" + info["effect"].upper()), concurrency=info["concurrency"],
                secrets=info["secrets"], network=info["network"], tags=info["tags"],
                capabilities=pb.Capabilities(plan=h.planner is not None, undo=h.undoer is not None, cancel=True, checkpoint=info["checkpoint"],
                                             reconcile=h.reconciler is not None, validate=h.validator is not None))
            if info["timeout"]:
                handler.default_timeout.FromMilliseconds(int(info["timeout"] * 1000))
        for kind in p.workflow_types:
            answer.workflow_types.add(
                name=kind.name, version=kind.version, display_name=kind.display_name, description=kind.description, icon=kind.icon,
                config_schema=_schema(kind.config), default_step_types=kind.default_step_types, has_rules=p.validate_workflow is not None,
                templates=[pb.Template(name=t.name, description=t.description, document=t.document) for t in kind.templates])
        return answer

    def describe(self, _request: Any, _context: Any) -> Any:
        return self.description

    def configure(self, request: Any, _context: Any) -> Any:
        try:
            value = json.loads(request.adapter or b"{}")
            if self.plugin.adapter is not None:
                read(self.plugin.adapter, value)
        except Invalid as invalid:
            return self.pb.ConfigureResponse(problems=self._problems([Problem(invalid.pointer, str(invalid))]))
        except ValueError as error:
            return self.pb.ConfigureResponse(problems=self._problems([Problem("", f"it is not JSON: {error}", "invalid_json")]))
        self.adapter = request.adapter
        return self.pb.ConfigureResponse()

    def _problems(self, problems: list[Problem]) -> list[Any]:
        return [self.pb.Problem(severity=p.severity, pointer=_clean(p.pointer), step_id=p.step_id, code=p.code, message=_clean(p.message)) for p in problems]

    def _handler(self, path: str, context: Any) -> Handler:
        handler = self.plugin.handlers.get(path)
        if handler is None:
            context.abort(self.grpc.StatusCode.NOT_FOUND, f"the plugin has no handler {path!r}")
        return handler

    def _ask(self, context: Any, function: Any, *arguments: Any) -> Any:
        """Calls what answers at once; what it raises becomes a status."""
        code = self.grpc.StatusCode
        if function is None:
            context.abort(code.UNIMPLEMENTED, "the handler does not support this call")
        try:
            return function(*arguments)
        except Invalid as invalid:
            problem, status = invalid, code.INVALID_ARGUMENT
        except Exception as error:  # The author's code.
            problem, status = error, code.FAILED_PRECONDITION
        context.abort(status, _clean(str(problem) or type(problem).__name__))

    def validate_config(self, request: Any, context: Any) -> Any:
        handler = self._handler(request.handler, context)

        def problems() -> list[Problem]:
            try:
                return handler.validator(handler.read_config(request.config))  # type: ignore[misc]
            except Invalid as invalid:
                return [Problem(invalid.pointer, str(invalid))]

        found = self._ask(context, problems if handler.validator else None)
        return self.pb.ValidateConfigResponse(problems=self._problems(found))

    def validate_workflow(self, request: Any, context: Any) -> Any:
        rules = self.plugin.validate_workflow
        found = self._ask(context, rules and (lambda: rules(request.workflow_type, json.loads(request.document))))
        return self.pb.ValidateWorkflowResponse(problems=self._problems(found))

    def plan(self, request: Any, context: Any) -> Any:
        handler, step = self._handler(request.request.handler, context), self._step(request.request, _Silent())
        effects = self._ask(context, handler.planner and (lambda: handler.planner(step, handler.read_config(step.request.config))))
        return self.pb.PlanResponse(effects=[self.pb.PlannedEffect(
            action=e.action, target=_clean(e.target), summary=_clean(e.summary), diff=_clean(e.diff), known=e.known) for e in effects])

    def reconcile(self, request: Any, context: Any) -> Any:
        handler, step = self._handler(request.request.handler, context), self._step(request.request, _Silent())
        verdict = self._ask(context, handler.reconciler and (lambda: handler.reconciler(step, handler.read_config(step.request.config))))
        answer = self.pb.ReconcileResponse(status=self.pb.ReconcileStatus.Value("RECONCILE_STATUS_" + verdict.status.upper()), detail=_clean(verdict.detail))
        if verdict.status == "done":
            from .schema import plain

            answer.result.CopyFrom(self.pb.Result(output=_json(plain(verdict.output) or {}), undo_token=step._undo))
        return answer

    def _step(self, raw: Any, reporter: Any) -> Step:
        return Step(Request(
            handler=raw.handler, execution_id=raw.execution_id, workflow_id=raw.workflow_id, workflow_name=raw.workflow_name,
            workflow_version=raw.workflow_version, step_id=raw.step_id, step_name=raw.step_name,
            item_index=raw.item_index if raw.HasField("item_index") else None, attempt=raw.attempt, idempotency_key=raw.idempotency_key,
            config=raw.config, parameters=raw.parameters, workflow_config=raw.workflow_config,
            outputs=tuple((o.step_id, o.output) for o in raw.outputs), workspace_name=raw.workspace_name, workspace_dir=raw.workspace_dir,
            checkpoint=raw.checkpoint, secrets=dict(raw.secrets), trace_parent=raw.trace_parent, trace_state=raw.trace_state,
            effects=tuple({"action": e.action, "target": e.target, "external_id": e.external_id, "done": e.done} for e in raw.effects),
        ), reporter, self.adapter)

    def execute(self, request: Any, context: Any) -> Iterator[Any]:
        handler = self._handler(request.request.handler, context)
        events = _Events(self.pb, self.pb.ExecuteEvent)
        events.put(started=self.pb.Started())
        return self._stream(request, context, events, handler.execute)

    def undo(self, request: Any, context: Any) -> Iterator[Any]:
        handler = self._handler(request.request.handler, context)
        if handler.undoer is None:
            context.abort(self.grpc.StatusCode.UNIMPLEMENTED, "the handler has no undo")
        return self._stream(request, context, _Events(self.pb, self.pb.UndoEvent), lambda step: handler.take_back(step, request.undo_token))

    def _stream(self, request: Any, context: Any, events: _Events, work: Callable[[Step], Outcome]) -> Iterator[Any]:
        """Runs a call in a thread of its own and yields what it says."""
        step = self._step(request.request, events)
        with self.idle:
            refused = self.draining
            if not refused:
                self.calls[request.call_id] = step
        if refused:
            yield events.kind(failure=self._failure(PluginError("the plugin is about to stop and takes no new work", code="DRAINING", fault="host"), "retryable"))
            return

        def closed() -> None:
            step._cancel(False)
            events.gone.set()

        context.add_callback(closed)
        deadline = request.request.deadline.seconds + request.request.deadline.nanos / 1e9
        timer = threading.Timer(max(0.0, deadline - time.time()), lambda: step._cancel(True)) if request.request.HasField("deadline") else None

        def run() -> None:
            try:
                outcome = work(step)
            finally:
                if timer:
                    timer.cancel()
                with self.idle:
                    self.calls.pop(request.call_id, None)
                    self.idle.notify_all()
            events.end(self._terminal(events, outcome))

        if timer:
            timer.daemon = True
            timer.start()
        threading.Thread(target=run, daemon=True).start()
        while not events.gone.is_set():
            try:
                event = events.queue.get(timeout=1)
            except queue.Empty:
                continue
            if event is None:
                return
            yield event

    def _terminal(self, events: _Events, outcome: Outcome) -> Any:
        if outcome.kind == "success":
            event = events.kind(result=self.pb.Result(output=outcome.output, undo_token=outcome.undo_token))
            if event.ByteSize() <= MAX_MESSAGE:
                return event
            outcome = Outcome("failure", error=PluginError("the output and what undo needs are over 8 MiB", code="output_too_large", fault="author"))
        if outcome.kind == "skipped":
            if events.kind is self.pb.ExecuteEvent:
                return events.kind(skipped=self.pb.Skipped(reason=_clean(outcome.reason)))
            return events.kind(result=self.pb.Result())
        assert outcome.error is not None
        return events.kind(failure=self._failure(outcome.error, outcome.error.failure_class))

    def _failure(self, error: PluginError, kind: str) -> Any:
        failure = self.pb.Failure(code=error.code, message=_clean(str(error) or "the step failed without saying why"), pointer=_clean(error.pointer), fault=error.fault)
        setattr(failure, "class", self.pb.FailureClass.Value("FAILURE_CLASS_" + kind.upper()))
        if error.retry_after > 0:
            failure.retry_after.FromMilliseconds(int(error.retry_after * 1000))
        return failure

    def cancel(self, request: Any, _context: Any) -> Any:
        step = self.calls.get(request.call_id)
        if step is not None:
            step._cancel(request.reason == "timeout")
        return self.pb.CancelResponse(found=step is not None)

    def drain(self, _request: Any, context: Any) -> Any:
        with self.idle:
            self.draining = True
            while self.calls and context.is_active():
                self.idle.wait(0.1)
        return self.pb.DrainResponse()


def _json(value: Any) -> bytes:
    return json.dumps(value).encode()


def _schema(kind: Any) -> bytes:
    return b"" if kind is None else _json(schema_of(kind, closed=True))
