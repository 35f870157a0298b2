"""Lists: each has a single page (server/utilities/pagination of the specification)."""

from __future__ import annotations

from mcp.shared.exceptions import MCPError
from mcp_types import INVALID_PARAMS, PaginatedRequestParams

__all__ = ["check_page"]


def check_page(params: PaginatedRequestParams | None) -> None:
    """Refuse a cursor, as no list has ever given one."""
    if params is not None and params.cursor is not None:
        raise MCPError(INVALID_PARAMS, f"Unknown cursor: {params.cursor[:100]!r}; the list has a single page")
