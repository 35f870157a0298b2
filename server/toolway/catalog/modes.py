"""The ways to offer a catalog: as the list of its tools, or as a few built-in tools that lead to them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Literal, TypeAlias

from toolway.catalog.tool import Tool

__all__ = ["MODE_PARAMETER", "CatalogMode", "CatalogModes"]

CatalogMode: TypeAlias = Literal["list", "code"]

MODE_PARAMETER = "catalog"
"""The query parameter of the MCP endpoint with which a client chooses a mode: ``/mcp?catalog=code``."""


@dataclass(frozen=True, slots=True)
class CatalogModes:
    """The modes of one server."""

    default: CatalogMode = "list"
    """The mode of connections that do not choose one."""
    built_in: Mapping[str, Mapping[str, Tool]] = field(default_factory=dict[str, Mapping[str, Tool]])
    """The tools by name that each mode lists instead of those of the catalog; ``list`` has none."""

    def chosen(self, query: Iterable[tuple[str, str]]) -> str:
        """Return the mode that the query of a connection names, which may be unknown, or the default."""
        return next((value for name, value in query if name == MODE_PARAMETER), self.default)

    def is_known(self, mode: str) -> bool:
        """Return whether the server has a mode."""
        return mode == "list" or mode in self.built_in
