"""Output of ``toolway list`` and ``toolway call``."""

from __future__ import annotations

import json
import shutil
import textwrap
from collections.abc import Iterator
from typing import Any, cast

from toolway.calls import Outcome
from toolway.catalog import Argument, Catalog, EndpointTool
from toolway.catalog.schema.definitions import dereference
from toolway.cli.output import echo, is_terminal, json_text
from toolway.content import AudioContent, Content, EmbeddedResource, ImageContent, ResourceLink, TextContent
from toolway.openapi import Schema

__all__ = ["AT_STARTUP", "NOTHING", "is_unexplained", "show_catalog", "show_catalog_json", "show_outcome"]

_WIDEST = 110
NOTHING = (
    "Nothing is exposed to agents: the OpenAPI document has no operations (include_in_schema=False hides them), or "
    "filters and decorators exclude all of them."
)
AT_STARTUP = "Use --start to include routes that are added at startup."


def show_catalog(catalog: Catalog) -> None:
    """Print a catalog as text: tools with their arguments, resources, prompts and skills."""
    width = min(shutil.get_terminal_size().columns, _WIDEST)
    for tool in catalog.tools.values():
        echo(tool.name, bold=True, nl=False)
        echo(f"  ({', '.join(_hints(tool))})")
        echo("\n".join(_tool_lines(tool, width)) + "\n")
    for lines in _other_lines(catalog):
        echo("\n".join(textwrap.shorten(line, width, placeholder=" ...") for line in lines) + "\n")
    for entry in catalog.skipped:
        echo(f"skipped: {entry.method} {_one_line(entry.path)}: {_one_line(entry.reason)}")
    echo(f"{', '.join(_counts(catalog))}, {len(catalog.skipped)} skipped")
    if is_unexplained(catalog):
        echo(f"{NOTHING} {AT_STARTUP}", err=True)


def is_unexplained(catalog: Catalog) -> bool:
    """Return whether a catalog is empty and has no skipped operation that would explain it."""
    return not (catalog.tools or catalog.resources or catalog.prompts or catalog.skipped)


def show_catalog_json(catalog: Catalog) -> None:
    """Print the definitions of tools, resources and prompts as clients receive them."""
    echo(json_text(catalog.definitions()))


def _other_lines(catalog: Catalog) -> Iterator[list[str]]:
    """Yield a block of lines for resources, prompts and skills each."""
    blocks = {
        "Resources": [f"{entry.uri}: {_gist(entry.description)}" for entry in catalog.resources],
        "Prompts": [
            f"{entry.name}({', '.join(entry.tool.arguments)}): {_gist(entry.description)}"
            for entry in catalog.prompts.values()
        ],
        "Skills": [f"{entry.uri}: {_gist(entry.frontmatter['description'])}" for entry in catalog.skills],
    }
    for heading, lines in blocks.items():
        if lines:
            yield [heading, *lines]


def _gist(text: str) -> str:
    return _one_line(text.partition("\n\n")[0])


def _one_line(text: str) -> str:
    return " ".join(text.split())


def _counts(catalog: Catalog) -> Iterator[str]:
    counts = {"resource": len(catalog.resources), "prompt": len(catalog.prompts), "skill": len(catalog.skills)}
    for kind, count in {"tool": len(catalog.tools), **counts}.items():
        if count or kind == "tool":
            yield f"{count} {kind if count == 1 else f'{kind}s'}"


def show_outcome(outcome: Outcome) -> None:
    """Print the result of a call: errors to stderr, other results to stdout, indented if that is a terminal."""
    is_answer = not outcome.is_error
    for content in outcome.content:
        if is_answer and not is_terminal():
            echo(_shown(content), exact=True)
        elif is_answer and outcome.structured is not None:
            echo(_laid_out(content))
        else:
            echo(_shown(content), err=outcome.is_error)


def _tool_lines(tool: EndpointTool, width: int) -> Iterator[str]:
    yield f"  {textwrap.shorten(_gist(tool.description), width - 2, placeholder=' ...')}"
    for argument in tool.arguments.values():
        yield f"    {textwrap.shorten(_argument_line(argument, tool), width - 4, placeholder=' ...')}"


def _hints(tool: EndpointTool) -> Iterator[str]:
    notes = tool.annotations
    yield "read only" if notes.read_only else "writes"
    if notes.destructive:
        yield "destructive"
    if notes.idempotent and not notes.read_only:
        yield "idempotent"
    if notes.open_world:
        yield "open world"


def _argument_line(argument: Argument, tool: EndpointTool) -> str:
    need = " (required)" if argument.required else ""
    about = argument.schema.get("description", "")
    return f"{argument.name}{need}: {_type_of(argument.schema, tool)}" + (f". {about}" if about else "")


def _type_of(schema: Schema, tool: EndpointTool, depth: int = 0) -> str:
    schema = dereference(schema, tool.operation.components)
    if "enum" in schema or "const" in schema:
        return " | ".join(json.dumps(value, ensure_ascii=False) for value in schema.get("enum", [schema.get("const")]))
    variants: list[Schema] = [*schema.get("anyOf", []), *schema.get("oneOf", [])]
    if variants and depth < 3:
        return " or ".join(dict.fromkeys(_type_of(variant, tool, depth + 1) for variant in variants))
    kind: Any = schema.get("type", "object" if "properties" in schema else "anything")
    if kind == "array" and isinstance(items := schema.get("items"), dict) and depth < 3:
        return f"list of {_type_of(cast('Schema', items), tool, depth + 1)}"
    return " or ".join(cast("list[str]", kind)) if isinstance(kind, list) else str(kind)


def _laid_out(content: Content) -> str:
    if not isinstance(content, TextContent):
        return _shown(content)
    return json_text(json.loads(content.text))


def _shown(content: Content) -> str:
    match content:
        case TextContent(text=text):
            return text
        case ImageContent(data=data, mime_type=media_type) | AudioContent(data=data, mime_type=media_type):
            return f"[{media_type}, {len(data):,} bytes]"
        case EmbeddedResource(resource=resource):
            return resource.text or f"[{resource.mime_type}, {len(resource.blob or b''):,} bytes]"
        case ResourceLink(uri=uri):
            return f"[{uri}]"
