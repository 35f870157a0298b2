"""Path templates, and which other routes a filled one could fall into.

An argument must never choose the route (CVE-2026-32871 is that mistake). A router takes the first route that matches,
so a filled path is right when no earlier route of the application matches it, and when its own pattern takes exactly
the values that were put in.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TypeAlias

from starlette.responses import Response
from starlette.routing import Route, compile_path

from toolway.errors import DocumentError

__all__ = ["DocumentPaths", "PathTemplate", "RouteIndex", "RoutePattern", "plain_path", "tolerant_pattern"]

_PLACEHOLDER = re.compile(r"{([^{}]+)}")
_REST = "/{path:path}"
_WITHIN_A_SEGMENT = frozenset({"", "str", "int", "float", "uuid"})


def plain_path(path: str) -> str:
    """Drop the convertors: ``/files/{file_path:path}`` becomes ``/files/{file_path}``."""
    return _PLACEHOLDER.sub(lambda placeholder: "{" + placeholder[1].partition(":")[0] + "}", path)


@dataclass(frozen=True, slots=True)
class PathTemplate:
    """A path with placeholders, able to tell whether a filled path still reaches its own operation."""

    text: str
    """Placeholders by name only: ``/files/{file_path}``."""
    names: tuple[str, ...]
    literals: tuple[str, ...]
    """The text around the placeholders."""
    pattern: re.Pattern[str]
    groups: Mapping[str, str]
    """Parameter name to the pattern's group name."""
    multi_segment: frozenset[str] = frozenset()
    """Parameters that may hold slashes (``{file_path:path}``)."""
    earlier_routes: tuple[re.Pattern[str], ...] = ()
    """Earlier routes of the same method that could match a filled path."""
    mounts: tuple[re.Pattern[str], ...] = ()
    """The mounts that the path goes through; they take less than their routes do (nothing with a line break)."""
    is_unreachable: bool = False
    """Whether earlier routes take every filled path."""
    hosts: tuple[re.Pattern[str], ...] = ()
    """Host names that an earlier ``Host(...)`` route takes, whatever the path."""

    @classmethod
    def parse(cls, path: str, earlier_routes: Iterable[str] = (), mounts: Iterable[str] = ()) -> PathTemplate:
        """Read a template, with Starlette's convertors (``{n:int}``) or without; `mounts` are the prefixes above it."""
        placeholders: list[str] = _PLACEHOLDER.findall(path)
        names = tuple(placeholder.partition(":")[0] for placeholder in placeholders)
        multi_segment = frozenset(
            name for name, placeholder in zip(names, placeholders, strict=True) if _may_hold_slashes(placeholder)
        )
        pattern, groups = _compile(path)
        text = plain_path(path)
        others = tuple(_compile(earlier)[0] for earlier in earlier_routes)
        through = tuple(_compile(mount + _REST)[0] for mount in mounts)
        return cls(text, names, tuple(_PLACEHOLDER.split(path)[::2]), pattern, groups, multi_segment, others, through)

    def fill(self, values: Mapping[str, str]) -> str:
        """Put the values into the template, once: a value that looks like a placeholder stays a value."""
        first, *others = self.literals
        return first + "".join([values[name] + text for name, text in zip(self.names, others, strict=True)])

    def round_trips(self, path: str, values: Mapping[str, str]) -> bool:
        """Tell whether the filled path is matched by this template with exactly these values."""
        if self.mounts and not all(_passes(mount, path) for mount in self.mounts):
            return False
        match = self.pattern.fullmatch(path)
        return match is not None and all(match[group] == values[name] for name, group in self.groups.items())

    def is_shadowed(self, path: str) -> bool:
        """Tell whether the router would give the filled path to another route."""
        return any(earlier.match(path) for earlier in self.earlier_routes)

    def is_shadowed_by_host(self, host: str) -> bool:
        """Return whether a ``Host(...)`` route takes every request to this host, given without its port."""
        return bool(self.hosts) and any(taken.match(host.lower()) for taken in self.hosts)


def _may_hold_slashes(placeholder: str) -> bool:
    """Tell whether a placeholder's value may hold slashes; an application's own convertors may do anything."""
    return placeholder.partition(":")[2] not in _WITHIN_A_SEGMENT


def _compile(path: str) -> tuple[re.Pattern[str], dict[str, str]]:
    """Compile a template to Starlette's pattern; names that make no group, or no second one, get another."""
    groups: dict[str, str] = {}

    def placeholder(match: re.Match[str]) -> str:
        name, colon, convertor = match[1].partition(":")
        is_free = name.isidentifier() and name.isascii() and name not in groups
        group = name if is_free else f"p{match.start()}_"
        groups.setdefault(name, group)
        return "{" + group + colon + convertor + "}"

    pattern, _, _ = compile_path(_PLACEHOLDER.sub(placeholder, path))
    return pattern, groups


