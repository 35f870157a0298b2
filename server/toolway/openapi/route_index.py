"""The other routes of an application or paths of an OpenAPI document that could match a filled path.

Both are kept as a tree of path segments, so that finding them does not walk over the whole application.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TypeAlias

from toolway.errors import DocumentError
from toolway.openapi.path_template import (
    PLACEHOLDER,
    REST_OF_PATH,
    PathTemplate,
    compile_tolerant_pattern,
    spans_segments,
    strip_convertors,
)

__all__ = ["DocumentPaths", "RouteIndex", "RoutePattern"]


@dataclass(frozen=True, slots=True)
class RoutePattern:
    """The part of a route that decides which requests it matches."""

    path: str
    """With convertors; a mount ends in ``/{path:path}``."""
    methods: frozenset[str] | None
    """None matches every method."""
    is_mount: bool = False
    operation_id: str | None = None
    """Distinguishes routes with the same method and path."""
    host: re.Pattern[str] | None = None
    """The host names that a ``Host(...)`` route matches; None for any other route."""

    @property
    def segments(self) -> list[str]:
        return _segments(self.path)

    def accepts(self, method: str) -> bool:
        return self.methods is None or method in self.methods


_Row: TypeAlias = tuple[int, RoutePattern]
"""A route and its position in the router."""


class _SegmentTree:
    """The routes that begin with the same segments."""

    def __init__(self) -> None:
        self._literal: dict[str, _SegmentTree] = {}
        """Subtrees by a segment without placeholders."""
        self._variable: dict[str, _SegmentTree] = {}
        """Subtrees by a segment with a placeholder."""
        self._rows: list[_Row] = []
        """Routes that end here."""
        self._multi_segment: list[_Row] = []
        """Routes whose next placeholder may hold slashes, and which may match any path below."""

    def add(self, segments: Sequence[str], row: _Row) -> None:
        if not segments:
            self._rows.append(row)
        elif spans_segments(segments[0]):
            self._multi_segment.append(row)
        else:
            children = self._variable if "{" in segments[0] else self._literal
            children.setdefault(segments[0], _SegmentTree()).add(segments[1:], row)

    def find_overlapping(self, segments: Sequence[str]) -> Iterator[_Row]:
        """Yield the routes that may match a path which these segments match."""
        if segments and spans_segments(segments[0]):
            yield from self.iter_all()
            return
        yield from self._multi_segment
        if not segments:
            yield from self._rows
        else:
            for child in self._matching_children(segments[0]):
                yield from child.find_overlapping(segments[1:])

    def _matching_children(self, segment: str) -> Iterator[_SegmentTree]:
        yield from self._variable.values()
        if "{" in segment:
            yield from self._literal.values()
        elif segment in self._literal:
            yield self._literal[segment]

    def iter_all(self) -> Iterator[_Row]:
        """Yield every route of the tree."""
        yield from self._rows
        yield from self._multi_segment
        for child in (*self._literal.values(), *self._variable.values()):
            yield from child.iter_all()


class RouteIndex:
    """The routes of an application in the router's order."""

    def __init__(self, routes: Iterable[RoutePattern], mounts: Sequence[str] = ()) -> None:
        self._mounts = mounts
        self._tree = _SegmentTree()
        self._by_path: dict[tuple[str | None, str], list[_Row]] = {}
        self._hosts: list[tuple[int, re.Pattern[str]]] = []
        self._catch_all = (mounts[-1] if mounts else "") + REST_OF_PATH
        self._size = 0
        for position, route in enumerate(routes):
            self._size += 1
            if route.host is not None:
                self._hosts.append((position, route.host))
                continue
            self._tree.add(route.segments, (position, route))
            for method in route.methods or (None,):
                self._by_path.setdefault((method, strip_convertors(route.path)), []).append((position, route))

    def find_template(self, method: str, path: str, operation_id: str | None = None) -> PathTemplate | None:
        """Return the template of the route that an operation documents.

        A path without a route may get one at the first request, behind all known routes. The result is None for a path
        that only a catch-all mount serves: such mounts serve pages, not documented operations.
        """
        position, route = (
            self._find_route(method, path, operation_id)
            or self._find_mount(path)
            or (self._size, RoutePattern(path, methods=None))
        )
        if route.is_mount and route.path == self._catch_all:
            return None
        own = path if route.is_mount else route.path
        segments = _segments(own)
        earlier = [
            other
            for at, other in self._tree.find_overlapping(segments)
            if at < position and other.accepts(method) and _may_overlap(other.segments, segments)
        ]
        template = PathTemplate.parse(own, (other.path for other in earlier), self._mounts)
        is_covered = any(_covers(other.segments, segments) for other in earlier)
        return replace(
            template,
            is_unreachable=is_covered or (not template.names and template.is_shadowed(template.text)),
            hosts=tuple(host for at, host in self._hosts if at < position),
        )

    def _find_route(self, method: str, path: str, operation_id: str | None) -> _Row | None:
        """Return the last route of a path with this operation id, as in the document; else the first of the path."""
        rows = self._by_path.get((method, path)) or self._by_path.get((None, path)) or []
        same = [row for row in rows if row[1].operation_id == operation_id]
        return same[-1] if same else next(iter(rows), None)

    def _find_mount(self, path: str) -> _Row | None:
        """Return the first mount that serves a documented path for which no route is known."""
        segments = _segments(path)
        mounts = (row for row in self._tree.find_overlapping(segments) if row[1].is_mount)
        return min((row for row in mounts if _covers(row[1].segments, segments)), default=None, key=lambda row: row[0])


