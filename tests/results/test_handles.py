"""A handle belongs to its caller, works in every process that shares the store, and expires."""

from __future__ import annotations

import logging
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Annotated

import pytest
from fastapi import Depends, FastAPI, Header
from fastapi.security import HTTPBearer

from tests.results.test_truncation import client_of, facts, texts
from tests.support import POSTGRES_URL, postgres_available, require
from toolway import Settings, Toolway
from toolway.testing import MCPTestClient

READ = "read_result"


@pytest.fixture(params=["SQLite", "PostgreSQL"])
def store(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    if request.param == "SQLite":
        return f"sqlite:///{tmp_path}/results.db"
    require(postgres_available(), "needs PostgreSQL at TOOLWAY_TEST_POSTGRES_URL")
    return POSTGRES_URL


async def read(client: MCPTestClient, handle: str) -> str | None:
    """Return the beginning of a stored result; None if the caller cannot read it."""
    result = await client.call_tool(READ, {"handle": handle})
    assert result.is_error is (result.meta is not None and "toolway/error" in result.meta)
    return None if result.is_error else texts(result)[0]


def make_private() -> FastAPI:
    app = FastAPI()

    @app.get("/rows", operation_id="list_rows", dependencies=[Depends(HTTPBearer())])
    async def list_rows() -> list[dict[str, int]]:
        return [{"number": number} for number in range(1000)]

    return app


async def known_key(x_api_key: Annotated[str, Header()]) -> None:
    """Guard the path of MCP with a header that no tool reads."""


@asynccontextmanager
async def caller(store: str, **headers: str) -> AsyncIterator[MCPTestClient]:
    """Connect as a caller to a server of its own, which shares the store with others."""
    toolway = Toolway(make_private(), settings=Settings(_env_file=None, store_url=store, result_tokens=500))
    toolway.mount(dependencies=[Depends(known_key)])
    given = {name.replace("_", "-"): value for name, value in headers.items()}
    async with MCPTestClient(toolway, headers={"x-api-key": "k", "authorization": "Bearer ann", **given}) as client:
        yield client


async def test_another_process_with_the_same_store_serves_the_handle(store: str) -> None:
    async with caller(store) as client:
        result = await client.call_tool("list_rows")
        handle = facts(result)["handle"]
    async with caller(store) as elsewhere:
        assert await read(elsewhere, handle)
        assert (await elsewhere.mcp.read_resource(facts(result)["uri"])).contents


@pytest.mark.parametrize("other", [{"authorization": "Bearer bob"}, {"x_api_key": "another"}])
async def test_another_caller_cannot_use_the_handle(other: dict[str, str], store: str) -> None:
    async with caller(store) as client:
        result = await client.call_tool("list_rows")
        handle = facts(result)["handle"]
    async with caller(store, **other) as thief:
        assert await read(thief, handle) is None
        with pytest.raises(Exception, match="not found"):
            await thief.mcp.read_resource(facts(result)["uri"])
    async with caller(store) as client:
        assert await read(client, handle)


async def test_an_expired_handle_is_unknown(store: str) -> None:
    async with client_of(store, result_seconds=1e-6) as client:
        result = await client.call_tool("list_rows", {"count": 1000})
        assert await read(client, facts(result)["handle"]) is None


async def test_every_result_has_a_handle_of_its_own_that_cannot_be_guessed(store: str) -> None:
    async with client_of(store) as client:
        handles = {facts(await client.call_tool("list_rows", {"count": 1000}))["handle"] for _ in range(20)}
        assert len(handles) == 20
        assert min(map(len, handles)) >= 32


async def test_the_store_has_neither_handles_nor_readable_results(tmp_path: Path) -> None:
    async with client_of(tmp_path) as client:
        result = await client.call_tool("list_rows", {"count": 1000})
    stored = (tmp_path / "results.db").read_bytes()
    assert facts(result)["handle"].encode() not in stored
    assert b"spoon" not in stored


async def test_the_oldest_results_of_a_caller_make_room_for_new_ones(tmp_path: Path) -> None:
    async with client_of(tmp_path) as client:
        first = facts(await client.call_tool("list_rows", {"count": 1000}))["handle"]
        for _ in range(99):
            await client.call_tool("list_rows", {"count": 1000})
        assert await read(client, first)
        last = facts(await client.call_tool("list_rows", {"count": 1000}))["handle"]
        assert await read(client, first) is None
        assert await read(client, last)


async def test_without_a_store_a_result_is_truncated_all_the_same(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    (tmp_path / "file").write_text("")
    async with client_of(f"sqlite:///{tmp_path}/file/results.db") as client:
        with caplog.at_level(logging.WARNING, "toolway.results"):
            await client.call_tool("list_rows", {"count": 1000})
            result = await client.call_tool("list_rows", {"count": 1000})
        assert not result.is_error
        assert "handle" not in facts(result)
        assert texts(result)[1].endswith("Request less data, e.g. with a filter or a limit.")
        assert ["TOOLWAY_STORE_URL" in record.message for record in caplog.records] == [True]
