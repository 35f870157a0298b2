"""OpenTelemetry spans of MCP requests, the same in both lanes; without a tracer provider there are none.

They replace the spans of the SDK's middleware, which lack the attributes of the connection.
https://github.com/open-telemetry/semantic-conventions-genai/blob/main/docs/gen-ai/mcp.md
"""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import AbstractContextManager
from functools import lru_cache
from typing import Any, cast

from mcp.server.context import CallNext, HandlerResult
from mcp.shared.exceptions import MCPError
from mcp_types import INVALID_PARAMS, CallToolResult
from opentelemetry import trace
from opentelemetry.context import Context as TraceContext
from opentelemetry.propagate import extract
from pydantic import ValidationError
from starlette.requests import Request
from starlette.types import Scope

from toolway.protocol.requests import RequestContext

__all__ = ["UNTRACED", "RequestSpan", "start_span", "trace_request"]

UNTRACED = "toolway.untraced"
"""The key in the ASGI scope of a request that toolway sends to itself, which gets no span."""
_TOOL_ERROR = "tool_error"


class RequestSpan:
    """The span of one request, until its result is known."""

    def __init__(self, span: trace.Span) -> None:
        self._span = span

    def current(self) -> AbstractContextManager[trace.Span]:
        """Make it the parent of spans that start within the context."""
        return trace.use_span(self._span, end_on_exit=False, record_exception=False, set_status_on_exception=False)

    def set_tool_error(self) -> None:
        """Record that the result of a tool is an error."""
        if not self._span.is_recording():
            return
        self._span.set_attribute("error.type", _TOOL_ERROR)
        self._span.set_status(trace.StatusCode.ERROR)

    def set_error(self, code: int, message: str) -> None:
        """Record the JSON-RPC error of the response."""
        if not self._span.is_recording():
            return
        self._span.set_attributes({"error.type": str(code), "rpc.response.status_code": str(code)})
        self._span.set_status(trace.StatusCode.ERROR, message)

    def end_with(self, *, is_error: bool) -> None:
        """End the span with the result of a tool."""
        if is_error:
            self.set_tool_error()
        self.end()

    def end(self) -> None:
        """End the span; later calls have no effect."""
        if self._span.is_recording():
            self._span.end()


def start_span(
    method: str,
    params: Mapping[str, Any],
    *,
    request_id: str | int | None,
    version: str,
    meta: Mapping[str, Any] | None,
    scope: Scope | None,
) -> RequestSpan | None:
    """Start the span of a request; return None if no tracer provider is configured.

    Args:
        method: the method of the request.
        params: the parameters of the request.
        request_id: the id of the request; None for a notification.
        version: the protocol version.
        meta: the ``_meta`` of the request, which may name the parent span (``traceparent``).
        scope: the ASGI scope of the HTTP request; None over stdio.
    """
    provider = trace.get_tracer_provider()
    if isinstance(provider, trace.ProxyTracerProvider) or (scope is not None and UNTRACED in scope):
        return None
    attributes: dict[str, Any] = {"mcp.method.name": method, "mcp.protocol.version": version}
    if request_id is not None:
        attributes["jsonrpc.request.id"] = str(request_id)
    target = _describe_target(method, params, attributes)
    _describe_connection(scope, attributes)
    parent = _parent(meta)
    around = trace.get_current_span().get_span_context()
    span = _tracer(provider).start_span(
        f"{method} {target}" if target else method,
        context=parent,
        kind=trace.SpanKind.SERVER,
        attributes=attributes,
        links=[trace.Link(around)] if parent is not None and around.is_valid else None,
    )
    return RequestSpan(span)


async def trace_request(ctx: RequestContext, call_next: CallNext) -> HandlerResult:
    """Trace a request that the SDK handles (a middleware of its server)."""
    scope = _scope_of(ctx.request)
    span = start_span(
        ctx.method,
        ctx.params or {},
        request_id=ctx.request_id,
        version=ctx.protocol_version,
        meta=ctx.meta,
        scope=scope,
    )
    if span is None:
        return await call_next(ctx)
    try:
        with span.current():
            result = await call_next(ctx)
    except MCPError as error:
        span.set_error(error.error.code, error.error.message)
        raise
    except ValidationError:
        span.set_error(INVALID_PARAMS, "Invalid request parameters")  # the message that the SDK sends
        raise
    else:
        if ctx.method == "tools/call" and _is_tool_error(result):
            span.set_tool_error()
        return result
    finally:
        span.end()


def _scope_of(request: object) -> Scope | None:
    return cast("Request", request).scope if isinstance(request, Request) else None


@lru_cache(maxsize=1)
def _tracer(provider: trace.TracerProvider) -> trace.Tracer:
    return provider.get_tracer("toolway")


def _describe_target(method: str, params: Mapping[str, Any], attributes: dict[str, Any]) -> str:
    """Add the attributes of the target of a request, and return its name for the span; never a URI."""
    name, uri = params.get("name"), params.get("uri")
    if method == "tools/call":
        attributes["gen_ai.operation.name"] = "execute_tool"
    if isinstance(uri, str) and method.startswith("resources/"):
        attributes["mcp.resource.uri"] = uri
    if not isinstance(name, str):
        return ""
    if method == "tools/call":
        attributes["gen_ai.tool.name"] = name
    elif method == "prompts/get":
        attributes["gen_ai.prompt.name"] = name
    return name


def _describe_connection(scope: Scope | None, attributes: dict[str, Any]) -> None:
    if scope is None:
        attributes["network.transport"] = "pipe"
        return
    attributes |= {"network.transport": "tcp", "network.protocol.name": "http"}
    if version := scope.get("http_version"):
        attributes["network.protocol.version"] = version
    if client := scope.get("client"):
        attributes["client.address"], attributes["client.port"] = client
    for name, value in scope["headers"]:
        if name == b"mcp-session-id":
            attributes["mcp.session.id"] = value.decode("latin-1")


def _parent(meta: Mapping[str, Any] | None) -> TraceContext | None:
    """Return the parent context in a request; None if it has no valid one."""
    if not meta or "traceparent" not in meta:
        return None
    try:
        context = extract(meta)
    except (TypeError, ValueError):
        return None
    return context if trace.get_current_span(context).get_span_context().is_valid else None


def _is_tool_error(result: HandlerResult) -> bool:
    match result:
        case CallToolResult(is_error=True) | {"isError": True}:
            return True
        case _:
            return False
