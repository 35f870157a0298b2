"""Definitions of tools in lists are whole while they are short, and lean if they are not."""

from __future__ import annotations

import json
from enum import StrEnum
from typing import Annotated, Any, Literal, TypeAlias

import pytest
from fastapi import FastAPI, Query
from jsonschema import Draft202012Validator
from pydantic import BaseModel, Field, create_model

from tests.catalog.looking import catalog_of
from toolway import Settings, Toolway, agent_tool
from toolway.catalog import Catalog, Tool
from toolway.compat.fastapi_mcp import FastApiMCP
from toolway.testing import MCPTestClient

Definition: TypeAlias = dict[str, Any]

Color = StrEnum("Color", [f"color_{number}" for number in range(50)])


class Address(BaseModel):
    """Where a customer lives. It is checked against a register."""

    street: str = Field(description="The street. With the number of the house.", examples=["Main Street 1"])
    zip_code: str = Field(pattern="^[0-9]{5}$", description="Five digits.")
    note: str = ""


class Customer(BaseModel):
    name: str
    home: Address
    work: Address | None = None


class Order(BaseModel):
    order_id: str
    customer: Customer
    history: list[Customer] = Field(default=[], description="Customers that had it before.")


def tokens(value: Any) -> int:
    return len(json.dumps(value, ensure_ascii=False, separators=(",", ":")).encode()) // 4


def shop(count: int = 1, **options: Any) -> FastAPI:
    """Return an application whose tools take an order, and return one."""
    app = FastAPI()

    async def place(order: Order, color: Color, dry_run: bool = False) -> Order:
        """Place an order.

        Args:
            color: The color of the box.
            dry_run: Only check the order.

        Raises:
            ValueError: the order is empty.
        """
        return order

    for number in range(count):
        app.add_api_route(f"/orders/{number}", place, methods=["POST"], operation_id=f"place_{number}", **options)
    return app


async def listed(app: FastAPI, **options: Any) -> tuple[Catalog, list[Definition]]:
    catalog = await catalog_of(app, **options)
    return catalog, [tool.definition(wrapped=False) for tool in catalog.tools.values()]


async def listed_tool(app: FastAPI, **options: Any) -> tuple[Tool, Definition]:
    catalog, (definition,) = await listed(app, **options)
    (tool,) = catalog.tools.values()
    return tool, definition


async def test_a_short_definition_keeps_its_schemas_as_they_are() -> None:
    @agent_tool(description="Count things.")
    async def count(colors: Annotated[list[Color], Query(examples=[["color_1"]])], home: Address) -> Address:
        return home

    app = FastAPI()
    app.post("/count")(count)

    tool, definition = await listed_tool(app)

    assert definition == tool.whole_definition(wrapped=False)
    assert definition["outputSchema"] == tool.output_schema


@pytest.mark.parametrize("limit", [100, 150, 200, 300, 400])
async def test_a_definition_has_at_most_the_tokens_that_are_set(limit: int) -> None:
    tool, definition = await listed_tool(shop(), schema_tokens=limit)

    assert tokens(tool.whole_definition(wrapped=False)) > limit
    assert tokens(definition) <= max(limit, 200)  # 200: what the names and types of the first level need
    assert list(definition["inputSchema"]["properties"]) == list(tool.input_schema["properties"])
    assert definition["inputSchema"]["required"] == tool.input_schema["required"]


async def test_a_lean_definition_names_the_resource_with_the_whole_one() -> None:
    _, short = await listed_tool(shop(), schema_tokens=2000)
    _, lean = await listed_tool(shop(), schema_tokens=250)

    assert "toolway://" not in short["description"]
    assert lean["description"] == "Place an order.\n\nMore: toolway://tools/place_0"


async def test_long_enums_become_examples_before_objects_lose_their_properties() -> None:
    tool, definition = await listed_tool(shop(), schema_tokens=400, output_schemas=False)

    color = definition["inputSchema"]["properties"]["color"]
    assert "enum" not in color
    assert color["type"] == "string"
    assert color["description"].startswith("One of 50 values, such as color_0, color_1")
    assert "street" in json.dumps(definition["inputSchema"]["properties"]["customer"]) + json.dumps(
        definition["inputSchema"].get("$defs", {})
    )
    assert len(tool.input_schema["$defs"]["Color"]["enum"]) == 50


