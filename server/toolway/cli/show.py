"""What the command line prints."""

from __future__ import annotations

import json
import shutil
import sys
import textwrap
from collections.abc import Iterator
from typing import Any, cast

import click

from toolway.calls import Audio, Blob, Content, Image, Outcome, Text
from toolway.catalog import Argument, Catalog, Tool
from toolway.operations import Schema

__all__ = ["show_catalog", "show_catalog_json", "show_outcome"]


def show_catalog(catalog: Catalog) -> None:
    """Print the tools for people: what each does, and what it takes."""
    width = min(shutil.get_terminal_size().columns, 110)
    for tool in catalog.tools.values():
        click.echo("\n".join(_tool_lines(tool, width)) + "\n")
    for entry in catalog.skipped:
        click.echo(f"not a tool: {entry.method} {entry.path}: {entry.reason}")
    click.echo(f"{len(catalog.tools)} tools" + (f", {len(catalog.skipped)} skipped" if catalog.skipped else ""))


def show_catalog_json(catalog: Catalog) -> None:
    """Print the tools as an agent gets them."""
    entries = [tool.definition(wrapped=False) for tool in catalog.tools.values()]
    click.echo(json.dumps(entries, indent=2, ensure_ascii=False))


def show_outcome(outcome: Outcome) -> None:
    """Print what a call gave: on stderr when it failed."""
    for content in outcome.content:
        click.echo(_shown(content), err=outcome.is_error)


def _tool_lines(tool: Tool, width: int) -> Iterator[str]:
    hints = ", ".join(_hints(tool))
    yield f"{tool.name}  ({hints})" if hints else tool.name
    first = " ".join(tool.description.partition("\n\n")[0].split())
    yield from textwrap.wrap(first, width, initial_indent="  ", subsequent_indent="  ")
    for argument in tool.arguments.values():
        yield textwrap.shorten(_argument_line(argument), width, placeholder=" ...").replace("- ", "    ", 1)


def _hints(tool: Tool) -> Iterator[str]:
    notes = tool.annotations
    yield "read only" if notes.read_only else "writes"
    if notes.destructive:
        yield "destructive"
    if notes.idempotent and not notes.read_only:
        yield "idempotent"


def _argument_line(argument: Argument) -> str:
    need = "" if argument.required else ", optional"
    about = argument.schema.get("description", "")
    return f"- {argument.name}: {_type_of(argument.schema)}{need}" + (f". {about}" if about else "")


def _type_of(schema: Schema) -> str:
    if "enum" in schema:
        return "one of " + ", ".join(repr(value) for value in schema["enum"])
    if "$ref" in schema:
        return str(schema["$ref"]).rpartition("/")[2]
    variants = cast("list[Schema]", schema.get("anyOf") or schema.get("oneOf") or [])
    if variants:
        return " or ".join(_type_of(variant) for variant in variants)
    if schema.get("type") == "array":
        return f"list of {_type_of(cast('dict[str, Any]', schema.get('items') or {}))}"
    return str(schema.get("type", "anything"))


def _shown(content: Content) -> str:
    match content:
        case Text(text):
            return _pretty(text) if sys.stdout.isatty() else text
        case Image(data, media_type) | Audio(data, media_type) | Blob(data, media_type, _):
            return f"[{media_type}, {len(data):,} bytes]"


def _pretty(text: str) -> str:
    try:
        return json.dumps(json.loads(text), indent=2, ensure_ascii=False)
    except ValueError:
        return text
