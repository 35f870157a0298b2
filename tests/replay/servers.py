"""The order desk in its own process, and the official client connected to it."""

from __future__ import annotations

import sys
from collections.abc import AsyncGenerator, Generator
from contextlib import asynccontextmanager, contextmanager
from typing import Literal

from mcp import Client
from mcp.client.stdio import StdioServerParameters

from tests.servers import START, running
from tests.support import ROOT

__all__ = ["Revision", "Transport", "connected", "http_desk", "stdio_desk"]

Transport = Literal["stdio", "http"]
Revision = Literal["2026-07-28", "2025-11-25"]

_APP = "tools.main:app"
_READY = "MCP endpoint"


@asynccontextmanager
async def connected(transport: Transport, revision: Revision, store_url: str) -> AsyncGenerator[Client, None]:
    """Connect the official client to an order desk that needs no confirmation.

    The client finds out itself which revision to speak.
    """
    mode = "legacy" if revision == "2025-11-25" else "auto"
    if transport == "stdio":
        async with Client(stdio_desk(store_url), mode=mode, read_timeout_seconds=START) as client:
            yield client
        return
    with http_desk(store_url, TOOLWAY_CONFIRM="false") as url:
        async with Client(f"{url}/mcp", mode=mode, read_timeout_seconds=START) as client:
            yield client


def stdio_desk(store_url: str) -> StdioServerParameters:
    """Return the command with which a client starts a desk on a store."""
    return StdioServerParameters(
        command=sys.executable,
        args=["-m", "toolway", "stdio", _APP],
        env={"RETAIL_DATABASE_URL": store_url, "TOOLWAY_CONFIRM": "false"},
        cwd=ROOT,
    )


@contextmanager
def http_desk(store_url: str, **settings: str) -> Generator[str, None, None]:
    """Serve a desk on a store; yield the server's URL."""
    command = [sys.executable, "-m", "toolway", "serve", _APP, "--port", "0"]
    with running(command, env={"RETAIL_DATABASE_URL": store_url, **settings}, ready=_READY) as process:
        yield process.url(_READY)
