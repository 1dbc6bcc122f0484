"""Plugins, handlers and what they say of themselves."""

from __future__ import annotations

import json
import re
import subprocess
import traceback
import typing
from dataclasses import dataclass, field
from typing import Any, Callable

from .outcome import Cancelled, Invalid, PluginError, Skip
from .schema import plain, read, schema_of
from .step import Step

MAX_OUTPUT = 8 << 20
EFFECTS = ("pure", "idempotent", "keyed", "reconcilable", "unsafe")
_NAME = re.compile(r"^[a-z][a-z0-9_]*$")


@dataclass
class Problem:
    """One thing that a person must, or with severity "warning" should, put right."""

    pointer: str
    message: str
    code: str = "invalid"
    severity: str = "error"
    step_id: str = ""


@dataclass
class PlannedEffect:
    """One thing that a handler would do: action is create, update, delete, run or send."""

    action: str
    target: str
    summary: str = ""
    diff: str = ""
    known: bool = True


@dataclass
class Reconciliation:
    """What became of an attempt: status is not_started, running, done or unknown; output belongs to done."""

    status: str
    output: Any = None
    detail: str = ""


@dataclass
class WorkflowTemplate:
    """A ready workflow of a type; the document is YAML."""

    name: str
    description: str
    document: str


@dataclass
class WorkflowType:
    """A named kind of workflow."""

    name: str
    version: str
    description: str
    display_name: str = ""
    icon: str = ""
    config: type | None = None
    default_step_types: list[str] = field(default_factory=list)
    templates: list[WorkflowTemplate] = field(default_factory=list)


@dataclass
class Outcome:
    """The end of one attempt: kind is success, skipped or failure."""

    kind: str
    output: bytes = b""
    undo_token: bytes = b""
    reason: str = ""
    error: PluginError | None = None


class Handler:
    """A described piece of work. Plugin.handler makes one of a function."""

    def __init__(self, path: str, function: Callable[..., Any], info: dict[str, Any]):
        self.path, self.function, self.info = path, function, info
        hints = typing.get_type_hints(function)
        names = list(function.__code__.co_varnames[: function.__code__.co_argcount])
        if len(names) != 2 or names[1] not in hints:
            raise TypeError(f"{path}: a handler is a function (step, config: SomeDataclass) -> SomeDataclass")
        self.config_type = hints[names[1]]
        self.output_type = hints.get("return", Any)
        self.planner: Callable[..., list[PlannedEffect]] | None = None
        self.undoer: Callable[..., None] | None = None
        self.reconciler: Callable[..., Reconciliation] | None = None
        self.validator: Callable[..., list[Problem]] | None = None

    def __call__(self, step: Step, config: Any) -> Any:
        return self.function(step, config)

    def plan(self, function: Callable[..., list[PlannedEffect]]) -> Callable[..., list[PlannedEffect]]:
        """Registers (step, config) -> list[PlannedEffect]: what the handler would do, without doing it."""
        self.planner = function
        return function

    def undo(self, function: Callable[..., None]) -> Callable[..., None]:
        """Registers (step, token) -> None: takes an attempt back, by what it gave to step.set_undo. Idempotent."""
        self.undoer = function
        return function

    def reconcile(self, function: Callable[..., Reconciliation]) -> Callable[..., Reconciliation]:
        """Registers (step, config) -> Reconciliation: what became of an attempt. It changes nothing."""
        self.reconciler = function
        return function

    def validate(self, function: Callable[..., list[Problem]]) -> Callable[..., list[Problem]]:
        """Registers (config) -> list[Problem]: what a schema can't say. It has no effects."""
        self.validator = function
        return function

    def read_config(self, raw: bytes) -> Any:
        """Reads a config over the defaults; raises Invalid."""
        try:
            value = json.loads(raw or b"{}")
        except (ValueError, RecursionError) as error:
            raise Invalid("", f"the config can't be read: {error}") from None
        return read(self.config_type, value)

    def config_schema(self) -> dict[str, Any]:
        return schema_of(self.config_type, closed=True)

    def output_schema(self) -> dict[str, Any]:
        return {"type": "object"} if self.output_type in (Any, None, type(None)) else schema_of(self.output_type, closed=False)

    def execute(self, step: Step) -> Outcome:
        """Runs one attempt and says how it ended; it raises nothing."""

        def call() -> Outcome:
            value = self.function(step, self.read_config(step.request.config))
            output = json.dumps({} if value is None else plain(value)).encode()
            if len(output) > MAX_OUTPUT:
                raise PluginError(f"the output is {len(output)} bytes, more than the {MAX_OUTPUT} allowed", code="output_too_large", fault="author")
            return Outcome("success", output=output, undo_token=step._undo)

        return self._guarded(step, call)

    def take_back(self, step: Step, token: bytes) -> Outcome:
        """Undoes an attempt and says how that ended."""

        def call() -> Outcome:
            assert self.undoer is not None
            self.undoer(step, json.loads(token or b"null"))
            return Outcome("success")

        return self._guarded(step, call)

    def _guarded(self, step: Step, call: Callable[[], Outcome]) -> Outcome:
        try:
            return call()
        except Skip as skipped:
            return Outcome("skipped", reason=str(skipped) or "the handler chose to")
        except PluginError as error:
            return Outcome("failure", error=error)
        except (OSError, ValueError, subprocess.SubprocessError) as error:
            # What the world did, not a mistake of the author's.
            failure = Cancelled(step._timed_out) if step.cancelled else PluginError(str(error) or type(error).__name__)
            return Outcome("failure", error=failure)
        except BaseException as error:  # The plugin lives on.
            step.log.error(f"the handler raised {type(error).__name__}: {error}", stack=traceback.format_exc())
            return Outcome("failure", error=PluginError(
                f"the handler {self.path} raised {type(error).__name__}: {error}", code="HANDLER_PANIC", fault="author"))


