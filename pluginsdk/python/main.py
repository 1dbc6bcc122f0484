"""The plugin greeter."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from vwmp_plugin import PlannedEffect, Plugin, Problem, Step, field, serve

plugin = Plugin("greeter", "1.0.0", "Greets people, in words and in files.")


@dataclass
class Greeting:
    name: str = field("world", title="Whom to greet", description="A name.", max_length=200)
    times: int = field(1, title="Times", description="How often.", minimum=1, maximum=10)


@dataclass
class Greeted:
    greeting: str = field(title="Greeting")


@plugin.handler("hello", name="Say hello", description="Greets somebody.", category="demo", icon="message-circle",
                effect="pure", example={"name": "Ada"}, tags=["greeting"])
def hello(step: Step, config: Greeting) -> Greeted:
    step.log.info("greeting", whom=config.name)
    return Greeted("\n".join([f"Hello, {config.name}!"] * config.times))


@dataclass
class Letter:
    path: str = field("greeting.txt", title="File", description="Where to write it, in the workspace.", min_length=1)
    name: str = field("world", title="Whom to greet", max_length=200)


@dataclass
class Written:
    path: str = field(title="File")
    bytes: int = field(title="Size")


@plugin.handler("write", name="Write a greeting", description="Writes a greeting into a file.", category="demo", icon="file-pen",
                effect="idempotent", example={"path": "ada.txt", "name": "Ada"})
def write(step: Step, config: Letter) -> Written:
    text = f"Hello, {config.name}!\n"
    before = step.workspace.read_text(config.path) if step.workspace.exists(config.path) else None
    step.effect("create", config.path)
    step.workspace.write_text(config.path, text)
    step.effect("create", config.path, done=True)
    step.set_undo({"path": config.path, "before": before})
    return Written(config.path, len(text.encode()))


@write.plan
def plan_write(step: Step, config: Letter) -> list[PlannedEffect]:
    action = "update" if step.workspace.exists(config.path) else "create"
    return [PlannedEffect(action, config.path, summary=f"Writes a greeting for {config.name}.")]


@write.undo
def undo_write(step: Step, token: Any) -> None:
    if token["before"] is not None:
        step.workspace.write_text(token["path"], token["before"])
    elif step.workspace.exists(token["path"]):
        step.workspace.remove(token["path"])


@write.validate
def check_letter(config: Letter) -> list[Problem]:
    return [] if config.path.endswith(".txt") else [Problem("/path", "letters are .txt files", severity="warning")]


@dataclass
class Pause:
    seconds: float = field(0.2, title="Seconds", minimum=0, maximum=60)


@dataclass
class Nothing:
    pass


@plugin.handler("wait", name="Wait", description="Waits, and ends at once when it is cancelled.", category="demo", icon="clock",
                effect="pure", example={"seconds": 0.2})
def wait(step: Step, config: Pause) -> Nothing:
    step.progress(0, "waiting")
    step.sleep(config.seconds)
    return Nothing()


if __name__ == "__main__":
    serve(plugin)
