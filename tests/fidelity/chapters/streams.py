"""Streams and files: files, streamed bytes, server-sent events, JSON lines, endings that never come."""

from __future__ import annotations

import asyncio
import tempfile
from collections.abc import AsyncGenerator, Generator
from pathlib import Path
from typing import Annotated, Literal

from fastapi import BackgroundTasks, Depends, Header, HTTPException, Query, Response
from fastapi.responses import FileResponse, StreamingResponse
from starlette.background import BackgroundTask

from tests.fidelity.case import Chapter
from tests.fidelity.journal import effect

__all__ = ["chapter"]

chapter = Chapter("Streams and files")
router, case = chapter.router, chapter.case

Few = Annotated[int, Query(ge=0, le=5)]
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
async def csv_stream(rows: Annotated[int, Query(le=100)] = 3) -> Response:
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
async def json_lines(amount: Annotated[int, Query(le=100)] = 3) -> Response:
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


# Files by their kind.

KindName = Literal[
    "words.html", "data.json", "list.json", "more.xml", "book.pdf", "pack.zip",
    "dot.gif", "dot.svg", "tone.mp3", "film.mp4", "nothing.bin", "plain.txt",
]  # fmt: skip
KINDS: dict[KindName, str] = {
    "words.html": "text/html",
    "data.json": "application/json",
    "list.json": "application/json",
    "more.xml": "application/xml",
    "book.pdf": "application/pdf",
    "pack.zip": "application/zip",
    "dot.gif": "image/gif",
    "dot.svg": "image/svg+xml",
    "tone.mp3": "audio/mpeg",
    "film.mp4": "video/mp4",
    "nothing.bin": "application/octet-stream",
    "plain.txt": "text/plain",
}
CONTENTS = {"data.json": b'{"a": [1, 2.50]}', "list.json": b"[1]", "nothing.bin": b""}


@router.get("/streams/files/{name}", response_class=FileResponse)
async def file_of_kind(name: KindName) -> Response:
    content = CONTENTS.get(
        name, b"<p>words</p>" if "text" in KINDS[name] or "xml" in KINDS[name] else bytes(range(256))
    )
    return FileResponse(_file(name, content), media_type=KINDS[name], filename=name)


for name in KINDS:
    case(f"a file: {name}", "file_of_kind", {"name": name}, f"GET /streams/files/{name}", params={})


@router.get("/streams/missing-file", response_class=FileResponse)
async def missing_file() -> Response:
    return FileResponse(FOLDER / "secret.txt")


case("a file that is not there", "missing_file", {}, "GET /streams/missing-file", may_fail=True)


@router.get("/streams/part", response_class=FileResponse)
async def part_of_file(range_: Annotated[str | None, Header(alias="range")] = None) -> Response:
    return FileResponse(_file("letters.txt", b"abcdefghij"), media_type="text/plain")


case("part of a file", "part_of_file", {"range": "bytes=2-4"}, "GET /streams/part", headers={"range": "bytes=2-4"})
case(
    "a part that is not there",
    "part_of_file",
    {"range": "bytes=90-"},
    "GET /streams/part",
    headers={"range": "bytes=90-"},
)


# What goes wrong, before and in the middle.


@router.get("/streams/breaking", response_class=StreamingResponse)
async def breaking_stream(after: Few) -> Response:
    async def lines() -> AsyncGenerator[str]:
        for number in range(after):
            yield f"line {number}\n"
        effect("breaks")
        raise RuntimeError("secret of the stream")

    return StreamingResponse(lines(), media_type="text/plain")


case(
    "breaking in the middle",
    "breaking_stream",
    {"after": 2},
    "GET /streams/breaking",
    may_fail=True,
    breaks_promise=True,
)
case("breaking at once", "breaking_stream", {"after": 0}, "GET /streams/breaking", may_fail=True)


@router.get("/streams/refused", response_class=StreamingResponse)
async def refused_stream(number: int) -> Response:
    if number > 3:
        raise HTTPException(416, "there are three")
    return StreamingResponse(iter([str(number)]), status_code=206, media_type="text/plain")


case("refused before it begins", "refused_stream", {"number": 4}, "GET /streams/refused")
case("a status of its own", "refused_stream", {"number": 3}, "GET /streams/refused")


# What goes on around a stream.


async def resource() -> AsyncGenerator[str]:
    effect("opened")
    yield "resource"
    effect("closed")


@router.get("/streams/with-resource", response_class=StreamingResponse)
async def stream_with_resource(held: Annotated[str, Depends(resource)], tasks: BackgroundTasks) -> Response:
    def lines() -> Generator[str]:
        effect("streaming")
        yield held
        effect("streamed")

    tasks.add_task(effect, "not run: the response has its own")
    return StreamingResponse(lines(), media_type="text/plain", background=BackgroundTask(effect, "afterwards"))


case("a resource, and work afterwards", "stream_with_resource", {}, "GET /streams/with-resource")


@router.get("/streams/endless-lines", response_class=StreamingResponse)
async def endless_lines() -> Response:
    async def lines() -> AsyncGenerator[str]:
        try:
            yield '{"number": 1}\n'
            await asyncio.Event().wait()
        finally:
            effect("ended")

    return StreamingResponse(lines(), media_type="application/x-ndjson")


case("JSON lines that never end", "endless_lines", {}, "GET /streams/endless-lines", is_endless=True)


@router.get("/streams/odd-events", response_class=StreamingResponse)
async def odd_events() -> Response:
    pieces = ["id: 1\r\nda", "ta: żółć\r\ndata: two\r\n\r\n", ": a comment\n\n", "retry: 5\ndata\n\n"]
    return StreamingResponse(iter(pieces), media_type="text/event-stream")


case("events in pieces, with comments", "odd_events", {}, "GET /streams/odd-events")


@router.post("/streams/posted", response_class=StreamingResponse)
async def posted_stream(words: list[str]) -> Response:
    return StreamingResponse(iter(f"{word}\n" for word in words), media_type="text/plain; charset=utf-8")


case("a stream of what was posted", "posted_stream", {"words": ["a", "é"]}, "POST /streams/posted", json=["a", "é"])
