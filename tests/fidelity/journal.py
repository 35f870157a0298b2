"""What an application did, as it tells itself: every request with its answer, and the side effects in their order.

Reading the journal empties it and puts every store back, so each case starts from the same state.
"""

from __future__ import annotations

import asyncio
import hashlib
from collections.abc import Callable, Sequence
from contextlib import nullcontext
from typing import Any

from fastapi import FastAPI
from fastapi.responses import JSONResponse
from starlette.types import ASGIApp, Message, Receive, Scope, Send

__all__ = ["effect", "keep_journal", "watched"]

_UNRECORDED = ("/journal", "/mcp", "/sse", "/messages", "/openapi.json")
_LONG = 2000
_effects: list[Any] = []


def effect(what: Any) -> None:
    """Note a side effect: something that an endpoint has done besides answering."""
    _effects.append(what)


class Journal:
    """Middleware that records each request once everything about it is over, background tasks included."""

    def __init__(self, app: ASGIApp, entries: list[dict[str, Any]], running: Running) -> None:
        self._app = app
        self._entries = entries
        self._running = running

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http" or _own_path(scope).startswith(_UNRECORDED):
            await self._app(scope, receive, send)
            return
        entry = _Entry(send)
        with self._running:
            try:
                await self._app(scope, receive, entry.send)
            finally:
                self._entries.append(entry.told(scope))


def _own_path(scope: Scope) -> str:
    """The path below the mount or the proxy's prefix."""
    return str(scope["path"]).removeprefix(scope.get("root_path", ""))


class Running:
    """How many requests are under way."""

    def __init__(self) -> None:
        self._count = 0
        self._none = asyncio.Event()
        self._none.set()

    def __enter__(self) -> None:
        self._count += 1
        self._none.clear()

    def __exit__(self, *_: object) -> None:
        self._count -= 1
        if not self._count:
            self._none.set()

    async def over(self) -> None:
        """Wait until no request is under way."""
        await self._none.wait()


def watched(app: FastAPI, served: ASGIApp) -> ASGIApp:
    """Let the journal of an application wait for requests and calls, where it records none."""
    lasting = {("GET", "/mcp"), ("GET", "/journal")}

    async def watching(scope: Scope, receive: Receive, send: Send) -> None:
        is_short = scope["type"] == "http" and not any(
            scope["method"] == method and scope["path"].endswith(path) for method, path in lasting
        )
        with app.state.running if is_short else nullcontext():
            await served(scope, receive, send)

    return watching


class _Entry:
    def __init__(self, send: Send) -> None:
        self._send = send
        self._status = 0
        self._body = b""

    async def send(self, message: Message) -> None:
        if message["type"] == "http.response.start":
            self._status = message["status"]
        elif message["type"] == "http.response.body":
            self._body += message.get("body", b"")
        await self._send(message)

    def told(self, scope: Scope) -> dict[str, Any]:
        body = self._body.decode("utf-8", "replace")
        shown = body if len(body) <= _LONG else f"{len(self._body)} bytes, {hashlib.sha256(self._body).hexdigest()}"
        return {"request": f"{scope['method']} {scope['path']}", "status": self._status, "body": shown}


def keep_journal(app: FastAPI, resets: Sequence[Callable[[], None]], *, records: bool = True) -> None:
    """Give an application a journal, and the endpoint that reads it; one that records no requests has no middleware."""
    entries: list[dict[str, Any]] = []
    running = app.state.running = Running()
    if records:
        app.add_middleware(Journal, entries=entries, running=running)

    @app.get("/journal", operation_id="journal", name="journal", response_model=None, response_class=JSONResponse)
    async def journal() -> Any:
        """Read what happened since the last reading, and put everything back."""
        await asyncio.wait_for(running.over(), 30)
        told = {"requests": list(entries), "effects": list(_effects)}
        entries.clear()
        _effects.clear()
        for reset in resets:
            reset()
        return told
