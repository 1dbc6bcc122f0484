"""Runs a handler in a test, without a process and without gRPC."""

from __future__ import annotations

import json
import tempfile
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from .handler import Handler, PlannedEffect
from .outcome import PluginError
from .schema import plain
from .step import Request, Step


@dataclass
class Result:
    """All that one attempt said, in the order in which it said it."""

    kind: str = ""
    output: Any = None
    undo_token: Any = None
    reason: str = ""
    error: PluginError | None = None
    logs: list[tuple[str, str, dict[str, Any]]] = field(default_factory=list)
    progress_reports: list[tuple[float, str]] = field(default_factory=list)
    heartbeats: int = 0
    checkpoints: list[Any] = field(default_factory=list)
    effects: list[dict[str, Any]] = field(default_factory=list)
    artifacts: list[dict[str, Any]] = field(default_factory=list)
    workspace: Path = Path()

    def log(self, level: str, message: str, fields: dict[str, Any]) -> None:
        self.logs.append((level, message, fields))

    def progress(self, percentage: float, message: str) -> None:
        self.progress_reports.append((percentage, message))

    def heartbeat(self) -> None:
        self.heartbeats += 1

    def checkpoint(self, data: bytes) -> None:
        self.checkpoints.append(json.loads(data))

    def effect(self, action: str, target: str, external_id: str, done: bool) -> None:
        self.effects.append({"action": action, "target": target, "external_id": external_id, "done": done})

    def artifact(self, path: str, size: int, sha256: str, media_type: str) -> None:
        self.artifacts.append({"path": path, "size": size, "sha256": sha256, "media_type": media_type})


def run(
    handler: Handler, config: Any, *, workspace: str | Path | None = None, files: dict[str, str] | None = None,
    parameters: dict[str, Any] | None = None, outputs: dict[str, Any] | None = None, adapter: Any = None,
    attempt: int = 1, checkpoint: Any = None,
) -> Result:
    """Runs one attempt with a config, in an empty folder unless one is named."""
    result = Result()
    step = _step(handler, config, result, workspace, files, parameters, outputs, adapter, attempt, checkpoint)
    outcome = handler.execute(step)
    result.kind, result.reason, result.error = outcome.kind, outcome.reason, outcome.error
    result.output = json.loads(outcome.output) if outcome.output else None
    result.undo_token = json.loads(outcome.undo_token) if outcome.undo_token else None
    return result


def undo(handler: Handler, result: Result) -> Result:
    """Takes an attempt back, in its workspace."""
    undone = Result()
    step = _step(handler, {}, undone, result.workspace, None, None, None, None, 1, None)
    outcome = handler.take_back(step, json.dumps(result.undo_token).encode())
    undone.kind, undone.error = outcome.kind, outcome.error
    return undone


def plan(handler: Handler, config: Any, *, workspace: str | Path | None = None, files: dict[str, str] | None = None) -> list[PlannedEffect]:
    """What the handler would do."""
    assert handler.planner is not None, "the handler has no plan"
    step = _step(handler, config, Result(), workspace, files, None, None, None, 1, None)
    return handler.planner(step, handler.read_config(step.request.config))


def _step(handler: Handler, config: Any, result: Result, workspace: Any, files: Any, parameters: Any, outputs: Any, adapter: Any, attempt: int, checkpoint: Any) -> Step:
    result.workspace = Path(workspace or tempfile.mkdtemp(prefix="vwmp-test-"))
    for name, content in (files or {}).items():
        path = result.workspace / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(content)
    return Step(Request(
        handler=handler.path, execution_id="execution-1", step_id="step-1", attempt=attempt, idempotency_key="execution-1/step-1",
        config=json.dumps(plain(config)).encode(), parameters=json.dumps(parameters or {}).encode(),
        outputs=tuple((name, json.dumps(value).encode()) for name, value in (outputs or {}).items()),
        workspace_dir=str(result.workspace), checkpoint=b"" if checkpoint is None else json.dumps(checkpoint).encode(),
    ), result, b"" if adapter is None else json.dumps(plain(adapter)).encode())
