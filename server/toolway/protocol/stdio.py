"""stdio, and who calls over which transport."""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from typing import Any, TypeAlias

from mcp.server.lowlevel import Server
from mcp.server.stdio import stdio_server
from starlette.datastructures import QueryParams
from starlette.requests import Request

from toolway.calls import CallContext
from toolway.protocol.server import Context
from toolway.settings import Settings

__all__ = ["Serve", "call_context", "standard_streams"]

Serve: TypeAlias = Callable[[Server[Any]], Awaitable[None]]
"""Serves one server until the client leaves."""


@asynccontextmanager
async def standard_streams() -> AsyncIterator[Serve]:
    """Claim stdin and stdout for the protocol; whatever else prints goes to stderr from here on.

    Enter this before importing or starting an application: its own prints would break the protocol's stream.
    """
    async with stdio_server() as (read, write):

        async def serve(server: Server[Any]) -> None:
            await server.run(read, write, server.create_initialization_options())

        yield serve


def call_context(context: Context, settings: Settings) -> CallContext:
    """Tell who calls: over HTTP the request says it, over stdio the settings do."""
    report = (
        context.session.report_progress if context.meta and context.meta.get("progress_token") is not None else None
    )
    request = context.request
    if not isinstance(request, Request):
        return CallContext(headers=_from_settings(settings), report=report)
    scope = request.scope
    return CallContext(
        headers=tuple(scope["headers"]),
        query=tuple(QueryParams(scope.get("query_string", b"")).multi_items()),
        client=scope.get("client"),
        scheme=scope.get("scheme"),
        root_path=scope.get("root_path", ""),
        report=report,
    )


def _from_settings(settings: Settings) -> tuple[tuple[bytes, bytes], ...]:
    if settings.authorization is None:
        return ()
    return ((b"authorization", settings.authorization.get_secret_value().encode("latin-1")),)