async def test_deep_objects_are_replaced_by_the_names_of_their_properties() -> None:
    _, definition = await listed_tool(shop(), schema_tokens=200, output_schemas=False)

    customer = definition["inputSchema"]["properties"]["customer"]
    assert customer["type"] == "object"
    assert "name, home, work" in customer["description"]


async def test_descriptions_repeat_neither_the_title_nor_the_arguments() -> None:
    tool, definition = await listed_tool(shop(summary="Place an order"))

    assert definition["description"] == "Place an order."
    assert "Raises" in tool.description
    assert definition["inputSchema"]["properties"]["dry_run"]["description"] == "Only check the order."


@pytest.mark.parametrize(("count", "is_listed"), [(3, True), (30, False)])
async def test_output_schemas_are_listed_while_the_list_is_short(count: int, is_listed: bool) -> None:
    catalog, definitions = await listed(shop(count))

    assert all(("outputSchema" in definition) is is_listed for definition in definitions)
    assert all(tool.output_schema is not None for tool in catalog.tools.values())


@pytest.mark.parametrize("choice", [True, False])
async def test_output_schemas_can_be_listed_always_or_never(choice: bool) -> None:
    settings = Settings(_env_file=None, output_schemas=choice)  # pyright: ignore[reportCallIssue] - of pydantic-settings
    for options in ({"output_schemas": choice}, {"settings": settings}):
        _, definitions = await listed(shop(30), **options)
        assert all(("outputSchema" in definition) is choice for definition in definitions)


async def test_structured_content_is_sent_without_an_output_schema() -> None:
    app = shop(30)
    home = {"street": "Main Street 1", "zip_code": "12345", "note": ""}
    customer = {"name": "Ann", "home": home, "work": None}
    order = {"order_id": "1", "customer": customer, "history": []}
    async with MCPTestClient(app) as client:
        assert all(tool.output_schema is None for tool in await client.list_tools() if tool.name != "read_result")
        result = await client.call_tool("place_0", {**order, "color": "color_1"})
    assert result.structured_content == order


async def test_full_definitions_are_listed_whole() -> None:
    catalog, definitions = await listed(shop(30), schemas="full")

    assert definitions == [tool.whole_definition(wrapped=False) for tool in catalog.tools.values()]


async def test_the_interface_of_fastapi_mcp_lists_whole_definitions() -> None:
    tools = FastApiMCP(shop(30)).tools

    assert {len(tool.input_schema["$defs"]["Color"]["enum"]) for tool in tools} == {50}


async def test_definitions_in_a_long_list_are_shorter() -> None:
    _, few = await listed(shop(2), schema_tokens=1000)
    _, many = await listed(shop(60), schema_tokens=1000)

    assert tokens(many) / len(many) < 0.7 * tokens(few) / len(few)
    assert max(map(tokens, many)) <= 600
    assert all("title" not in definition["annotations"] for definition in many)


async def test_a_list_with_hundreds_of_arguments_keeps_their_names() -> None:
    fields: Any = {f"argument_{number}": (str | None, None) for number in range(300)}

    async def take(body: Any) -> None:
        """Take many arguments."""

    take.__annotations__["body"] = create_model("Many", **fields)
    app = FastAPI()
    app.post("/many")(take)

    _, definition = await listed_tool(app)
    assert list(definition["inputSchema"]["properties"]) == list(fields)


class Cat(BaseModel):
    kind: Literal["cat"]
    lives: int = 9


class Dog(BaseModel):
    kind: Literal["dog"]
    friend: Cat | None = None
    parents: list[Dog] = []


class Visit(BaseModel):
    pet: Annotated[Cat | Dog, Field(discriminator="kind")]
    place: tuple[float, float]
    extra: dict[str, int] = {}
    note: str | None = None
    days: list[Any] = []


