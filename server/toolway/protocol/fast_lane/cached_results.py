"""Answers that are the same for everybody: asked of the SDK once, and kept as bytes."""

from __future__ import annotations

from typing import Any

import anyio
from mcp_types import CLIENT_CAPABILITIES_META_KEY, PROTOCOL_VERSION_META_KEY
from pydantic_core import from_json, to_json
from starlette.types import ASGIApp, Message, Scope

from toolway.protocol.tracing import UNTRACED
from toolway.protocol.versions import Revision

__all__ = ["Prepared"]


class Prepared:
    """Results of requests without parameters, by method and revision."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app
        self._results: dict[tuple[str, Revision], bytes] = {}

    async def result(self, method: str, revision: Revision) -> bytes | None:
        """Return the result as JSON; None where the answer is an error."""
        known = self._results.get((method, revision))
        if known is None:
            reply = await _ask(self._app, method, revision)
            if "result" not in reply:
                return None
            known = self._results[method, revision] = to_json(reply["result"])
        return known


async def _ask(app: ASGIApp, method: str, revision: Revision) -> dict[str, Any]:
    """Send one request to an MCP endpoint in this process, and return the message that it answers."""
    body = to_json({"jsonrpc": "2.0", "id": 0, "method": method, "params": _params(revision)})
    inbox: list[Message] = [{"type": "http.request", "body": body, "more_body": False}]
    sent: list[bytes] = []

    async def receive() -> Message:
        if not inbox:
            await anyio.sleep_forever()
        return inbox.pop()

    async def send(message: Message) -> None:
        sent.append(message.get("body", b""))

    await app(_scope(method, revision), receive, send)
    return from_json(_message(b"".join(sent)))


def _params(revision: Revision) -> dict[str, Any]:
    if not revision.is_stateless:
        return {}
    return {"_meta": {PROTOCOL_VERSION_META_KEY: revision.id, CLIENT_CAPABILITIES_META_KEY: {}}}


def _scope(method: str, revision: Revision) -> Scope:
    headers = {
        "host": "localhost",
        "content-type": "application/json",
        "accept": "application/json, text/event-stream",
        "mcp-protocol-version": revision.id,
        "mcp-method": method,
    }
    raw = [(name.encode(), value.encode()) for name, value in headers.items()]
    scope: Scope = {"type": "http", "method": "POST", "path": "/", "query_string": b"", "root_path": "", "headers": raw}
    return {**scope, UNTRACED: True}


def _message(body: bytes) -> bytes:
    """The JSON-RPC message in an answer, which may be an event stream."""
    events = [line.removeprefix(b"data: ") for line in body.splitlines() if line.startswith(b"data: ")]
    return events[-1] if events else body
