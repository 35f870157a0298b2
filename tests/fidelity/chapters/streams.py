"""Streams and files: files, streamed bytes, server-sent events, JSON lines, endings that never come."""

from __future__ import annotations

import asyncio
import tempfile
from collections.abc import AsyncGenerator, Generator
from pathlib import Path

from fastapi import Response
from fastapi.responses import FileResponse, StreamingResponse

from tests.fidelity.case import Chapter
from tests.fidelity.journal import effect

__all__ = ["chapter"]

chapter = Chapter("Streams and files")
router, case = chapter.router, chapter.case

FOLDER = Path(tempfile.mkdtemp(prefix="fidelity-"))


def _file(name: str, content: bytes) -> Path:
    path = FOLDER / name
    path.write_bytes(content)
    return path


@router.get("/streams/text-file", response_class=FileResponse)
async def text_file() -> Response:
    return FileResponse(_file("words.txt", "é\nwords\n".encode()), media_type="text/plain", filename="words.txt")


case("a text file", "text_file", {}, "GET /streams/text-file")


@router.get("/streams/picture", response_class=FileResponse)
async def picture_file() -> Response:
    return FileResponse(_file("dot.png", b"\x89PNG\r\n\x1a\n" + bytes(64)), media_type="image/png")


case("a picture file", "picture_file", {}, "GET /streams/picture")


@router.get("/streams/csv", response_class=StreamingResponse)
async def csv_stream(rows: int = 3) -> Response:
    def lines() -> Generator[str]:
        yield "number,square\n"
        yield from (f"{number},{number * number}\n" for number in range(rows))

    return StreamingResponse(lines(), media_type="text/csv")


case("CSV", "csv_stream", {"rows": 5}, "GET /streams/csv")


@router.get("/streams/bytes", response_class=StreamingResponse)
async def byte_stream() -> Response:
    async def pieces() -> AsyncGenerator[bytes]:
        for number in range(4):
            yield bytes([number, 255])
        effect("streamed to the end")

    return StreamingResponse(pieces(), media_type="application/octet-stream")


case("streamed bytes", "byte_stream", {}, "GET /streams/bytes")


@router.get("/streams/json-lines", response_class=StreamingResponse)
async def json_lines(amount: int = 3) -> Response:
    async def lines() -> AsyncGenerator[str]:
        for number in range(amount):
            yield f'{{"number": {number}}}\n'

    return StreamingResponse(lines(), media_type="application/x-ndjson")


case("JSON lines", "json_lines", {"amount": 4}, "GET /streams/json-lines")


@router.get("/streams/events", response_class=StreamingResponse)
async def finite_events() -> Response:
    async def events() -> AsyncGenerator[str]:
        for number in range(3):
            yield f"event: tick\ndata: {number}\n\n"

    return StreamingResponse(events(), media_type="text/event-stream")


case("server-sent events that end", "finite_events", {}, "GET /streams/events")


@router.get("/streams/endless", response_class=StreamingResponse)
async def endless_events() -> Response:
    async def events() -> AsyncGenerator[str]:
        yield "data: first\n\n"
        await asyncio.Event().wait()

    return StreamingResponse(events(), media_type="text/event-stream")


case("server-sent events that never end", "endless_events", {}, "GET /streams/endless", is_endless=True)


@router.get("/streams/broken", response_class=StreamingResponse)
async def empty_stream() -> Response:
    return StreamingResponse(iter(()), media_type="text/plain")


case("a stream of nothing", "empty_stream", {}, "GET /streams/broken")
