"""The four filters of fastapi-mcp: an operation needs one of the two include filters, and no exclude filter."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import cast

from toolway import Filter
from toolway.catalog import Selection
from toolway.compat.fastapi_mcp.migration_warning import warn_once
from toolway.openapi import Operation

__all__ = ["Filters"]


class _EitherIncludes(Selection):
    """Serves operations that are included by id or by tag, and that no filter excludes."""

    def allows(self, operation: Operation) -> bool:
        ways = [cast("Filter", {key: entries}) for key, entries in self.include.items()] or [Filter()]
        return any(Selection(way, self.exclude, also=self.also).allows(operation) for way in ways)


@dataclass(frozen=True, slots=True)
class Filters:
    """Operation ids and tags to serve or to leave out; None does not filter.

    Raises:
        ValueError: operations, or tags, are both included and excluded.
    """

    include_operations: Sequence[str] | None = None
    exclude_operations: Sequence[str] | None = None
    include_tags: Sequence[str] | None = None
    exclude_tags: Sequence[str] | None = None

    def __post_init__(self) -> None:
        _check_one_sided("operations", self.include_operations, self.exclude_operations)
        _check_one_sided("tags", self.include_tags, self.exclude_tags)
        self._warn_of_difference()

    def selection(self) -> Selection:
        """Return the filters as a selection of toolway."""
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

    def _warn_of_difference(self) -> None:
        """Warn if filters by id and by tag are combined: fastapi-mcp served what either of the two allowed."""
        by_id = _first_given(include_operations=self.include_operations, exclude_operations=self.exclude_operations)
        by_tag = _first_given(include_tags=self.include_tags, exclude_tags=self.exclude_tags)
        if by_id and by_tag and not (self.include_operations and self.include_tags):
            warn_once(
                f"{by_id} and {by_tag} narrow together: an operation is served only if both allow it. fastapi-mcp"
                " served it if one did, so one filter could undo the other. To serve either, list all operation ids, or"
                " mount two FastApiMCP at two paths."
            )


def _check_one_sided(what: str, include: Sequence[str] | None, exclude: Sequence[str] | None) -> None:
    if include is not None and exclude is not None:
        raise ValueError(f"expected include_{what} or exclude_{what}, got both; use one of them")


def _filter(operations: Sequence[str] | None, tags: Sequence[str] | None) -> Filter:
    chosen = Filter()
    if operations is not None:
        chosen["operations"] = operations
    if tags is not None:
        chosen["tags"] = tags
    return chosen


def _first_given(**filters: Sequence[str] | None) -> str:
    return next((name for name, entries in filters.items() if entries is not None), "")
