"""What an endpoint answers is what the caller gets: JSON as JSON, text as text, pictures as pictures."""

from __future__ import annotations

import base64
import re
from collections.abc import AsyncGenerator, Iterator
from pathlib import Path
from typing import Any

import anyio
import pytest
from fastapi import FastAPI, Request
from fastapi.responses import (
    FileResponse,
    HTMLResponse,
    JSONResponse,
    PlainTextResponse,
    RedirectResponse,
    Response,
    StreamingResponse,
)
from mcp_types import AudioContent, EmbeddedResource, ImageContent, TextContent
from pydantic import BaseModel, Field
from starlette.middleware.base import RequestResponseEndpoint

from tests.calls.both import Both, both, error_of, text_of
from toolway import Settings, agent_tool
from toolway.calls import CallContext

BYTES = bytes(range(256))
MODES = ("auto", "legacy")


class Thing(BaseModel):
    name: str
    parts: list[Thing] = []


def add_json(app: FastAPI) -> None:
    @app.get("/model")
    async def model() -> Thing:
        return Thing(name="ä", parts=[Thing(name="b")])

    @app.get("/things")
    async def things() -> list[Thing]:
        return [Thing(name="a")]

    @app.get("/maybe")
    async def maybe(there: bool = False) -> Thing | None:
        return Thing(name="a") if there else None

    @app.get("/either")
    async def either(number: bool = False) -> Thing | int:
        return 5 if number else Thing(name="a")

    @app.get("/nothing")
    async def nothing() -> None:
        pass

    @app.get("/number")
    async def number() -> int:
        return 5


def add_objects(app: FastAPI) -> None:
    @app.get("/partly", response_model_exclude_unset=True)
    async def partly() -> Thing:
        return Thing(name="a")

    @app.get("/untyped")
    async def untyped():
        return {"a": [1, 2.50, None], "text": "\u2028\U0001f600"}

    @app.get("/problem-json")
    async def problem_json() -> Any:
        return Response(b'{"a": 1}', media_type="application/vnd.api+json")

    @app.get("/no-json")
    async def no_json() -> Any:
        return Response(b'{"a": NaN}', media_type="application/json")

    @app.post("/created", status_code=201)
    async def created(response: Response) -> Thing:
        response.headers["location"] = "/things/7"
        response.set_cookie("session", "s")
        return Thing(name="new")


def add_texts(app: FastAPI, folder: Path) -> None:
    @app.get("/text", response_class=PlainTextResponse)
    async def text() -> str:
        return "line\r\nsecond é"

    @app.get("/latin")
    async def latin() -> Any:
        return Response("é".encode("latin-1"), media_type="text/plain; charset=latin-1")

    @app.get("/html", response_class=HTMLResponse)
    async def html() -> str:
        return "<p>é</p>"

    @app.get("/csv")
    async def csv() -> Any:
        return Response("a,b\n1,2\n", media_type="text/csv")

    @app.get("/xml")
    async def xml() -> Any:
        return Response("<a/>", media_type="application/xml")

    @app.get("/file", response_class=FileResponse)
    async def file() -> Any:
        (folder / "report.txt").write_text("from a file", encoding="utf-8")
        return FileResponse(folder / "report.txt")

    @app.get("/empty-text", response_class=PlainTextResponse)
    async def empty_text() -> str:
        return ""


def add_binaries(app: FastAPI, folder: Path) -> None:
    @app.get("/typed/{kind}/{detail}")
    async def typed(kind: str, detail: str) -> Any:
        return Response(BYTES, media_type=f"{kind}/{detail}")

    @app.get("/untyped-bytes")
    async def untyped_bytes() -> Any:
        return Response(BYTES)

    @app.get("/download", response_class=FileResponse)
    async def download() -> Any:
        (folder / "data.bin").write_bytes(BYTES)
        return FileResponse(folder / "data.bin", media_type="application/octet-stream", filename="data.bin")

    @app.delete("/gone", status_code=204, response_model=None)
    async def gone() -> None:
        pass

    @app.get("/big")
    async def big(size: int) -> Any:
        return {"text": "x" * size}


