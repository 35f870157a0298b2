"""Objects and lists that clients send as JSON text arrive as what they are."""

from __future__ import annotations

from typing import Annotated, Any

import pytest
from fastapi import Body, FastAPI, Form, Query
from pydantic import BaseModel

from tests.calls.both import both, text_of

pytestmark = pytest.mark.anyio


class Address(BaseModel):
    street: str
    codes: list[int] = []
    note: str | list[str] = ""


class Person(BaseModel):
    home: Address | None = None
    others: dict[str, Address] = {}
    friends: list[Person] = []
    contact: Address | str = ""


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

    @app.post("/people", operation_id="people")
    async def people(person: Person, more: Annotated[dict[str, Any], Body()]) -> list[Any]:
        return [person.model_dump(exclude_unset=True), more]

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


KAI = '{"street": "Kai"}'


@pytest.mark.parametrize(
    ("person", "expected"),
    [
        ({"home": KAI}, {"home": {"street": "Kai"}}),
        ({"home": {"street": "[1]", "codes": "[1, 2]"}}, {"home": {"street": "[1]", "codes": [1, 2]}}),
        ({"others": {"a": KAI}}, {"others": {"a": {"street": "Kai"}}}),
        ({"friends": ['{"friends": "[]"}']}, {"friends": [{"friends": []}]}),
        ('{"home": {"street": "Kai", "codes": "[7]"}}', {"home": {"street": "Kai", "codes": [7]}}),
        ({"contact": KAI}, {"contact": KAI}),
        ({"home": {"street": "Kai", "note": "[1]"}}, {"home": {"street": "Kai", "note": "[1]"}}),
    ],
)
async def test_json_text_is_read_in_nested_members_that_accept_no_string(person: Any, expected: Any) -> None:
    async with both(shop()) as reached:
        more = {"text": "{}", "list": ["[]"]}
        result = await reached.call("people", {"person": person, "more": more})
        assert (result.is_error or False, result.structured_content) == (False, [expected, more]), text_of(result)


async def test_nested_json_text_of_another_type_is_refused_with_its_place() -> None:
    person = {"friends": [{"home": {"street": "Kai", "codes": '{"a": 1}'}}]}
    async with both(shop()) as reached:
        text = text_of(await reached.call("people", {"person": person, "more": {}}))
        assert "'person.friends[0].home.codes'" in text
        assert "sent JSON as text" in text


async def test_arguments_of_a_call_are_not_changed() -> None:
    arguments = {"person": {"home": KAI, "friends": []}, "more": {}}
    async with both(shop()) as reached:
        await reached.call("people", arguments)
        assert arguments == {"person": {"home": KAI, "friends": []}, "more": {}}


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
