"""What a handler is given beside its config."""

from __future__ import annotations

import fnmatch
import json
import os
import re
import signal
import subprocess
import tempfile
import threading
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Mapping, Protocol

from .outcome import Cancelled, Invalid, Permanent
from .schema import plain, read

MAX_CHECKPOINT = 64 << 10
_COMMAND_GRACE = 3.0
_RESERVED = re.compile(r"^(CON|PRN|AUX|NUL|COM[1-9]|LPT[1-9])\s*([.:].*)?$", re.IGNORECASE)


class Reporter(Protocol):
    """Takes what an attempt says before it ends."""

    def log(self, level: str, message: str, fields: dict[str, Any]) -> None: ...
    def progress(self, percentage: float, message: str) -> None: ...
    def heartbeat(self) -> None: ...
    def checkpoint(self, data: bytes) -> None: ...
    def effect(self, action: str, target: str, external_id: str, done: bool) -> None: ...
    def artifact(self, path: str, size: int, sha256: str, media_type: str) -> None: ...


@dataclass(frozen=True)
class Request:
    """Everything that one attempt is given, as the wire has it."""

    handler: str = ""
    execution_id: str = ""
    workflow_id: str = ""
    workflow_name: str = ""
    workflow_version: str = ""
    step_id: str = ""
    step_name: str = ""
    item_index: int | None = None
    attempt: int = 1
    idempotency_key: str = ""
    config: bytes = b"{}"
    parameters: bytes = b"{}"
    workflow_config: bytes = b"{}"
    outputs: tuple[tuple[str, bytes], ...] = ()
    workspace_name: str = ""
    workspace_dir: str = ""
    checkpoint: bytes = b""
    effects: tuple[dict[str, Any], ...] = ()
    secrets: Mapping[str, str] = field(default_factory=dict)
    trace_parent: str = ""
    trace_state: str = ""


class Log:
    """The step's log, live. Keyword arguments are the line's fields."""

    def __init__(self, reporter: Reporter):
        self._reporter = reporter

    def debug(self, message: str, **fields: Any) -> None:
        self._reporter.log("debug", message, fields)

    def info(self, message: str, **fields: Any) -> None:
        self._reporter.log("info", message, fields)

    def warning(self, message: str, **fields: Any) -> None:
        self._reporter.log("warning", message, fields)

    def error(self, message: str, **fields: Any) -> None:
        self._reporter.log("error", message, fields)


def check_path(name: str) -> None:
    """Refuses a path that leaves its folder, or that some system can't hold."""
    reason = ""
    if not name:
        reason = "it is empty"
    elif "\0" in name or "\\" in name:
        reason = "it has a NUL or a backslash; separate folders with /"
    elif name.startswith("/") or name[1:2] == ":":
        reason = "it is absolute; paths are relative to the workspace"
    elif name.endswith("/"):
        reason = "it ends in a slash"
    for part in name.split("/"):
        if part == "..":
            reason = reason or "it leaves the workspace"
        elif part != "." and part.rstrip(". ") != part:
            reason = reason or "a name in it ends in a dot or a space"
        elif _RESERVED.match(part):
            reason = reason or f"{part} is a reserved name on Windows"
    if reason:
        raise Invalid("", f"the path {name[:200]!r} can't be used: {reason}")


def _names_git(path: str) -> bool:
    return any(part.lower() == ".git" for part in path.split("/"))


