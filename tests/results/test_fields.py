"""Agents select fields of a result: with the argument ``fields`` of lists, or by default those of ``concise``."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Annotated, Any

import pytest
from fastapi import Body, FastAPI
from hypothesis import given
from hypothesis import strategies as st
from mcp_types import TextContent
from pydantic import BaseModel, ConfigDict

from toolway import Settings, Toolway, agent_tool
from toolway.errors import ConfigurationError
from toolway.testing import MCPTestClient

EVERY_WAY = [(mode, fast) for mode in ("2026-07-28", "legacy") for fast in (True, False)]


class Line(BaseModel):
    sku: str
    price: float
    tags: list[str] = []


class Order(BaseModel):
    model_config = ConfigDict(extra="forbid")

    order_id: str
    status: str
    email: str
    note: str | None
    lines: list[Line]


class Page(BaseModel):
    items: list[Order]
    total: int


class Small(BaseModel):
    number: int


def order(number: int) -> Order:
    lines = [Line(sku=f"S{number}", price=1.5, tags=["new"]), Line(sku="S0", price=2)]
    return Order(order_id=f"#{number}", status="pending", email="a@example.com", note=None, lines=lines)


def make_app() -> FastAPI:
    app = FastAPI()

    @app.get("/orders", operation_id="list_orders")
    async def list_orders(count: int = 2) -> list[Order]:
        return [order(number) for number in range(count)]

    @app.get("/orders/page", operation_id="find_orders")
    async def find_orders() -> Page:
        return Page(items=[order(0)], total=1)

    @app.get("/orders/map", operation_id="map_orders")
    async def map_orders() -> dict[str, Order]:
        return {"first": order(0)}

    @app.get("/orders/{number}", operation_id="get_order")
    @agent_tool(concise=["order_id", "lines[].sku"])
    async def get_order(number: int) -> Order:
        return order(number)

    @app.get("/small", operation_id="list_small")
    async def list_small() -> list[Small]:
        return [Small(number=1)]

    @app.get("/own", operation_id="list_own")
    async def list_own(fields: str) -> list[Order]:
        return [order(int(fields))]

    return app


def client_of(mode: str = "2026-07-28", *, fast: bool = True) -> MCPTestClient:
    return MCPTestClient(Toolway(make_app(), settings=Settings(_env_file=None, fast_lane=fast)), mode=mode)


async def call(client: MCPTestClient, tool: str, **arguments: Any) -> Any:
    """Call a tool, require that its text and its structured content are the same, and return them."""
    result = await client.call_tool(tool, arguments)
    assert not result.is_error, result.content
    (block,) = result.content
    assert isinstance(block, TextContent)
    value = json.loads(block.text)
    content = result.structured_content
    assert content in (value, {"result": value})
    return value


async def error(client: MCPTestClient, tool: str, **arguments: Any) -> str:
    result = await client.call_tool(tool, arguments)
    assert result.is_error
    (block,) = result.content
    assert isinstance(block, TextContent)
    return block.text


@pytest.mark.parametrize(("mode", "fast"), EVERY_WAY)
async def test_a_list_returns_only_the_fields_that_are_named(mode: str, fast: bool) -> None:
    async with client_of(mode, fast=fast) as client:
        await client.list_tools()  # with the output schemas, by which the client validates results
        selected = await call(client, "list_orders", count=2, fields=["order_id", "lines[].sku"])
        assert selected == [
            {"order_id": "#0", "lines": [{"sku": "S0"}, {"sku": "S0"}]},
            {"order_id": "#1", "lines": [{"sku": "S1"}, {"sku": "S0"}]},
        ]
        assert await call(client, "find_orders", fields=["total", "items[].status"]) == {
            "total": 1,
            "items": [{"status": "pending"}],
        }
        assert await call(client, "map_orders", fields=["*.status"]) == {"first": {"status": "pending"}}


@pytest.mark.parametrize(
    ("fields", "expected"),
    [
        (["order_id"], {"order_id"}),
        (["[].order_id"], {"order_id"}),
        (["lines", "lines[].sku"], {"lines"}),
        (["lines.sku", "lines"], {"lines"}),
        (["*"], set(Order.model_fields)),
        ([], set(Order.model_fields)),
    ],
)
async def test_paths_have_several_forms(fields: Sequence[str], expected: set[str]) -> None:
    async with client_of() as client:
        (row,) = await call(client, "list_orders", count=1, fields=fields)
        assert row.keys() == expected
        if "lines" in expected:
            assert row["lines"][0].keys() == set(Line.model_fields)


@pytest.mark.parametrize(
    ("fields", "problem"),
    [
        (["order_ids"], "fields: the result has no 'order_ids'; did you mean 'order_id'?"),
        (["lines[].skus"], "fields: the result has no 'lines.skus'; did you mean 'lines.sku'?"),
        (["zzz"], "fields: the result has no 'zzz'; it has order_id, status, email, note, lines"),
        ("order_id", 'fields: expected a list of paths, such as ["order_id", "lines[].sku"]'),
    ],
)
async def test_an_unknown_field_is_refused_with_the_nearest_before_the_endpoint_runs(fields: Any, problem: str) -> None:
    async with client_of() as client:
        assert await error(client, "list_orders", count=1, fields=fields) == f"Invalid arguments: {problem}"


@pytest.mark.parametrize(("mode", "fast"), EVERY_WAY)
async def test_concise_fields_are_returned_unless_others_are_named(mode: str, fast: bool) -> None:
    async with client_of(mode, fast=fast) as client:
        await client.list_tools()
        concise = {"order_id": "#7", "lines": [{"sku": "S7"}, {"sku": "S0"}]}
        assert await call(client, "get_order", number=7) == concise
        assert await call(client, "get_order", number=7, fields=["status"]) == {"status": "pending"}
        assert (await call(client, "get_order", number=7, fields=["*"])).keys() == set(Order.model_fields)


async def test_only_lists_of_objects_with_several_fields_and_concise_tools_have_the_argument() -> None:
    async with client_of() as client:
        tools = {tool.name: tool for tool in await client.list_tools()}
    described = {
        name: tool.input_schema["properties"]["fields"].get("description")
        for name, tool in tools.items()
        if "fields" in tool.input_schema["properties"] and name not in {"list_own", "read_result"}
    }
    assert described == {
        "list_orders": 'Return only these fields, such as ["order_id", "status"].',
        "find_orders": 'Return only these fields, such as ["items[].order_id", "items[].status"].',
        "map_orders": 'Return only these fields, such as ["*.order_id", "*.status"].',
        "get_order": 'Fields of the result, by default ["order_id", "lines[].sku"]; ["*"] for all.',
    }


async def test_an_argument_of_the_endpoint_with_this_name_stays_its_own() -> None:
    async with client_of() as client:
        (row,) = await call(client, "list_own", fields="3")
        assert row["order_id"] == "#3"


@pytest.mark.parametrize(
    ("concise", "problem"),
    [
        (["order_ids"], "did you mean 'order_id'?"),
        ("order_id", "expected a list of paths"),
        ([1], "expected a list of paths"),
    ],
)
def test_wrong_concise_fields_are_refused_when_the_catalog_is_built(concise: Any, problem: str) -> None:
    app = FastAPI()

    @app.get("/order")
    @agent_tool(concise=concise)
    async def get_order() -> Order:
        return order(0)

    with pytest.raises(ConfigurationError, match=problem):
        Toolway(app).read_catalog()


def test_concise_fields_need_the_name_of_the_argument() -> None:
    app = FastAPI()

    @app.get("/order")
    @agent_tool(concise=["order_id"])
    async def get_order(fields: str) -> Order:
        return order(len(fields))

    with pytest.raises(ConfigurationError, match="has one of its own; rename it"):
        Toolway(app).read_catalog()


NAMES = st.sampled_from(["a", "b", "c"])
VALUES = st.recursive(
    st.none() | st.integers() | st.text(max_size=3),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(NAMES, inner),
    max_leaves=15,
)
PATHS = st.lists(st.lists(NAMES, min_size=1, max_size=3).map(".".join), max_size=4)


def select(value: Any, paths: Sequence[str]) -> Any:
    """Select as the guide describes it, one path after the other."""
    if isinstance(value, list):
        return [select(item, paths) for item in value]
    if not isinstance(value, dict) or not paths:
        return value
    inside = {name: [path.partition(".")[2] for path in paths if path.partition(".")[0] == name] for name in value}
    return {name: select(value[name], [] if "" in inner else inner) for name, inner in inside.items() if inner}


async def selected(value: Any, paths: Sequence[str]) -> Any:
    app = FastAPI()

    @app.post("/echo", operation_id="echo")
    @agent_tool(concise=paths)
    async def echo(value: Annotated[Any, Body(embed=True)]) -> Any:
        return value

    async with MCPTestClient(Toolway(app)) as client:
        return await call(client, "echo", value=value)


@given(value=VALUES, paths=PATHS)
async def test_a_selection_has_the_named_members_and_no_others(value: Any, paths: Sequence[str]) -> None:
    assert await selected(value, paths) == select(value, paths)
