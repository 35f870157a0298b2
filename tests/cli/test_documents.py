"""An OpenAPI document for APP: every command calls its API over HTTP."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from mcp import Client, StdioServerParameters
from mcp.client.stdio import stdio_client

from tests import web
from tests.cli.shell import TOOLWAY, environment, toolway, write
from tests.servers import READY, Serve, running

API = """
from fastapi import FastAPI, Header

app = FastAPI(title="Warehouse")


@app.get("/stock/{product}")
async def stock(product: str, pieces: int = 1) -> list[str]:
    return [product] * pieces


@app.get("/caller")
async def caller(authorization: str = Header("", include_in_schema=False)) -> str:
    return authorization
"""


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return write(tmp_path, {"api.py": API})


@pytest.fixture
def url(folder: Path, serve_apart: Serve) -> str:
    """The URL of the running API."""
    address = serve_apart("api:app", cwd=folder)
    (folder / "openapi.json").write_text(web.get(f"{address}/openapi.json").text, encoding="utf-8")
    return address


def test_a_tool_of_a_document_calls_its_api_over_http(folder: Path, url: str) -> None:
    done = toolway("call", "openapi.json", "stock", "product=lamp", "pieces=2", "--base-url", url, cwd=folder)
    assert (done.returncode, json.loads(done.stdout), done.stderr) == (0, ["lamp", "lamp"], "")


def test_a_setting_is_the_credential_for_the_api(folder: Path, url: str) -> None:
    env = {"TOOLWAY_AUTHORIZATION": "Bearer mine"}
    done = toolway("call", "openapi.json", "caller", "--base-url", url, cwd=folder, env=env)
    assert "Bearer mine" in done.stdout


@pytest.mark.anyio
async def test_a_document_at_a_url_is_served_over_http(folder: Path, url: str) -> None:
    command = [*TOOLWAY, "serve", f"{url}/openapi.json", "--base-url", url, "--port", "0"]
    with running(command, cwd=folder, ready="Ctrl+C") as process:
        address = process.output.split("MCP endpoint")[1].split()[0]
        assert "Warehouse: 2 tools" in process.output
        async with Client(address) as client:
            assert (await client.call_tool("stock", {"product": "lamp"})).structured_content == ["lamp"]
    assert READY not in process.output


@pytest.mark.anyio
@pytest.mark.parametrize("workers", [2])
async def test_workers_serve_a_document_together(folder: Path, url: str, workers: int) -> None:
    command = [*TOOLWAY, "serve", "openapi.json", "--base-url", url, "--port", "0", "--workers", str(workers)]
    with running(command, cwd=folder, ready="Ctrl+C") as process:
        async with Client(process.output.split("MCP endpoint")[1].split()[0]) as client:
            assert (await client.call_tool("stock", {"product": "lamp"})).structured_content == ["lamp"]


@pytest.mark.anyio
async def test_a_client_snippet_serves_a_document_over_stdio(folder: Path, tmp_path: Path, url: str) -> None:
    """The client may start it in any folder."""
    done = toolway("config", "claude-desktop", "openapi.json", "--base-url", url, cwd=folder)
    (snippet,) = json.loads(done.stdout)["mcpServers"].values()
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    started = StdioServerParameters(command=snippet["command"], args=snippet["args"], cwd=elsewhere, env=environment())
    async with Client(stdio_client(started)) as client:
        assert client.server_info.name == "Warehouse"
        assert (await client.call_tool("stock", {"product": "lamp"})).structured_content == ["lamp"]
