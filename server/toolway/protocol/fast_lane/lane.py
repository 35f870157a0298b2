"""The fast lane: the most frequent requests, handled without the SDK.

A call through the SDK costs several times the plain HTTP call. The fast lane parses a request once, checks it against
the specification, runs it through the same `Invoker`, and inserts the endpoint's own bytes into the response. Requests
that it does not fully recognize, and those that fail a check, are passed to the SDK.
"""

from __future__ import annotations

from collections import defaultdict, deque
from collections.abc import Mapping
from contextlib import nullcontext
from dataclasses import dataclass, replace
from functools import partial
from typing import cast
from urllib.parse import parse_qsl

from mcp.shared.inbound import decode_header_value, validate_mcp_param_headers
from mcp_types import INTERNAL_ERROR, PROTOCOL_VERSION_META_KEY
from mcp_types.methods import validate_client_request
from pydantic import ValidationError
from starlette.types import ASGIApp, Receive, Scope, Send

from toolway.calls import Invoker, Outcome, ProgressCallback, ResolvedCall, ToolCall, may_ask, may_log, unwrap_call
from toolway.catalog import CatalogMode, EndpointTool, Tool, read_mode
from toolway.errors import ConfigurationError, ServerShutdownError
from toolway.protocol.fast_lane.cached_results import CachedResults
from toolway.protocol.fast_lane.result_writer import ResultWriter
from toolway.protocol.http.jsonrpc import Headers, Message, error_message, request_id
from toolway.protocol.http.request_scope import http_context
from toolway.protocol.http.response_stream import DisconnectMonitor, ResponseStream, progress_message
from toolway.protocol.http.timeouts import Timers
from toolway.protocol.server import CatalogServer
from toolway.protocol.tracing import RequestSpan, start_span
from toolway.protocol.versions import REVISIONS_BY_HEADER, Revision
from toolway.search_mode import with_signature

__all__ = ["FastLane"]

_MEMBERS = {"jsonrpc", "id", "method", "params"}
_PARAMS = {
    "tools/call": {"name", "arguments", "_meta"},
    "tools/list": {"_meta"},
    "server/discover": {"_meta"},
}
_CACHED_METAS = 16
_EMPTY: Message = {}
_NO_SPAN = nullcontext()


@dataclass(slots=True)
class _Request:
    """A request that the fast lane handles."""

    id: str | int
    method: str
    revision: Revision
    params: Message
    meta: Message


