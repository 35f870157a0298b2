"""Path templates, and which other routes a filled one could fall into.

An argument must never choose the route (CVE-2026-32871 is that mistake). A router takes the first route that matches,
so a filled path is right when no earlier route of the application matches it, and when its own pattern takes exactly
the values that were put in.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass

from starlette.routing import compile_path

__all__ = ["PathTemplate", "RouteIndex", "RoutePattern"]

_PLACEHOLDER = re.compile(r"{([^{}]+)}")


@dataclass(frozen=True, slots=True)
class PathTemplate:
    """A path with placeholders, able to tell whether a filled path still reaches its own operation."""

    text: str
    """Placeholders by name only: ``/files/{file_path}``."""
    names: tuple[str, ...]
    pattern: re.Pattern[str]
    groups: Mapping[str, str]
    """Parameter name to the pattern's group name."""
    spanning: frozenset[str] = frozenset()
    """Parameters that may hold slashes (``{file_path:path}``)."""
    rivals: tuple[re.Pattern[str], ...] = ()
    """Earlier routes of the same method that could match a filled path."""

    @classmethod
    def parse(cls, path: str, rivals: Iterable[re.Pattern[str]] = ()) -> PathTemplate:
        """Read a template, with Starlette's convertors (``{n:int}``) or without."""
        names = tuple(name.partition(":")[0] for name in _PLACEHOLDER.findall(path))
        spanning = frozenset(name.partition(":")[0] for name in _PLACEHOLDER.findall(path) if name.endswith(":path"))
        pattern, groups = _compile(path)
        text = _PLACEHOLDER.sub(lambda match: "{" + match[1].partition(":")[0] + "}", path)
        return cls(text, names, pattern, groups, spanning, tuple(rivals))

    def fill(self, values: Mapping[str, str]) -> str:
        """Put the values into the template, once: a value that looks like a placeholder stays a value."""
        return _PLACEHOLDER.sub(lambda match: values[match[1]], self.text)

    def keeps(self, path: str, values: Mapping[str, str]) -> bool:
        """Tell whether the filled path is matched by this template with exactly these values."""
        match = self.pattern.fullmatch(path)
        return match is not None and all(match[group] == values[name] for name, group in self.groups.items())

    def is_taken(self, path: str) -> bool:
        """Tell whether the router would give the filled path to another route."""
        return any(rival.match(path) for rival in self.rivals)

    @property
    def is_shadowed(self) -> bool:
        """True for a path without placeholders that an earlier route always takes."""
        return not self.names and self.is_taken(self.text)


def _compile(path: str) -> tuple[re.Pattern[str], dict[str, str]]:
    """Compile a template to Starlette's pattern; names that are no identifiers get groups of their own."""
    groups: dict[str, str] = {}

    def placeholder(match: re.Match[str]) -> str:
        name, colon, convertor = match[1].partition(":")
        groups[name] = name if name.isidentifier() and name.isascii() else f"p{len(groups)}_"
        return "{" + groups[name] + colon + convertor + "}"

    pattern, _, _ = compile_path(_PLACEHOLDER.sub(placeholder, path))
    return pattern, groups


@dataclass(frozen=True, slots=True)
class RoutePattern:
    """One route of an application, as far as it can take a request away from another."""

    path: str
    """With convertors; a mount ends in ``/{path:path}``."""
    methods: frozenset[str] | None
    """None takes every method."""
    is_mount: bool = False

    @property
    def segments(self) -> list[str]:
        return self.path.split("/")[1:]

    def takes(self, method: str) -> bool:
        return self.methods is None or method in self.methods


class RouteIndex:
    """The routes of an application in the router's order, asked for those that could shadow a template.

    Routes are kept by their first segment, so that the question does not walk over the whole application.
    """

    def __init__(self, routes: Iterable[RoutePattern]) -> None:
        self._by_head: dict[str, list[tuple[int, RoutePattern]]] = {}
        self._any_head: list[tuple[int, RoutePattern]] = []
        self._own: dict[tuple[str, str], int] = {}
        for position, route in enumerate(routes):
            self._add(position, route)

    def _add(self, position: int, route: RoutePattern) -> None:
        head = route.segments[0] if route.segments else ""
        rows = self._any_head if "{" in head else self._by_head.setdefault(head, [])
        rows.append((position, route))
        text = PathTemplate.parse(route.path).text
        for method in route.methods or ():
            self._own.setdefault((method, text), position)

    def template(self, method: str, path: str) -> PathTemplate | None:
        """Return the template of the route that serves an operation, or None when no route does."""
        position = self._own.get((method, path))
        if position is None:
            return None
        route = next(route for at, route in self._near(path) if at == position)
        rivals = (
            rival
            for at, rival in self._near(route.path)
            if at < position and rival.takes(method) and _overlap(rival.segments, route.segments)
        )
        return PathTemplate.parse(route.path, rivals=(_compile(rival.path)[0] for rival in rivals))

    def _near(self, path: str) -> Iterator[tuple[int, RoutePattern]]:
        head = path.split("/")[1]
        if "{" in head:
            for rows in self._by_head.values():
                yield from rows
        else:
            yield from self._by_head.get(head, [])
        yield from self._any_head


def _overlap(left: list[str], right: list[str]) -> bool:
    """Tell whether some path could match both templates; True where that is not easily excluded."""
    for index, (one, other) in enumerate(zip(left, right, strict=False)):
        if ":path}" in one or ":path}" in other:
            return True
        if "{" not in one and "{" not in other and one != other:
            return False
        if index == len(left) - 1 or index == len(right) - 1:
            break
    return len(left) == len(right) or ":path}" in left[-1] + right[-1]
