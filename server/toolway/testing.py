"""A client for tests: an application's tools, called in this process as an MCP client calls them."""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import AsyncExitStack
from typing import Any, Self

import httpx2
from fastapi import FastAPI
from mcp import Client
from mcp.client.streamable_http import streamable_http_client
from mcp_types import CallToolResult, Tool
from starlette.types import ASGIApp, Receive, Scope, Send

from toolway.app import Toolway, engine_of
from toolway.mounts import engines_of, mounted_on

__all__ = ["MCPTestClient"]


class MCPTestClient:
    """The MCP SDK's client, connected to an application in this process.

    The client runs the application's lifespan. Its requests are HTTP requests without a network: they pass middleware,
    the dependencies of ``mount``, and the fast lane or the SDK, as the requests of a remote client do.

        async def test_agents_can_list_orders() -> None:
            async with MCPTestClient(app) as client:
                assert [tool.name for tool in await client.list_tools()] == ["list_orders"]
                result = await client.call_tool("list_orders", {"status": "pending"})
            assert result.structured_content == ["#1"]

    Responses arrive whole, without streaming: a client of MCP 2025-11-25 or earlier (``mode="legacy"``) that answers
    questions needs a real server.

    Args:
        app: a `Toolway`, or an application. The application's first mounted Toolway is used, or else the one that was
            made for it; without one, all its operations are tools.
        headers: headers of every request, such as ``{"Authorization": "Bearer ..."}``.
        mode: the protocol version, as `mcp.Client` takes it: ``"auto"``, ``"legacy"``, or ``"2026-07-28"``.
        path: the path of the MCP endpoint, for example with a query: ``"/mcp?catalog=search"``. Defaults to the path
            of the first mount.
        **options: more options of `mcp.Client`, such as ``elicitation_callback``.
    """

    def __init__(
        self,
        app: FastAPI | Toolway,
        *,
        headers: Mapping[str, str] | None = None,
        mode: str = "auto",
        path: str | None = None,
        **options: Any,
    ) -> None:
        self._toolway = app if isinstance(app, Toolway) else _find_toolway(app)
        self._headers = dict(headers or {})
        self._path = path
        self._options: dict[str, Any] = {"mode": mode, **options}
        self._stack = AsyncExitStack()
        self._client: Client | None = None

    async def __aenter__(self) -> Self:
        if self._toolway.path is None:
            self._toolway.asgi()
        app, host = engine_of(self._toolway).site, next(iter(self._toolway.settings.allowed_hosts), "localhost")
        address = f"http://{'localhost' if host == '*' else host}"
        async with AsyncExitStack() as stack:
            state = await stack.enter_async_context(app.router.lifespan_context(app))
            transport = httpx2.ASGITransport(_with_state(app, state), raise_app_exceptions=False)
            http = await stack.enter_async_context(
                httpx2.AsyncClient(transport=transport, base_url=address, headers=self._headers)
            )
            streams = streamable_http_client(f"{address}{self._path or self._toolway.path}", http_client=http)
            self._client = await stack.enter_async_context(Client(streams, **self._options))
            self._stack = stack.pop_all()
        return self

    async def __aexit__(self, *_: object) -> None:
        self._client = None
        await self._stack.aclose()

    @property
    def mcp(self) -> Client:
        """The SDK's client: for resources, prompts, and everything else that a client can do.

        Raises:
            RuntimeError: outside of ``async with``.
        """
        if self._client is None:
            raise RuntimeError("MCPTestClient is not connected; use it as: async with MCPTestClient(app) as client")
        return self._client

    async def list_tools(self) -> list[Tool]:
        """Return all tools, of all pages."""
        tools: list[Tool] = []
        cursor: str | None = None
        while True:
            page = await self.mcp.list_tools(cursor=cursor)
            tools += page.tools
            cursor = page.next_cursor
            if cursor is None:
                return tools

    async def call_tool(self, name: str, arguments: Mapping[str, Any] | None = None) -> CallToolResult:
        """Call a tool. A call that fails is a result with ``is_error``."""
        return await self.mcp.call_tool(name, dict(arguments or {}))


def _find_toolway(app: FastAPI) -> Toolway:
    known = engines_of(app)
    engine = mounted_on(app) or (known[0] if known else None)
    return Toolway(app) if engine is None else engine.toolway


def _with_state(app: ASGIApp, state: Mapping[str, Any] | None) -> ASGIApp:
    """Return the application with the state of its lifespan in every request, as servers pass it."""

    async def served(scope: Scope, receive: Receive, send: Send) -> None:
        await app({**scope, "state": dict(state or {})}, receive, send)

    return served