class FastLane:
    """Handles tool calls and lists of one server.

    Args:
        server: the server; provides its identity and the tools with ``Mcp-Param-*`` headers.
        calls: runs the calls.
        timers: the timers for disconnect checks.
        sdk: the SDK's ASGI application, which provides each list once.
        stateful: whether requests of MCP 2024-11-05 to 2025-11-25 belong to sessions, which only the SDK has.
    """

    def __init__(self, server: CatalogServer, calls: Invoker, timers: Timers, sdk: ASGIApp, *, stateful: bool) -> None:
        self._calls = calls
        self._mode: CatalogMode = server.config.mode
        self._modes = server.config.modes
        tools = (*calls.tools.values(), *calls.built_in.values())
        self._tools: dict[str, Tool] = {tool.name: tool for tool in tools if _is_simple(tool)}
        self._limiter = server.config.limiter
        self._timers = timers
        self._schema_with_headers = server.get_tool_input_schema
        self._cached_results = CachedResults(sdk)
        self._writer = ResultWriter(server)
        self._valid_metas: dict[Revision, deque[Message]] = defaultdict(partial(deque[Message], maxlen=_CACHED_METAS))
        """The last valid `_meta` of calls; those of a client usually stay the same."""
        self._revisions: Mapping[bytes | None, Revision] = {
            None if header is None else header.encode(): revision
            for header, revision in REVISIONS_BY_HEADER.items()
            if revision.is_stateless or not stateful
        }

    async def handle(self, scope: Scope, headers: Headers, message: Message, receive: Receive, send: Send) -> bool:
        """Handle a request and return True, or return False if the SDK has to; its body has been read already."""
        request = self._recognize(scope, headers, message)
        if request is None:
            return False
        if request.method != "tools/call":
            if self._calls.policy.hides_tools:
                return False
            return await self._list(request, scope, send)
        call = self._resolve(request.params, scope)
        if call is None or not self._has_valid_param_headers(request.params, headers):
            return False
        if self._calls.policy.hides_tools and not self._calls.policy.shows(call.tool, http_context(scope, None)):
            return False
        await self._call(request, call, scope, receive, send)
        return True

    def _resolve(self, params: Message, scope: Scope) -> ResolvedCall | None:
        """Return the call that a request makes; None if the SDK has to handle it."""
        arguments: Message = params.get("arguments") or _EMPTY
        tool = self._tools.get(params["name"])
        if tool is None:
            return None
        if isinstance(tool, EndpointTool):
            return ResolvedCall(tool, arguments)
        if not self._calls.offers(tool, parse_qsl(scope["query_string"].decode("latin-1"))):
            return None
        if not self._calls.is_indirect(tool.name):
            return ResolvedCall(tool, arguments)
        return unwrap_call(arguments, self._tools)

    def _recognize(self, scope: Scope, headers: Headers, message: Message) -> _Request | None:
        number, method = request_id(message), message.get("method", "")
        revision, known = self._revisions.get(headers.get(b"mcp-protocol-version")), _PARAMS.get(method)
        if number is None or revision is None or known is None or len(headers) != len(scope["headers"]):
            return None
        params: Message = message.get("params") or _EMPTY
        if not message.keys() <= _MEMBERS or not params.keys() <= known:
            return None
        if revision.is_stateless and not _has_matching_headers(revision, headers, method, params):
            return None
        meta: Message = params.get("_meta", _EMPTY)
        is_call = isinstance(params.get("name"), str) and isinstance(params.get("arguments"), dict)
        if not (is_call and meta in self._valid_metas[revision]) and not self._is_valid(method, revision, params):
            return None
        return _Request(number, method, revision, params, meta or _EMPTY)

    def _is_valid(self, method: str, revision: Revision, params: Message) -> bool:
        """Validate the parameters against the schema of the revision, as the SDK does."""
        try:
            validate_client_request(method, revision.id, params)
        except (KeyError, ValidationError):
            return False
        meta: Message = params.get("_meta") or _EMPTY
        if "progressToken" in meta:  # differs from call to call
            return type(meta["progressToken"]) in {str, int}  # the SDK decides about other types
        if "traceparent" not in meta:  # also differs
            self._valid_metas[revision].append(meta)
        return True

    def _has_valid_param_headers(self, params: Message, headers: Headers) -> bool:
        schema = self._schema_with_headers(params["name"]) if self._schema_with_headers is not None else None
        if schema is None:
            return True
        texts = {key.decode("latin-1"): value.strip(b" \t").decode("latin-1") for key, value in headers.items()}
        return validate_mcp_param_headers(schema, params.get("arguments") or {}, texts) is None

    async def _list(self, request: _Request, scope: Scope, send: Send) -> bool:
        mode: CatalogMode = self._mode
        if query := scope["query_string"]:
            try:
                mode = read_mode(parse_qsl(query.decode("latin-1")), mode, self._modes)
            except ConfigurationError:  # which the SDK's handler reports
                return False
        result = await self._cached_results.result(request.method, request.revision, mode)
        if result is None:
            return False
        if span := _start_span(request, scope):
            span.end()
        await ResponseStream(send).finish(*self._writer.reply(request.id, result))
        return True

    async def _call(
        self, request: _Request, resolved: ResolvedCall, scope: Scope, receive: Receive, send: Send
    ) -> None:
        tool = resolved.tool
        stream = ResponseStream(send)
        monitor = DisconnectMonitor(self._timers, receive, stream)
        is_indirect = tool.name != request.params["name"]
        span = _start_span(replace(request, params={"name": tool.name}) if is_indirect else request, scope)

        async def deliver(outcome: Outcome) -> None:
            if is_indirect:
                outcome = with_signature(tool, outcome)
            if self._limiter is not None and self._limiter.exceeds(outcome):
                outcome = await self._limiter.truncate(tool, outcome, context)
            monitor.close()
            if span is not None:
                span.end_with(is_error=outcome.is_error)
            pieces = self._writer.tool_reply(request.id, tool, outcome, request.revision)
            del outcome  # a slow client makes this wait, and the pieces are a copy of a large text
            await stream.finish(*pieces)

        async def fail(error: ServerShutdownError) -> None:
            monitor.close()
            if span is not None:
                span.set_error(INTERNAL_ERROR, str(error))
            await stream.finish(error_message(request.id, INTERNAL_ERROR, str(error)))

        token: str | int | None = request.meta.get("progressToken")
        context = http_context(scope, None if token is None else _progress_callback(token, stream))
        call = ToolCall(
            self._calls, tool, resolved.arguments, context, deliver, fail,
            fields=resolved.fields, on_wait=monitor.start,
        )  # fmt: skip
        try:
            with span.current() if span is not None else _NO_SPAN:
                await self._calls.run(call)
        finally:
            monitor.close()
            if span is not None:
                span.end()


def _start_span(request: _Request, scope: Scope) -> RequestSpan | None:
    return start_span(
        request.method,
        request.params,
        request_id=request.id,
        version=request.revision.id,
        meta=request.meta,
        scope=scope,
    )


def _is_simple(tool: Tool) -> bool:
    """Return whether a tool neither runs as a task, nor asks questions, nor logs; it may report progress."""
    if isinstance(tool, EndpointTool) and (tool.task is not None or tool.follow):
        return False
    return not may_ask(tool) and not may_log(tool)


def _has_matching_headers(revision: Revision, headers: Headers, method: str, params: Message) -> bool:
    """Return whether the headers match the body (basic/transports/streamable-http of the specification)."""
    meta = params.get("_meta")
    if not isinstance(meta, dict) or cast("Message", meta).get(PROTOCOL_VERSION_META_KEY) != revision.id:
        return False
    if headers.get(b"mcp-method", b"").decode("latin-1") != method:
        return False
    name, header = params.get("name"), headers.get(b"mcp-name", b"").decode("latin-1")
    return name is None or name == header or name == decode_header_value(header)


def _progress_callback(token: str | int, stream: ResponseStream) -> ProgressCallback:
    async def report(progress: float, total: float | None, message: str | None) -> None:
        await stream.send_message(progress_message(token, progress, total, message))

    return report