class DocumentPaths:
    """The paths of a remote API, of which only the OpenAPI document is known.

    A filled path is refused if it also matches another path of the document with the same method, unless that path is
    more general: OpenAPI servers prefer the more concrete path. Letter case and a trailing slash are ignored, because
    many routers ignore them.
    """

    def __init__(self, methods: Mapping[str, frozenset[str] | None]) -> None:
        """Index the methods of each path; None counts as every method."""
        self._tree = _SegmentTree()
        self._shapes: Counter[tuple[str, str]] = Counter()
        for position, (path, allowed) in enumerate(methods.items()):
            route = RoutePattern(_normalize(path), allowed)
            self._tree.add(route.segments, (position, route))
            self._shapes.update((method, PLACEHOLDER.sub("{}", path)) for method in allowed or ())

    def find_template(self, method: str, path: str) -> PathTemplate:
        """Return the template of an operation.

        Raises:
            DocumentError: no request can be sent to this path alone.
        """
        if "?" in path or "#" in path:
            raise DocumentError("its path contains '?' or '#', which OpenAPI does not allow in a path")
        if self._shapes[method, PLACEHOLDER.sub("{}", path)] > 1:
            raise DocumentError("the OpenAPI document has the same path twice, with other names for its parameters")
        template = PathTemplate.parse(path)
        if not template.names:
            return template
        return replace(template, earlier_routes=tuple(self._find_competing(method, path)))

    def _find_competing(self, method: str, path: str) -> Iterator[re.Pattern[str]]:
        own = _segments(_normalize(path))
        filled = "/" + "/".join(PLACEHOLDER.sub("\0", segment) for segment in own)
        for _, other in self._tree.find_overlapping(own):
            if other.accepts(method) and _may_overlap(other.segments, own):
                pattern = compile_tolerant_pattern(other.path)
                if not pattern.match(filled):  # a pattern that accepts any text here is at least as general
                    yield pattern


def _normalize(path: str) -> str:
    return strip_convertors(path).lower().rstrip("/") or "/"


def _segments(path: str) -> list[str]:
    return path.split("/")[1:]


def _may_overlap(left: list[str], right: list[str]) -> bool:
    """Return whether some path could match both templates; True unless that is easily excluded."""
    for one, other in zip(left, right, strict=False):
        if spans_segments(one) or spans_segments(other):
            return True
        if "{" not in one and "{" not in other and one != other:
            return False
    return len(left) == len(right) or spans_segments(left[-1] + right[-1])


def _covers(other: list[str], own: list[str]) -> bool:
    """Return whether a template certainly matches every path that `own` matches."""
    for index, segment in enumerate(other):
        if index >= len(own):
            return False
        is_whole = PLACEHOLDER.fullmatch(segment) is not None
        if is_whole and segment.endswith(":path}") and index == len(other) - 1:
            return True
        accepts_any = is_whole and ":" not in segment and own[index] != "" and not spans_segments(own[index])
        if not accepts_any and _without_names(segment) != _without_names(own[index]):
            return False
    return len(other) == len(own)


def _without_names(segment: str) -> str:
    """Return a segment with only the convertors of its placeholders."""
    return PLACEHOLDER.sub(lambda placeholder: "{:" + placeholder[1].partition(":")[2] + "}", segment)
