"""Clients of httpx, which fastapi-mcp accepts."""

from __future__ import annotations

import gzip
import importlib.util
import sys
from types import ModuleType
from typing import Any

import httpx2
import pytest
from fastapi import FastAPI, Request
from mcp import Client

from tests.compat.library import make_library
from tests.servers import serving
from toolway.compat.fastapi_mcp import FastApiMCP

pytestmark = [pytest.mark.anyio, pytest.mark.filterwarnings("ignore::toolway.compat.fastapi_mcp.MigrationWarning")]


@pytest.fixture
def httpx(monkeypatch: pytest.MonkeyPatch) -> ModuleType:
    """Return httpx if it is installed, or else httpx2, which has the same interface, loaded under that name."""
    if importlib.util.find_spec("httpx") is not None:
        return importlib.import_module("httpx")
    for name in [name for name in sys.modules if name.partition(".")[0] == "httpx"]:
        monkeypatch.delitem(sys.modules, name)
    assert httpx2.__file__ is not None
    spec = importlib.util.spec_from_file_location("httpx", httpx2.__file__, submodule_search_locations=httpx2.__path__)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    monkeypatch.setitem(sys.modules, "httpx", module)
    spec.loader.exec_module(module)
    return module


def make_api() -> FastAPI:
    app = FastAPI()

    @app.post("/echo/{place}", operation_id="echo")
    async def echo(request: Request, place: str, item: dict[str, Any], limit: int = 1) -> dict[str, Any]:
        headers = {name: request.headers.get(name) for name in ("authorization", "x-team", "cookie")}
        return {"query": request.url.query, "item": item, "place": place, **headers}

    return app


async def result_of(client: Any, name: str, arguments: dict[str, Any]) -> Any:
    app = make_api()
    FastApiMCP(app, http_client=client).mount_http()
    with serving(app) as base:
        async with Client(base + "/mcp") as connected:
            return await connected.call_tool(name, arguments)


async def test_calls_are_sent_with_the_httpx_client_and_its_defaults(httpx: ModuleType) -> None:
    client = httpx.AsyncClient(
        transport=httpx.ASGITransport(make_api()),
        base_url="http://behind.example",
        headers={"x-team": "blue"},
        params={"api_key": "k"},
        cookies={"session": "s"},
        auth=("user", "pass"),
    )
    result = await result_of(client, "echo", {"place": "a", "item": {"n": 1}, "limit": 3})
    assert result.structured_content == {
        "query": "api_key=k&limit=3",
        "item": {"n": 1},
        "place": "a",
        "authorization": "Basic dXNlcjpwYXNz",
        "x-team": "blue",
        "cookie": "session=s",
    }


async def test_a_compressed_response_arrives_decoded(httpx: ModuleType) -> None:
    def respond(_: Any) -> Any:
        headers = {"content-encoding": "gzip", "content-type": "application/json"}
        return httpx.Response(200, headers=headers, content=gzip.compress(b'{"found": true}'))

    client = httpx.AsyncClient(transport=httpx.MockTransport(respond), base_url="http://behind.example")
    result = await result_of(client, "echo", {"place": "a", "item": {}})
    assert result.structured_content == {"found": True}


async def test_a_timeout_of_an_httpx_client_is_logged_as_one(
    httpx: ModuleType, caplog: pytest.LogCaptureFixture
) -> None:
    def respond(request: Any) -> Any:
        raise httpx.ReadTimeout("too slow", request=request)

    client = httpx.AsyncClient(transport=httpx.MockTransport(respond), base_url="http://behind.example")
    result = await result_of(client, "echo", {"place": "a", "item": {}})
    assert result.is_error
    assert "did not respond within the client" in caplog.text


async def test_without_a_base_url_calls_run_in_process(httpx: ModuleType) -> None:
    app = make_library()
    FastApiMCP(app, http_client=httpx.AsyncClient(timeout=20)).mount_http()
    with serving(app) as base:
        async with Client(base + "/mcp") as client:
            assert (await client.call_tool("get_book", {"number": 1})).structured_content == {
                "number": 1,
                "title": "Dune",
            }
