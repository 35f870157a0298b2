"""Rules about tool names."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Callable, Hashable, Iterator

from toolway.catalog import EndpointTool
from toolway.lint.finding import Finding, Rule
from toolway.lint.survey import Check, Survey

__all__ = ["CHECKS"]

_CLAUDE_CODE = 64
_CURSOR = 60
_LONGEST = 40
_PLAIN = re.compile(r"[a-z][a-z0-9_]*")
_METHOD_TAIL = re.compile(r"_(get|put|post|delete|patch|head|options|trace)$")
_HASH_TAIL = re.compile(r"_(?=[0-9a-f]*[0-9])[0-9a-f]{8}$")

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


def _too_long(survey: Survey) -> Iterator[Finding]:
    for tool in survey.tools:
        shown = f"mcp__{survey.server}__{tool.name}"
        if len(shown) > _CLAUDE_CODE:
            both = len(survey.server) + len(tool.name)
            cursor = f"; Cursor allows {_CURSOR} for server and tool together, here {both}" if both > _CURSOR else ""
            yield N1.at(tool, f"{shown!r} has {len(shown)} characters; Claude Code allows {_CLAUDE_CODE}{cursor}")


def _shared(survey: Survey) -> Iterator[Finding]:
    def asked(tool: EndpointTool) -> str | None:
        return survey.notes[tool.name].get("name") or tool.operation.operation_id

    for name, tools in _groups(survey, asked):
        for tool in tools[1:]:
            yield N2.at(tool, f"{name!r} is also the name of {tools[0].operation}; this one was renamed {tool.name!r}")


def _unlovely(survey: Survey) -> Iterator[Finding]:
    for tool in survey.tools:
        if faults := list(_faults(tool)):
            yield N3.at(tool, f"{tool.name!r} {' and '.join(faults)}")


def _faults(tool: EndpointTool) -> Iterator[str]:
    name = tool.name
    if len(name) > _LONGEST:
        yield f"has {len(name)} characters"
    if not _PLAIN.fullmatch(name):
        yield "is not snake_case"
    if _METHOD_TAIL.search(name) or _HASH_TAIL.search(name):
        yield "has a generated suffix"
    elif not tool.operation.operation_id and name.startswith(f"{tool.operation.method.lower()}_"):
        yield "is generated from method and path"


def _alike(survey: Survey) -> Iterator[Finding]:
    def letters(tool: EndpointTool) -> str:
        return re.sub(r"[_-]", "", tool.name).lower()

    for _, tools in _groups(survey, letters):
        for tool in tools[1:]:
            yield N4.at(
                tool, f"{tool.name!r} differs from {tools[0].name!r} ({tools[0].operation}) only in case or underscores"
            )


def _groups(
    survey: Survey, key: Callable[[EndpointTool], Hashable | None]
) -> Iterator[tuple[Hashable, list[EndpointTool]]]:
    """Yield groups of tools that have the same key."""
    found: defaultdict[Hashable, list[EndpointTool]] = defaultdict(list)
    for tool in survey.tools:
        found[key(tool)].append(tool)
    return ((shared, tools) for shared, tools in found.items() if shared is not None and len(tools) > 1)


CHECKS: dict[Rule, Check] = {N1: _too_long, N2: _shared, N3: _unlovely, N4: _alike}