def _passes(mount: re.Pattern[str], path: str) -> bool:
    """Tell whether a mount takes a path, and its own routes are then asked for just the rest."""
    match = mount.fullmatch(path)
    return match is not None and (_ROOTS_ARE_TEXT or _is_taken_off(path[: match.start(mount.groups) - 1], path))


def _is_taken_off(root: str, path: str) -> bool:
    """Tell whether Starlette takes a root off a path; some releases look for it as for a regular expression."""
    try:
        _, found = _BELOW.matches({"type": "http", "method": "GET", "path": path, "root_path": root})
    except re.error:
        return False
    return found.get("path_params") == {"path": path[len(root) + 1 :]}


_BELOW = Route(_REST, Response)
_ROOTS_ARE_TEXT = _is_taken_off("/a+", "/a+/b")


@dataclass(frozen=True, slots=True)
class RoutePattern:
    """One route of an application, as far as it can take a request away from another."""

    path: str
    """With convertors; a mount ends in ``/{path:path}``."""
    methods: frozenset[str] | None
    """None takes every method."""
    is_mount: bool = False
    operation_id: str | None = None
    """What tells apart two routes of one method and one path."""
    host: re.Pattern[str] | None = None
    """The host names that a ``Host(...)`` route takes; None for any other route."""

    @property
    def segments(self) -> list[str]:
        return self.path.split("/")[1:]

    def takes(self, method: str) -> bool:
        return self.methods is None or method in self.methods


_Row: TypeAlias = tuple[int, RoutePattern]
"""A route with its position."""


class _Node:
    """The routes that begin with the same segments."""

    def __init__(self) -> None:
        self.literal: dict[str, _Node] = {}
        """What goes on with a segment that is just text."""
        self.filled: dict[str, _Node] = {}
        """What goes on with a segment that has a placeholder."""
        self.rows: list[_Row] = []
        """Routes that end here."""
        self.multi_segment: list[_Row] = []
        """Routes that go on with a placeholder that may hold slashes: to wherever."""

    def add(self, segments: Sequence[str], row: _Row) -> None:
        if not segments:
            self.rows.append(row)
        elif _is_multi_segment(segments[0]):
            self.multi_segment.append(row)
        else:
            children = self.filled if "{" in segments[0] else self.literal
            children.setdefault(segments[0], _Node()).add(segments[1:], row)

    def near(self, segments: Sequence[str]) -> Iterator[_Row]:
        """The routes that may match a path which another template matches."""
        yield from self.multi_segment
        if not segments:
            yield from self.rows
        elif _is_multi_segment(segments[0]):
            yield from self.everything()
        else:
            for child in self._next(segments[0]):
                yield from child.near(segments[1:])

    def _next(self, segment: str) -> Iterator[_Node]:
        yield from self.filled.values()
        if "{" in segment:
            yield from self.literal.values()
        elif segment in self.literal:
            yield self.literal[segment]

    def everything(self) -> Iterator[_Row]:
        yield from self.rows
        for child in (*self.literal.values(), *self.filled.values()):
            yield from child.multi_segment
            yield from child.everything()


class RouteIndex:
    """The routes of an application in the router's order, asked for those that could shadow a template.

    Routes are kept as a tree of their segments, so that the question does not walk over the whole application.
    """

    def __init__(self, routes: Iterable[RoutePattern], mounts: Sequence[str] = ()) -> None:
        self._mounts = mounts
        self._tree = _Node()
        self._own: dict[tuple[str | None, str], list[_Row]] = {}
        self._hosts: list[tuple[int, re.Pattern[str]]] = []
        self._catch_all = (mounts[-1] if mounts else "") + _REST
        self._end = 0
        for row in enumerate(routes):
            self._add(row)
            self._end += 1

    def _add(self, row: _Row) -> None:
        position, route = row
        if route.host is not None:
            self._hosts.append((position, route.host))
            return
        self._tree.add(route.segments, row)
        text = plain_path(route.path)
        for method in route.methods or (None,):
            self._own.setdefault((method, text), []).append(row)

    def template(self, method: str, path: str, operation_id: str | None = None) -> PathTemplate | None:
        """Return the template of the route that an operation was written from.

        A path without a route may get one at the first request, behind all of those that are known. None stands for a
        path that only a catch-all mount serves: pages, as a rule, and none of the operations that are documented.
        """
        position, route = self._own_route(method, path, operation_id) or self._mount_over(path) or self._last(path)
        if route.is_mount and route.path == self._catch_all:
            return None
        own = path if route.is_mount else route.path
        earlier_routes = [
            earlier
            for at, earlier in self._near(own)
            if at < position and earlier.takes(method) and _overlap(earlier.segments, own.split("/")[1:])
        ]
        template = PathTemplate.parse(own, (earlier.path for earlier in earlier_routes), self._mounts)
        is_covered = any(_covers(earlier.segments, own.split("/")[1:]) for earlier in earlier_routes)
        is_unreachable = is_covered or (not template.names and template.is_shadowed(template.text))
        hosts = tuple(host for at, host in self._hosts if at < position)
        return replace(template, is_unreachable=is_unreachable, hosts=hosts)

    def _own_route(self, method: str, path: str, operation_id: str | None) -> _Row | None:
        """Of several routes on one path the last with this id, as in the document; the first where no id fits."""
        rows = self._own.get((method, path)) or self._own.get((None, path)) or []
        same = [row for row in rows if row[1].operation_id == operation_id]
        return same[-1] if same else next(iter(rows), None)

    def _mount_over(self, path: str) -> _Row | None:
        """The first mount that takes a path which is documented, but none of the routes that are known here."""
        above = ((at, route) for at, route in self._near(path) if route.is_mount)
        return min((row for row in above if _covers(row[1].segments, path.split("/")[1:])), default=None, key=_position)

    def _last(self, path: str) -> _Row:
        return self._end, RoutePattern(path, methods=None)

    def _near(self, path: str) -> Iterator[_Row]:
        return self._tree.near(path.split("/")[1:])