class Plugin:
    """All that one plugin offers."""

    def __init__(
        self, name: str, version: str, description: str, *, author: str = "", adapter: type | None = None,
        workflow_types: list[WorkflowType] | None = None,
        validate_workflow: Callable[[str, Any], list[Problem]] | None = None,
    ):
        if not _NAME.match(name):
            raise ValueError(f"plugin name {name!r}: use lower-case letters, digits and underscores")
        self.name, self.version, self.description, self.author = name, version, description, author
        self.adapter = adapter
        self.workflow_types = workflow_types or []
        self.validate_workflow = validate_workflow
        self.handlers: dict[str, Handler] = {}

    def handler(
        self, path: str, *, name: str, description: str, category: str, effect: str, icon: str = "", example: Any = None,
        timeout: float = 0.0, concurrency: int = 0, secrets: list[str] | None = None, network: list[str] | None = None,
        checkpoint: bool = False, ui_hints: dict[str, Any] | None = None, tags: list[str] | None = None,
    ) -> Callable[[Callable[..., Any]], Handler]:
        """Makes a handler of a function ``(step: Step, config: SomeDataclass) -> SomeDataclass``.

        ``effect`` says what may be done when nobody knows whether a step ran:
        pure, idempotent and keyed ones run again, reconcilable ones are asked,
        unsafe ones wait for a person. ``timeout`` is in seconds. ``tags`` are words
        by which somebody may look for it, which name and description don't hold.
        """
        full = path if path.startswith(self.name + ".") else f"{self.name}.{path}"
        if effect not in EFFECTS:
            raise ValueError(f"{full}: effect must be one of {', '.join(EFFECTS)}")
        if not _NAME.match(full[len(self.name) + 1:]):
            raise ValueError(f"handler path {full!r}: use lower-case letters, digits and underscores")
        if full in self.handlers:
            raise ValueError(f"handler {full} is declared twice")
        info = {
            "name": name, "description": description, "category": category, "icon": icon, "effect": effect, "example": example,
            "timeout": timeout, "concurrency": concurrency, "secrets": secrets or [], "network": network or [],
            "checkpoint": checkpoint, "ui_hints": ui_hints, "tags": tags or [],
        }

        def register(function: Callable[..., Any]) -> Handler:
            self.handlers[full] = Handler(full, function, info)
            return self.handlers[full]

        return register
