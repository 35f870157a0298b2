"""One application reached both ways: by a tool call, and by the plain HTTP request that it stands for."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any

import httpx2
from fastapi import FastAPI
from mcp import Client
from mcp_types import CallToolResult, TextContent

from toolway import Settings, Toolway
from toolway.app import engine_of
from toolway.calls import CallContext, Invoker, Outcome
from toolway.catalog import Catalog

HTTP = "http://localhost"


@dataclass
class Both:
    """A running application with a client of each kind."""

    mcp: Client
    web: httpx2.AsyncClient
    catalog: Catalog
    calls: Invoker

    async def call(self, tool: str, arguments: Mapping[str, Any] | None = None) -> CallToolResult:
        """Call a tool with the official client."""
        return await self.mcp.call_tool(tool, dict(arguments or {}))

    async def called_by(
        self,
        tool: str,
        arguments: Mapping[str, Any] | None = None,
        headers: Mapping[str, str] | None = None,
        query: Mapping[str, str] | None = None,
    ) -> Outcome:
        """Call a tool as somebody whose HTTP request had these headers and this query."""
        raw = tuple((name.lower().encode(), value.encode("latin-1")) for name, value in (headers or {}).items())
        context = CallContext(headers=raw, query=tuple((query or {}).items()))
        return await self.calls.call(tool, arguments or {}, context)


@asynccontextmanager
async def both(app: FastAPI, *, mode: str = "auto", **options: Any) -> AsyncGenerator[Both]:
    """Run an application's lifespan and reach it both ways."""
    options.setdefault("settings", Settings(_env_file=None, result_tokens=0, output_schemas=True, catalog="list"))
    transport = httpx2.ASGITransport(app=app, raise_app_exceptions=False)
    async with (
        engine_of(Toolway(app, **options)).run() as running,
        Client(running.server, mode=mode) as mcp,
        httpx2.AsyncClient(transport=transport, base_url=HTTP) as web,
    ):
        yield Both(mcp, web, running.catalog, running.calls)


def text_of(result: CallToolResult) -> str:
    """The text of a result that holds nothing else."""
    (block,) = result.content
    assert isinstance(block, TextContent)
    return block.text


def error_of(result: CallToolResult) -> dict[str, Any]:
    """What a program can read of a failure."""
    assert result.is_error
    assert result.meta is not None
    return result.meta["toolway/error"]


def assert_same(result: CallToolResult, response: httpx2.Response) -> None:
    """Require that a tool call ended as the plain HTTP request did."""
    if response.status_code >= 400:
        assert_same_refusal(result, response)
        return
    assert not result.is_error, result.content
    assert text_of(result) == response.text
    if response.headers["content-type"].startswith("application/json"):
        assert result.structured_content == response.json()


def assert_same_refusal(result: CallToolResult, response: httpx2.Response) -> None:
    """Require that both were refused for the same reasons."""
    error = error_of(result)
    assert error["status"] == response.status_code, error
    detail = response.json()["detail"]
    if "problems" not in error:
        assert error["detail"] == detail
        return
    assert [problem["message"] for problem in error["problems"]] == [entry["msg"] for entry in detail]
    assert [problem["type"] for problem in error["problems"]] == [entry["type"] for entry in detail]
