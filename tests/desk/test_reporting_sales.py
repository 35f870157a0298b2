"""The sales report as an agent gets it."""

from __future__ import annotations

import base64
import json
from pathlib import Path

import pytest
from mcp_types import ImageContent, TextContent

from tests.tools.conftest import make_place
from tests.tools.desk import fill_store, open_desk
from tests.tools.shop import small_shop
from toolway.testing import MCPTestClient

pytestmark = pytest.mark.anyio


async def test_figures_are_structured_content_and_text_and_the_chart_is_an_image(tmp_path: Path) -> None:
    url = await make_place("sqlite", tmp_path).new()
    await fill_store(url, small_shop())
    async with (
        open_desk(url) as desk,
        MCPTestClient(desk.app) as client,
    ):
        result = await client.call_tool("sales_report", {"top": 1})
        plain = await client.call_tool("sales_report", {"chart": False})
        over_http = await desk.do("sales_report", top=1)
    assert result.structured_content == over_http
    words, picture = result.content
    assert isinstance(words, TextContent)
    assert json.loads(words.text) == over_http
    assert isinstance(picture, ImageContent)
    assert picture.mime_type == "image/png"
    assert base64.b64decode(picture.data).startswith(b"\x89PNG")
    assert [type(block) for block in plain.content] == [TextContent]
