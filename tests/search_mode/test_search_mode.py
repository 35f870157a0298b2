"""Search mode: agents find, understand and call tools that no list contains."""

from __future__ import annotations

import json
import logging
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from typing import Any

import pytest
from fastapi import FastAPI
from mcp import Client, MCPError
from mcp.client import ClientRequestContext
from mcp_types import CallToolResult, ElicitRequestParams, ElicitResult, TextContent

from tests.servers import serving
from toolway import Progress, Settings, Toolway, agent_tool
from toolway.errors import ConfigurationError
from toolway.policy import Call, Caller, Outcome, Proceed, Tool
from toolway.testing import MCPTestClient

pytestmark = pytest.mark.anyio

META_TOOLS = ["search_tools", "describe_tools", "call_tool"]


def make_shop() -> FastAPI:
    app = FastAPI(title="Shop")

    @app.get("/orders/{order_id}", tags=["orders"], operation_id="get_order")
    async def get_order(order_id: str, detailed: bool = False) -> dict[str, Any]:
        """Read one order."""
        return {"order_id": order_id, "lines": [{"sku": "a", "price": 1.50}], "detailed": detailed}

    @app.delete("/orders/{order_id}", tags=["orders"], operation_id="cancel_order")
    @agent_tool(confirm="Cancel {order_id}?")
    async def cancel_order(order_id: str, reason: str) -> str:
        """Cancel a pending order."""
        return f"{order_id}: {reason}"

    @app.post("/exports", tags=["reports"], operation_id="export")
    async def export(progress: Progress) -> str:
        """Write a report of all sales."""
        await progress(1, total=2, message="half")
        return "done"

    @app.get("/baskets", tags=["baskets"], operation_id="list_baskets")
    @agent_tool(search_words=["trolley"], pinned=True)
    async def list_baskets() -> list[str]:
        """List what customers have collected."""
        return []

    return app


@asynccontextmanager
async def connect(
    mode: str = "2026-07-28", *, app: FastAPI | None = None, fast_lane: bool = True, **options: Any
) -> AsyncGenerator[MCPTestClient]:
    settings = Settings(_env_file=None, fast_lane=fast_lane)
    toolway = Toolway(app or make_shop(), catalog="search", settings=settings, **options)
    async with MCPTestClient(toolway, mode=mode, elicitation_callback=confirm) as client:
        yield client


async def confirm(context: ClientRequestContext, params: ElicitRequestParams) -> ElicitResult:
    return ElicitResult(action="accept", content={"ok": True})


def text_of(result: CallToolResult) -> str:
    return "\n".join(block.text for block in result.content if isinstance(block, TextContent))


async def search(client: MCPTestClient, query: str, **arguments: Any) -> dict[str, Any]:
    result = await client.call_tool("search_tools", {"query": query, **arguments})
    assert result.structured_content is not None
    return result.structured_content


LANES = pytest.mark.parametrize(
    ("mode", "fast_lane"),
    [("2026-07-28", True), ("2026-07-28", False), ("legacy", True), ("legacy", False)],
)


@LANES
async def test_the_list_contains_three_tools_and_pinned_ones(mode: str, fast_lane: bool) -> None:
    async with connect(mode, fast_lane=fast_lane, pinned=["get_order"]) as client:
        assert [tool.name for tool in await client.list_tools()] == ["get_order", "list_baskets", *META_TOOLS]


async def test_the_three_tools_take_at_most_600_tokens() -> None:
    async with connect() as client:
        tools = [tool for tool in await client.list_tools() if tool.name in META_TOOLS]
        written = json.dumps(
            [tool.model_dump(by_alias=True, exclude_none=True) for tool in tools], separators=(",", ":")
        )
        assert len(written) / 4 <= 600


