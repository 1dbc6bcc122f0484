"""JSON Schemas from dataclasses, and values read by them."""

from __future__ import annotations

import dataclasses
import types
import typing
from typing import Any

from .outcome import Invalid

_MARK = "vwmp"
_KEYS = {
    "title": "title", "description": "description", "format": "format", "pattern": "pattern", "minimum": "minimum",
    "maximum": "maximum", "min_length": "minLength", "max_length": "maxLength", "min_items": "minItems",
    "max_items": "maxItems", "widget": "x-vwmp-widget", "multiline": "x-vwmp-multiline",
}
_NAMES = {str: "string", int: "integer", float: "number", bool: "boolean"}


def field(
    default: Any = dataclasses.MISSING, *, title: str = "", description: str = "", enum: list[Any] | None = None,
    format: str = "", pattern: str = "", example: Any = None, minimum: float | None = None,
    maximum: float | None = None, min_length: int | None = None, max_length: int | None = None,
    min_items: int | None = None, max_items: int | None = None, secret: bool = False, multiline: bool = False,
    widget: str = "",
) -> Any:
    """A field of a config or an output, with what the form shows and checks.

    A field without a default is required in a config. Give lists and dicts as
    they are: each value gets a copy of its own.
    """
    given = {name: value for name, value in locals().items() if name in _KEYS and value not in ("", None, False)}
    hints: dict[str, Any] = {_KEYS[name]: value for name, value in given.items()}
    if enum is not None:
        hints["enum"] = enum
    if example is not None:
        hints["examples"] = [example]
    if secret:
        hints.update({"x-vwmp-secret": True, "writeOnly": True})
    metadata = {_MARK: hints}
    if isinstance(default, (list, dict)):
        copied = default
        return dataclasses.field(default_factory=lambda: type(copied)(copied), metadata=metadata)
    return dataclasses.field(default=default, metadata=metadata)


def schema_of(kind: Any, *, closed: bool) -> dict[str, Any]:
    """The JSON Schema (draft 2020-12, without $ref) of a dataclass.

    ``closed`` is for configs: other keys are refused.
    """
    schema = _schema(kind, closed)
    schema["$schema"] = "https://json-schema.org/draft/2020-12/schema"
    return schema


def _schema(kind: Any, closed: bool) -> dict[str, Any]:
    origin, arguments = typing.get_origin(kind), typing.get_args(kind)
    if kind is Any:
        return {}
    if kind in _NAMES:
        return {"type": _NAMES[kind]}
    if kind is None or kind is type(None):
        return {"type": "object"}
    if dataclasses.is_dataclass(kind):
        return _object(kind, closed)
    if origin is typing.Literal:
        return {"type": _NAMES[type(arguments[0])], "enum": list(arguments)}
    if kind is list or origin is list:
        return {"type": "array", "items": _schema(arguments[0], closed) if arguments else {}}
    if kind is dict or origin is dict:
        return {"type": "object", "additionalProperties": _schema(arguments[1], closed) if arguments else {}}
    if origin in (typing.Union, types.UnionType):
        inner = [one for one in arguments if one is not type(None)]
        if len(inner) == 1:
            schema = _schema(inner[0], closed)
            if "type" in schema:
                schema["type"] = [schema["type"], "null"]
            if "enum" in schema:
                schema["enum"] = [*schema["enum"], None]
            return schema
    raise TypeError(f"a field can't be of type {kind}: use str, int, float, bool, list, dict, Literal, Optional or a dataclass")


def _object(kind: Any, closed: bool) -> dict[str, Any]:
    hints = typing.get_type_hints(kind)
    properties, required = {}, []
    for one in dataclasses.fields(kind):
        schema = _schema(hints[one.name], closed)
        extra = dict(one.metadata.get(_MARK, {}))
        if "enum" in extra and schema.get("type") == "array":
            schema["items"]["enum"] = extra.pop("enum")
        schema.update(extra)
        if one.default is not dataclasses.MISSING and one.default is not None:
            schema["default"] = one.default
        elif one.default_factory is not dataclasses.MISSING:
            schema["default"] = one.default_factory()
        if _required(one) or not closed:
            required.append(one.name)
        properties[one.name] = schema
    schema = {"type": "object", "properties": properties}
    if required:
        schema["required"] = required
    if closed:
        schema["additionalProperties"] = False
    return schema


def _required(one: dataclasses.Field[Any]) -> bool:
    return one.default is dataclasses.MISSING and one.default_factory is dataclasses.MISSING


def read(kind: Any, value: Any, pointer: str = "") -> Any:
    """Reads a JSON value as a type, over the defaults; raises Invalid."""
    origin, arguments = typing.get_origin(kind), typing.get_args(kind)
    if kind is Any:
        return value
    if dataclasses.is_dataclass(kind):
        return _read_object(kind, value, pointer)
    if origin in (typing.Union, types.UnionType):
        return None if value is None else read(next(one for one in arguments if one is not type(None)), value, pointer)
    if origin is typing.Literal:
        if value not in arguments or isinstance(value, bool) != isinstance(arguments[0], bool):
            raise Invalid(pointer, f"it must be one of {', '.join(map(str, arguments))}")
        return value
    if kind is list or origin is list:
        if not isinstance(value, list):
            raise Invalid(pointer, "it must be a list")
        return [read(arguments[0], one, f"{pointer}/{i}") for i, one in enumerate(value)] if arguments else value
    if kind is dict or origin is dict:
        if not isinstance(value, dict):
            raise Invalid(pointer, "it must be an object")
        return {key: read(arguments[1], one, f"{pointer}/{escape(key)}") for key, one in value.items()} if arguments else value
    if kind is float and isinstance(value, int) and not isinstance(value, bool):
        return float(value)
    if kind is int and isinstance(value, float) and value.is_integer():
        return int(value)
    if not isinstance(value, kind) or (kind is not bool and isinstance(value, bool)):
        raise Invalid(pointer, f"it must be of type {_NAMES.get(kind, kind)}")
    return value


def _read_object(kind: Any, value: Any, pointer: str) -> Any:
    if not isinstance(value, dict):
        raise Invalid(pointer, "it must be an object")
    hints = typing.get_type_hints(kind)
    fields = {one.name: one for one in dataclasses.fields(kind)}
    for key in value:
        if key not in fields:
            raise Invalid(f"{pointer}/{escape(key)}", f"there is no key {key!r}; the keys are {', '.join(fields)}")
    for name, one in fields.items():
        if _required(one) and name not in value:
            raise Invalid(f"{pointer}/{escape(name)}", f"{name} is missing")
    return kind(**{key: read(hints[key], one, f"{pointer}/{escape(key)}") for key, one in value.items()})


def escape(key: str) -> str:
    """A key as a part of a JSON pointer (RFC 6901)."""
    return key.replace("~", "~0").replace("/", "~1")


def plain(value: Any) -> Any:
    """A value as JSON has it: dataclasses become objects."""
    return dataclasses.asdict(value) if dataclasses.is_dataclass(value) and not isinstance(value, type) else value
