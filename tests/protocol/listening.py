"""A subscriber that reads a stream of changes as slowly as a test wants it read, without a network."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from typing import Any

import anyio
from fastapi import FastAPI

from tests.protocol.wire import headers_of, message
from tests.servers import PATIENCE


class Listener:
    """Sends one ``subscriptions/listen`` to a running application, and keeps the frames that come."""

    def __init__(self, app: FastAPI, path: str = "/mcp", version: str = "2026-07-28", **asked: Any) -> None:
        body = message(version, "subscriptions/listen", {"notifications": asked})
        headers = {"host": "localhost", **headers_of(version, body)}
        self.said: list[dict[str, Any]] = []
        self._app = app
        self._scope = {
            "type": "http", "asgi": {"version": "3.0"}, "http_version": "1.1", "method": "POST", "scheme": "http",
            "path": path, "raw_path": path.encode(), "query_string": b"", "root_path": "", "client": None,
            "server": ("localhost", 80), "headers": [(name.encode(), text.encode()) for name, text in headers.items()],
        }  # fmt: skip
        self._inbox = [{"type": "http.request", "body": json.dumps(body).encode(), "more_body": False}]
        self._gone, self._reads, self._news = asyncio.Event(), asyncio.Event(), asyncio.Event()
        self._reads.set()
        self.task = asyncio.create_task(self._run())

    async def _run(self) -> None:
        await self._app(self._scope, self._receive, self._send)
        self._news.set()

    async def _receive(self) -> Any:
        if self._inbox:
            return self._inbox.pop()
        await self._gone.wait()
        return {"type": "http.disconnect"}

    async def _send(self, event: Any) -> None:
        await self._reads.wait()
        for line in event.get("body", b"").splitlines():
            if line.startswith(b"data:"):
                self.said.append(json.loads(line.removeprefix(b"data:")))
        self._news.set()

    def pause(self) -> None:
        """Read no further."""
        self._reads.clear()

    def resume(self) -> None:
        self._reads.set()

    async def frames(self, count: int) -> list[dict[str, Any]]:
        """Wait until so many messages have come, and take them."""
        with anyio.fail_after(PATIENCE):
            while len(self.said) < count and not self.task.done():
                self._news.clear()
                await self._news.wait()
        taken, self.said = self.said[:count], self.said[count:]
        return taken

    async def rest(self) -> list[dict[str, Any]]:
        """Wait for the end of the stream, and take what has come until then."""
        with anyio.fail_after(PATIENCE):
            await self.task
        taken, self.said = self.said, []
        return taken

    async def leave(self) -> None:
        """Close the connection."""
        self._gone.set()
        self.resume()
        await self.rest()


@asynccontextmanager
async def listener(app: FastAPI, **asked: Any) -> AsyncGenerator[Listener]:
    """Listen to a running application; the acknowledgement has come when this begins."""
    heard = Listener(app, **asked)
    try:
        (hello,) = await heard.frames(1)
        assert hello["method"] == "notifications/subscriptions/acknowledged", hello
        yield heard
    finally:
        await heard.leave()