@LANES
async def test_a_tool_is_found_described_and_called(mode: str, fast_lane: bool) -> None:
    async with connect(mode, fast_lane=fast_lane) as client:
        found = await search(client, "look up an order")
        assert found["tools"][0] == {
            "name": "get_order",
            "summary": "Read one order.",
            "arguments": ["order_id"],
            "read_only": True,
            "destructive": False,
        }
        described = await client.call_tool("describe_tools", {"names": ["get_order"]})
        assert "get_order(order_id: str, *, detailed: bool = False)" in text_of(described)
        called = await client.call_tool("call_tool", {"name": "get_order", "arguments": {"order_id": "#1"}})
        direct = await client.call_tool("get_order", {"order_id": "#1"})
        assert (called.content, called.structured_content) == (direct.content, direct.structured_content)


async def test_a_search_finds_synonyms_misspelled_words_and_words_of_the_marker() -> None:
    async with connect() as client:
        for query, name in [("abort purchase", "cancel_order"), ("reprot", "export"), ("trolley", "list_baskets")]:
            assert (await search(client, query))["tools"][0]["name"] == name


async def test_a_search_can_be_limited_to_tags_and_to_a_number() -> None:
    async with connect() as client:
        found = await search(client, "order", tags=["orders"], limit=1)
        assert (len(found["tools"]), found["total"]) == (1, 2)
        assert found["hint"].startswith("1 of 2 shown")
        assert (await search(client, "order", tags=["reports"]))["tools"] == []


async def test_a_search_without_a_match_names_the_nearest_tools_and_the_tags() -> None:
    async with connect() as client:
        found = await search(client, "qqxzw get_ordr", tags=["none"])
        assert found["tools"] == []
        assert "get_order" in found["hint"]
        assert "orders (2)" in found["hint"]


async def test_json_schemas_are_given_on_request() -> None:
    async with connect() as client:
        result = await client.call_tool("describe_tools", {"names": ["get_order"], "json_schema": True})
        assert result.structured_content is not None
        assert result.structured_content["tools"][0]["input_schema"]["required"] == ["order_id"]


WRONG: list[tuple[str, dict[str, Any], str]] = [
    ("a tool that does not exist", {"name": "get_ordr", "arguments": {}}, "the nearest names are get_order"),
    ("no tool", {"arguments": {}}, "expected the name of a tool"),
    ("arguments that are text", {"name": "get_order", "arguments": "x"}, "expected an object"),
    ("arguments beside the object", {"name": "get_order", "order_id": "1"}, "belong into 'arguments'"),
    ("an argument that is missing", {"name": "get_order", "arguments": {}}, "get_order(order_id: str"),
    (
        "an argument of a wrong type",
        {"name": "get_order", "arguments": {"order_id": "1", "detailed": 7}},
        "order_id: str",
    ),
    ("an unknown argument", {"name": "get_order", "arguments": {"id": "1"}}, "get_order(order_id: str"),
    ("another call", {"name": "call_tool", "arguments": {}}, "unknown tool 'call_tool'"),
]


@LANES
@pytest.mark.parametrize(("arguments", "expected"), [case[1:] for case in WRONG], ids=[case[0] for case in WRONG])
async def test_a_wrong_call_is_an_error_that_helps(
    mode: str, fast_lane: bool, arguments: dict[str, Any], expected: str
) -> None:
    async with connect(mode, fast_lane=fast_lane) as client:
        result = await client.call_tool("call_tool", arguments)
        assert result.is_error
        assert expected in text_of(result)


@pytest.mark.parametrize("mode", ["2026-07-28", "legacy"])
async def test_the_user_confirms_the_inner_tool(mode: str) -> None:
    app = make_shop()
    Toolway(app, catalog="search", settings=Settings(_env_file=None)).mount()
    call = {"name": "cancel_order", "arguments": {"order_id": "#1", "reason": "late"}}
    with serving(app) as url:
        async with Client(f"{url}/mcp", mode=mode, elicitation_callback=confirm) as client:
            assert text_of(await client.call_tool("call_tool", call)) == '"#1: late"'


class Recorder:
    """A hook that records the calls, and hides what deletes from callers who are not staff."""

    def __init__(self) -> None:
        self.names: list[str] = []

    async def call(self, call: Call, proceed: Proceed) -> Outcome:
        self.names.append(call.tool.name)
        return await proceed()

    def visible(self, tool: Tool, caller: Caller) -> bool:
        return not tool.annotations.destructive