class Workspace:
    """The only folder that a handler touches. Paths have slashes and can't leave it, by a link neither.

    No link leads into a folder ``.git``: a repository that somebody else made can bring one, and git runs what is
    written there. A path that names ``.git`` by itself is the handler's to judge.
    """

    def __init__(self, root: str):
        self._root = os.path.realpath(root) if root else ""

    @property
    def path(self) -> Path:
        """The folder itself, for programs that are run in it."""
        if not self._root:
            raise Permanent("this run has no workspace")
        return Path(self._root)

    def resolve(self, name: str) -> Path:
        """The real path of a file inside the workspace."""
        check_path(name)
        full = os.path.realpath(self.path / name)
        if full != self._root and not full.startswith(self._root + os.sep):
            raise Invalid("", f"the path {name[:200]!r} can't be used: it leaves the workspace by a link")
        if _names_git(full[len(self._root):].replace(os.sep, "/")) and not _names_git(name):
            raise Invalid("", f"the path {name[:200]!r} can't be used: a symbolic link in it leads into .git")
        return Path(full)

    def exists(self, name: str) -> bool:
        return self.resolve(name).exists()

    def read_bytes(self, name: str) -> bytes:
        return self.resolve(name).read_bytes()

    def read_text(self, name: str) -> str:
        return self.read_bytes(name).decode()

    def write_bytes(self, name: str, data: bytes) -> None:
        """Replaces a file in one step; folders are made as needed."""
        target = self.resolve(name)
        target.parent.mkdir(parents=True, exist_ok=True)
        mode = target.stat().st_mode & 0o777 if target.exists() else 0o644
        handle, temporary = tempfile.mkstemp(prefix=f".{target.name[:100]}.", suffix=".tmp", dir=target.parent)
        try:
            with os.fdopen(handle, "wb") as file:
                file.write(data)
                os.fchmod(file.fileno(), mode)
                file.flush()
                os.fsync(file.fileno())
            os.replace(temporary, target)
        except BaseException:
            os.unlink(temporary)
            raise

    def write_text(self, name: str, text: str) -> None:
        self.write_bytes(name, text.encode())

    def remove(self, name: str) -> None:
        """Deletes a file or an empty folder."""
        target = self.resolve(name)
        target.rmdir() if target.is_dir() else target.unlink()

    def glob(self, pattern: str) -> list[str]:
        """The files that match; a part ``**`` stands for any number of folders. ``.git`` is left out."""
        check_path(pattern)
        parts, shape = pattern.split("/"), ""
        for i, part in enumerate(parts):
            last = i == len(parts) - 1
            if part == "**":
                shape += ".*" if last else "(?:.*/)?"
            else:
                # The translation is (?s:…) with an end mark of two characters.
                shape += fnmatch.translate(part)[4:-3].replace(".*", "[^/]*") + ("" if last else "/")
        found = []
        for folder, folders, files in os.walk(self.path):
            folders[:] = sorted(one for one in folders if one != ".git")
            names = (os.path.relpath(os.path.join(folder, file), self._root).replace(os.sep, "/") for file in sorted(files))
            found += [name for name in names if re.fullmatch(shape, name)]
        return found


