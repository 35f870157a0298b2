"""Requests as the SDK passes them to handlers, and the list requests, which have a single page each.

https://modelcontextprotocol.io/specification/2026-07-28/server/utilities/pagination
"""

from __future__ import annotations

from typing import Any, TypeAlias

from mcp.server.context import ServerRequestContext
from mcp.shared.exceptions import MCPError
from mcp_types import INVALID_PARAMS, PaginatedRequestParams

__all__ = ["RequestContext", "check_cursor"]

RequestContext: TypeAlias = ServerRequestContext[Any, Any]


def check_cursor(params: PaginatedRequestParams | None) -> None:
    """Raise an error if the request has a cursor, as no result ever contains one."""
    if params is not None and params.cursor is not None:
        raise MCPError(INVALID_PARAMS, f"Unknown cursor: {params.cursor[:100]!r}; the list has a single page")
