"""Which operations are tools."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from difflib import get_close_matches
from fnmatch import fnmatchcase
from typing import Any, Literal, TypeAlias, TypedDict, cast, get_args

from toolway.errors import ConfigurationError, FilterError
from toolway.openapi import Operation

__all__ = ["Exposure", "Filter", "Selection"]

Exposure: TypeAlias = Literal["all", "marked"]
"""``all``: every operation of the document; ``marked``: only endpoints that carry a marker."""


class Filter(TypedDict, total=False):
    """Names operations; within a key any entry may match.

    A path entry may hold ``*``, which stands for any text (``/orders/*``).
    """

    operations: Sequence[str]
    tags: Sequence[str]
    paths: Sequence[str]
    methods: Sequence[str]


@dataclass(frozen=True, slots=True)
class Selection:
    """Narrows the operations of an API to its tools; no setting ever widens what another one left out.

    `include` keeps operations that match every key given; `exclude` drops operations that match any key given.
    """

    include: Filter = field(default_factory=Filter)
    exclude: Filter = field(default_factory=Filter)
    expose: Exposure = "all"
    also: Selection | None = None
    """A further selection, which narrows this one."""

    def narrowed(self, other: Selection) -> Selection:
        """Return the operations that both take."""
        return replace(self, also=other if self.also is None else self.also.narrowed(other))

    def __post_init__(self) -> None:
        if self.expose not in get_args(Exposure):
            raise ConfigurationError(f"expected expose to be 'all' or 'marked', found {self.expose!r}")
        for side, chosen in (("include", self.include), ("exclude", self.exclude)):
            _check_shape(side, chosen)

    def check(self, operations: Sequence[Operation]) -> None:
        """Make sure that every entry of every filter matches something.

        Raises:
            FilterError: an entry matches no operation; the text names it.
        """
        for side, chosen in (("include", self.include), ("exclude", self.exclude)):
            for key, entry in _entries(chosen):
                if not any(_matches(operation, key, entry) for operation in operations):
                    raise FilterError(f"{side} {key} {entry!r} matches no operation{_nearest(operations, key, entry)}")
        if self.also is not None:
            self.also.check(operations)

    def takes(self, operation: Operation, note: Mapping[str, Any] | None) -> bool:
        """Tell whether an operation is a tool; `note` is what its endpoint says of itself."""
        return self._is_tool(note) and self.serves(operation)

    @property
    def only_marked(self) -> bool:
        """Whether only endpoints with a marker are tools."""
        return self.expose == "marked" or (self.also is not None and self.also.only_marked)

    def _is_tool(self, note: Mapping[str, Any] | None) -> bool:
        if note is None:
            return not self.only_marked
        is_other = "prompt" in note or ("resource" in note and self.only_marked)
        return not note.get("hide") and bool(note.get("tool", not is_other))

    def serves(self, operation: Operation) -> bool:
        """Tell whether an operation may be served at all, as whatever its markers say."""
        included = all(_matches_any(operation, key, entries) for key, entries in _keys(self.include))
        excluded = any(_matches_any(operation, key, entries) for key, entries in _keys(self.exclude))
        return included and not excluded and (self.also is None or self.also.serves(operation))


def _nearest(operations: Sequence[Operation], key: str, entry: str) -> str:
    known = {
        "operations": {operation.operation_id or "" for operation in operations},
        "tags": {tag for operation in operations for tag in operation.tags},
        "paths": {operation.path for operation in operations},
        "methods": {operation.method for operation in operations},
    }[key]
    near = get_close_matches(entry, known, n=1, cutoff=0.5)
    return (
        f"; did you mean {near[0]!r}?" if near else f"; the application has {', '.join(sorted(known)[:12]) or 'none'}"
    )


def _check_shape(side: str, chosen: Filter) -> None:
    if not isinstance(chosen, Mapping):  # pyright: ignore[reportUnnecessaryIsInstance] - the caller's mistake
        raise ConfigurationError(f"expected {side} to be a mapping, such as {{'tags': ['orders']}}, found {chosen!r}")
    for key, entries in _keys(chosen):
        if key not in Filter.__annotations__:
            allowed = ", ".join(Filter.__annotations__)
            raise ConfigurationError(f"{side} knows the keys {allowed}; found {key!r}")
        if side == "include" and not entries:
            raise ConfigurationError(f"include {key} names nothing; leave the key out to include everything")
        if isinstance(entries, str):
            raise ConfigurationError(f"expected {side} {key} to be a list of names, found the text {entries!r}")


def _keys(chosen: Filter) -> Iterator[tuple[str, Sequence[str]]]:
    for key, entries in chosen.items():
        yield key, cast("Sequence[str]", entries)


def _entries(chosen: Filter) -> Iterator[tuple[str, str]]:
    for key, entries in _keys(chosen):
        for entry in entries:
            yield key, entry


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
