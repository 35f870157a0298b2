"""Arguments of a call, as a person types them."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from typing import Any, cast

import click

from toolway.catalog import Tool
from toolway.operations import Schema

__all__ = ["read_arguments", "read_json"]


def read_json(text: str | None) -> dict[str, Any]:
    """Read the arguments that stand in one JSON object.

    Raises:
        click.UsageError: it is not JSON, or not an object.
    """
    if text is None:
        return {}
    try:
        found = json.loads(text)
    except ValueError as error:
        raise click.UsageError(f"--json is not JSON: {error}") from error
    if not isinstance(found, dict):
        raise click.UsageError('--json must be an object of arguments, such as \'{"name": "value"}\'')
    return cast("dict[str, Any]", found)


def read_arguments(tool: Tool, pairs: Iterable[str], base: Mapping[str, Any]) -> dict[str, Any]:
    """Add ``key=value`` pairs to arguments; a value is read as its argument's schema says.

    Raises:
        click.UsageError: a pair has no ``=``.
    """
    arguments = dict(base)
    for pair in pairs:
        name, equals, text = pair.partition("=")
        if not equals or not name:
            raise click.UsageError(f"expected name=value, got {pair!r}")
        argument = tool.arguments.get(name)
        arguments[name] = _value(text, argument.schema if argument else {}, tool)
    return arguments


def _value(text: str, schema: Schema, tool: Tool) -> Any:
    """Text stays text where text is wanted; anything else is JSON if it can be read so."""
    if _is_text(schema, tool):
        return text
    try:
        return json.loads(text)
    except ValueError:
        return text


def _is_text(schema: Schema, tool: Tool) -> bool:
    reference = schema.get("$ref")
    if isinstance(reference, str):
        return _is_text(tool.operation.components.get(reference.rpartition("/")[2], {}), tool)
    variants = cast("list[Schema]", schema.get("anyOf") or [])
    kinds = {variant.get("type") for variant in variants} - {"null"} if variants else {schema.get("type")}
    return kinds == {"string"}
