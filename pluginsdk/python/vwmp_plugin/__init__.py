"""Write VWMP plugins in Python.

A plugin offers handlers: the kinds of step that workflows are made of. A
handler is a typed function; its form, its checks and its documentation come
from the dataclasses that it takes and returns::

    from dataclasses import dataclass
    from vwmp_plugin import Plugin, Step, field, serve

    @dataclass
    class Config:
        name: str = field("world", title="Whom to greet")

    @dataclass
    class Output:
        greeting: str

    plugin = Plugin("greeter", "1.0.0", "Greets people.")

    @plugin.handler("hello", name="Say hello", description="Greets somebody.", category="demo", effect="pure")
    def hello(step: Step, config: Config) -> Output:
        step.log.info("greeting", whom=config.name)
        return Output(f"Hello, {config.name}!")

    if __name__ == "__main__":
        serve(plugin)
"""

from .handler import Handler, PlannedEffect, Plugin, Problem, Reconciliation, WorkflowTemplate, WorkflowType
from .outcome import Cancelled, Invalid, Permanent, PluginError, Retryable, Skip
from .schema import field
from .server import serve
from .step import Step, Workspace

__all__ = [
    "Cancelled", "Handler", "Invalid", "Permanent", "PlannedEffect", "Plugin", "PluginError", "Problem",
    "Reconciliation", "Retryable", "Skip", "Step", "WorkflowTemplate", "WorkflowType", "Workspace", "field", "serve",
]
