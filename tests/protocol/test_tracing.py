"""OpenTelemetry: each request has one span, the same in both lanes."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from fastapi import FastAPI, HTTPException
from opentelemetry import trace

pytest.importorskip("opentelemetry.sdk")

from opentelemetry.sdk.trace import ReadableSpan, TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter

from tests.protocol.wire import ERAS, MODERN, Peer
from tests.servers import serving
from toolway import Settings, Toolway, agent_resource

TRACE, PARENT = "0af7651916cd43dd8448eb211c80319c", "b7ad6b7169203331"
TRACEPARENT = f"00-{TRACE}-{PARENT}-01"
VOLATILE = {"client.port"}


def make_traced() -> FastAPI:
    app = FastAPI(title="Traced")

    @app.get("/items/{number}", operation_id="item")
    @agent_resource("items://{number}")
    async def item(number: int) -> dict[str, int]:
        with trace.get_tracer("application").start_as_current_span("look up"):
            if number > 9:
                raise HTTPException(404, "no such item")
            return {"number": 100 // number}

    return app


class Lanes:
    """The same application over both lanes, and the spans that its requests left."""

    def __init__(self, fast: str, sdk: str, exporter: InMemorySpanExporter) -> None:
        self.fast = fast
        self.sdk = sdk
        self._exporter = exporter

    def spans(self, url: str, version: str, method: str, params: dict[str, Any] | None = None) -> list[ReadableSpan]:
        """Send one request, and return what it left, in the order in which the spans ended."""
        self._exporter.clear()
        Peer(url, version).send(method, params)
        return list(self._exporter.get_finished_spans())

    def span(self, url: str, version: str, method: str, params: dict[str, Any] | None = None) -> ReadableSpan:
        """Send one request, and return its only span of toolway's."""
        (span,) = (span for span in self.spans(url, version, method, params) if is_own(span))
        return span


def is_own(span: ReadableSpan) -> bool:
    return span.instrumentation_scope is not None and span.instrumentation_scope.name == "toolway"


def describe(span: ReadableSpan) -> dict[str, Any]:
    attributes = {key: value for key, value in (span.attributes or {}).items() if key not in VOLATILE}
    return {"name": span.name, "kind": span.kind, "status": span.status.status_code, **attributes}


@pytest.fixture(scope="module")
def lanes() -> Iterator[Lanes]:
    exporter, provider = InMemorySpanExporter(), TracerProvider()
    provider.add_span_processor(SimpleSpanProcessor(exporter))
    with pytest.MonkeyPatch.context() as patch:  # OpenTelemetry lets a process set its provider once
        patch.setattr(trace, "_TRACER_PROVIDER", provider)
        apps = [Toolway(make_traced(), settings=Settings(fast_lane=fast)).mount().app for fast in (True, False)]
        with serving(apps[0]) as fast, serving(apps[1]) as sdk:
            yield Lanes(f"{fast}/mcp", f"{sdk}/mcp", exporter)


@pytest.mark.parametrize("version", ERAS)
@pytest.mark.parametrize("number", [1, 10, 0], ids=["a result", "a refusal", "an exception"])
def test_both_lanes_leave_the_same_span_of_a_call(lanes: Lanes, version: str, number: int) -> None:
    params = {"name": "item", "arguments": {"number": number}}
    fast, sdk = (describe(lanes.span(url, version, "tools/call", params)) for url in (lanes.fast, lanes.sdk))
    assert fast == sdk
    assert fast == {
        "name": "tools/call item",
        "kind": trace.SpanKind.SERVER,
        "status": trace.StatusCode.UNSET if number == 1 else trace.StatusCode.ERROR,
        "mcp.method.name": "tools/call",
        "mcp.protocol.version": version,
        "jsonrpc.request.id": "1",
        "gen_ai.operation.name": "execute_tool",
        "gen_ai.tool.name": "item",
        "network.transport": "tcp",
        "network.protocol.name": "http",
        "network.protocol.version": "1.1",
        "client.address": "127.0.0.1",
    } | ({} if number == 1 else {"error.type": "tool_error"})


@pytest.mark.parametrize("version", ERAS)
def test_a_list_leaves_one_span(lanes: Lanes, version: str) -> None:
    fast, sdk = (describe(lanes.span(url, version, "tools/list")) for url in (lanes.fast, lanes.sdk))
    assert fast == sdk
    assert fast["name"] == "tools/list"


def test_an_unknown_tool_leaves_the_code_of_the_error(lanes: Lanes) -> None:
    span = lanes.span(lanes.fast, MODERN, "tools/call", {"name": "nothing"})
    assert describe(span)["error.type"] == describe(span)["rpc.response.status_code"] == "-32602"


def test_a_resource_is_named_by_an_attribute(lanes: Lanes) -> None:
    span = describe(lanes.span(lanes.fast, MODERN, "resources/read", {"uri": "items://1"}))
    assert (span["name"], span["mcp.resource.uri"]) == ("resources/read", "items://1")


def by_name(spans: list[ReadableSpan]) -> dict[str, ReadableSpan]:
    return {span.name: span for span in spans}


@pytest.mark.parametrize("lane", ["fast", "sdk"])
def test_spans_of_the_endpoint_are_within_that_of_the_request(lanes: Lanes, lane: str) -> None:
    params = {"name": "item", "arguments": {"number": 1}}
    spans = by_name(lanes.spans(getattr(lanes, lane), MODERN, "tools/call", params))
    call, inner = spans["tools/call item"], spans["look up"]
    assert call.context is not None
    assert inner.context is not None
    assert inner.context.trace_id == call.context.trace_id


@pytest.mark.parametrize("lane", ["fast", "sdk"])
def test_the_clients_span_is_the_parent_and_the_span_of_the_http_request_is_linked(lanes: Lanes, lane: str) -> None:
    params = {"name": "item", "arguments": {"number": 1}, "_meta": {"traceparent": TRACEPARENT}}
    span = lanes.span(getattr(lanes, lane), MODERN, "tools/call", params)
    assert span.parent is not None
    assert f"{span.parent.trace_id:032x}" == TRACE
    assert f"{span.parent.span_id:016x}" == PARENT
    (link,) = span.links
    assert f"{link.context.trace_id:032x}" != TRACE
