"""Endpoints that write their result themselves: any content, with structured content or without it."""

from __future__ import annotations

import base64
from datetime import UTC, datetime
from typing import Any

import pytest
from fastapi import FastAPI, Request
from mcp_types import CallToolResult
from pydantic import BaseModel
from starlette.middleware.base import BaseHTTPMiddleware
from starlette.middleware.gzip import GZipMiddleware

from tests.calls.both import both, error_of
from tests.protocol.apps import PICTURE
from tests.protocol.clients import connect
from toolway import ToolResult
from toolway.content import (
    Annotations,
    AudioContent,
    EmbeddedResource,
    ImageContent,
    ResourceContents,
    ResourceLink,
    TextContent,
)

WAVE = b"RIFF\x00wave"
IMAGE = ImageContent(data=PICTURE, mime_type="image/png")
NOTE = ResourceContents(uri="shop://note", mime_type="text/markdown", text="*remember*")
LINK = ResourceLink(uri="shop://report", name="report", mime_type="text/csv", size=12)


class Sum(BaseModel):
    total: int


def make_writing() -> FastAPI:
    """An application whose endpoints write results, behind middleware of both kinds."""
    app = FastAPI()

    async def pass_on(request: Request, call_next: Any) -> Any:
        return await call_next(request)

    app.add_middleware(GZipMiddleware, minimum_size=1)
    app.add_middleware(BaseHTTPMiddleware, dispatch=pass_on)

    @app.get("/everything", operation_id="everything")
    async def everything() -> ToolResult:
        whom = Annotations(audience=["user"], priority=0.5, last_modified=datetime(2026, 11, 25, tzinfo=UTC))
        sound = AudioContent(data=WAVE, mime_type="audio/wav")
        blob = EmbeddedResource(resource=ResourceContents(uri="shop://bytes", blob=b"\x00\xff"))
        words = TextContent(text="All of it", annotations=whom)
        return ToolResult([words, IMAGE, sound, EmbeddedResource(resource=NOTE), blob, LINK])

    @app.get("/sum", operation_id="add_up", response_model=Sum)
    async def add_up(worded: bool = False) -> ToolResult:
        return ToolResult([IMAGE, "three"] if worded else IMAGE, structured=Sum(total=3))

    @app.get("/picture", operation_id="picture")
    async def picture() -> ToolResult:
        return ToolResult(IMAGE, headers={"x-made": "by hand"})

    @app.get("/words", operation_id="words")
    async def words() -> ToolResult:
        return ToolResult("only words")

    @app.get("/resource", operation_id="resource")
    async def resource() -> ToolResult:
        return ToolResult(EmbeddedResource(resource=NOTE))

    @app.get("/nothing", operation_id="nothing")
    async def nothing() -> ToolResult:
        return ToolResult()

    @app.get("/failure", operation_id="failure")
    async def failure(status: int = 409) -> ToolResult:
        return ToolResult(["It is sold", IMAGE], structured={"left": 0}, status_code=status)

    @app.get("/anything", operation_id="anything")
    async def anything() -> ToolResult:
        return ToolResult(structured=[1, float("nan"), None])

    return app


def kinds(result: CallToolResult) -> list[str]:
    return [block.type for block in result.content]


@pytest.mark.parametrize("mode", ["auto", "legacy"])
async def test_content_of_every_kind_arrives_as_it_was_written(mode: str) -> None:
    async with both(make_writing(), mode=mode) as reached:
        result = await reached.call("everything")
    assert kinds(result) == ["text", "image", "audio", "resource", "resource", "resource_link"]
    text, image, sound, note, blob, link = (
        block.model_dump(by_alias=True, mode="json", exclude_none=True) for block in result.content
    )
    assert text["annotations"] == {"audience": ["user"], "priority": 0.5, "lastModified": "2026-11-25T00:00:00Z"}
    assert base64.b64decode(image["data"]) == PICTURE
    assert (base64.b64decode(sound["data"]), sound["mimeType"]) == (WAVE, "audio/wav")
    assert note["resource"] == {"uri": "shop://note", "mimeType": "text/markdown", "text": "*remember*"}
    assert base64.b64decode(blob["resource"]["blob"]) == b"\x00\xff"
    assert link == {
        "type": "resource_link",
        "uri": "shop://report",
        "name": "report",
        "mimeType": "text/csv",
        "size": 12,
    }
    assert (result.is_error, result.structured_content) == (False, None)


@pytest.mark.parametrize("transport", ["http", "stdio"])
@pytest.mark.parametrize("mode", ["auto", "legacy"])
async def test_structured_content_stands_beside_any_content(transport: str, mode: str) -> None:
    async with connect(transport, mode, make_writing) as client:
        tools = {tool.name: tool for tool in (await client.list_tools()).tools}
        assert tools["add_up"].output_schema["required"] == ["total"]
        plain, worded = await client.call_tool("add_up"), await client.call_tool("add_up", {"worded": True})
    assert plain.structured_content == worded.structured_content == {"total": 3}
    assert kinds(plain) == ["text", "image"]
    assert plain.content[0].text == '{"total":3}'
    assert kinds(worded) == ["image", "text"]


async def test_a_failure_keeps_its_content_unless_it_is_the_server_s() -> None:
    async with both(make_writing()) as reached:
        refused = await reached.call("failure")
        assert kinds(refused) == ["text", "image"]
        assert error_of(refused) == {"status": 409, "detail": "It is sold"}
        unavailable = await reached.call("failure", {"status": 503})
        assert error_of(unavailable) == {"status": 503, "detail": "It is sold"}
        broken = await reached.call("failure", {"status": 500})
        assert kinds(broken) == ["text"]
        assert "reference" in error_of(broken)
        assert (await reached.web.get("/failure")).status_code == 409


async def test_a_result_without_anything_says_that_it_is_done() -> None:
    async with both(make_writing()) as reached:
        assert kinds(await reached.call("nothing")) == ["text"]
        assert (await reached.call("anything")).structured_content == [1, None, None]


@pytest.mark.parametrize(
    ("path", "media_type", "body"),
    [
        ("/sum", "application/json", b'{"total":3}'),
        ("/picture", "image/png", PICTURE),
        ("/words", "text/plain; charset=utf-8", b"only words"),
        ("/resource", "text/markdown; charset=utf-8", b"*remember*"),
        ("/nothing", "application/json", b"[]"),
        ("/anything", "application/json", b"[1,null,null]"),
    ],
)
async def test_over_plain_http_a_result_is_an_ordinary_answer(path: str, media_type: str, body: bytes) -> None:
    async with both(make_writing()) as reached:
        answer = await reached.web.get(path)
    assert (answer.status_code, answer.headers["content-type"], answer.content) == (200, media_type, body)
    assert (answer.headers.get("x-made") == "by hand") is (path == "/picture")


async def test_over_plain_http_mixed_content_is_json() -> None:
    async with both(make_writing()) as reached:
        blocks = (await reached.web.get("/everything")).json()
    assert [block["type"] for block in blocks] == ["text", "image", "audio", "resource", "resource", "resource_link"]
    assert base64.b64decode(blocks[1]["data"]) == PICTURE