class Step:
    """The run that a handler is part of, its workspace, and the ways to say something before it ends."""

    def __init__(self, request: Request, reporter: Reporter, adapter: bytes = b""):
        self.request = request
        self.log = Log(reporter)
        self.workspace = Workspace(request.workspace_dir)
        self._reporter = reporter
        self._adapter = adapter
        self._undo: bytes = b""
        self._cancelled = threading.Event()
        self._timed_out = False

    @property
    def attempt(self) -> int:
        """Counts the tries of this step, from 1."""
        return self.request.attempt

    @property
    def idempotency_key(self) -> str:
        """The same for every attempt at this step of this execution."""
        return self.request.idempotency_key

    @property
    def trace_parent(self) -> str:
        """The W3C traceparent that the call is part of; empty where the host follows nothing."""
        return self.request.trace_parent

    @property
    def trace_state(self) -> str:
        """The W3C tracestate beside it."""
        return self.request.trace_state

    @property
    def cancelled(self) -> bool:
        """Whether the step must end. A handler that goes on for 5 s is ended with its whole process."""
        return self._cancelled.is_set()

    def check(self) -> None:
        """Raises Cancelled when the step must end; call it in loops."""
        if self.cancelled:
            raise Cancelled(self._timed_out)

    def sleep(self, seconds: float) -> None:
        """Waits; raises Cancelled when the step must end."""
        self._cancelled.wait(seconds)
        self.check()

    def parameter(self, name: str, default: Any = None) -> Any:
        """The execution's parameter of that name."""
        value = _object(self.request.parameters).get(name)
        return default if value is None else value

    def output(self, step_id: str) -> Any:
        """The output of an upstream step, or None."""
        for name, raw in self.request.outputs:
            if name == step_id and raw:
                return json.loads(raw)
        return None

    def nearest_output(self, key: str) -> Any:
        """The value under key in the output of the nearest upstream step that has one."""
        for _, raw in self.request.outputs:
            value = _object(raw).get(key)
            if value is not None:
                return value
        return None

    def adapter(self, kind: Any) -> Any:
        """The plugin's own configuration, as the dataclass that declares it."""
        return read(kind, json.loads(self._adapter or b"{}"))

    def checkpointed(self) -> Any:
        """The last checkpoint of an earlier attempt, or None."""
        return json.loads(self.request.checkpoint) if self.request.checkpoint else None

    def progress(self, percentage: float, message: str = "") -> None:
        """Tells how far the step is, from 0 to 100."""
        self._reporter.progress(min(max(float(percentage), 0.0), 100.0), message)

    def heartbeat(self) -> None:
        """Tells that the step is alive where it has nothing else to say."""
        self._reporter.heartbeat()

    def checkpoint(self, value: Any) -> None:
        """Hands over a value that the next attempt gets, should this one be lost."""
        data = json.dumps(plain(value)).encode()
        if len(data) > MAX_CHECKPOINT:
            raise Permanent(f"the checkpoint is {len(data)} bytes, more than the {MAX_CHECKPOINT} allowed")
        self._reporter.checkpoint(data)

    def effect(self, action: str, target: str, *, external_id: str = "", done: bool = False) -> None:
        """Notes a change in the outside world: before it is made, and with done after it."""
        self._reporter.effect(action, target, external_id, done)

    def artifact(self, path: str, media_type: str = "") -> None:
        """Names a file of the workspace as a product of the step."""
        import hashlib

        data = self.workspace.read_bytes(path)
        self._reporter.artifact(path, len(data), hashlib.sha256(data).hexdigest(), media_type)

    def set_undo(self, token: Any) -> None:
        """Keeps what undo needs to take this attempt back."""
        self._undo = json.dumps(plain(token)).encode()

    def run(self, arguments: list[str], **options: Any) -> subprocess.CompletedProcess[Any]:
        """Runs a program in a group of its own that ends with the step.

        Options are those of subprocess.Popen; the folder is the workspace
        unless they say otherwise, and output is captured as text.
        """
        self.check()
        settings = {"cwd": self.workspace.path, "stdin": subprocess.DEVNULL, "stdout": subprocess.PIPE,
                    "stderr": subprocess.PIPE, "text": True, **options, "start_new_session": False, "process_group": 0}
        program = subprocess.Popen(arguments, **settings)
        ended = threading.Event()
        watcher = threading.Thread(target=self._end_with_step, args=(program, ended), daemon=True)
        watcher.start()
        try:
            out, err = program.communicate()
        finally:
            ended.set()
            watcher.join()
            _signal(program.pid, signal.SIGKILL)
        self.check()
        return subprocess.CompletedProcess(arguments, program.returncode, out, err)

    def _end_with_step(self, program: subprocess.Popen[Any], ended: threading.Event) -> None:
        while not ended.wait(0.05):
            if self.cancelled:
                _signal(program.pid, signal.SIGTERM)
                if not ended.wait(_COMMAND_GRACE):
                    _signal(program.pid, signal.SIGKILL)
                return

    def _cancel(self, timeout: bool) -> None:
        if not self._cancelled.is_set():
            self._timed_out = timeout
            self._cancelled.set()


def _signal(group: int, number: int) -> None:
    try:
        os.killpg(group, number)
    except (ProcessLookupError, PermissionError):
        pass  # Nothing is left of it.


def _object(raw: bytes) -> dict[str, Any]:
    value = json.loads(raw) if raw else {}
    return value if isinstance(value, dict) else {}
