"""The tool read_result: when it is listed, and how it treats wrong arguments."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from fastapi import FastAPI
from pydantic import BaseModel

from tests.results.test_truncation import client_of, facts, texts
from toolway import Settings, Toolway
from toolway.testing import MCPTestClient


class Row(BaseModel):
    number: int


class Page(BaseModel):
    rows: list[Row]
    total: int


class Lines(BaseModel):
    lines: list[Row]
    total: int


class Order(BaseModel):
    lines: list[Row]
    notes: list[str]


def listed(returned: Any, path: str = "/things") -> bool:
    """Return whether the tool is in the catalog of an application whose endpoint returns this."""
    app = FastAPI()

    @app.get(path, operation_id="get_things", response_model=returned)
    async def get_things() -> None: ...

    definitions = Toolway(app, settings=Settings(_env_file=None)).read_catalog().definitions()
    return "read_result" in [tool["name"] for tool in definitions["tools"]]


@pytest.mark.parametrize("returned", [list[Row], Page, dict[str, Row]])
def test_it_is_listed_where_an_endpoint_declares_a_list_without_a_maximum(returned: Any) -> None:
    assert listed(returned)


@pytest.mark.parametrize("returned", [Row, int, list[str], Order, dict[str, Any], None])
def test_it_is_not_listed_where_no_endpoint_does(returned: Any) -> None:
    assert not listed(returned)


def test_a_page_has_its_list_under_a_usual_name_or_that_of_the_path() -> None:
    assert listed(Lines, "/orders/lines")
    assert not listed(Lines, "/orders/{order_id}")


async def test_a_tool_of_the_application_keeps_the_name(tmp_path: Path) -> None:
    app = FastAPI()

    @app.get("/rows", operation_id="read_result")
    async def read_rows() -> list[Row]:
        return [Row(number=number) for number in range(1000)]

    settings = Settings(_env_file=None, result_tokens=500, store_url=f"sqlite:///{tmp_path}/results.db")
    async with MCPTestClient(Toolway(app, settings=settings)) as client:
        assert [tool.name for tool in await client.list_tools()] == ["read_result", "toolway_read_result"]
        result = await client.call_tool("read_result")
        assert "toolway_read_result(handle=" in texts(result)[1]
        page = await client.call_tool("toolway_read_result", {"handle": facts(result)["handle"], "limit": 1})
        assert texts(page) == ['{"items":[{"number":0}],"total":1000,"next_offset":1}']


@pytest.mark.parametrize(
    ("arguments", "problem"),
    [
        ({}, "handle: Field required"),
        ({"handle": "h", "offset": -1}, "offset: Input should be greater than or equal to 0"),
        ({"handle": "h", "limit": 0}, "limit: Input should be greater than or equal to 1"),
        ({"handle": "h", "page": 2}, "page: Extra inputs are not permitted"),
    ],
)
async def test_a_wrong_argument_is_named(arguments: dict[str, Any], problem: str, tmp_path: Path) -> None:
    async with client_of(tmp_path) as client:
        result = await client.call_tool("read_result", arguments)
    assert result.is_error
    assert texts(result) == [f"Invalid arguments: {problem}"]


async def test_an_unknown_handle_says_what_to_do(tmp_path: Path) -> None:
    async with client_of(tmp_path) as client:
        await client.call_tool("list_rows", {"count": 1000})
        result = await client.call_tool("read_result", {"handle": "unknown"})
    assert result.is_error
    assert "Call the original tool again to get a new handle." in texts(result)[0]


@pytest.mark.parametrize(("pinned", "is_listed"), [(["list_rows"], True), ([], False)])
async def test_code_mode_lists_it_beside_pinned_tools(pinned: list[str], is_listed: bool, tmp_path: Path) -> None:
    app = FastAPI()

    @app.get("/rows", operation_id="list_rows")
    async def list_rows() -> list[Row]:
        return [Row(number=number) for number in range(1000)]

    settings = Settings(_env_file=None, catalog="code", result_tokens=500, store_url=f"sqlite:///{tmp_path}/results.db")
    async with MCPTestClient(Toolway(app, settings=settings, pinned=pinned)) as client:
        names = [tool.name for tool in await client.list_tools()]
        assert ("read_result" in names) is is_listed
        if is_listed:
            result = await client.call_tool("list_rows")
            page = await client.call_tool("read_result", {"handle": facts(result)["handle"], "limit": 1})
            assert not page.is_error
