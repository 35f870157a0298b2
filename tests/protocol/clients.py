"""The official client, over real transports."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import AsyncGenerator
from contextlib import AsyncExitStack, asynccontextmanager
from typing import Any, cast

from mcp import Client, StdioServerParameters
from mcp.client.stdio import stdio_client

from tests.protocol.apps import make_server
from tests.servers import serving
from tests.support import ROOT
from toolway import Settings

MODES = ("auto", "legacy", "2026-07-28")
TRANSPORTS = ("http", "stateful http", "stdio")
EVERYWHERE = [(transport, mode) for transport in TRANSPORTS for mode in MODES]


@asynccontextmanager
async def connected(transport: str, mode: str, **options: Any) -> AsyncGenerator[Client]:
    """Connect the official client to the application of these tests."""
    async with AsyncExitStack() as stack:
        if transport == "stdio":
            server: Any = stdio_client(speaker(), errlog=cast("Any", subprocess.DEVNULL))
        else:
            settings = Settings(stateful=transport == "stateful http")
            server = stack.enter_context(serving(make_server(settings))) + "/mcp"
        yield await stack.enter_async_context(Client(server, mode=mode, **options))


def speaker(app: str = "tests.protocol.apps:make_app") -> StdioServerParameters:
    """The command that serves an application over stdio."""
    return StdioServerParameters(command=sys.executable, args=["-m", "tests.protocol.speak", app], cwd=ROOT)
