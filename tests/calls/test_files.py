"""Files keep their names and media types on their way to and from an endpoint."""

from __future__ import annotations

from typing import Any

import pytest
from fastapi import FastAPI, Response, UploadFile
from mcp_types import EmbeddedResource

from tests.calls.both import both, text_of

pytestmark = pytest.mark.anyio


def files() -> FastAPI:
    app = FastAPI()

    @app.post("/upload", operation_id="upload")
    async def upload(file: UploadFile) -> list[str | None]:
        return [file.content_type, (await file.read()).decode()]

    @app.get("/download", operation_id="download")
    async def download(disposition: str, media_type: str = "application/zip") -> Response:
        headers = {"content-disposition": disposition} if disposition else {}
        return Response(b"7", media_type=media_type, headers=headers)

    return app


@pytest.mark.parametrize(
    ("file", "expected"),
    [
        ({"data": "data:text/csv;base64,YQ=="}, ["text/csv", "a"]),
        ({"data": "data:;base64,YQ=="}, ["application/octet-stream", "a"]),
        ({"data": "data:text/csv;base64,YQ==", "content_type": "text/plain"}, ["text/plain", "a"]),
    ],
)
async def test_a_data_url_is_accepted_as_the_data_of_a_file(file: dict[str, Any], expected: list[str]) -> None:
    async with both(files()) as reached:
        result = await reached.call("upload", {"file": file})
        assert result.structured_content == expected, text_of(result)


async def test_a_data_url_without_base64_is_refused_with_the_reason() -> None:
    async with both(files()) as reached:
        assert "base64 data URL" in text_of(await reached.call("upload", {"file": {"data": "data:text/csv,a"}}))


@pytest.mark.parametrize(
    ("disposition", "uri"),
    [
        ('attachment; filename="a b.zip"', "toolway:///download/a%20b.zip"),
        ("attachment; filename*=UTF-8''%C3%A9.zip", "toolway:///download/%C3%A9.zip"),
        ('attachment; filename="../a.zip"', "toolway:///download/..%2Fa.zip"),
        ("attachment", "toolway:///download"),
        ("", "toolway:///download"),
    ],
)
async def test_a_download_keeps_its_file_name(disposition: str, uri: str) -> None:
    async with both(files()) as reached:
        (content,) = (await reached.call("download", {"disposition": disposition})).content
        assert isinstance(content, EmbeddedResource)
        assert str(content.resource.uri) == uri


@pytest.mark.parametrize("media_type", ["text/csv", "image/png", "audio/wav", "application/json"])
@pytest.mark.parametrize(
    ("disposition", "name"),
    [
        ('attachment; filename="a b.txt"', "a b.txt"),
        ("inline; filename*=UTF-8''%C3%A9.txt", "é.txt"),
        ('attachment; filename="../a.txt"', "a.txt"),
        ('attachment; filename="C:\\\\a.txt"', "a.txt"),
    ],
)
async def test_text_pictures_and_sound_keep_their_file_name(media_type: str, disposition: str, name: str) -> None:
    async with both(files()) as reached:
        result = await reached.call("download", {"disposition": disposition, "media_type": media_type})
        (content,) = result.content
        assert content.meta == {"toolway/filename": name}
        assert result.structured_content == (7 if media_type == "application/json" else None)


@pytest.mark.parametrize("disposition", ["", "attachment", 'attachment; filename=""', 'attachment; filename="a/"'])
async def test_content_without_a_file_name_says_nothing_of_one(disposition: str) -> None:
    async with both(files()) as reached:
        result = await reached.call("download", {"disposition": disposition, "media_type": "text/csv"})
        assert result.content[0].meta is None
