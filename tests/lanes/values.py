"""The values that mutations insert."""

from __future__ import annotations

import json
from typing import Any

from tests.lanes.application import SAMPLES
from tests.protocol.wire import ACCEPT, CAPABILITIES_KEY, HANDSHAKES, MODERN, VERSION_KEY

__all__ = ["HEADERS", "META", "METHODS", "NAMES", "VALUES", "VERSIONS"]

_DEEP = json.loads("[" * 150 + "]" * 150)

NUMBERS: list[Any] = [
    0, 1, -1, 2, 3.0, 2.5, -0.0, 1e22, 1e-7, 2**31, 2**53 + 1, 2**64, -(2**80), 10**400, float("inf"), float("nan"),
]  # fmt: skip
TEXTS: list[Any] = [
    "", " ", "1", "true", "null", "north", "é", "\u2028\u2029", "\x00", "\x7f\r\n\t", "\ud800", "\U0001f600", "x" * 300,
    "a,b", "=?base64?bm9ydGg=?=", "../x", "%2F", '"', "\\", "</script>", "1" * 20, "2026-07-28",
]  # fmt: skip
VALUES: list[Any] = [*NUMBERS, *TEXTS, True, False, None, [], {}, [1, "a", None], {"a": {"b": None}}, [[]], _DEEP]
METHODS = [
    "tools/call", "tools/list", "server/discover", "initialize", "ping", "tools/Call", "tools/call ", "tools", "",
    "resources/list", "notifications/initialized", "notifications/cancelled", "subscriptions/listen", "tasks/get",
]  # fmt: skip
NAMES = [*SAMPLES, "get_things", "Get_thing", "hidden", "get_thing ", "", "é", "x" * 3000, "toString", "__class__"]
VERSIONS = [*HANDSHAKES, MODERN, "2026-07-29", "2024-10-07", "1", "", "draft", MODERN + " ", f"{MODERN},{MODERN}"]
HEADERS: dict[str, list[str]] = {
    "mcp-protocol-version": VERSIONS,
    "mcp-method": ["tools/call", "tools/list", "TOOLS/CALL", "", "=?base64?dG9vbHMvY2FsbA==?=", "tools/call "],
    "mcp-name": [*SAMPLES, "", "GET_THING", "=?base64?Z2V0X3RoaW5n?=", "=?base64?Z2V0X3Ro?aW5n?=", "=?base64?/w==?="],
    "mcp-param-region": ["north", "North", "", "=?base64?bm9ydGg=?=", "=?base64?w6k=?=", "é"],
    "mcp-param-limit": ["1", "2", "2.0", "02", "x", " 2"],
    "mcp-param-all": ["true", "True", "1", "false"],
    "mcp-param-unknown": ["x"],
    "mcp-session-id": ["0123456789abcdef", "", "é"],
    "accept": [ACCEPT, "*/*", "application/json", "text/event-stream", "", "application/*, text/*", "text/html",
               "application/json;q=0, text/event-stream", "APPLICATION/JSON, TEXT/EVENT-STREAM", "*/*;q=0.1"],
    "content-type": ["application/json", "Application/JSON; charset=utf-8", "text/plain", "", "application/json;",
                     "application/jsonx", "application/json; charset=latin-1", "application/x-www-form-urlencoded"],
    "host": ["localhost", "LOCALHOST:80", "127.0.0.1:8000", "evil.example", "", "localhost:x", "[::1]"],
    "origin": ["http://localhost", "https://evil.example", "null", "", "http://localhost:3000", "http://[::1"],
    "authorization": ["Bearer a", "Basic eDp5", "", "Bearer", "bearer é"],
    "x-key": ["k", "", "é"],
    "cookie": ["session=s; flavour=hot", ""],
    "x-trace": ["mine"],
    "content-encoding": ["gzip", "identity"],
    "transfer-encoding": ["chunked"],
    "last-event-id": ["1", ""],
    "traceparent": ["00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01", "nonsense"],
    "expect": ["100-continue"],
    "forwarded": ["host=evil.example"],
    "x-forwarded-host": ["evil.example"],
    "accept-language": ["de"],
}  # fmt: skip
META: dict[str, list[Any]] = {
    VERSION_KEY: [*VERSIONS, 20260728, None],
    CAPABILITIES_KEY: [{}, {"elicitation": {}}, {"elicitation": None}, {"extensions": {"a/b": {}}}, [], None, "x"],
    "io.modelcontextprotocol/clientInfo": [{"name": "n", "version": "1"}, {"name": "n"}, None, "x", {"name": 1}],
    "io.modelcontextprotocol/logLevel": ["debug", "error", "loud", None, 1],
    "progressToken": ["t", "", 0, 7, -1, 1.5, 2.0, True, None, [], {}, 2**70, "é\u2028", "\x00"],
    "traceparent": ["00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01", "nonsense", None, 1],
    "tracestate": ["a=b"],
    "io.modelcontextprotocol/related-task": [{"taskId": "a"}, {}, None],
    "io.modelcontextprotocol/subscriptionId": ["s", 1],
    "example.com/own": [None, {"a": None}],
    "": ["x"],
}  # fmt: skip
