"""OpenTelemetry's own instrumentation of FastAPI: a middleware outside of all others."""

from __future__ import annotations

from fastapi import FastAPI, HTTPException
from opentelemetry.instrumentation.fastapi import FastAPIInstrumentor
from opentelemetry.sdk.trace import TracerProvider

from tests.fidelity.application import Application
from tests.fidelity.case import Chapter
from tests.fidelity.shared import Note

_spans = Chapter("Spans")


def application() -> Application:
    """Return the application."""
    return Application(chapters=[_spans], steps=[_install])


def _install(app: FastAPI) -> None:
    FastAPIInstrumentor.instrument_app(app, tracer_provider=TracerProvider())


@_spans.router.get("/spans/{number}")
async def traced(number: int) -> dict[str, int]:
    if number > 9:
        raise HTTPException(404, "There is no such number")
    return {"number": number}


@_spans.router.post("/spans")
async def traced_note(note: Note) -> Note:
    return note


_spans.case("a value", "traced", {"number": 3}, "GET /spans/3", params={})
_spans.case("refused by the endpoint", "traced", {"number": 12}, "GET /spans/12", params={})
_spans.case("a body", "traced_note", {"title": "t"}, "POST /spans")
_spans.case("a body that is refused", "traced_note", {"count": "many"}, "POST /spans")
