"""The order desk as its users meet it: one command, then a browser, an agent, and Claude Desktop."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import anyio
import pytest
from mcp import Client, StdioServerParameters
from mcp.client.stdio import stdio_client
from selenium.webdriver import Chrome

from tests import web
from tests.console.browser import chromium, hosts, open_swagger, shown_operations, try_out
from tests.servers import free_port, running
from tests.support import ROOT, require

MODERN, HANDSHAKE = "2026-07-28", "2025-11-25"
ERAS = [pytest.param("auto", MODERN, id=MODERN), pytest.param("legacy", HANDSHAKE, id=HANDSHAKE)]
READY = "MCP endpoint"
METHODS = {"get", "put", "post", "delete", "patch"}


@pytest.fixture(scope="module")
def store(tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    """The environment of a desk on a store of its own, which it fills by itself."""
    folder = tmp_path_factory.mktemp("desk")
    return {"RETAIL_DATABASE_URL": f"sqlite:///{folder / 'orders.db'}", "RETAIL_SEED_EMPTY_STORE": "true"}


@pytest.fixture(scope="module")
def desk(store: dict[str, str]) -> Iterator[str]:
    """The base URL of a desk served by the command line."""
    with running([sys.executable, "-m", "toolway", "serve", "--port", "0"], env=store, ready=READY) as process:
        yield process.url(READY)


@pytest.fixture
def browser(tmp_path: Path) -> Iterator[Chrome]:
    with chromium(tmp_path / "profile") as page:
        yield page


def test_swagger_ui_works_offline_with_every_operation(desk: str, browser: Chrome) -> None:
    """A developer opens /docs on a machine that reaches nothing but itself."""
    document = web.get(f"{desk}/openapi.json").json()
    offered = {(m.upper(), path) for path, item in document["paths"].items() for m in item if m in METHODS}

    open_swagger(browser, f"{desk}/docs")

    assert set(shown_operations(browser)) == offered
    assert len(offered) >= 19
    answer = try_out(browser, "POST", "/retail/calculations", body='{"expression": "2 * 10.25"}')
    assert answer.status == 200
    assert "20.5" in answer.body
    assert hosts(browser) == {desk.removeprefix("http://")}


@pytest.mark.anyio
@pytest.mark.parametrize(("mode", "version"), ERAS)
async def test_the_official_client_lists_the_tools_and_calls_one(desk: str, mode: str, version: str) -> None:
    """An agent finds the order desk over HTTP, with every revision."""
    async with Client(f"{desk}/mcp", mode=mode) as client:
        listed = await client.list_tools()
        result = await client.call_tool("calculate", {"expression": "(54.04 + 41.20) * 2"})

        assert client.protocol_version == version

    assert len(listed.tools) == 19
    assert not result.is_error
    assert result.structured_content == {"result": 190.48}


@pytest.mark.anyio
@pytest.mark.parametrize(("mode", "version"), ERAS)
async def test_the_snippet_for_claude_desktop_works_as_printed_from_another_folder(
    store: dict[str, str], tmp_path: Path, mode: str, version: str
) -> None:
    """The command of the block is all that Claude Desktop knows."""
    command = [sys.executable, "-m", "toolway", "config", "claude-desktop"]
    printed = await anyio.run_process(command, cwd=ROOT)
    (entry,) = json.loads(printed.stdout)["mcpServers"].values()
    started = StdioServerParameters(command=entry["command"], args=entry["args"], cwd=tmp_path, env=store)

    async with Client(stdio_client(started), mode=mode) as client:
        listed = await client.list_tools()
        result = await client.call_tool("list_all_product_types", {})

        assert client.protocol_version == version

    assert len(listed.tools) == 19
    assert not result.is_error


@pytest.mark.timeout(400)
@pytest.mark.skipif(
    os.environ.get("CI") != "true", reason="installs everything anew; set CI=true to run it on this machine"
)
def test_make_serve_works_in_a_fresh_clone(tmp_path: Path) -> None:
    """Python, make and one command are all that a new machine needs."""
    require((ROOT / ".git").exists(), "needs the checkout's history to clone it")
    clone, port = tmp_path / "toolway", free_port()
    tool = clone / ".venv" / "bin" / "toolway"
    subprocess.run(["git", "clone", "-q", str(ROOT), str(clone)], check=True)
    subprocess.run(["make", "setup"], cwd=clone, check=True, capture_output=True, env=_bare_environment())

    with running(["make", "serve", f"PORT={port}"], cwd=clone, ready=READY) as process:
        page = web.get(f"http://127.0.0.1:{port}/docs")
        listing = subprocess.run([tool, "list", "--json"], cwd=clone, capture_output=True, check=True)

        assert page.status_code == 200
        assert f"http://127.0.0.1:{port}/mcp" in process.output
        assert len(json.loads(listing.stdout)["tools"]) == 19


def _bare_environment() -> dict[str, str]:
    """Return the environment of a new terminal."""
    return {key: value for key, value in os.environ.items() if key not in {"VIRTUAL_ENV", "PYTHONPATH", "MAKEFLAGS"}}
