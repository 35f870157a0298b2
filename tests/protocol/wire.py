"""A client that says on the wire exactly what a test wants said, in either era."""

from __future__ import annotations

import json
import ssl
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import httpx2

MODERN = "2026-07-28"
HANDSHAKES = ("2024-11-05", "2025-03-26", "2025-06-18", "2025-11-25")
ERAS = (MODERN, HANDSHAKES[-1])
ACCEPT = "application/json, text/event-stream"
OPTIONS: dict[str, Any] = {"timeout": 40, "verify": ssl.create_default_context()}  # made once, as it takes its time
VERSION_KEY = "io.modelcontextprotocol/protocolVersion"
CAPABILITIES_KEY = "io.modelcontextprotocol/clientCapabilities"


def message(version: str, method: str, params: Mapping[str, Any] | None = None, number: Any = 1) -> dict[str, Any]:
    """Write a request as a client of that revision writes it."""
    params = dict(params or {})
    if version >= MODERN:
        envelope = {VERSION_KEY: version, CAPABILITIES_KEY: {}}
        params["_meta"] = {**envelope, **params.get("_meta", {})}
    return {"jsonrpc": "2.0", "id": number, "method": method, "params": params}


def headers_of(version: str, body: Mapping[str, Any]) -> dict[str, str]:
    """The headers that belong to a request."""
    headers = {"content-type": "application/json", "accept": ACCEPT, "mcp-protocol-version": version}
    if version >= MODERN:
        headers["mcp-method"] = body["method"]
        for key in {"name", "uri"} & body["params"].keys():
            headers["mcp-name"] = body["params"][key]
    return headers


def reply(response: httpx2.Response) -> dict[str, Any]:
    """The last message of an answer, be it plain JSON or a stream of events."""
    return messages(response)[-1]


def messages(response: httpx2.Response) -> list[dict[str, Any]]:
    """All messages of an answer."""
    if response.headers["content-type"].startswith("text/event-stream"):
        lines = response.text.splitlines()
        return [json.loads(line.removeprefix("data:")) for line in lines if line.startswith("data:")]
    return [response.json()]


@dataclass
class Peer:
    """Talks to one server, in one revision."""

    url: str
    version: str = MODERN

    def post(self, body: Any, headers: Mapping[str, str] | None = None, **options: Any) -> httpx2.Response:
        """Send bytes as they are, in one piece or several, and anything else as JSON."""
        content = body if isinstance(body, bytes | Iterator) else json.dumps(body).encode()
        known = {"content-type": "application/json", "accept": ACCEPT}
        return httpx2.post(self.url, content=content, headers={**known, **(headers or {})}, **OPTIONS, **options)

    def send(
        self,
        method: str,
        params: Mapping[str, Any] | None = None,
        number: Any = 1,
        headers: Mapping[str, str] | None = None,
    ) -> httpx2.Response:
        """Send a well-formed request."""
        body = message(self.version, method, params, number)
        return self.post(body, {**headers_of(self.version, body), **(headers or {})})

    def ask(self, method: str, params: Mapping[str, Any] | None = None, **options: Any) -> dict[str, Any]:
        """Send a request and return its result."""
        answer = reply(self.send(method, params, **options))
        assert "result" in answer, answer
        return answer["result"]

    def refusal(self, method: str, params: Mapping[str, Any] | None = None, **options: Any) -> dict[str, Any]:
        """Send a request and return the error that it is answered with."""
        answer = reply(self.send(method, params, **options))
        assert "error" in answer, answer
        return answer["error"]

    def call(self, name: str, arguments: Mapping[str, Any] | None = None, **options: Any) -> dict[str, Any]:
        """Call a tool and return the result."""
        return self.ask("tools/call", {"name": name, "arguments": dict(arguments or {})}, **options)
