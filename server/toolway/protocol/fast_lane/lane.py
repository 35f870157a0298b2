"""The fast lane: the requests that come most, answered without the SDK.

A call through the SDK costs several times the plain HTTP call. Here one is read once, checked as the specification
demands, run by the same core, and answered with the endpoint's own bytes. What is not fully recognised, and everything
that ends in a refusal, is left to the SDK: it has the last word on both.
"""

from __future__ import annotations

from collections import defaultdict, deque
from collections.abc import Mapping
from contextlib import nullcontext
from dataclasses import dataclass
from functools import partial
from typing import Any, cast

from mcp.server.lowlevel import Server
from mcp.shared.inbound import decode_header_value, validate_mcp_param_headers
from mcp_types import INTERNAL_ERROR, PROTOCOL_VERSION_META_KEY
from mcp_types.methods import validate_client_request
from pydantic import ValidationError
from starlette.types import ASGIApp, Receive, Scope, Send

from toolway.calls import Invoker, Outcome, ProgressCallback, ToolCall, may_ask, may_log
from toolway.catalog import Tool
from toolway.errors import ServerShutdownError
from toolway.protocol.call_context import http_context
from toolway.protocol.fast_lane.cached_results import Prepared
from toolway.protocol.fast_lane.result_writer import Writer
from toolway.protocol.http.jsonrpc import Headers, Message, request_id
from toolway.protocol.http.response_stream import Answer, DisconnectMonitor, progress_event, write_error
from toolway.protocol.http.timers import Timers
from toolway.protocol.tracing import RequestSpan, start_span
from toolway.protocol.versions import REVISION_WITHOUT_HEADER, REVISIONS, Revision

__all__ = ["FastLane"]

_MEMBERS = {"jsonrpc", "id", "method", "params"}
_PARAMS = {
    "tools/call": {"name", "arguments", "_meta"},
    "tools/list": {"_meta"},
    "server/discover": {"_meta"},
}
_REMEMBERED = 16


@dataclass(slots=True)
class _Request:
    """A request that is answered here."""

    number: str | int
    method: str
    revision: Revision
    params: Message


