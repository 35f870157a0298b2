"""The stdio transport: one message per line, and nothing else on stdout."""

from __future__ import annotations

from collections.abc import AsyncGenerator, AsyncIterable, Awaitable, Callable
from contextlib import asynccontextmanager
from typing import TypeAlias

import anyio
from anyio.streams.memory import MemoryObjectReceiveStream
from mcp.server.stdio import stdio_server
from mcp.shared.message import SessionMessage
from mcp_types import INTERNAL_ERROR, PARSE_ERROR, ErrorData, JSONRPCError
from pydantic import ValidationError

from toolway.protocol.http.jsonrpc import message_rejection
from toolway.protocol.server import CatalogServer

__all__ = ["Serve", "standard_streams"]

Serve: TypeAlias = Callable[[CatalogServer], Awaitable[None]]
"""Runs a server until the client closes stdin."""

_Line: TypeAlias = SessionMessage | Exception
"""A line of stdin: its message, or the error in it."""


@asynccontextmanager
async def standard_streams() -> AsyncGenerator[Serve]:
    """Reserve stdin and stdout for the protocol; other output to stdout goes to stderr from now on.

    Enter this before importing or starting an application, whose prints would corrupt the protocol's stream.
    """
    async with stdio_server() as (read, write):

        async def serve(server: CatalogServer) -> None:
            server.enable_session_notifications()
            async with read, _relay_messages(read, write.send) as messages:
                await server.run(messages, write, server.create_initialization_options())

        yield serve


@asynccontextmanager
async def _relay_messages(
    lines: AsyncIterable[_Line], respond: Callable[[SessionMessage], Awaitable[None]]
) -> AsyncGenerator[MemoryObjectReceiveStream[_Line]]:
    """Answer invalid lines with errors: the SDK ignores them, so that the client would wait forever."""
    send, receive = anyio.create_memory_object_stream[_Line]()

    async def relay() -> None:
        async with send:
            async for line in lines:
                if isinstance(line, SessionMessage):
                    await send.send(line)
                elif error := _error_for(line):
                    await respond(SessionMessage(error))

    async with anyio.create_task_group() as group:
        group.start_soon(relay)
        yield receive
        group.cancel_scope.cancel()


def _error_for(problem: Exception) -> JSONRPCError | None:
    """Return the error for an invalid line; None for an empty one."""
    if not isinstance(problem, ValidationError):
        return _error_message(INTERNAL_ERROR, "The line could not be read")
    errors = problem.errors(include_url=False, include_context=False)
    if errors[0]["type"] == "json_invalid":
        return _error_message(PARSE_ERROR, f"Expected JSON: {errors[0]['msg']}") if errors[0]["input"].strip() else None
    whole = next((entry["input"] for entry in errors if entry["type"] in {"missing", "model_type"}), None)
    rejection = message_rejection(whole)
    return _error_message(rejection.code, rejection.message, rejection.request_id) if rejection else None


def _error_message(code: int, message: str, request_id: str | int | None = None) -> JSONRPCError:
    return JSONRPCError(jsonrpc="2.0", id=request_id, error=ErrorData(code=code, message=message))