class DocumentPaths:
    """The paths of a remote API, whose router is unknown: only its OpenAPI document is.

    A filled path is refused when it also matches another path of the document with the same method, unless that one is
    more general: OpenAPI servers prefer the more concrete path. Letter case and a trailing slash are ignored, as many
    routers ignore them.
    """

    def __init__(self, methods: Mapping[str, frozenset[str] | None]) -> None:
        """Index the paths; None instead of a path's methods stands for every method."""
        self._tree = _Node()
        self._shapes: Counter[tuple[str, str]] = Counter()
        for position, (path, allowed) in enumerate(methods.items()):
            route = RoutePattern(_comparable(path), allowed)
            self._tree.add(route.segments, (position, route))
            self._shapes.update((method, _shape(path)) for method in allowed or ())

    def template(self, method: str, path: str) -> PathTemplate:
        """Return the template of an operation.

        Raises:
            DocumentError: no request can be sent to this path alone.
        """
        if "?" in path or "#" in path:
            raise DocumentError("its path contains '?' or '#', which a path of an OpenAPI document cannot")
        if self._shapes[method, _shape(path)] > 1:
            raise DocumentError("the OpenAPI document has the same path twice, with other names for its parameters")
        template = PathTemplate.parse(path)
        return (
            replace(template, earlier_routes=tuple(self._competing_patterns(method, path)))
            if template.names
            else template
        )

    def _competing_patterns(self, method: str, path: str) -> Iterator[re.Pattern[str]]:
        own = _comparable(path).split("/")[1:]
        filled = "/" + "/".join(_PLACEHOLDER.sub("\0", segment) for segment in own)
        for _, earlier in self._tree.near(own):
            if earlier.takes(method) and _overlap(earlier.segments, own):
                pattern = tolerant_pattern(earlier.path)
                if not pattern.match(filled):  # a pattern that takes any text here is as general, or more so
                    yield pattern


def _comparable(path: str) -> str:
    return plain_path(path).lower().rstrip("/") or "/"


def _shape(path: str) -> str:
    return _PLACEHOLDER.sub("{}", path)


def tolerant_pattern(path: str) -> re.Pattern[str]:
    """Compile a path to a pattern that ignores letter case and a trailing slash."""
    return re.compile(_compile(path)[0].pattern.removesuffix("$") + "/?$", re.IGNORECASE)


def _position(row: _Row) -> int:
    return row[0]


def _overlap(left: list[str], right: list[str]) -> bool:
    """Tell whether some path could match both templates; True where that is not easily excluded."""
    for one, other in zip(left, right, strict=False):
        if _is_multi_segment(one) or _is_multi_segment(other):
            return True
        if "{" not in one and "{" not in other and one != other:
            return False
    return len(left) == len(right) or _is_multi_segment(left[-1] + right[-1])


def _covers(earlier: list[str], own: list[str]) -> bool:
    """Tell whether a template surely matches every path that another one matches."""
    for index, one in enumerate(earlier):
        if index >= len(own):
            return False
        if _is_whole(one) and one.endswith(":path}") and index == len(earlier) - 1:
            return True
        takes_any = _is_whole(one) and ":" not in one and own[index] != "" and not _is_multi_segment(own[index])
        if not takes_any and _PLACEHOLDER.sub(_kind_only, one) != _PLACEHOLDER.sub(_kind_only, own[index]):
            return False
    return len(earlier) == len(own)


def _is_whole(segment: str) -> bool:
    return _PLACEHOLDER.fullmatch(segment) is not None


def _is_multi_segment(segment: str) -> bool:
    return any(_may_hold_slashes(placeholder) for placeholder in _PLACEHOLDER.findall(segment))


def _kind_only(placeholder: re.Match[str]) -> str:
    return "{:" + placeholder[1].partition(":")[2] + "}"
