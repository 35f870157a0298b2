"""Rules about tool names."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Callable, Hashable, Iterator

from toolway.catalog import EndpointTool
from toolway.catalog.naming import requested_name
from toolway.lint.finding import Finding, Rule
from toolway.lint.lint_context import Check, LintContext

__all__ = ["CHECKS"]

_CLAUDE_CODE_LIMIT = 64
_CURSOR_LIMIT = 60
_MAX_LENGTH = 40
_SNAKE_CASE = re.compile(r"[a-z][a-z0-9_]*")
_METHOD_SUFFIX = re.compile(r"_(get|put|post|delete|patch|head|options|trace)$")
_HASH_SUFFIX = re.compile(r"_(?=[0-9a-f]*[0-9])[0-9a-f]{8}$")

N1 = Rule(
    "N1",
    "error",
    "Tool name too long with the server-name prefix",
    "Claude Code rejects every request that contains such a name, and Cursor silently drops the tool.",
    "Use a shorter name: operation_id=... on the route, or @agent_tool(name=...).",
)
N2 = Rule(
    "N2",
    "error",
    "Several endpoints with the same name",
    "toolway adds the method or path to keep names unique, so they change when an endpoint is added or removed.",
    "Give each endpoint its own name with operation_id=... or @agent_tool(name=...).",
)
N3 = Rule(
    "N3",
    "warn",
    "Name that is long, generated or not snake_case",
    "Agents choose by name first; a path or method in the name costs tokens and adds little.",
    "Use a verb and its object, in snake_case and at most 40 characters, such as cancel_order.",
)
N4 = Rule(
    "N4",
    "warn",
    "Names that differ only in case or underscores",
    "Agents confuse them, and so do clients that rewrite names.",
    "Use names that differ in a word.",
)


def _check_prefixed_length(context: LintContext) -> Iterator[Finding]:
    for tool in context.tools:
        shown = f"mcp__{context.server}__{tool.name}"
        if len(shown) > _CLAUDE_CODE_LIMIT:
            both = len(context.server) + len(tool.name)
            cursor = (
                f"; Cursor allows {_CURSOR_LIMIT} for server and tool together, here {both}"
                if both > _CURSOR_LIMIT
                else ""
            )
            yield N1.at(tool, f"{shown!r} has {len(shown)} characters; Claude Code allows {_CLAUDE_CODE_LIMIT}{cursor}")


def _check_duplicates(context: LintContext) -> Iterator[Finding]:
    def requested_name(tool: EndpointTool) -> str | None:
        return context.notes[tool.name].get("name") or tool.operation.operation_id

    for name, tools in _group_tools(context, requested_name):
        for tool in tools[1:]:
            yield N2.at(tool, f"{name!r} is also the name of {tools[0].operation}; this one was renamed {tool.name!r}")


def _check_style(context: LintContext) -> Iterator[Finding]:
    for tool in context.tools:
        requested = requested_name(tool.operation, context.notes[tool.name].get("name"))
        if faults := list(_style_faults(tool, requested)):
            yield N3.at(tool, f"{tool.name!r} {' and '.join(faults)}")


def _style_faults(tool: EndpointTool, requested: str) -> Iterator[str]:
    name = tool.name
    if len(name) < len(requested):
        yield f"is short for {requested!r}, which is too long for Claude Code with the name of the server"
    elif len(name) > _MAX_LENGTH:
        yield f"has {len(name)} characters"
    if not _SNAKE_CASE.fullmatch(name):
        yield "is not snake_case"
    if _METHOD_SUFFIX.search(name) or _HASH_SUFFIX.search(name):
        yield "has a generated suffix"
    elif not tool.operation.operation_id and name.startswith(f"{tool.operation.method.lower()}_"):
        yield "is generated from method and path"


def _check_similar_names(context: LintContext) -> Iterator[Finding]:
    def comparable_name(tool: EndpointTool) -> str:
        return re.sub(r"[_-]", "", tool.name).lower()

    for _, tools in _group_tools(context, comparable_name):
        for tool in tools[1:]:
            yield N4.at(
                tool, f"{tool.name!r} differs from {tools[0].name!r} ({tools[0].operation}) only in case or underscores"
            )


def _group_tools(
    context: LintContext, key: Callable[[EndpointTool], Hashable | None]
) -> Iterator[tuple[Hashable, list[EndpointTool]]]:
    """Yield groups of tools that have the same key."""
    found: defaultdict[Hashable, list[EndpointTool]] = defaultdict(list)
    for tool in context.tools:
        found[key(tool)].append(tool)
    return ((shared, tools) for shared, tools in found.items() if shared is not None and len(tools) > 1)


CHECKS: dict[Rule, Check] = {
    N1: _check_prefixed_length,
    N2: _check_duplicates,
    N3: _check_style,
    N4: _check_similar_names,
}
