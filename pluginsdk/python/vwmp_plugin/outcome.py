"""How an attempt ends, other than well."""

from __future__ import annotations


class PluginError(Exception):
    """A failure with what the engine needs to act on it. Raise a subclass."""

    failure_class = "permanent"
    code = "STEP_FAILED"
    fault = "user"
    pointer = ""
    retry_after: float = 0.0

    def __init__(self, message: str, *, code: str | None = None, fault: str | None = None):
        super().__init__(message)
        if code is not None:
            self.code = code
        if fault is not None:
            self.fault = fault


class Permanent(PluginError):
    """Every further attempt would meet it too."""


class Retryable(PluginError):
    """Another attempt may not meet it, such as a network error.

    ``after`` is the least wait in seconds before that.
    """

    failure_class = "retryable"
    code = "RETRYABLE"
    fault = "downstream"

    def __init__(self, message: str, *, after: float = 0.0, code: str | None = None, fault: str | None = None):
        super().__init__(message, code=code, fault=fault)
        self.retry_after = after


class Invalid(PluginError):
    """The value at ``pointer`` (a JSON pointer into the config) can't be used."""

    failure_class = "invalid_input"
    code = "INVALID_INPUT"

    def __init__(self, pointer: str, message: str):
        super().__init__(message)
        self.pointer = pointer


class Cancelled(PluginError):
    """The attempt was cancelled, or ran out of time."""

    failure_class = "cancelled"
    code = "CANCELLED"

    def __init__(self, timeout: bool = False):
        super().__init__("the step ran out of time" if timeout else "the step was cancelled")
        if timeout:
            self.failure_class, self.code = "timeout", "TIMEOUT"


class Skip(Exception):
    """Ends a step as skipped by choice, with a sentence that says why."""
