"""Requests of the official conformance suite, as recorded, and the tools that they call.

The requests were recorded from @modelcontextprotocol/conformance 0.2.0-alpha.12 (MIT), of its scenarios for 2025-06-18,
2025-11-25 and 2026-07-28 against this application without sessions. Each line of the file is one of them; headers that
only concern the connection, and repetitions, are left out.
"""

from __future__ import annotations

import json
from collections.abc import AsyncGenerator
from pathlib import Path
from typing import Annotated, Any

from fastapi import Body, FastAPI, HTTPException, Query
from fastapi.responses import PlainTextResponse, Response, StreamingResponse

from tests.lanes.application import new_app
from tests.lanes.exchange import Request
from toolway import Settings, Toolway

__all__ = ["make_conforming", "recorded"]

_FILE = Path(__file__).with_name("conformance.jsonl")
_ASKING = (
    "test_sampling", "test_elicitation", "test_elicitation_sep1034_defaults", "test_elicitation_sep1330_enums",
    "test_missing_capability", "test_streaming_elicitation", "test_logging_tool", "test_tool_with_logging",
    "test_reconnection", "test_input_required_result_elicitation", "test_input_required_result_sampling",
    "test_input_required_result_list_roots", "test_input_required_result_request_state",
    "test_input_required_result_multiple_inputs", "test_input_required_result_multi_round",
    "test_input_required_result_tampered_state", "test_input_required_result_capabilities",
)  # fmt: skip
"""Tools of which only the name is wanted here."""


def recorded() -> list[Request]:
    """Return the requests in the order in which they came."""
    lines = [json.loads(line) for line in _FILE.read_text(encoding="utf-8").splitlines()]
    return [
        Request(
            method=line["method"],
            headers=tuple((name.encode("latin-1"), value.encode("latin-1")) for name, value in line["headers"]),
            body=line["body"].encode(),
        )
        for line in lines
    ]


def make_conforming(*, fast_lane: bool) -> FastAPI:
    """Make an application with the suite's tools at /mcp, with or without the fast lane."""
    app = new_app("Conformance")
    _add_contents(app)
    _add_arguments(app)
    for name in _ASKING:
        app.post(f"/{name}", name=name, response_class=PlainTextResponse)(_nothing_to_ask)
    Toolway(app, settings=Settings(fast_lane=fast_lane)).mount()
    return app


async def _nothing_to_ask() -> str:
    return "nothing to ask"


def _add_contents(app: FastAPI) -> None:
    @app.get("/text", response_class=PlainTextResponse)
    async def test_simple_text() -> str:
        return "This is a simple text response for testing."

    @app.get("/image", response_class=Response)
    async def test_image_content() -> Response:
        return Response(b"\x89PNG\r\n\x1a\n", media_type="image/png")

    @app.get("/audio", response_class=Response)
    async def test_audio_content() -> Response:
        return Response(b"RIFF", media_type="audio/wav")

    @app.get("/resource", response_class=Response)
    async def test_embedded_resource() -> Response:
        return Response(b"\x00", media_type="application/octet-stream")

    @app.get("/several", response_class=Response)
    async def test_multiple_content_types() -> Response:
        return Response("several", media_type="text/plain")

    @app.get("/error")
    async def test_error_handling() -> dict[str, str]:
        raise HTTPException(400, "This tool intentionally returns an error for testing")

    @app.get("/progress", response_class=StreamingResponse)
    async def test_tool_with_progress() -> Response:
        async def steps() -> AsyncGenerator[str]:
            for percent in (0, 50, 100):
                yield f"data: {percent}\n\n"

        return StreamingResponse(steps(), media_type="text/event-stream")


def _add_arguments(app: FastAPI) -> None:
    @app.post("/schema")
    async def json_schema_2020_12_tool(name: str, address: Annotated[dict[str, Any], Body(embed=True)]) -> Any:
        return {"name": name, "address": address}

    @app.get("/rows")
    async def list_rows(region: Annotated[str, Query(json_schema_extra={"x-mcp-header": "Region"})]) -> list[str]:
        return [region]