def add_streams(app: FastAPI) -> None:
    @app.get("/lines")
    async def lines() -> Any:
        def rows() -> Iterator[str]:
            yield from ('{"row": 1}\n', '{"row": 2}\n')

        return StreamingResponse(rows(), media_type="application/x-ndjson")

    @app.get("/events")
    async def events() -> Any:
        async def rows() -> AsyncGenerator[str]:
            for number in range(3):
                yield f"data: {number}\n\n"

        return StreamingResponse(rows(), media_type="text/event-stream")

    @app.get("/streamed-json")
    async def streamed_json() -> Any:
        return StreamingResponse(iter([b'{"a":', b" 1}"]), media_type="application/json")


def add_endless(app: FastAPI) -> None:
    @app.get("/endless")
    async def endless(request: Request) -> Any:
        async def rows() -> AsyncGenerator[str]:
            try:
                yield "data: first\n\n"
                await anyio.sleep_forever()
            finally:
                app.state.ended = True

        return StreamingResponse(rows(), media_type="text/event-stream")

    @app.get("/endless-json")
    async def endless_json() -> Any:
        async def rows() -> AsyncGenerator[bytes]:
            yield b'{"a":'
            await anyio.sleep_forever()

        return StreamingResponse(rows(), media_type="application/json")


class Signs(BaseModel):
    """Names that JSON cannot write as they are."""

    quoted: int = Field(serialization_alias='size (")')
    slashed: int = Field(serialization_alias="a\\b")
    tabbed: int = Field(serialization_alias="a\tb")


def add_odd_objects(app: FastAPI) -> None:
    @app.get("/signs")
    async def signs() -> Signs:
        return Signs(quoted=1, slashed=2, tabbed=3)

    @app.get("/choices", status_code=300)
    async def choices() -> dict[str, list[str]]:
        return {"choose": ["this", "that"]}


def add_broken_promises(app: FastAPI) -> None:
    @app.get("/promised/{kind}")
    async def promised(kind: str) -> Thing:
        answers = {
            "text": PlainTextResponse("in words"),
            "empty": Response(status_code=204),
            "redirect": RedirectResponse("https://elsewhere.example/"),
            "picture": Response(BYTES, media_type="image/png"),
            "json": JSONResponse({"name": "direct", "parts": []}),
            "list": JSONResponse(["name", "parts"]),
            "member": JSONResponse({"parts": []}),
        }
        return answers[kind]  # type: ignore[return-value]