class FastLane:
    """Answers calls and lists of one server.

    Args:
        server: says who answers, and which tools ask for ``Mcp-Param-*`` headers.
        calls: what runs a call.
        sdk: the SDK's own endpoint over HTTP, asked once for what is the same for everybody.
        stateful: whether requests of handshake revisions belong to sessions, which only the SDK knows.
    """

    def __init__(self, server: Server[Any], calls: Invoker, timers: Timers, sdk: ASGIApp, *, stateful: bool) -> None:
        self._calls = calls
        self._tools = {name: tool for name, tool in calls.tools.items() if _is_plain(tool)}
        self._timers = timers
        self._routed = server.get_tool_input_schema
        self._prepared = Prepared(sdk)
        self._writer = Writer(server)
        self._usual: dict[Revision, deque[Message]] = defaultdict(partial(deque[Message], maxlen=_REMEMBERED))
        self._revisions = _revisions_by_header(stateful=stateful)

    async def answers(self, scope: Scope, headers: Headers, message: Message, receive: Receive, send: Send) -> bool:
        """Answer a request, or return False and leave it alone; its body has been read from `receive`."""
        request = self._recognised(scope, headers, message)
        if request is None:
            return False
        if request.method != "tools/call":
            if self._calls.policy.hides_tools:
                return False
            return await self._list(request, scope, send)
        tool = self._tool(request.params, headers)
        if tool is None:
            return False
        if self._calls.policy.hides_tools and not self._calls.policy.shows(tool, http_context(scope, None)):
            return False
        await self._call(request, tool, scope, receive, send)
        return True

    def _recognised(self, scope: Scope, headers: Headers, message: Message) -> _Request | None:
        number, method = request_id(message), message.get("method", "")
        revision, known = self._revisions.get(headers.get(b"mcp-protocol-version")), _PARAMS.get(method)
        if number is None or revision is None or known is None or len(headers) != len(scope["headers"]):
            return None
        params: Message = message.get("params") or _NOTHING
        if not message.keys() <= _MEMBERS or not params.keys() <= known:
            return None
        if revision.is_stateless and not _agrees(revision, headers, method, params):
            return None
        is_right = self._is_usual(revision, params) or self._is_valid(method, revision, params)
        return _Request(number, method, revision, params) if is_right else None

    def _is_usual(self, revision: Revision, params: Message) -> bool:
        """Tell whether this is a call with a `_meta` that was found right before, as a client's stays the same."""
        if not isinstance(params.get("name"), str) or not isinstance(params.get("arguments"), dict):
            return False
        return params.get("_meta", _NOTHING) in self._usual[revision]

    def _is_valid(self, method: str, revision: Revision, params: Message) -> bool:
        """Hold the parameters against the revision's own schema, as the SDK does."""
        try:
            validate_client_request(method, revision.id, params)
        except (KeyError, ValidationError):
            return False
        meta: Message = params.get("_meta") or _NOTHING
        if "progressToken" in meta:  # which differs from call to call
            return type(meta["progressToken"]) in {str, int}  # what else is a token, and which, the SDK knows
        if "traceparent" not in meta:  # which differs, too
            self._usual[revision].append(meta)
        return True

    def _tool(self, params: Message, headers: Headers) -> Tool | None:
        """The tool that is called; None for one that is for the SDK, or where ``Mcp-Param-*`` headers do not agree."""
        name = params["name"]
        schema = self._routed(name) if self._routed is not None else None
        if schema is not None:
            texts = {key.decode("latin-1"): value.strip(b" \t").decode("latin-1") for key, value in headers.items()}
            if validate_mcp_param_headers(schema, params.get("arguments") or {}, texts) is not None:
                return None
        return self._tools.get(name)

    async def _list(self, request: _Request, scope: Scope, send: Send) -> bool:
        result = await self._prepared.result(request.method, request.revision)
        if result is None:
            return False
        if span := _start_span(request, scope):
            span.end()
        await Answer(send).finish(*self._writer.reply(request.number, result))
        return True

    async def _call(self, request: _Request, tool: Tool, scope: Scope, receive: Receive, send: Send) -> None:
        answer, span = Answer(send), _start_span(request, scope)

        async def deliver(outcome: Outcome) -> None:
            watch.close()
            if span is not None:
                span.end_with(is_error=outcome.is_error)
            pieces = self._writer.tool_reply(request.number, tool, outcome, request.revision)
            del outcome  # a slow client makes this wait, and the pieces are a copy of a large text
            await answer.finish(*pieces)

        async def fail(error: ServerShutdownError) -> None:
            watch.close()
            if span is not None:
                span.set_error(INTERNAL_ERROR, str(error))
            await answer.finish(write_error(request.number, INTERNAL_ERROR, str(error)))

        context = http_context(scope, _report(request.params, answer))
        watch = DisconnectMonitor(self._timers, receive, answer)
        arguments: Message = request.params.get("arguments") or _NOTHING
        call = ToolCall(self._calls, tool, arguments, context, deliver, fail, on_wait=watch.begin)
        try:
            with span.current() if span is not None else _NO_SPAN:
                await self._calls.run(call)
        finally:
            watch.close()
            if span is not None:
                span.end()


_NOTHING: Message = {}
_NO_SPAN = nullcontext()


def _start_span(request: _Request, scope: Scope) -> RequestSpan | None:
    return start_span(
        request.method,
        request.params,
        request_id=request.number,
        version=request.revision.id,
        meta=request.params.get("_meta"),
        scope=scope,
    )


def _is_plain(tool: Tool) -> bool:
    """Tell whether a tool does no more than answer, and report progress."""
    return tool.task is None and not tool.follow and not may_ask(tool) and not may_log(tool)


def _revisions_by_header(*, stateful: bool) -> Mapping[bytes | None, Revision]:
    """Return the revisions that are answered here, by the value of ``MCP-Protocol-Version``; None if it is absent."""
    found: dict[bytes | None, Revision] = {None: REVISION_WITHOUT_HEADER}
    found |= {entry.id.encode(): entry for entry in REVISIONS.values()}
    return {header: entry for header, entry in found.items() if entry.is_stateless or not stateful}


def _agrees(revision: Revision, headers: Headers, method: str, params: Message) -> bool:
    """Tell whether the headers say what the body says (basic/transports/streamable-http of 2026-07-28)."""
    meta = params.get("_meta")
    if not isinstance(meta, dict) or cast("Message", meta).get(PROTOCOL_VERSION_META_KEY) != revision.id:
        return False
    if headers.get(b"mcp-method", b"").decode("latin-1") != method:
        return False
    name, named = params.get("name"), headers.get(b"mcp-name", b"").decode("latin-1")
    return name is None or name == named or name == decode_header_value(named)


def _report(params: Message, answer: Answer) -> ProgressCallback | None:
    meta: Message = params.get("_meta") or {}
    token = meta.get("progressToken")
    if token is None:
        return None

    async def report(progress: float, total: float | None, message: str | None) -> None:
        await answer.say(progress_event(token, progress, total, message))

    return report