@LANES
async def test_hooks_see_the_inner_tool_and_hidden_tools_are_neither_found_nor_called(
    mode: str, fast_lane: bool
) -> None:
    recorder = Recorder()
    async with connect(mode, fast_lane=fast_lane, hooks=[recorder]) as client:
        await client.call_tool("call_tool", {"name": "get_order", "arguments": {"order_id": "#1"}})
        assert recorder.names[-1] == "get_order"
        found = await search(client, "cancel an order")
        assert "cancel_order" not in [tool["name"] for tool in found["tools"]]
        for name in ("call_tool", "describe_tools"):
            arguments = (
                {"name": "cancel_order", "arguments": {}} if name == "call_tool" else {"names": ["cancel_order"]}
            )
            assert "unknown tool" in text_of(await client.call_tool(name, arguments))


@LANES
async def test_parts_of_any_result_can_be_selected(mode: str, fast_lane: bool) -> None:
    app = make_shop()

    @app.get("/own", operation_id="own_fields")
    async def own_fields(fields: str) -> dict[str, str]:
        return {"given": fields, "other": "x"}

    async with connect(mode, app=app, fast_lane=fast_lane) as client:
        call = {"name": "get_order", "arguments": {"order_id": "#1"}, "fields": ["order_id", "lines[].price"]}
        result = await client.call_tool("call_tool", call)
        assert result.structured_content == {"order_id": "#1", "lines": [{"price": 1.5}]}
        call = {"name": "own_fields", "arguments": {"fields": "mine"}, "fields": ["given"]}
        assert (await client.call_tool("call_tool", call)).structured_content == {"given": "mine"}
        wrong = await client.call_tool("call_tool", {**call, "fields": "given"})
        assert "expected a list of paths" in text_of(wrong)


async def test_progress_passes_through() -> None:
    reports: list[str | None] = []

    async def record(progress: float, total: float | None, message: str | None) -> None:
        reports.append(message)

    async with connect() as client:
        await client.mcp.call_tool("call_tool", {"name": "export", "arguments": {}}, progress_callback=record)
    assert reports == ["half"]


async def test_a_tool_of_the_application_keeps_its_name() -> None:
    app = make_shop()

    @app.get("/own", operation_id="call_tool")
    async def own() -> str:
        return "own"

    async with connect(app=app) as client:
        assert "toolway_call_tool" in [tool.name for tool in await client.list_tools()]
        assert text_of(await client.call_tool("call_tool", {})) == '"own"'
        result = await client.call_tool("toolway_call_tool", {"name": "call_tool", "arguments": {}})
        assert text_of(result) == '"own"'


async def test_a_client_chooses_the_mode_in_the_url() -> None:
    app = make_shop()
    toolway = Toolway(app, settings=Settings(_env_file=None)).mount("/mcp")
    async with MCPTestClient(toolway) as client:
        assert "get_order" in [tool.name for tool in await client.list_tools()]
    async with MCPTestClient(toolway, path="/mcp?catalog=search") as client:
        assert [tool.name for tool in await client.list_tools()] == ["list_baskets", *META_TOOLS]
    async with MCPTestClient(toolway, path="/mcp?catalog=magic") as client:
        with pytest.raises(MCPError, match="expected list or search or code"):
            await client.list_tools()


async def test_a_large_catalog_is_searched_and_the_log_gives_the_figures(caplog: pytest.LogCaptureFixture) -> None:
    app = FastAPI()
    for number in range(129):
        app.add_api_route(f"/things/{number}", lambda: None, operation_id=f"get_thing_{number}")
    with caplog.at_level(logging.INFO, "toolway"):
        async with MCPTestClient(Toolway(app, settings=Settings(_env_file=None))) as client:
            assert [tool.name for tool in await client.list_tools()] == META_TOOLS
    assert "catalog: search, because a list of 129 tools takes" in caplog.text


def test_a_pinned_tool_that_does_not_exist_is_an_error() -> None:
    toolway = Toolway(make_shop(), pinned=["get_ordr"], settings=Settings(_env_file=None))
    with pytest.raises(ConfigurationError, match="did you mean 'get_order'"):
        toolway.read_catalog()
