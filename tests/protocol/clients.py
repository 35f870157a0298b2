"""The official client, over real transports."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import AsyncGenerator, Callable
from contextlib import AsyncExitStack, asynccontextmanager
from typing import Any, cast

from fastapi import FastAPI
from mcp import Client, StdioServerParameters
from mcp.client.stdio import stdio_client

from tests.protocol.apps import make_app
from tests.servers import serving
from tests.support import ROOT
from toolway import Settings, Toolway

MODES = ("auto", "legacy", "2026-07-28")
TRANSPORTS = ("http", "stateful http", "stdio")
EVERYWHERE = [(transport, mode) for transport in TRANSPORTS for mode in MODES]
BOTH_ERAS = [("http", "auto"), ("http", "legacy"), ("stateful http", "legacy"), ("stdio", "auto"), ("stdio", "legacy")]
"""Every transport in each era that it speaks in a way of its own."""


@asynccontextmanager
async def connected(transport: str, mode: str) -> AsyncGenerator[Client]:
    """Connect to the application that answers with everything."""
    async with connect(transport, mode, make_app) as client:
        yield client


@asynccontextmanager
async def connect(
    transport: str, mode: str, make: Callable[[], FastAPI], settings: Settings | None = None, **options: Any
) -> AsyncGenerator[Client]:
    """Serve the application that a module's function makes, and connect the official client to it, with its options."""
    async with AsyncExitStack() as stack:
        if transport == "stdio":
            server: Any = stdio_client(speaker(make), errlog=cast("Any", subprocess.DEVNULL))
        else:
            settings = settings or Settings(stateful=transport == "stateful http")
            app = Toolway(make(), name="things", settings=settings).mount().app
            server = stack.enter_context(serving(app)) + "/mcp"
        yield await stack.enter_async_context(Client(server, mode=mode, **options))


def speaker(make: Callable[[], FastAPI]) -> StdioServerParameters:
    """The command that serves such an application over stdio."""
    name = f"{make.__module__}:{make.__name__}"
    return StdioServerParameters(command=sys.executable, args=["-m", "tests.protocol.speak", name], cwd=ROOT)
