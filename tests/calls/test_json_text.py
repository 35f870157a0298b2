"""Objects and lists that clients send as JSON text arrive as what they are."""

from __future__ import annotations

from typing import Annotated, Any

import pytest
from fastapi import FastAPI, Form, Query
from pydantic import BaseModel

from tests.calls.both import both, text_of

pytestmark = pytest.mark.anyio


class Address(BaseModel):
    street: str


def shop() -> FastAPI:
    app = FastAPI()

    @app.post("/orders", operation_id="order")
    async def order(address: Address, tags: list[str] | None = None, note: str | list[str] = "") -> list[Any]:
        return [address.street, tags, note]

    @app.get("/search", operation_id="search")
    async def search(ids: Annotated[list[int], Query()]) -> list[int]:
        return ids

    @app.post("/form", operation_id="form")
    async def form(tags: Annotated[list[str], Form()]) -> list[str]:
        return tags

    @app.post("/bulk", operation_id="bulk")
    async def bulk(addresses: list[Address]) -> list[str]:
        return [address.street for address in addresses]

    return app


@pytest.mark.parametrize(
    ("tool", "arguments", "expected"),
    [
        ("order", {"address": '{"street": "Kai"}', "tags": ' ["a"]'}, ["Kai", ["a"], ""]),
        ("order", {"address": {"street": "[Kai]"}, "note": '["a"]'}, ["[Kai]", None, '["a"]']),
        ("search", {"ids": "[1, 2]"}, [1, 2]),
        ("form", {"tags": '["a", "b"]'}, ["a", "b"]),
        ("bulk", {"addresses": '[{"street": "Kai"}]'}, ["Kai"]),
    ],
)
async def test_json_text_is_read_where_no_string_is_accepted(
    tool: str, arguments: dict[str, Any], expected: list[Any]
) -> None:
    async with both(shop()) as reached:
        result = await reached.call(tool, arguments)
        assert (result.is_error or False, result.structured_content) == (False, expected), text_of(result)


@pytest.mark.parametrize(
    ("tool", "arguments"),
    [("search", {"ids": "[1, 2"}), ("search", {"ids": '{"a": 1}'}), ("order", {"address": '["Kai"]'})],
)
async def test_json_text_of_another_type_is_refused_with_the_reason(tool: str, arguments: dict[str, Any]) -> None:
    async with both(shop()) as reached:
        assert "sent JSON as text" in text_of(await reached.call(tool, arguments))


async def test_an_empty_list_in_json_text_is_refused_as_the_list_is() -> None:
    async with both(shop()) as reached:
        assert "must not be an empty list" in text_of(await reached.call("search", {"ids": "[]"}))
