"""``_meta``, views and icons, as markers and settings define them."""

from __future__ import annotations

from pathlib import Path

import pytest
from fastapi import FastAPI

from toolway import Settings, Toolway, agent_tool
from toolway.errors import ConfigurationError
from toolway.testing import MCPTestClient

ICON = "data:image/svg+xml;base64,PHN2Zy8+"


def app_with(**fields: object) -> FastAPI:
    app = FastAPI()

    @app.get("/rows", operation_id="get_rows")
    @agent_tool(**fields)  # type: ignore[arg-type]
    async def get_rows() -> int:
        return 1

    return app


@pytest.mark.parametrize("mode", ["2026-07-28", "legacy"])
async def test_meta_of_a_marker_reaches_the_tool(mode: str) -> None:
    meta = {"anthropic/maxResultSizeChars": 200_000, "openai/widgetAccessible": True}
    async with MCPTestClient(app_with(meta=meta), mode=mode) as client:
        (tool,) = await client.list_tools()
        assert tool.meta == meta


@pytest.mark.parametrize("mode", ["2026-07-28", "legacy"])
async def test_a_view_is_linked_beside_other_meta_and_served_with_the_extension(mode: str, tmp_path: Path) -> None:
    (tmp_path / "card.html").write_text("<!doctype html><p>Größe</p>", encoding="utf-8")
    async with MCPTestClient(app_with(ui=str(tmp_path / "card.html"), meta={"a/b": 1}), mode=mode) as client:
        (tool,) = await client.list_tools()
        assert tool.meta is not None
        uri = tool.meta["ui"]["resourceUri"]
        assert tool.meta == {"ui": {"resourceUri": uri}, "a/b": 1}
        assert uri.startswith("ui://")
        assert uri.endswith("/card.html")
        (contents,) = (await client.mcp.read_resource(uri)).contents
        assert contents.text == "<!doctype html><p>Größe</p>"  # type: ignore[union-attr]
        assert contents.mime_type == "text/html;profile=mcp-app"
        assert (await client.call_tool("get_rows")).structured_content in (1, {"result": 1})


async def test_a_server_without_views_does_not_declare_the_extension() -> None:
    async with MCPTestClient(app_with()) as client:
        assert "io.modelcontextprotocol/ui" not in (client.mcp.server_capabilities.extensions or {})


def test_a_missing_view_is_an_error_when_the_catalog_is_built() -> None:
    with pytest.raises(ConfigurationError, match=r"GET /rows: ui='none.html' cannot be read: .*none.html"):
        Toolway(app_with(ui="none.html")).read_catalog()


async def test_icons_of_the_settings_are_those_of_the_server() -> None:
    toolway = Toolway(app_with(), settings=Settings(_env_file=None, icons=[ICON]))
    async with MCPTestClient(toolway) as client:
        info = client.mcp.server_info
    assert info is not None
    assert [icon.src for icon in info.icons or []] == [ICON]