@pytest.fixture(scope="module", params=MODES)
async def reached(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Any:
    app, folder = FastAPI(), tmp_path_factory.mktemp("files")
    add_json(app)
    add_objects(app)
    add_odd_objects(app)
    add_texts(app, folder)
    add_binaries(app, folder)
    add_streams(app)
    add_broken_promises(app)
    async with both(app, mode=request.param, settings=Settings(max_result_bytes=50_000)) as reached:
        reached.is_modern = request.param == "auto"  # type: ignore[attr-defined]
        yield reached


@pytest.fixture(scope="module", params=MODES)
async def unending(request: pytest.FixtureRequest) -> Any:
    """An application of its own: what ends may take longer than what does not is given."""
    app = FastAPI()
    add_endless(app)
    app.state.ended = False
    async with both(app, mode=request.param, settings=Settings(stream_seconds=1.5)) as reached:
        reached.app = app  # type: ignore[attr-defined]
        yield reached


OBJECTS = ("model", "partly", "untyped", "problem_json", "streamed_json", "signs", "choices")
OTHERS = {
    "things": {}, "number": {}, "either": {"number": True}, "maybe": {"there": True}, "nothing": {},
}  # fmt: skip


def path_of(reached: Both, tool: str) -> str:
    return reached.catalog.tools[tool].operation.path


@pytest.mark.parametrize("tool", OBJECTS)
async def test_an_object_is_structured_content_and_its_own_text(reached: Both, tool: str) -> None:
    response = await reached.web.get(path_of(reached, tool))
    result = await reached.call(tool)
    assert not result.is_error
    assert result.structured_content == response.json()
    assert text_of(result) == response.text


@pytest.mark.parametrize("tool", OTHERS)
async def test_anything_but_an_object_is_wrapped_for_older_revisions(reached: Any, tool: str) -> None:
    response = await reached.web.get(path_of(reached, tool), params=OTHERS[tool])
    result = await reached.call(tool, OTHERS[tool])
    value = response.json()
    assert not result.is_error
    assert result.structured_content == (value if reached.is_modern else {"result": value})
    assert text_of(result) == response.text


async def test_what_an_answer_creates_keeps_its_status_to_itself(reached: Any) -> None:
    response = await reached.web.post("/created")
    assert response.status_code == 201
    result = await reached.call("created")
    assert result.content[0].text == response.text
    assert result.structured_content == response.json()


async def test_a_cookie_that_an_answer_sets_is_named(reached: Any) -> None:
    result = await reached.call("created")
    assert not result.is_error
    assert result.content[1].text == (
        "The response set the cookie 'session', which is not kept for later calls. To use it, have the MCP client send "
        "the header 'Cookie: session=...' (the server needs caller_headers=['session'], TOOLWAY_CALLER_HEADERS)."
    )


@pytest.mark.parametrize("tool", ["text", "latin", "html", "csv", "xml", "file", "no_json", "lines", "events"])
async def test_text_stays_text(reached: Both, tool: str) -> None:
    response = await reached.web.get(path_of(reached, tool))
    result = await reached.call(tool)
    assert not result.is_error
    assert text_of(result) == response.text
    assert result.structured_content is None


@pytest.mark.parametrize(
    ("kind", "detail", "block"),
    [
        ("image", "png", ImageContent),
        ("image", "svg+xml", TextContent),
        ("audio", "mpeg", AudioContent),
        ("application", "pdf", EmbeddedResource),
        ("application", "octet-stream", EmbeddedResource),
        ("video", "mp4", EmbeddedResource),
    ],
)
async def test_binaries_keep_their_bytes_and_their_type(reached: Both, kind: str, detail: str, block: type) -> None:
    result = await reached.call("typed", {"kind": kind, "detail": detail})
    (content,) = result.content
    assert isinstance(content, block)
    if isinstance(content, EmbeddedResource):
        assert content.resource.mime_type == f"{kind}/{detail}"
        assert base64.b64decode(content.resource.blob) == BYTES  # type: ignore[union-attr]
    elif not isinstance(content, TextContent):
        assert content.mime_type == f"{kind}/{detail}"  # type: ignore[attr-defined]
        assert base64.b64decode(content.data) == BYTES  # type: ignore[attr-defined]


@pytest.mark.parametrize("tool", ["download", "untyped_bytes"])
async def test_bytes_without_a_type_are_a_resource(reached: Both, tool: str) -> None:
    (content,) = (await reached.call(tool)).content
    assert isinstance(content, EmbeddedResource)
    assert content.resource.mime_type == "application/octet-stream"


@pytest.mark.parametrize("tool", ["gone", "empty_text"])
async def test_an_empty_answer_says_that_it_is_done(reached: Both, tool: str) -> None:
    result = await reached.call(tool)
    assert not result.is_error
    assert text_of(result).startswith("Done: ")


@pytest.mark.parametrize("kind", ["text", "empty", "picture", "list", "member"])
async def test_an_answer_without_the_promised_json_is_a_failure_that_still_shows_it(reached: Both, kind: str) -> None:
    """The official client raises an error for a success without what the output schema promises."""
    result = await reached.call("promised", {"kind": kind})
    assert result.is_error
    assert isinstance(result.content[0], TextContent)
    assert re.fullmatch(
        r"The request of promised succeeded with status 20\d, but its response does not match its output schema\. "
        r"@agent_tool\(output_schema=False\) or TOOLWAY_OUTPUT_SCHEMAS=false withholds the schema. The response:",
        result.content[0].text,
    )
    assert len(result.content) == 2


async def test_a_redirect_in_place_of_the_promised_json_is_an_error_that_names_the_address(reached: Both) -> None:
    result = await reached.call("promised", {"kind": "redirect"})
    assert error_of(result) == {"status": 307, "location": "https://elsewhere.example/"}
    assert text_of(result) == (
        "307 Temporary Redirect: the API redirects to 'https://elsewhere.example/'. The redirect was not followed."
    )


def reshaping() -> FastAPI:
    app = FastAPI()

    @app.middleware("http")
    async def wrap(request: Request, call_next: RequestResponseEndpoint) -> Response:
        response = await call_next(request)
        body = b"".join([part async for part in response.body_iterator])  # type: ignore[attr-defined]
        return Response(b'{"data": %b}' % body, media_type="application/json")

    @app.get("/plain", operation_id="plain")
    async def plain() -> Thing:
        return Thing(name="a", parts=[])

    @app.get("/marked", operation_id="marked")
    @agent_tool(output_schema=False)
    async def marked() -> Thing:
        return Thing(name="b", parts=[])

    return app


async def test_a_reshaped_response_is_a_success_without_an_output_schema() -> None:
    async with both(reshaping()) as reached:
        assert (await reached.call("plain")).is_error
        assert (await reached.call("marked")).structured_content == {"data": {"name": "b", "parts": []}}
    settings = Settings(_env_file=None, output_schemas=False)
    for options in ({"output_schemas": False}, {"settings": settings}):
        async with both(reshaping(), **options) as reached:
            assert all(tool.output_schema is None for tool in reached.catalog.tools.values())
            assert (await reached.call("plain")).structured_content == {"data": {"name": "a", "parts": []}}


async def test_a_broken_output_schema_is_logged_once_per_tool(caplog: pytest.LogCaptureFixture) -> None:
    async with both(reshaping()) as reached:
        for _ in range(3):
            await reached.call("plain")
    (record,) = [record for record in caplog.records if "output schema" in record.getMessage()]
    assert "tool 'plain'" in record.getMessage()


async def test_a_declared_string_that_comes_as_text_is_that_string() -> None:
    app = FastAPI()

    @app.get("/words", operation_id="words")
    async def words() -> str:
        return PlainTextResponse('in "words"')  # type: ignore[return-value]

    async with both(app) as reached:
        result = await reached.call("words")
    assert not result.is_error
    assert (text_of(result), result.structured_content) == ('in "words"', 'in "words"')


async def test_json_made_by_hand_that_keeps_the_promise_passes(reached: Both) -> None:
    result = await reached.call("promised", {"kind": "json"})
    assert result.structured_content == {"name": "direct", "parts": []}


async def test_an_endless_stream_is_closed_with_what_came_and_says_so(unending: Any) -> None:
    with anyio.fail_after(40):
        result = await unending.call("endless")
    assert not result.is_error
    assert text_of(result) == (
        "data: first\n\n\n[The response was cut off here: the stream was still open after 1.5 seconds.]"
    )
    assert unending.app.state.ended


async def test_half_a_document_is_refused(unending: Both) -> None:
    with anyio.fail_after(40):
        result = await unending.call("endless_json")
    assert "was not returned" in text_of(result)
    assert result.is_error


async def test_an_answer_at_the_limit_passes_and_one_byte_more_does_not(reached: Both) -> None:
    frame = len('{"text":""}')
    assert not (await reached.call("big", {"size": 50_000 - frame})).is_error
    result = await reached.call("big", {"size": 50_001 - frame})
    assert "larger than 50,000 bytes" in error_of(result)["detail"]
    assert len(text_of(result)) < 500


async def test_a_stream_tells_of_its_progress(reached: Both) -> None:
    told: list[tuple[float, str | None]] = []

    async def report(progress: float, _: float | None, message: str | None) -> None:
        told.append((progress, message))

    await reached.calls.call("events", {}, CallContext(report=report))
    assert told == [(1, "data: 0"), (2, "data: 1"), (3, "data: 2")]
