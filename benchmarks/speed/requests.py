"""Each operation as a plain HTTP request and as a tool call."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from benchmarks.speed.app import make_item
from benchmarks.speed.entries import MODERN, Entry

__all__ = ["ID", "OPERATIONS", "Operation", "Request", "initialize", "list_request", "request_for"]

ID = '"@id@"'
"""A placeholder for the id of each call, which has to be unique within a session."""
_META = {
    "io.modelcontextprotocol/protocolVersion": MODERN,
    "io.modelcontextprotocol/clientCapabilities": {},
    "io.modelcontextprotocol/clientInfo": {"name": "bench", "version": "1"},
}
_ADDRESS = {"street": "Long Lane 17", "city": "Utrecht", "zip": "3511", "country": "NL"}
_LINES = [
    {
        "sku": f"SKU-{n:05}",
        "name": f"A thing of kind {n}",
        "quantity": n,
        "price": n * 2.5,
        "note": "Wrapped, please. " * 8,
    }
    for n in range(1, 13)
]
_ORDER = {"customer": "c-1", "lines": _LINES, "shipping": _ADDRESS, "billing": _ADDRESS}


@dataclass(frozen=True, slots=True, eq=False)
class Operation:
    """One endpoint with its arguments."""

    name: str
    title: str
    method: str
    target: str
    arguments: Mapping[str, Any]
    body: Any = None
    expects: str = ""
    """A part of every right answer; quotes are left out, as text blocks have them escaped."""


OPERATIONS = (
    Operation("add", "trivial GET", "GET", "/add?a=20&b=22", {"a": 20, "b": 22}, expects="42"),
    Operation("get_mine", "GET with dependencies", "GET", "/mine/7", {"item_id": 7}, expects=make_item(7).name),
    Operation("get_item", "1 kB model", "GET", "/items/7", {"item_id": 7}, expects=make_item(8).name),
    Operation("place_order", "3 kB order, nested body", "POST", "/orders", _ORDER, _ORDER, expects="SKU-00012"),
    Operation("list_items", "200 kB list", "GET", "/items", {}, expects=make_item(499).name),
)


@dataclass(frozen=True, slots=True)
class Request:
    """An HTTP request."""

    method: str
    target: str
    headers: Mapping[str, str] = field(default_factory=dict[str, str])
    body: str = ""


def request_for(entry: Entry, operation: Operation, session: str | None = None) -> Request:
    """Return the request of an operation in the form that a server accepts."""
    if entry.version is None:
        body = "" if operation.body is None else json.dumps(operation.body)
        headers = {"Content-Type": "application/json"} if body else {}
        return Request(operation.method, operation.target, headers, body)
    params = {"name": operation.name, "arguments": dict(operation.arguments)}
    return _message(entry.version, "tools/call", params, session)


def list_request(entry: Entry, session: str | None = None) -> Request:
    """Return the request that lists the tools."""
    return _message(entry.version or MODERN, "tools/list", {}, session)


def initialize(version: str) -> Request:
    """Open a session."""
    params = {"protocolVersion": version, "capabilities": {}, "clientInfo": {"name": "bench", "version": "1"}}
    return _message(version, "initialize", params, None)


def _message(version: str, method: str, params: dict[str, Any], session: str | None) -> Request:
    headers = {
        "Content-Type": "application/json",
        "Accept": "application/json, text/event-stream",
        "MCP-Protocol-Version": version,
    }
    if version == MODERN:
        params = {**params, "_meta": _META}
        headers["Mcp-Method"] = method
        if "name" in params:
            headers["Mcp-Name"] = params["name"]
    if session is not None:
        headers["Mcp-Session-Id"] = session
    body = json.dumps({"jsonrpc": "2.0", "id": "@id@", "method": method, "params": params})
    return Request("POST", "/mcp", headers, body)
