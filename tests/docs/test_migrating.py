"""The guide for migrating from fastapi-mcp: both versions of each use behave the same."""

from __future__ import annotations

import re
import sys
from collections.abc import Callable
from types import ModuleType
from typing import Any

import pytest
from fastapi import FastAPI
from mcp import Client
from mcp.client.streamable_http import streamable_http_client

from tests import web
from tests.servers import serving
from tests.support import ROOT

pytestmark = [pytest.mark.anyio, pytest.mark.filterwarnings("ignore::toolway.compat.fastapi_mcp.MigrationWarning")]

GUIDE = (ROOT / "docs" / "migrating-from-fastapi-mcp.md").read_text(encoding="utf-8")
BLOCK = re.compile(r"^```(py|python)\n(.*?)^```$", re.MULTILINE | re.DOTALL)
USES = re.findall(r"^### (\d\. .*?)$(.*?)(?=^### |\Z)", GUIDE, re.MULTILINE | re.DOTALL)
LIBRARY = next(code for _, code in BLOCK.findall(GUIDE) if code.startswith("# library.py"))
PATHS = {"3": ["/list", "/safe", "/reading", "/public", "/one"], "6": ["/for/agents/mcp"]}


@pytest.fixture
def library(monkeypatch: pytest.MonkeyPatch) -> Callable[[], None]:
    """Return a function that makes a fresh copy of the guide's application importable."""

    def fresh() -> None:
        module = ModuleType("library")
        exec(compile(LIBRARY, "library.py", "exec"), vars(module))
        monkeypatch.setitem(sys.modules, "library", module)

    return fresh


def run(code: str) -> FastAPI:
    """Run a block with its import changed; return the application that serves MCP."""
    names: dict[str, Any] = {"__name__": "guide"}
    exec(compile(code.replace("from fastapi_mcp ", "from toolway.compat.fastapi_mcp "), "guide", "exec"), names)
    return names.get("agents") or names["app"]


async def offered(app: FastAPI, path: str) -> tuple[set[str], str]:
    """Return what an agent finds at a path: the names of the tools, and the instructions."""
    with serving(app) as base:
        async with (
            web.AsyncClient(headers={"Authorization": "Bearer token"}) as http,
            Client(streamable_http_client(base + path, http_client=http)) as client,
        ):
            tools = (await client.list_tools()).tools
            names = {tool.name for tool in tools} - {"read_result"}  # results are whole in the compatible interface
            name, arguments = ("get_book", {"book_id": 1}) if "get_book" in names else ("list_books", {})
            assert not (await client.call_tool(name, arguments)).is_error
            return names, client.instructions or ""


def test_the_guide_shows_nine_uses_before_and_after() -> None:
    assert [title[0] for title, _ in USES] == list("123456789")
    for _, text in USES:
        assert [kind for kind, _ in BLOCK.findall(text)] == ["py", "python"]


@pytest.mark.parametrize(("title", "text"), USES, ids=[title for title, _ in USES])
async def test_before_and_after_offer_the_same(title: str, text: str, library: Callable[[], None]) -> None:
    (_, before), (_, after) = BLOCK.findall(text)
    for path in PATHS.get(title[0], ["/mcp"]):
        library()
        names, instructions = await offered(run(before), path)
        library()
        found, written = await offered(run(after), path)
        assert (found - {"read_result"}, written) == (names, instructions)
