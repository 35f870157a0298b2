"""Names: what clients refuse, and what agents read badly."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Callable, Hashable, Iterator

from toolway.catalog import Tool
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
    "Name too long behind the server's name",
    "Claude Code refuses every request that holds one such name, and Cursor drops the tool without a word.",
    "A shorter name: operation_id=... on the route, or @agent_tool(name=...).",
)
N2 = Rule(
    "N2",
    "error",
    "One name for several endpoints",
    "Tools are told apart by the method or the path then: their names change when an endpoint comes or goes.",
    "A name of its own for each: operation_id=... or @agent_tool(name=...).",
)
N3 = Rule(
    "N3",
    "warn",
    "Name that is long, generated or not snake_case",
    "Agents choose by names first; path and method in a name cost tokens and say little.",
    "A verb and what it acts on, in snake_case and at most 40 characters, such as cancel_order.",
)
N4 = Rule(
    "N4",
    "warn",
    "Names that only case or underscores tell apart",
    "Agents mix them up, and so do clients that change names.",
    "Names that differ in a word.",
)


def _too_long(survey: Survey) -> Iterator[Finding]:
    for tool in survey.tools:
        shown = f"mcp__{survey.server}__{tool.name}"
        if len(shown) > _CLAUDE_CODE:
            both = len(survey.server) + len(tool.name)
            cursor = f"; Cursor takes {_CURSOR} for server and tool, these are {both}" if both > _CURSOR else ""
            yield N1.at(tool, f"{shown!r} has {len(shown)} characters; Claude Code takes {_CLAUDE_CODE}{cursor}")


def _shared(survey: Survey) -> Iterator[Finding]:
    def asked(tool: Tool) -> str | None:
        return survey.notes[tool.name].get("name") or tool.operation.operation_id

    for name, tools in _groups(survey, asked):
        for tool in tools[1:]:
            yield N2.at(tool, f"{name!r} is also the name of {tools[0].operation}; this one became {tool.name!r}")


def _unlovely(survey: Survey) -> Iterator[Finding]:
    for tool in survey.tools:
        if faults := list(_faults(tool)):
            yield N3.at(tool, f"{tool.name!r} {' and '.join(faults)}")


def _faults(tool: Tool) -> Iterator[str]:
    name = tool.name
    if len(name) > _LONGEST:
        yield f"has {len(name)} characters"
    if not _PLAIN.fullmatch(name):
        yield "is not snake_case"
    if _METHOD_TAIL.search(name) or _HASH_TAIL.search(name):
        yield "ends in a generated tail"
    elif not tool.operation.operation_id and name.startswith(f"{tool.operation.method.lower()}_"):
        yield "is made of method and path"


def _alike(survey: Survey) -> Iterator[Finding]:
    def letters(tool: Tool) -> str:
        return re.sub(r"[_-]", "", tool.name).lower()

    for _, tools in _groups(survey, letters):
        for tool in tools[1:]:
            yield N4.at(tool, f"{tool.name!r} is nearly {tools[0].name!r} ({tools[0].operation})")


def _groups(survey: Survey, key: Callable[[Tool], Hashable | None]) -> Iterator[tuple[Hashable, list[Tool]]]:
    """Yield the tools that share a key with another one."""
    found: defaultdict[Hashable, list[Tool]] = defaultdict(list)
    for tool in survey.tools:
        found[key(tool)].append(tool)
    return ((shared, tools) for shared, tools in found.items() if shared is not None and len(tools) > 1)


CHECKS: dict[Rule, Check] = {N1: _too_long, N2: _shared, N3: _unlovely, N4: _alike}
