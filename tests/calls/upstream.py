"""A remote API that records what it receives, served to toolway in the process."""

from __future__ import annotations

import json
from collections.abc import AsyncGenerator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

import httpx2
from starlette.requests import Request
from starlette.responses import Response
from starlette.types import Receive, Scope, Send

from tests import web
from toolway import Remote, Settings, Toolway
from toolway.app import engine_of
from toolway.calls import CallContext, Invoker, Outcome
from toolway.catalog import Catalog
from toolway.content import TextContent

BASE = "https://crm.example.com/api"


@dataclass(frozen=True)
class Received:
    """One request, as the API received it."""

    method: str
    path: str
    """As it was sent, percent-encoding included, without the base URL's path."""
    query: str
    headers: Mapping[str, str]
    body: bytes

    @property
    def target(self) -> str:
        return f"{self.path}?{self.query}" if self.query else self.path


@dataclass
class Upstream:
    """An ASGI application that answers every path with JSON, or as told."""

    responses: dict[str, Response] = field(default_factory=dict[str, Response])
    received: list[Received] = field(default_factory=list[Received])

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        request = Request(scope, receive)
        path = scope["raw_path"].decode().removeprefix("/api")
        body = await request.body()
        headers = {name: value for name, value in request.headers.items() if name not in {"host", "content-length"}}
        self.received.append(Received(scope["method"], path, scope["query_string"].decode(), headers, body))
        answer = self.responses.get(path) or Response(json.dumps({"ok": True}), media_type="application/json")
        await answer(scope, receive, send)


@dataclass
class RemoteApi:
    """A running Toolway of a remote API."""

    catalog: Catalog
    calls: Invoker
    upstream: Upstream
    client: httpx2.AsyncClient

    async def call(self, tool: str = "t", /, **arguments: Any) -> Outcome:
        return await self.calls.call(tool, arguments, CallContext())

    async def send(self, tool: str = "t", /, **arguments: Any) -> Received:
        """Call a tool, and return the one request that the API received."""
        before = len(self.upstream.received)
        outcome = await self.call(tool, **arguments)
        assert not outcome.is_error, message(outcome)
        (received,) = self.upstream.received[before:]
        return received

    async def refusal(self, tool: str = "t", /, **arguments: Any) -> str:
        """Call a tool that must be refused before anything is sent, and return the reason."""
        before = len(self.upstream.received)
        outcome = await self.call(tool, **arguments)
        assert outcome.is_error, outcome
        assert self.upstream.received[before:] == []
        return message(outcome)

    def reason(self, path: str) -> str:
        """Return why the operations of a path are not offered."""
        (reason,) = {entry.reason for entry in self.catalog.skipped if entry.path == path}
        return reason


def message(outcome: Outcome) -> str:
    """Return the text of an outcome that has nothing else."""
    texts = [content.text for content in outcome.content if isinstance(content, TextContent)]
    assert len(texts) == len(outcome.content)
    return "\n".join(texts)


def document(paths: Mapping[str, Any], *, version: str = "3.1.0", **more: Any) -> dict[str, Any]:
    return {"openapi": version, "info": {"title": "Customers", "version": "1"}, "paths": paths, **more}


def operation(operation_id: str = "t", **more: Any) -> dict[str, Any]:
    return {"operationId": operation_id, "responses": {"200": {"description": "ok"}}, **more}


def parameter(name: str, location: str, schema: Mapping[str, Any] | None = None, **more: Any) -> dict[str, Any]:
    required = {"required": True} if location == "path" else {}
    return {"name": name, "in": location, "schema": schema or {"type": "string"}, **required, **more}


@asynccontextmanager
async def remote_api(
    described: dict[str, Any],
    *,
    responses: Mapping[str, Response] | None = None,
    client: Mapping[str, Any] | None = None,
    forward_headers: tuple[str, ...] = (),
    **options: Any,
) -> AsyncGenerator[RemoteApi]:
    """Serve the tools of a document; a recording API receives their requests. `client` has options of the client."""
    upstream = Upstream(dict(responses or {}))
    given = {"base_url": BASE, "transport": httpx2.ASGITransport(app=upstream), **(client or {})}
    options.setdefault("settings", Settings(_env_file=None))
    async with web.AsyncClient(**given) as sender:
        toolway = Toolway(Remote(described, client=sender, forward_headers=forward_headers), **options)
        async with engine_of(toolway).run() as running:
            yield RemoteApi(running.catalog, running.calls, upstream, sender)
