"""Lists: each has a single page (server/utilities/pagination of the specification)."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import TypeVar

from mcp.shared.exceptions import MCPError
from mcp_types import INVALID_PARAMS, PaginatedRequestParams

from toolway.protocol.context import Context

__all__ = ["check_page", "single_page"]

ResultT = TypeVar("ResultT")


def check_page(params: PaginatedRequestParams | None) -> None:
    """Refuse a cursor, as no list has ever given one."""
    if params is not None and params.cursor is not None:
        raise MCPError(INVALID_PARAMS, f"Unknown cursor: {params.cursor[:100]!r}; the list has a single page")


def single_page(result: ResultT) -> Callable[[Context, PaginatedRequestParams], Awaitable[ResultT]]:
    """Make the handler of a list that is the same for everybody."""

    async def answer(_: Context, params: PaginatedRequestParams) -> ResultT:
        check_page(params)
        return result

    return answer
