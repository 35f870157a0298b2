"""stdio: one message a line, and nothing else on stdout."""

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

from toolway.protocol.http.jsonrpc import refusal_of
from toolway.protocol.server import CatalogServer

__all__ = ["Serve", "standard_streams"]

Serve: TypeAlias = Callable[[CatalogServer], Awaitable[None]]
"""Serves one server until the client leaves."""

_Line: TypeAlias = SessionMessage | Exception
"""A line of stdin: its message, or what kept it from being one."""


@asynccontextmanager
async def standard_streams() -> AsyncGenerator[Serve]:
    """Claim stdin and stdout for the protocol; whatever else prints goes to stderr from here on.

    Enter this before importing or starting an application: its own prints would break the protocol's stream.
    """
    async with stdio_server() as (read, write):

        async def serve(server: CatalogServer) -> None:
            server.keep_sessions()
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