def clinic() -> FastAPI:
    app = FastAPI()

    @app.post("/visits")
    async def book(visit: Visit, limit: int = 3, tag: Annotated[str | None, Query()] = None) -> dict[str, Any]:
        """Book a visit."""
        return {"limit": limit, "tag": tag, **visit.model_dump(exclude_unset=True)}

    return app


def iter_nodes(schema: Any) -> Any:
    """Yield every object of a schema that is not data; the test schemas have no such data."""
    if isinstance(schema, dict):
        yield schema
        for key, value in schema.items():
            yield from iter_nodes(list(value.values()) if key == "properties" else value)
    elif isinstance(schema, list):
        for item in schema:
            yield from iter_nodes(item)


FORBIDDEN = {"$ref", "$defs", "$schema", "oneOf", "discriminator", "const", "prefixItems", "title"}


@pytest.mark.parametrize("profile", ["portable", "strict"])
async def test_portable_definitions_use_what_every_client_accepts(profile: Any) -> None:
    tool, definition = await listed_tool(clinic(), schemas=profile)
    schema = definition["inputSchema"]

    Draft202012Validator.check_schema(schema)
    assert schema["type"] == "object"
    assert not schema.keys() & {"anyOf", "oneOf", "allOf"}
    for node in iter_nodes(schema):
        assert not node.keys() & FORBIDDEN, node
        assert not isinstance(node.get("type"), list), node
        assert node.get("type") != "array" or isinstance(node["items"], dict), node
    assert "$ref" in json.dumps(tool.input_schema)


async def test_portable_schemas_accept_what_the_endpoint_accepts() -> None:
    _, definition = await listed_tool(clinic(), schemas="portable")
    dog = {"kind": "dog", "friend": {"kind": "cat"}, "parents": [{"kind": "dog", "parents": [{"kind": "dog"}]}]}
    validator: Any = Draft202012Validator(definition["inputSchema"])

    validator.validate({"pet": dog, "place": [1, 2.5], "extra": {"a": 1}, "limit": 1})
    assert not validator.is_valid({"pet": {"kind": "bird"}, "place": [1, 2]})


async def test_strict_definitions_meet_the_rules_of_strict_mode() -> None:
    """https://platform.openai.com/docs/guides/structured-outputs#supported-schemas"""
    _, definition = await listed_tool(clinic(), schemas="strict")

    for node in iter_nodes(definition["inputSchema"]):
        assert node.keys() <= {
            "type",
            "properties",
            "required",
            "additionalProperties",
            "anyOf",
            "items",
            "enum",
            "description",
        }
        if node.get("type") == "object":
            assert node["required"] == list(node["properties"])
            assert node["additionalProperties"] is False
    tag = definition["inputSchema"]["properties"]["limit"]
    assert {"type": "null"} in tag["anyOf"]
    assert tag["description"] == "Default: 3."


async def test_null_for_an_optional_argument_is_left_out_in_the_strict_profile() -> None:
    arguments = {
        "pet": {"kind": "dog", "friend": None, "parents": None},
        "place": [1.0, 2.0],
        "extra": '{"a": 1}',
        "note": None,
        "days": None,
        "limit": None,
        "tag": None,
    }
    toolway = Toolway(clinic(), schemas="strict")
    async with MCPTestClient(toolway) as client:
        (tool, *_) = await client.list_tools()
        Draft202012Validator(tool.input_schema).validate(arguments)  # pyright: ignore[reportUnknownMemberType]
        result = await client.call_tool("book", arguments)

    assert not result.is_error, result.content
    expected = {"limit": 3, "tag": None, "pet": {"kind": "dog"}, "place": [1.0, 2.0], "extra": {"a": 1}}
    assert result.structured_content == expected


async def test_null_is_sent_in_the_other_profiles() -> None:
    async with MCPTestClient(clinic()) as client:
        result = await client.call_tool("book", {"pet": {"kind": "cat"}, "place": [1, 2], "note": None})
    assert result.structured_content is not None
    assert result.structured_content["note"] is None
