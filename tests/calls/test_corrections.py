"""A rejected call names the arguments that would be accepted, where there is only one sensible correction."""

from __future__ import annotations

import json
from enum import StrEnum
from typing import Any, Literal

import pytest
from fastapi import FastAPI
from mcp_types import TextContent
from pydantic import BaseModel, ConfigDict

from toolway import Settings, Toolway
from toolway.testing import MCPTestClient


class Status(StrEnum):
    PENDING = "pending"
    CANCELLED = "cancelled"
    IN_TRANSIT = "in transit"


class Line(BaseModel):
    model_config = ConfigDict(strict=True)

    sku: str
    pieces: int
    price: float = 1.0
    gift: bool = False
    size: Literal["S", "XS", "XXS"] = "S"


class Order(BaseModel):
    status: Status = Status.PENDING
    lines: list[Line] = []


def make_app() -> FastAPI:
    app = FastAPI()

    @app.get("/orders", operation_id="list_orders")
    async def list_orders(status: Status, limit: int = 10) -> list[str]:
        return [status] * limit

    @app.post("/orders", operation_id="create_order")
    async def create_order(order: Order) -> Order:
        return order

    return app


ACCEPTED: dict[str, tuple[str, dict[str, Any], dict[str, Any]]] = {
    "another case": ("list_orders", {"status": "Pending"}, {"status": "pending"}),
    "another spelling": ("list_orders", {"status": "canceled"}, {"status": "cancelled"}),
    "another separator": ("list_orders", {"status": "IN_TRANSIT", "limit": 2}, {"status": "in transit", "limit": 2}),
    "a number as text, in a list": (
        "create_order",
        {"lines": [{"sku": "a", "pieces": 1}, {"sku": "b", "pieces": " 12 "}]},
        {"lines": [{"sku": "a", "pieces": 1}, {"sku": "b", "pieces": 12}]},
    ),
    "a price and a boolean as text": (
        "create_order",
        {"lines": [{"sku": "a", "pieces": 1, "price": "2.50", "gift": "True"}]},
        {"lines": [{"sku": "a", "pieces": 1, "price": 2.5, "gift": True}]},
    ),
    "text as a number": (
        "create_order",
        {"lines": [{"sku": 12, "pieces": 1}]},
        {"lines": [{"sku": "12", "pieces": 1}]},
    ),
    "several": (
        "create_order",
        {"status": "PENDING", "lines": [{"sku": "a", "pieces": "1", "size": "xs"}]},
        {"status": "pending", "lines": [{"sku": "a", "pieces": 1, "size": "XS"}]},
    ),
}
UNCERTAIN: dict[str, tuple[str, dict[str, Any]]] = {
    "nothing similar": ("list_orders", {"status": "lost"}),
    "not a number": ("create_order", {"lines": [{"sku": "a", "pieces": "a dozen"}]}),
    "a fraction of a piece": ("create_order", {"lines": [{"sku": "a", "pieces": "1.5"}]}),
    "one of two problems": ("list_orders", {"status": "Pending", "limit": "many"}),
    "something is missing": ("create_order", {"lines": [{"sku": 12}]}),
    "nothing": ("create_order", {"lines": [{"sku": "a", "pieces": None}]}),
}


def client() -> MCPTestClient:
    return MCPTestClient(Toolway(make_app(), settings=Settings(_env_file=None)))


@pytest.mark.parametrize(("tool", "arguments", "corrected"), ACCEPTED.values(), ids=list(ACCEPTED))
async def test_a_certain_correction_is_returned_and_accepted(
    tool: str, arguments: dict[str, Any], corrected: dict[str, Any]
) -> None:
    async with client() as mcp:
        result = await mcp.call_tool(tool, arguments)
        assert result.is_error
        (block,) = result.content
        assert isinstance(block, TextContent)
        assert block.text.startswith("Invalid arguments: ")
        text = json.dumps(corrected, separators=(",", ":"))
        assert block.text.endswith(f". Call {tool} with {text}")
        assert result.meta is not None
        assert result.meta["toolway/error"]["corrected"] == corrected
        assert not (await mcp.call_tool(tool, corrected)).is_error


@pytest.mark.parametrize(("tool", "arguments"), UNCERTAIN.values(), ids=list(UNCERTAIN))
async def test_nothing_is_guessed(tool: str, arguments: dict[str, Any]) -> None:
    async with client() as mcp:
        result = await mcp.call_tool(tool, arguments)
    assert result.is_error
    assert result.meta is not None
    assert "corrected" not in result.meta["toolway/error"]
    (block,) = result.content
    assert isinstance(block, TextContent)
    assert "Call " not in block.text


@pytest.mark.parametrize(("name", "near"), [("list_order", "list_orders"), ("createOrder", "create_order")])
async def test_an_unknown_tool_names_the_nearest(name: str, near: str) -> None:
    async with client() as mcp:
        with pytest.raises(Exception, match=f"did you mean '{near}'"):
            await mcp.call_tool(name, {})
