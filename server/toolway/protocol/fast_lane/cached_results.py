"""Results that are the same for all callers, requested from the SDK once and cached as bytes."""

from __future__ import annotations

from typing import Any

import anyio
from mcp_types import CLIENT_CAPABILITIES_META_KEY, PROTOCOL_VERSION_META_KEY
from pydantic_core import from_json, to_json
from starlette.types import ASGIApp, Message, Scope

from toolway.catalog import CatalogMode
from toolway.protocol.tracing import UNTRACED
from toolway.protocol.versions import Revision

__all__ = ["CachedResults"]


class CachedResults:
    """Results of requests without parameters, by method, revision and mode of the catalog."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app
        self._results: dict[tuple[str, Revision, CatalogMode], bytes] = {}

    async def result(self, method: str, revision: Revision, mode: CatalogMode) -> bytes | None:
        """Return the result as JSON; None if the response is an error."""
        cached = self._results.get((method, revision, mode))
        if cached is None:
            reply = await _request(self._app, method, revision, mode)
            if "result" not in reply:
                return None
            cached = self._results[method, revision, mode] = to_json(reply["result"])
        return cached


async def _request(app: ASGIApp, method: str, revision: Revision, mode: CatalogMode) -> dict[str, Any]:
    """Send a request to an MCP endpoint in this process, and return the response message."""
    body = to_json({"jsonrpc": "2.0", "id": 0, "method": method, "params": _params(revision)})
    inbox: list[Message] = [{"type": "http.request", "body": body, "more_body": False}]
    sent: list[bytes] = []

    async def receive() -> Message:
        if not inbox:
            await anyio.sleep_forever()
        return inbox.pop()

    async def send(message: Message) -> None:
        sent.append(message.get("body", b""))

    await app(_scope(method, revision, mode), receive, send)
    return from_json(_read_message(b"".join(sent)))


def _params(revision: Revision) -> dict[str, Any]:
    if not revision.is_stateless:
        return {}
    return {"_meta": {PROTOCOL_VERSION_META_KEY: revision.id, CLIENT_CAPABILITIES_META_KEY: {}}}


def _scope(method: str, revision: Revision, mode: CatalogMode) -> Scope:
    headers = {
        "host": "localhost",
        "content-type": "application/json",
        "accept": "application/json, text/event-stream",
        "mcp-protocol-version": revision.id,
        "mcp-method": method,
    }
    raw = [(name.encode(), value.encode()) for name, value in headers.items()]
    return {
        "type": "http",
        "method": "POST",
        "path": "/",
        "query_string": f"catalog={mode}".encode(),
        "root_path": "",
        "headers": raw,
        UNTRACED: True,
    }


def _read_message(body: bytes) -> bytes:
    """Return the JSON-RPC message in a response, which may be an event stream."""
    events = [line.removeprefix(b"data: ") for line in body.splitlines() if line.startswith(b"data: ")]
    return events[-1] if events else body
