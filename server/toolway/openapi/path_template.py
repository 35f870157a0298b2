"""Path templates, and whether a filled one still reaches its own operation.

An argument must never choose the route (CVE-2026-32871 is that mistake). A router takes the first route that matches.
So a filled path is right if no earlier route matches it, and if its own pattern reads back exactly the values that
were put in.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from starlette.responses import Response
from starlette.routing import Route, compile_path

__all__ = [
    "PLACEHOLDER",
    "REST_OF_PATH",
    "PathTemplate",
    "compile_tolerant_pattern",
    "spans_segments",
    "strip_convertors",
]

PLACEHOLDER = re.compile(r"{([^{}]+)}")
REST_OF_PATH = "/{path:path}"
"""The pattern of everything under a mount."""
_SINGLE_SEGMENT_CONVERTORS = frozenset({"", "str", "int", "float", "uuid"})


def strip_convertors(path: str) -> str:
    """Return a path without convertors: ``/files/{file_path:path}`` becomes ``/files/{file_path}``."""
    return PLACEHOLDER.sub(lambda placeholder: "{" + placeholder[1].partition(":")[0] + "}", path)


def spans_segments(text: str) -> bool:
    """Return whether a placeholder in the text may hold slashes, as any convertor of an application's own may."""
    return any(map(_may_hold_slashes, PLACEHOLDER.findall(text)))


def _may_hold_slashes(placeholder: str) -> bool:
    return placeholder.partition(":")[2] not in _SINGLE_SEGMENT_CONVERTORS


@dataclass(frozen=True, slots=True)
class PathTemplate:
    """A path with placeholders."""

    text: str
    """The path without convertors: ``/files/{file_path}``."""
    names: tuple[str, ...]
    literals: tuple[str, ...]
    """The text around the placeholders."""
    pattern: re.Pattern[str]
    groups: Mapping[str, str]
    """The pattern's group for each parameter."""
    multi_segment: frozenset[str] = frozenset()
    """Parameters that may hold slashes (``{file_path:path}``)."""
    earlier_routes: tuple[re.Pattern[str], ...] = ()
    """Routes of the same method that could match a filled path and take precedence."""
    mounts: tuple[re.Pattern[str], ...] = ()
    """The mounts above the path; they match less than their routes do (for example no line break)."""
    is_unreachable: bool = False
    """Whether earlier routes match every filled path."""
    hosts: tuple[re.Pattern[str], ...] = ()
    """Host names that an earlier ``Host(...)`` route matches, for any path."""

    @classmethod
    def parse(cls, path: str, earlier_routes: Iterable[str] = (), mounts: Iterable[str] = ()) -> PathTemplate:
        """Parse a path with or without Starlette's convertors (``{n:int}``); `mounts` are the prefixes above it."""
        placeholders: list[str] = PLACEHOLDER.findall(path)
        pattern, groups = _compile(path)
        return cls(
            text=strip_convertors(path),
            names=tuple(placeholder.partition(":")[0] for placeholder in placeholders),
            literals=tuple(PLACEHOLDER.split(path)[::2]),
            pattern=pattern,
            groups=groups,
            multi_segment=frozenset(entry.partition(":")[0] for entry in placeholders if _may_hold_slashes(entry)),
            earlier_routes=tuple(_compile(route)[0] for route in earlier_routes),
            mounts=tuple(_compile(mount + REST_OF_PATH)[0] for mount in mounts),
        )

    def fill(self, values: Mapping[str, str]) -> str:
        """Return the path with the values in it; a value that looks like a placeholder is not filled again."""
        first, *others = self.literals
        return first + "".join([values[name] + text for name, text in zip(self.names, others, strict=True)])

    def round_trips(self, path: str, values: Mapping[str, str]) -> bool:
        """Return whether this template matches the filled path with exactly these values."""
        if self.mounts and not all(_passes_mount(mount, path) for mount in self.mounts):
            return False
        match = self.pattern.fullmatch(path)
        return match is not None and all(match[group] == values[name] for name, group in self.groups.items())

    def is_shadowed(self, path: str) -> bool:
        """Return whether the router would give the filled path to another route."""
        return any(route.match(path) for route in self.earlier_routes)

    def is_shadowed_by_host(self, host: str) -> bool:
        """Return whether a ``Host(...)`` route takes every request to this host, given without its port."""
        return bool(self.hosts) and any(pattern.match(host.lower()) for pattern in self.hosts)


def compile_tolerant_pattern(path: str) -> re.Pattern[str]:
    """Return a pattern for a path that ignores letter case and a trailing slash."""
    return re.compile(_compile(path)[0].pattern.removesuffix("$") + "/?$", re.IGNORECASE)


def _compile(path: str) -> tuple[re.Pattern[str], dict[str, str]]:
    """Return Starlette's pattern of a path, and the group of each parameter.

    Names that cannot be a group, and repeated names, get a generated group.
    """
    groups: dict[str, str] = {}

    def rename(match: re.Match[str]) -> str:
        name, colon, convertor = match[1].partition(":")
        is_usable = name.isidentifier() and name.isascii() and name not in groups
        group = name if is_usable else f"p{match.start()}_"
        groups.setdefault(name, group)
        return "{" + group + colon + convertor + "}"

    pattern, _, _ = compile_path(PLACEHOLDER.sub(rename, path))
    return pattern, groups


def _passes_mount(mount: re.Pattern[str], path: str) -> bool:
    """Return whether a mount matches a path and asks its own routes for exactly the rest of it."""
    match = mount.fullmatch(path)
    return match is not None and (_REMOVES_ROOTS_AS_TEXT or _removes_root(path[: match.start(mount.groups) - 1], path))


def _removes_root(root: str, path: str) -> bool:
    """Return whether Starlette removes a root from a path; some releases read the root as a regular expression."""
    try:
        _, found = _ROUTE_UNDER_MOUNT.matches({"type": "http", "method": "GET", "path": path, "root_path": root})
    except re.error:
        return False
    return found.get("path_params") == {"path": path[len(root) + 1 :]}


_ROUTE_UNDER_MOUNT = Route(REST_OF_PATH, Response)
_REMOVES_ROOTS_AS_TEXT = _removes_root("/a+", "/a+/b")
