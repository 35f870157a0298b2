"""The whole definition of a tool is a resource, for those who may see the tool."""

from __future__ import annotations

import json
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from typing import Any, Literal

import pytest
from fastapi import FastAPI
from mcp import Client, MCPError
from mcp_types import TextResourceContents
from pydantic import BaseModel, Field

from tests.servers import serving
from toolway import Settings, Toolway
from toolway.app import engine_of
from toolway.catalog import Tool
from toolway.policy import Caller

pytestmark = pytest.mark.anyio
both_eras = pytest.mark.parametrize("mode", ["auto", "legacy"])
both_lanes = pytest.mark.parametrize("fast_lane", [True, False], ids=["fast lane", "SDK"])


class Part(BaseModel):
    number: int = Field(description="The number of the part. " * 30)
    color: str = Field(description="The color of the part. " * 30)
    twin: Part | None = None


class HidesCount:
    def visible(self, tool: Tool, caller: Caller) -> bool:
        return tool.name != "count_parts"


def factory() -> FastAPI:
    app = FastAPI()

    @app.post("/parts", operation_id="make_part")
    async def make(part: Part, copies: int = 1) -> Part:
        """Make a part."""
        return part

    @app.get("/parts", operation_id="count_parts")
    async def count() -> int:
        """Count the parts."""
        return 1

    return app


@asynccontextmanager
async def connected(
    mode: Literal["auto", "legacy"], *, fast_lane: bool = True, **options: Any
) -> AsyncGenerator[tuple[Client, Toolway]]:
    settings = Settings(_env_file=None, fast_lane=fast_lane)  # pyright: ignore[reportCallIssue] - of pydantic-settings
    toolway = Toolway(factory(), settings=settings, **options).mount()
    with serving(toolway.app) as address:
        async with Client(f"{address}/mcp", mode=mode) as client:
            yield client, toolway


@both_eras
@both_lanes
async def test_the_whole_definition_can_be_read(mode: Any, fast_lane: bool) -> None:
    async with connected(mode, fast_lane=fast_lane, schema_tokens=200) as (client, toolway):
        (listed, *_) = (await client.list_tools()).tools
        uri = (listed.description or "").rpartition(" ")[2]
        (contents,) = (await client.read_resource(uri)).contents

        assert uri == "toolway://tools/make_part"
        assert isinstance(contents, TextResourceContents)
        assert (contents.uri, contents.mime_type) == (uri, "application/json")
        definition = json.loads(contents.text)
        whole = toolway.catalog.tools["make_part"]
        assert definition["inputSchema"] == whole.input_schema != listed.input_schema
        assert definition["outputSchema"] == whole.output_schema
        assert listed.output_schema != whole.output_schema


@both_eras
async def test_one_template_stands_for_all_definitions(mode: Any) -> None:
    async with connected(mode, schema_tokens=200) as (client, _):
        (template,) = (await client.list_resource_templates()).resource_templates
        assert template.uri_template == "toolway://tools/{name}"
        assert (await client.list_resources()).resources == []


async def test_lists_of_whole_definitions_need_no_resources() -> None:
    toolway = Toolway(factory(), schemas="full")
    async with engine_of(toolway).run() as running:
        assert running.server.get_request_handler("resources/templates/list") is None


@both_eras
async def test_the_definition_of_a_hidden_tool_cannot_be_read(mode: Any) -> None:
    async with connected(mode, schema_tokens=200, hooks=[HidesCount()]) as (client, _):
        assert (await client.read_resource("toolway://tools/make_part")).contents
        for name in ("count_parts", "unknown"):
            with pytest.raises(MCPError, match=f"toolway://tools/{name}"):
                await client.read_resource(f"toolway://tools/{name}")
