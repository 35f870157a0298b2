"""The definitions of ``search_tools``, ``describe_tools`` and ``call_tool``, as agents see them."""

from __future__ import annotations

from collections.abc import Collection

from toolway.calls import CALL_TOOL
from toolway.catalog import CatalogMode, Tool, ToolAnnotations
from toolway.openapi import Schema

__all__ = ["DESCRIBE_TOOLS", "SEARCH_ORIGIN", "SEARCH_TOOLS", "build_search_tools"]

SEARCH_ORIGIN = "toolway:search"
"""The origin of these tools, by which their runner is found; not the prefix of an application."""

SEARCH_TOOLS = "search_tools"
DESCRIBE_TOOLS = "describe_tools"

_READS = ToolAnnotations(read_only=True, destructive=False, idempotent=True, open_world=False)
_CALLS = ToolAnnotations(read_only=False, destructive=None, idempotent=None, open_world=False)
_NAMES: Schema = {"type": "array", "items": {"type": "string"}}


def build_search_tools(taken: Collection[str]) -> list[Tool]:
    """Return the tools; one whose name is among those that are taken gets the prefix ``toolway_``."""

    def build(
        name: str, title: str, description: str, properties: Schema, hints: ToolAnnotations, *modes: CatalogMode
    ) -> Tool:
        required = [key for key, schema in properties.items() if "default" not in schema and "anyOf" not in schema]
        return Tool(
            name=f"toolway_{name}" if name in taken else name,
            title=title,
            description=description,
            input_schema={"type": "object", "properties": properties, "required": required[: _REQUIRED[name]]},
            annotations=hints,
            modes=frozenset(modes),
            origin=SEARCH_ORIGIN,
        )

    return [
        build(
            SEARCH_TOOLS,
            "Search tools",
            "Find tools for a task, best first. Describe one step in a few words.",
            {
                "query": {"type": "string"},
                "limit": {"type": "integer", "minimum": 1, "maximum": 50, "default": 10},
                "tags": {**_NAMES, "description": "Only tools with one of these tags."},
            },
            _READS,
            "search",
            "code",
        ),
        build(
            DESCRIBE_TOOLS,
            "Describe tools",
            "Show the arguments and the result of tools as Python signatures.",
            {"names": _NAMES, "json_schema": {"type": "boolean", "default": False}},
            _READS,
            "search",
        ),
        build(
            CALL_TOOL,
            "Call a tool",
            "Call a tool by its name, with its arguments by name.",
            {
                "name": {"type": "string"},
                "arguments": {"type": "object"},
                "fields": {**_NAMES, "description": 'Only these parts of the result: ["order_id", "lines[].sku"].'},
            },
            _CALLS,
            "search",
        ),
    ]


_REQUIRED = {SEARCH_TOOLS: 1, DESCRIBE_TOOLS: 1, CALL_TOOL: 2}
"""How many of the arguments, in their order, are required."""
