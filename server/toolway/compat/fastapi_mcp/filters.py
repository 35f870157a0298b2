"""The four filters of fastapi-mcp: two that include, either of which is enough, and two that exclude."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import cast

from toolway.catalog import Filter, Selection
from toolway.compat.fastapi_mcp.notice import notify
from toolway.openapi import Operation

__all__ = ["Filters"]


class _EitherIncludes(Selection):
    """Serves operations that are included by id or by tag, and that neither filter excludes."""

    def serves(self, operation: Operation) -> bool:
        ways = [cast("Filter", {key: entries}) for key, entries in self.include.items()] or [Filter()]
        return any(Selection(way, self.exclude, also=self.also).serves(operation) for way in ways)


@dataclass(frozen=True, slots=True)
class Filters:
    """Operation ids and tags to serve or to leave out; None does not filter.

    Raises:
        ValueError: the same thing is both included and excluded, which fastapi-mcp refuses, too.
    """

    include_operations: Sequence[str] | None = None
    exclude_operations: Sequence[str] | None = None
    include_tags: Sequence[str] | None = None
    exclude_tags: Sequence[str] | None = None

    def __post_init__(self) -> None:
        _only_one("operations", self.include_operations, self.exclude_operations)
        _only_one("tags", self.include_tags, self.exclude_tags)
        self._tell_what_differs()

    def selection(self) -> Selection:
        return _EitherIncludes(
            _filter(self.include_operations, self.include_tags), _filter(self.exclude_operations, self.exclude_tags)
        )

    def given(self) -> dict[str, Sequence[str]]:
        """Return the filters that are set, by name."""
        filters = {
            "include_operations": self.include_operations,
            "exclude_operations": self.exclude_operations,
            "include_tags": self.include_tags,
            "exclude_tags": self.exclude_tags,
        }
        return {name: entries for name, entries in filters.items() if entries is not None}

    def _tell_what_differs(self) -> None:
        """Operations with tags: fastapi-mcp served whatever either of the two let through."""
        by_id = _given(include_operations=self.include_operations, exclude_operations=self.exclude_operations)
        by_tag = _given(include_tags=self.include_tags, exclude_tags=self.exclude_tags)
        if by_id and by_tag and not (self.include_operations and self.include_tags):
            notify(
                f"{by_id} and {by_tag} narrow together: an operation is served when both let it through. fastapi-mcp"
                " served it when one did, so a filter could bring back what the other had left out. To serve either,"
                " name all operation ids, or mount two FastApiMCP at two paths."
            )


def _only_one(what: str, include: Sequence[str] | None, exclude: Sequence[str] | None) -> None:
    if include is not None and exclude is not None:
        raise ValueError(f"expected include_{what} or exclude_{what}, got both; name what to serve, or what not")


def _filter(operations: Sequence[str] | None, tags: Sequence[str] | None) -> Filter:
    chosen = Filter()
    if operations is not None:
        chosen["operations"] = operations
    if tags is not None:
        chosen["tags"] = tags
    return chosen


def _given(**filters: Sequence[str] | None) -> str:
    return next((name for name, entries in filters.items() if entries is not None), "")
