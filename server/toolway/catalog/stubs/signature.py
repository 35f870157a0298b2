"""Signatures of tools as Python functions, for agents that read them and for the type checker of code mode."""

from __future__ import annotations

import json
import math
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, cast

from toolway.catalog.stubs.python_types import TypeWriter, clean_identifier
from toolway.catalog.tool import Tool

__all__ = ["Signature", "read_signatures", "write_signature", "write_stub"]

_SHARE = 3
"""Comments are added to a signature while it has at most this part of the bytes of the tool's schemas."""
_LONGEST_COMMENT = 100
_LONGEST_DEFAULT = 40


@dataclass(frozen=True, slots=True)
class Signature:
    """A tool as a Python function."""

    tool: Tool
    function: str
    """The name of the function."""
    arguments: Mapping[str, str]
    """The names of the tool's arguments by those of the function's parameters; required ones first."""
    required: int
    """The number of required arguments, which may be passed by position."""
    accepts_others: bool
    """Whether the tool may accept arguments that are not listed."""

    def bind(self, values: Sequence[Any], named: Mapping[str, Any]) -> dict[str, Any]:
        """Return the arguments of the tool for a call of the function.

        Raises:
            TypeError: the call does not match the signature.
        """
        positional = list(self.arguments)[: self.required]
        if len(values) > len(positional):
            raise TypeError(f"{self.function}() takes {len(positional)} positional argument(s), got {len(values)}")
        bound = dict(zip(positional, values, strict=False))
        for name, value in named.items():
            if name in bound:
                raise TypeError(f"{self.function}() got multiple values for argument {name!r}")
            if name not in self.arguments and not self.accepts_others:
                raise TypeError(f"{self.function}() got an unexpected argument {name!r}")
            bound[name] = value
        return {self.arguments.get(name, name): value for name, value in bound.items()}


def read_signatures(tools: Iterable[Tool]) -> dict[str, Signature]:
    """Return the signatures of tools by the names of their functions."""
    found: dict[str, Signature] = {}
    for tool in tools:
        name = clean_identifier(tool.name, found)
        found[name] = _read_signature(tool, name)
    return found


def write_stub(signatures: Iterable[Signature]) -> str:
    """Return the source of a ``.pyi`` file with these functions and the classes that they use."""
    signatures = list(signatures)
    writer = TypeWriter(signature.function for signature in signatures)
    functions = [_define_function(signature, writer) for signature in signatures]
    body = "\n".join([*writer.classes.values(), *functions, ""])
    used = [name for name in ("Any", "Literal", "NotRequired", "TypedDict") if re.search(rf"\b{name}\b", body)]
    return f"from typing import {', '.join(used)}\n{body}" if used else body


def write_signature(tool: Tool) -> str:
    """Return the function that a tool is, with its classes and comments on its arguments, for agents to read.

    It takes at most a third of the bytes of the tool's schemas, unless its names and types alone need more: comments
    are left out beyond that.
    """
    (signature,) = read_signatures([tool]).values()
    writer = TypeWriter([signature.function])
    function = _define_function(signature, writer)
    schemas = [schema for schema in (tool.input_schema, tool.output_schema) if schema is not None]
    room = sum(len(json.dumps(schema, separators=(",", ":"))) for schema in schemas) // _SHARE
    room -= len("\n".join([function, *writer.classes.values()]))
    comments: list[str] = []
    for name, argument in signature.arguments.items():
        comment = _comment(name, _properties(tool)[argument])
        if comment and len(comment) < room:
            comments.append(comment)
            room -= len(comment) + 1
    return "\n".join([function, *comments, *writer.classes.values()])


def _read_signature(tool: Tool, function: str) -> Signature:
    properties = _properties(tool)
    listed: Any = tool.input_schema.get("required")
    required = [name for name in properties if isinstance(listed, list) and name in listed]
    arguments: dict[str, str] = {}
    for name in (*required, *(name for name in properties if name not in required)):
        arguments[clean_identifier(name, arguments)] = name
    combined = ("$ref", "anyOf", "oneOf", "allOf", "if", "patternProperties")
    accepts_others = tool.input_schema.get("additionalProperties") not in (None, False) or any(
        key in tool.input_schema for key in combined
    )
    return Signature(tool, function, arguments, len(required), accepts_others)


def _properties(tool: Tool) -> dict[str, Any]:
    properties: Any = tool.input_schema.get("properties")
    return cast("dict[str, Any]", properties) if isinstance(properties, dict) else {}


def _define_function(signature: Signature, writer: TypeWriter) -> str:
    tool, properties = signature.tool, _properties(signature.tool)
    types = writer.within(tool.input_schema)
    parts: list[str] = []
    for at, (parameter, name) in enumerate(signature.arguments.items()):
        schema = properties[name]
        written = types.write(schema, f"{signature.function} {parameter}")
        is_required = at < signature.required
        if at == signature.required:
            parts.append("*")
        parts.append(
            f"{parameter}: {written}" if is_required else f"{parameter}: {written} = {_default(schema, written)}"
        )
    if signature.accepts_others:
        parts.append(f"**{clean_identifier('others', signature.arguments)}: Any")
    output = tool.output_schema
    result = "Any" if output is None else writer.within(output).write(output, f"{signature.function} result")
    return f"async def {signature.function}({', '.join(parts)}) -> {result}: ..."


def _default(schema: Any, written: str) -> str:
    """Return the default of an optional argument, if it is short and has the argument's type."""
    members = cast("dict[str, Any]", schema) if isinstance(schema, dict) else {}
    default = members.get("default", ...)
    expected = {"str": (str,), "int": (int,), "float": (int, float), "bool": (bool,)}.get(written, ())
    is_null = default is None and written.endswith("None")
    is_simple = isinstance(default, expected) and (not isinstance(default, float) or math.isfinite(default))
    return repr(default) if is_null or (is_simple and len(repr(default)) <= _LONGEST_DEFAULT) else "..."


def _comment(name: str, schema: Any) -> str:
    """Return the first sentence of an argument's description as a comment."""
    text: Any = cast("dict[str, Any]", schema).get("description") if isinstance(schema, dict) else None
    if not isinstance(text, str) or not text.strip():
        return ""
    sentence = re.split(r"(?<=[.!?])\s|\n", " ".join(text.split()))[0].rstrip(".")
    return f"# {name}: {sentence if len(sentence) <= _LONGEST_COMMENT else sentence[:_LONGEST_COMMENT] + '...'}"
