"""Compressed answers are read as every HTTP client reads them, and never without a limit."""

from __future__ import annotations

import gzip
import zlib
from collections.abc import AsyncGenerator

import pytest
from fastapi import FastAPI
from fastapi.responses import Response

from tests.calls.both import Both, both, text_of
from toolway import Settings

TEXT = b'{"a": 1}'
WAYS = {
    "gzip": gzip.compress(TEXT),
    "x-gzip": gzip.compress(TEXT),
    "deflate": zlib.compress(TEXT),
    "gzip, deflate": zlib.compress(gzip.compress(TEXT)),
    "GZip": gzip.compress(TEXT),
}
MOST = 100_000


@pytest.fixture
async def reached() -> AsyncGenerator[Both]:
    app = FastAPI(generate_unique_id_function=lambda route: route.name)

    @app.get("/packed")
    async def packed(way: str, status: int = 200) -> Response:
        return Response(WAYS[way], status, {"content-encoding": way}, "application/json")

    @app.get("/bomb")
    async def bomb() -> Response:
        return Response(gzip.compress(bytes(10 * MOST)), headers={"content-encoding": "gzip"}, media_type="text/plain")

    @app.get("/unknown")
    async def unknown() -> Response:
        return Response(b"packed somehow", headers={"content-encoding": "br"}, media_type="text/plain")

    @app.get("/untrue")
    async def untrue() -> Response:
        return Response(b"not packed", headers={"content-encoding": "gzip"}, media_type="text/plain")

    async with both(app, settings=Settings(_env_file=None, max_result_bytes=MOST, result_tokens=0)) as reached:
        yield reached


@pytest.mark.parametrize("way", WAYS)
async def test_an_answer_is_unpacked(reached: Both, way: str) -> None:
    assert (await reached.call("packed", {"way": way})).structured_content == {"a": 1}


async def test_a_refusal_is_unpacked(reached: Both) -> None:
    result = await reached.call("packed", {"way": "gzip", "status": 409})
    assert result.is_error
    assert '"a"' in text_of(result)


async def test_a_small_answer_cannot_grow_beyond_the_limit(reached: Both) -> None:
    text = text_of(await reached.call("bomb"))
    assert len(text) < MOST + 200
    assert "larger than 100,000 bytes" in text


@pytest.mark.parametrize(("name", "said"), [("unknown", "packed somehow"), ("untrue", "not packed")])
async def test_what_cannot_be_unpacked_stays_as_it_is(reached: Both, name: str, said: str) -> None:
    assert text_of(await reached.call(name)) == said
