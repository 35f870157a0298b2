"""Filters that select which operations are tools."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from difflib import get_close_matches
from fnmatch import fnmatchcase
from typing import Literal, TypeAlias, TypedDict, cast, get_args

from toolway.errors import ConfigurationError, FilterError
from toolway.markers import Marker
from toolway.openapi import Operation

__all__ = ["Exposure", "Filter", "Selection"]

Exposure: TypeAlias = Literal["all", "marked"]
"""``all``: every operation of the OpenAPI document; ``marked``: only endpoints with a marker."""


class Filter(TypedDict, total=False):
    """Entries that match operations; within a key, one matching entry is enough.

    A path entry may contain ``*``, which matches any text (``/orders/*``).
    """

    operations: Sequence[str]
    tags: Sequence[str]
    paths: Sequence[str]
    methods: Sequence[str]


@dataclass(frozen=True, slots=True)
class Selection:
    """Narrows the operations of an API to its tools; no setting adds an operation that another one excludes.

    `include` keeps operations that match every given key; `exclude` drops operations that match any given key.
    """

    include: Filter = field(default_factory=Filter)
    exclude: Filter = field(default_factory=Filter)
    expose: Exposure = "all"
    also: Selection | None = None
    """A further selection, which narrows this one."""

    def __post_init__(self) -> None:
        if self.expose not in get_args(Exposure):
            raise ConfigurationError(f"expected expose to be 'all' or 'marked', found {self.expose!r}")
        for side, chosen in (("include", self.include), ("exclude", self.exclude)):
            _check_shape(side, chosen)

    def narrow(self, other: Selection) -> Selection:
        """Return a selection of the operations that both select."""
        return replace(self, also=other if self.also is None else self.also.narrow(other))

    def check(self, operations: Sequence[Operation]) -> None:
        """Check that every entry of every filter matches an operation.

        Raises:
            FilterError: an entry matches no operation; the message names the entry.
        """
        for side, chosen in (("include", self.include), ("exclude", self.exclude)):
            for key, entries in _iter_keys(chosen):
                for entry in entries:
                    if not any(_matches(operation, key, entry) for operation in operations):
                        raise FilterError(_describe_unmatched(operations, side, key, entry))
        if self.also is not None:
            self.also.check(operations)

    @property
    def is_marked_only(self) -> bool:
        """Whether only endpoints with a marker are tools."""
        return self.expose == "marked" or (self.also is not None and self.also.is_marked_only)

    def selects_tool(self, operation: Operation, marker: Marker | None) -> bool:
        """Return whether an operation is a tool."""
        if marker is None:
            is_tool = not self.is_marked_only
        else:
            is_other = "prompt" in marker or ("resource" in marker and self.is_marked_only)
            is_tool = not marker.get("hide") and bool(marker.get("tool", not is_other))
        return is_tool and self.allows(operation)

    def allows(self, operation: Operation) -> bool:
        """Return whether the filters let an operation be served, as a tool, a resource or a prompt."""
        included = all(_matches_any(operation, key, entries) for key, entries in _iter_keys(self.include))
        excluded = any(_matches_any(operation, key, entries) for key, entries in _iter_keys(self.exclude))
        return included and not excluded and (self.also is None or self.also.allows(operation))


def _describe_unmatched(operations: Sequence[Operation], side: str, key: str, entry: str) -> str:
    """Return a message about an entry that matches nothing, with the nearest known name or all of them."""
    known, matched, noun = {
        "operations": ({operation.operation_id or "" for operation in operations}, "the id", "operation ids"),
        "tags": ({tag for operation in operations for tag in operation.tags}, "the tag", "tags"),
        "paths": ({operation.path for operation in operations}, "the path", "paths"),
        "methods": ({operation.method for operation in operations}, "the method", "methods"),
    }[key]
    message = f"No operation has {matched} {entry!r} ({side}={{{key!r}: ...}})"
    if near := get_close_matches(entry, known, n=1, cutoff=0.5):
        return f"{message}; did you mean {near[0]!r}?"
    names = sorted(name for name in known if name)
    return (
        f"{message}; this application has the {noun} {', '.join(names[:12])}"
        if names
        else (f"{message}; this application has no {noun}")
    )


def _check_shape(side: str, chosen: Filter) -> None:
    if not isinstance(chosen, Mapping):  # pyright: ignore[reportUnnecessaryIsInstance] - the caller's mistake
        raise ConfigurationError(f"expected {side} to be a mapping, such as {{'tags': ['orders']}}, found {chosen!r}")
    for key, entries in _iter_keys(chosen):
        if key not in Filter.__annotations__:
            known = ", ".join(Filter.__annotations__)
            raise ConfigurationError(f"{key!r} is not a key of {side}; its keys are {known}")
        if side == "include" and not entries:
            raise ConfigurationError(f"include {key} is empty; remove the key to include everything")
        if isinstance(entries, str):
            raise ConfigurationError(f"expected {side} {key} to be a list of strings, found the string {entries!r}")


def _iter_keys(chosen: Filter) -> Iterator[tuple[str, Sequence[str]]]:
    for key, entries in chosen.items():
        yield key, cast("Sequence[str]", entries)


def _matches_any(operation: Operation, key: str, entries: Sequence[str]) -> bool:
    return any(_matches(operation, key, entry) for entry in entries)


def _matches(operation: Operation, key: str, entry: str) -> bool:
    if key == "operations":
        return operation.operation_id == entry
    if key == "tags":
        return entry in operation.tags
    if key == "paths":
        return operation.path == entry or fnmatchcase(operation.path, entry.replace("[", "[[]"))
    return operation.method == entry.upper()
