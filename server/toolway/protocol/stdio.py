"""stdio, and who calls over which transport."""

from __future__ import annotations

from collections.abc import AsyncGenerator, AsyncIterable, Awaitable, Callable
from contextlib import asynccontextmanager
from typing import Any, TypeAlias

import anyio
from anyio.streams.memory import MemoryObjectReceiveStream
from mcp.server.lowlevel import Server
from mcp.server.stdio import stdio_server
from mcp.shared.message import SessionMessage
from mcp_types import INTERNAL_ERROR, PARSE_ERROR, ErrorData, JSONRPCError
from pydantic import ValidationError
from starlette.datastructures import QueryParams
from starlette.requests import Request

from toolway.calls import CallContext
from toolway.protocol.message import refusal_of
from toolway.protocol.server import Context
from toolway.settings import Settings

__all__ = ["Serve", "call_context", "standard_streams"]

Serve: TypeAlias = Callable[[Server[Any]], Awaitable[None]]
"""Serves one server until the client leaves."""

_Line: TypeAlias = SessionMessage | Exception
"""A line of stdin: its message, or what kept it from being one."""


@asynccontextmanager
async def standard_streams() -> AsyncGenerator[Serve]:
    """Claim stdin and stdout for the protocol; whatever else prints goes to stderr from here on.

    Enter this before importing or starting an application: its own prints would break the protocol's stream.
    """
    async with stdio_server() as (read, write):

        async def serve(server: Server[Any]) -> None:
            async with read, _messages(read, write.send) as messages:
                await server.run(messages, write, server.create_initialization_options())

        yield serve


@asynccontextmanager
async def _messages(
    lines: AsyncIterable[_Line], answer: Callable[[SessionMessage], Awaitable[None]]
) -> AsyncGenerator[MemoryObjectReceiveStream[_Line]]:
    """Answer the lines that are no message: the SDK drops them in silence, and their sender would wait for ever."""
    send, receive = anyio.create_memory_object_stream[_Line]()

    async def relay() -> None:
        async with send:
            async for line in lines:
                if isinstance(line, SessionMessage):
                    await send.send(line)
                elif error := _error(line):
                    await answer(SessionMessage(error))

    async with anyio.create_task_group() as group:
        group.start_soon(relay)
        yield receive
        group.cancel_scope.cancel()


def _error(problem: Exception) -> JSONRPCError | None:
    """The answer to a line that is no message; an empty one needs none."""
    if not isinstance(problem, ValidationError):
        return _answer(INTERNAL_ERROR, "The line could not be read")
    errors = problem.errors(include_url=False, include_context=False)
    if errors[0]["type"] == "json_invalid":
        return _answer(PARSE_ERROR, f"Expected JSON: {errors[0]['msg']}") if errors[0]["input"].strip() else None
    whole = next((entry["input"] for entry in errors if entry["type"] in {"missing", "model_type"}), None)
    refusal = refusal_of(whole)
    return _answer(refusal.code, refusal.message, refusal.request_id) if refusal else None


def _answer(code: int, message: str, request_id: str | int | None = None) -> JSONRPCError:
    return JSONRPCError(jsonrpc="2.0", id=request_id, error=ErrorData(code=code, message=message))


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
