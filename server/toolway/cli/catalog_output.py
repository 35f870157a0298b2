"""Output of ``toolway list`` and ``toolway call``."""

from __future__ import annotations

import json
import shutil
import textwrap
from collections.abc import Iterator, Sequence
from typing import Any, cast

from toolway.calls import Outcome
from toolway.catalog import Argument, Catalog, CatalogMode, EndpointTool
from toolway.catalog.schema.definitions import dereference
from toolway.cli.output_streams import echo, format_json, is_stdout_terminal
from toolway.content import AudioContent, Content, EmbeddedResource, ImageContent, ResourceLink, TextContent
from toolway.openapi import Schema
from toolway.search_mode import RankedTool

__all__ = [
    "NOTHING_EXPOSED",
    "is_unexplained",
    "print_catalog",
    "print_catalog_json",
    "print_outcome",
    "print_ranking",
    "print_ranking_json",
]

_MAX_WIDTH = 110
_MEANING = "meaning"
NOTHING_EXPOSED = (
    "Nothing is exposed to agents: the OpenAPI document has no operations (include_in_schema=False hides them), or "
    "filters and decorators exclude all of them."
)
_START_HINT = "Use --start to include routes that are added at startup."


def print_catalog(catalog: Catalog) -> None:
    """Print a catalog as text: tools with their arguments, resources, prompts and skills."""
    width = min(shutil.get_terminal_size().columns, _MAX_WIDTH)
    for tool in catalog.tools.values():
        echo(tool.name, bold=True, nl=False)
        echo(f"  ({', '.join(_iter_hints(tool))})")
        echo("\n".join(_iter_tool_lines(tool, width)) + "\n")
    for lines in _iter_other_blocks(catalog):
        echo("\n".join(textwrap.shorten(line, width, placeholder=" ...") for line in lines) + "\n")
    for entry in catalog.skipped:
        echo(f"skipped: {entry.method} {_join_lines(entry.path)}: {_join_lines(entry.reason)}")
    echo(f"{', '.join(_iter_counts(catalog))}, {len(catalog.skipped)} skipped")
    if is_unexplained(catalog):
        echo(f"{NOTHING_EXPOSED} {_START_HINT}", err=True)


def is_unexplained(catalog: Catalog) -> bool:
    """Return whether a catalog is empty and has no skipped operation that would explain it."""
    return not (catalog.tools or catalog.resources or catalog.prompts or catalog.skipped)


def print_catalog_json(catalog: Catalog, mode: CatalogMode = "list") -> None:
    """Print the definitions of tools, resources and prompts as clients receive them in a mode of the catalog."""
    echo(format_json(catalog.definitions(mode)))


def print_ranking(ranking: Sequence[RankedTool]) -> None:
    """Print the tools that a search finds, with their scores and what each word of the query adds."""
    for entry in ranking:
        echo(f"{entry.score:6.2f}  ", nl=False)
        echo(entry.tool.name, bold=True, nl=False)
        parts = (f"{_MEANING if word == '~' else word} {added:.2f}" for word, added in entry.words.items())
        echo(f"  ({', '.join(parts)})")
        echo(f"        {textwrap.shorten(_summarize(entry.tool.description), _MAX_WIDTH, placeholder=' ...')}")
    if not ranking:
        echo("No tool matches.", err=True)


def print_ranking_json(ranking: Sequence[RankedTool]) -> None:
    """Print the tools that a search finds as JSON."""
    echo(format_json([{"name": entry.tool.name, "score": entry.score, "words": entry.words} for entry in ranking]))


def _iter_other_blocks(catalog: Catalog) -> Iterator[list[str]]:
    """Yield a block of lines for resources, prompts and skills each."""
    blocks = {
        "Resources": [f"{entry.uri}: {_summarize(entry.description)}" for entry in catalog.resources],
        "Prompts": [
            f"{entry.name}({', '.join(entry.tool.arguments)}): {_summarize(entry.description)}"
            for entry in catalog.prompts.values()
        ],
        "Skills": [f"{entry.uri}: {_summarize(entry.frontmatter['description'])}" for entry in catalog.skills],
    }
    for heading, lines in blocks.items():
        if lines:
            yield [heading, *lines]


def _summarize(text: str) -> str:
    return _join_lines(text.partition("\n\n")[0])


def _join_lines(text: str) -> str:
    return " ".join(text.split())


def _iter_counts(catalog: Catalog) -> Iterator[str]:
    counts = {"resource": len(catalog.resources), "prompt": len(catalog.prompts), "skill": len(catalog.skills)}
    for kind, count in {"tool": len(catalog.tools), **counts}.items():
        if count or kind == "tool":
            yield f"{count} {kind if count == 1 else f'{kind}s'}"


def print_outcome(outcome: Outcome) -> None:
    """Print the result of a call: errors to stderr, other results to stdout, indented if that is a terminal."""
    is_result = not outcome.is_error
    for content in outcome.content:
        if is_result and not is_stdout_terminal():
            echo(_format_content(content), exact=True)
        elif is_result and outcome.structured is not None:
            is_json = isinstance(content, TextContent)
            echo(format_json(json.loads(content.text)) if is_json else _format_content(content))
        else:
            echo(_format_content(content), err=outcome.is_error)


def _iter_tool_lines(tool: EndpointTool, width: int) -> Iterator[str]:
    yield f"  {textwrap.shorten(_summarize(tool.description), width - 2, placeholder=' ...')}"
    for argument in tool.arguments.values():
        yield f"    {textwrap.shorten(_format_argument(argument, tool), width - 4, placeholder=' ...')}"


def _iter_hints(tool: EndpointTool) -> Iterator[str]:
    notes = tool.annotations
    yield "read only" if notes.read_only else "writes"
    if notes.destructive:
        yield "destructive"
    if notes.idempotent and not notes.read_only:
        yield "idempotent"
    if notes.open_world:
        yield "open world"


def _format_argument(argument: Argument, tool: EndpointTool) -> str:
    need = " (required)" if argument.required else ""
    about = argument.schema.get("description", "")
    return f"{argument.name}{need}: {_describe_type(argument.schema, tool)}" + (f". {about}" if about else "")


def _describe_type(schema: Schema, tool: EndpointTool, depth: int = 0) -> str:
    schema = dereference(schema, tool.operation.components)
    if "enum" in schema or "const" in schema:
        return " | ".join(json.dumps(value, ensure_ascii=False) for value in schema.get("enum", [schema.get("const")]))
    variants: list[Schema] = [*schema.get("anyOf", []), *schema.get("oneOf", [])]
    if variants and depth < 3:
        return " or ".join(dict.fromkeys(_describe_type(variant, tool, depth + 1) for variant in variants))
    kind: Any = schema.get("type", "object" if "properties" in schema else "anything")
    if kind == "array" and isinstance(items := schema.get("items"), dict) and depth < 3:
        return f"list of {_describe_type(cast('Schema', items), tool, depth + 1)}"
    return " or ".join(cast("list[str]", kind)) if isinstance(kind, list) else str(kind)


def _format_content(content: Content) -> str:
    match content:
        case TextContent(text=text):
            return text
        case ImageContent(data=data, mime_type=media_type) | AudioContent(data=data, mime_type=media_type):
            return f"[{media_type}, {len(data):,} bytes]"
        case EmbeddedResource(resource=resource):
            return resource.text or f"[{resource.mime_type}, {len(resource.blob or b''):,} bytes]"
        case ResourceLink(uri=uri):
            return f"[{uri}]"
