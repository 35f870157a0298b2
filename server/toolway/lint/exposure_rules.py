"""Rules about paths that overlap, and about operations that are not exposed as tools."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator

from toolway.catalog import EndpointTool
from toolway.lint.finding import Finding, Location, Rule
from toolway.lint.lint_context import Check, LintContext, resolve

__all__ = ["CHECKS"]

A4 = Rule(
    "A4",
    "warn",
    "Path parameter whose values can match another route, or span several segments",
    "toolway refuses values that would be routed to another endpoint, so some values cannot be used.",
    "Give the parameter a pattern or an enum, or give each route a distinct path.",
)
X1 = Rule(
    "X1",
    "info",
    "Not exposed as a tool",
    "Agents cannot call it; toolway reports what it does not convert, and never exposes it in part.",
    "See the reason, which names the fix if there is one.",
)

_RouteShape = tuple[str, int]


def _check_overlapping_paths(context: LintContext) -> Iterator[Finding]:
    static = _static_segments(context)
    for tool in context.tools:
        for name in sorted(tool.operation.template.multi_segment):
            yield A4.at(tool, "may contain slashes", _argument_name(tool, name))
        for name, siblings in _iter_siblings(tool, static):
            shown = ", ".join(map(repr, siblings[:3])) + (", ..." if len(siblings) > 3 else "")
            yield A4.at(
                tool, f"cannot be {shown}, which would be routed to other endpoints", _argument_name(tool, name)
            )


def _static_segments(context: LintContext) -> dict[tuple[_RouteShape, tuple[str, ...], int], list[str]]:
    """Return the static segments of all paths, by method, number of segments, the other segments, and position."""
    found: defaultdict[tuple[_RouteShape, tuple[str, ...], int], list[str]] = defaultdict(list)
    for tool in context.tools:
        parts = _segments(tool)
        for at, part in enumerate(parts):
            if "{" not in part:
                found[(tool.operation.method, len(parts)), _other_segments(parts, at), at].append(part)
    return found


def _iter_siblings(
    tool: EndpointTool, static: dict[tuple[_RouteShape, tuple[str, ...], int], list[str]]
) -> Iterator[tuple[str, list[str]]]:
    parts = _segments(tool)
    for at, part in enumerate(parts):
        name = part.strip("{}")
        if part == f"{{{name}}}" and _is_free_text(tool, name):
            words = static.get(((tool.operation.method, len(parts)), _other_segments(parts, at), at))
            if words:
                yield name, list(dict.fromkeys(words))


def _segments(tool: EndpointTool) -> list[str]:
    return tool.operation.path.strip("/").split("/")


def _other_segments(parts: list[str], at: int) -> tuple[str, ...]:
    """Return the segments around a position, with all placeholders replaced by ``{}``."""
    return tuple("{}" if "{" in part else part for part in (*parts[:at], *parts[at + 1 :]))


def _is_free_text(tool: EndpointTool, name: str) -> bool:
    for parameter in tool.operation.parameters:
        if parameter.location == "path" and parameter.name == name:
            schema = resolve(parameter.schema, tool)
            kind = schema.get("type", "string")
            return kind == "string" and not schema.keys() & {"enum", "const", "pattern", "format"}
    return False


def _argument_name(tool: EndpointTool, name: str) -> str:
    """The argument that fills a placeholder; names that are not legal for clients were changed."""
    filling = (entry.name for entry in tool.arguments.values() if entry.location == "path" and entry.target == name)
    return next(filling, name)


def _check_skipped(context: LintContext) -> Iterator[Finding]:
    for entry in context.catalog.skipped:
        yield Finding(X1, X1.level, entry.reason, Location(entry.method, entry.path))


CHECKS: dict[Rule, Check] = {A4: _check_overlapping_paths, X1: _check_skipped}
