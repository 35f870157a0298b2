"""The requests that are mutated: every method in every revision, as well-behaved clients write it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Any, cast

from mcp.shared.inbound import encode_header_value, mcp_param_headers

from tests.lanes.application import SAMPLES
from tests.lanes.exchange import Request, request_of
from tests.protocol.wire import ACCEPT, HANDSHAKES, MODERN, message

__all__ = ["BASES", "Base", "base", "routing_headers"]

_DECLARED = {("region",): "Region", ("limit",): "Limit", ("all",): "All"}
_HELLO = {"protocolVersion": "2025-11-25", "capabilities": {}, "clientInfo": {"name": "test", "version": "1"}}
_METHODS: dict[str, Mapping[str, Any]] = {
    "initialize": _HELLO,
    "ping": {},
    "tools/list": {},
    "server/discover": {},
    "resources/list": {},
    "resources/templates/list": {},
    "resources/read": {"uri": "file:///a"},
    "resources/subscribe": {"uri": "file:///a"},
    "prompts/list": {},
    "prompts/get": {"name": "a"},
    "completion/complete": {"ref": {"type": "ref/prompt", "name": "a"}, "argument": {"name": "b", "value": "c"}},
    "logging/setLevel": {"level": "info"},
    "subscriptions/listen": {"notifications": {}},
    "tasks/get": {"taskId": "a"},
    "roots/list": {},
    "nonsense": {},
}
_NOTIFICATIONS: dict[str, Mapping[str, Any]] = {
    "notifications/initialized": {},
    "notifications/cancelled": {"requestId": 1},
    "notifications/progress": {"progressToken": 1, "progress": 1},
    "notifications/roots/list_changed": {},
    "notifications/nonsense": {},
}


@dataclass(frozen=True, slots=True)
class Base:
    """A request by name."""

    kind: str
    """The method, and of a call the tool."""
    version: str | None
    """The header MCP-Protocol-Version; None for its absence."""
    request: Request

    def __str__(self) -> str:
        return f"{self.kind}, {self.version or 'no revision'}"


def _bases() -> Iterator[Base]:
    for version in (None, *HANDSHAKES, MODERN):
        for name, samples in SAMPLES.items():
            for number, arguments in enumerate(samples):
                yield base(f"call {name}", version, "tools/call", {"name": name, "arguments": arguments}, number)
        yield base("call without arguments", version, "tools/call", {"name": "count_things"})
        token = {"name": "follow_steps", "arguments": {"steps": 2}, "_meta": {"progressToken": "t"}}
        yield base("call with a progress token", version, "tools/call", token)
        yield base("call hidden", version, "tools/call", {"name": "hidden", "arguments": {}})
        for method, params in _METHODS.items():
            yield base(method, version, method, params)
        for method, params in _NOTIFICATIONS.items():
            yield _without_id(base(method, version, method, params))
        yield _response(version)


def base(kind: str, version: str | None, method: str, params: Mapping[str, Any], number: int = 1) -> Base:
    """Write a request of a revision as a well-behaved client does."""
    body = message(version or "2025-03-26", method, params, number)
    plain = {"content-type": "application/json", "accept": ACCEPT}
    known = plain if version is None else {**plain, "mcp-protocol-version": version}
    return Base(kind, version, request_of(body, {**known, **(routing_headers(body) if version == MODERN else {})}))


def _without_id(base: Base) -> Base:
    return replace(base, request=replace(base.request, body=base.request.body.replace(b'"id":1,', b"", 1)))


def _response(version: str | None) -> Base:
    """Return the response of a client to a request of the server."""
    headers = {"content-type": "application/json", "accept": ACCEPT}
    known = headers if version is None else {**headers, "mcp-protocol-version": version}
    return Base("a response", version, request_of({"jsonrpc": "2.0", "id": 1, "result": {}}, known))


def routing_headers(body: Mapping[str, Any]) -> dict[str, str]:
    """Return the headers in which a client of 2026-07-28 repeats parts of its message."""
    params: Mapping[str, Any] = body["params"] if isinstance(body.get("params"), dict) else {}
    method, name, arguments = body.get("method"), params.get("name", params.get("uri")), params.get("arguments")
    headers = {"mcp-method": method} if isinstance(method, str) else {}
    if isinstance(name, str):
        headers["mcp-name"] = encode_header_value(name)
    if name == "list_rows" and isinstance(arguments, dict):
        headers |= mcp_param_headers(_DECLARED, cast("Mapping[str, Any]", arguments))
    return {key.lower(): value for key, value in headers.items()}


BASES = tuple(_bases())
