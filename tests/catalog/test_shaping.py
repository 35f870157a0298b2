"""Schemas: what Pydantic wrote, self-contained, flat on the outside, without the noise."""

from decimal import Decimal
from enum import IntEnum, StrEnum
from typing import Annotated, Any, Generic, Literal, TypeVar

import pytest
from fastapi import Body, Cookie, Depends, FastAPI, File, Form, Header, Query, Request, UploadFile
from jsonschema import Draft202012Validator
from pydantic import BaseModel, ConfigDict, Field, RootModel

from tests.catalog.looking import catalog_of, only_tool
from toolway.catalog import Tool, build_catalog
from toolway.openapi import Schema, read_document

pytestmark = pytest.mark.anyio

T = TypeVar("T")


class Node(BaseModel):
    name: str
    children: list["Node"] = []


class Left(BaseModel):
    right: "Right | None" = None


class Right(BaseModel):
    left: "Left | None" = None


class Page(BaseModel, Generic[T]):
    items: list[T]
    next: str | None = None


class Cat(BaseModel):
    kind: Literal["cat"]
    lives: int


class Dog(BaseModel):
    kind: Literal["dog"]
    tricks: list[str]


class Named(BaseModel):
    title: str = Field(title="Title", description="A property that is called like a keyword.")
    default: dict[str, Any] = {"$ref": "data, not a reference"}


def resolved(schema: Schema) -> None:
    """Fail on a reference that the schema itself does not answer, and on anything invalid."""
    Draft202012Validator.check_schema(schema)
    pending: list[Any] = [schema]
    while pending:
        node = pending.pop()
        if isinstance(node, dict):
            reference = node.get("$ref")
            if isinstance(reference, str) and reference.startswith("#"):
                assert reference.removeprefix("#/$defs/") in schema["$defs"]
            pending.extend(node.values())
        elif isinstance(node, list):
            pending.extend(node)


async def tool_for(endpoint: Any, method: str = "POST", path: str = "/a") -> Tool:
    app = FastAPI()
    app.add_api_route(path, endpoint, methods=[method], operation_id="a")
    return await only_tool(app)


def properties(tool: Tool) -> dict[str, Schema]:
    return tool.input_schema["properties"]


async def test_recursive_models_stay_recursive() -> None:
    async def endpoint(node: Node) -> Node:
        return node

    tool = await tool_for(endpoint)
    (name,) = tool.input_schema["$defs"]
    assert properties(tool)["children"]["items"] == {"$ref": f"#/$defs/{name}"}
    resolved(tool.input_schema)
    assert tool.output_schema is not None
    resolved(tool.output_schema)
    Draft202012Validator(tool.input_schema).validate({"name": "a", "children": [{"name": "b", "children": []}]})


async def test_mutually_recursive_and_generic_models_are_self_contained() -> None:
    async def endpoint(left: Left, page: Page[Left]) -> Page[Right]:
        return Page(items=[])

    tool = await tool_for(endpoint)
    assert {name.removesuffix("-Input") for name in tool.input_schema["$defs"]} == {"Left", "Page_Left_", "Right"}
    resolved(tool.input_schema)
    assert tool.output_schema is not None
    resolved(tool.output_schema)


async def test_parameters_and_body_fields_stand_side_by_side() -> None:
    class Change(BaseModel):
        amount: Decimal
        reason: str | None = None

    async def endpoint(
        order_id: str, change: Change, notify: bool = False, x_trace: Annotated[str, Header()] = ""
    ) -> None: ...

    tool = await tool_for(endpoint, "PUT", "/orders/{order_id}")
    assert list(properties(tool)) == ["order_id", "notify", "x-trace", "amount", "reason"]
    assert tool.input_schema["required"] == ["order_id", "amount"]
    assert tool.input_schema["additionalProperties"] is False


async def test_colliding_names_are_told_apart_by_their_place() -> None:
    class Thing(BaseModel):
        id: int
        q: str

    async def endpoint(id: str, thing: Thing, q: str = "") -> None: ...  # noqa: A002

    tool = await tool_for(endpoint, path="/things/{id}")
    assert list(properties(tool)) == ["id", "q", "id_body", "q_body"]
    assert tool.input_schema["required"] == ["id", "id_body", "q_body"]


async def list_body(ids: list[int]) -> None: ...
async def scalar_body(count: Annotated[int, Body()]) -> None: ...
async def root_body(tags: RootModel[list[str]]) -> None: ...
async def free_body(changes: dict[str, Any]) -> None: ...
async def union_body(pet: Annotated[Cat | Dog, Body(discriminator="kind")]) -> None: ...
async def optional_body(node: Node | None = None) -> None: ...
async def raw_body(request: Request) -> bytes:
    return await request.body()


@pytest.mark.parametrize(
    ("endpoint", "name", "required"),
    [
        (list_body, "ids", True),
        (scalar_body, "count", True),
        (root_body, "body", True),
        (free_body, "changes", True),
        (union_body, "pet", True),
        (optional_body, "node", False),
        (raw_body, "body", False),
    ],
)
async def test_any_other_body_is_one_argument(endpoint: Any, name: str, required: bool) -> None:
    tool = await tool_for(endpoint)
    assert list(properties(tool)) == [name]
    assert (name in tool.input_schema.get("required", [])) is required
    assert tool.input_schema["type"] == "object"
    resolved(tool.input_schema)


async def test_a_discriminator_points_into_the_tools_own_definitions() -> None:
    mapping = properties(await tool_for(union_body))["pet"]["discriminator"]["mapping"]
    assert mapping == {"cat": "#/$defs/Cat", "dog": "#/$defs/Dog"}


async def test_a_model_that_takes_anything_leaves_the_tool_open() -> None:
    class Open(BaseModel):
        model_config = ConfigDict(extra="allow")
        name: str

    async def endpoint(thing: Open) -> None: ...

    assert (await tool_for(endpoint)).input_schema["additionalProperties"] is True


async def test_files_are_objects_also_in_lists_and_where_they_may_be_missing() -> None:
    async def endpoint(
        one: UploadFile,
        many: list[UploadFile],
        note: Annotated[str, Form()],
        plain: Annotated[bytes | None, File()] = None,
    ) -> None: ...

    shown = properties(await tool_for(endpoint))
    assert set(shown["one"]["properties"]) == {"filename", "content_type", "data", "text"}
    assert shown["many"]["items"]["type"] == "object"
    assert [variant.get("type") for variant in shown["plain"]["anyOf"]] == ["object", "null"]
    assert shown["note"] == {"type": "string"}


async def test_titles_that_repeat_a_name_fall_away_and_properties_with_such_names_stay() -> None:
    async def endpoint(named: Named, page_size: int = 10) -> None: ...

    tool = await tool_for(endpoint)
    assert properties(tool) == {
        "page_size": {"type": "integer", "default": 10},
        "title": {"type": "string", "description": "A property that is called like a keyword."},
        "default": {
            "type": "object",
            "additionalProperties": True,
            "default": {"$ref": "data, not a reference"},
        },
    }


async def test_names_that_clients_would_refuse_are_cleaned() -> None:
    async def endpoint(
        value: Annotated[str, Query(alias="filter[name]")], top: Annotated[int, Query(alias="$top")]
    ) -> None: ...

    tool = await tool_for(endpoint, "GET")
    assert list(properties(tool)) == ["filter_name", "top"]
    assert [argument.target for argument in tool.arguments.values()] == ["filter[name]", "$top"]


async def test_what_belongs_to_the_connection_is_no_argument() -> None:
    async def endpoint(
        authorization: Annotated[str, Header()] = "",
        host: Annotated[str, Header()] = "",
        x_forwarded_for: Annotated[str, Header()] = "",
        mcp_session_id: Annotated[str, Header()] = "",
        x_tenant: Annotated[str, Header()] = "",
        x_color: Annotated[str, Header()] = "",
        cart: Annotated[str, Cookie()] = "",
    ) -> None: ...

    assert list(properties(await tool_for(endpoint, "GET"))) == ["x-color", "cart"]


async def test_parameters_of_dependencies_are_arguments_too() -> None:
    async def page(limit: int = 10, offset: int = 0) -> tuple[int, int]:
        return limit, offset

    async def endpoint(window: Annotated[tuple[int, int], Depends(page)], sort: str = "") -> None: ...

    assert set(properties(await tool_for(endpoint, "GET"))) == {"limit", "offset", "sort"}


class Colour(StrEnum):
    red = "red"
    blue = "blue"


class Level(IntEnum):
    low = 1
    high = 2


async def counts_by_level() -> dict[Level, int]: ...
async def counts_by_colour() -> dict[Colour, int]: ...


async def test_names_of_members_are_text_whatever_they_count() -> None:
    by_level, by_colour = await tool_for(counts_by_level, "GET"), await tool_for(counts_by_colour, "GET")
    assert by_level.output_schema is not None
    assert by_colour.output_schema is not None
    Draft202012Validator(by_level.output_schema).validate({"1": 3})
    Draft202012Validator(by_colour.output_schema).validate({"red": 3})
    assert not Draft202012Validator(by_colour.output_schema).is_valid({"green": 3})


def answer_of(schema: Schema) -> Schema:
    """Return the output schema of a tool whose document has this one for its answer."""
    document: dict[str, Any] = {
        "openapi": "3.1.0",
        "info": {"title": "Shop", "version": "1"},
        "components": {"schemas": {"Any": True}},
        "paths": {
            "/counts": {
                "get": {
                    "operationId": "counts",
                    "responses": {"200": {"description": "", "content": {"application/json": {"schema": schema}}}},
                }
            }
        },
    }
    (tool,) = build_catalog(read_document(document)).tools.values()
    assert tool.output_schema is not None
    return tool.output_schema


@pytest.mark.parametrize("names", [True, {"type": ["string", "null"]}, {"$ref": "#/components/schemas/Any"}])
async def test_names_that_may_be_text_stay_as_they_are(names: Any) -> None:
    answer: Schema = {"type": "object", "propertyNames": names}
    assert "propertyNames" in answer_of(answer)


@pytest.mark.parametrize(
    "pattern", [r"^[A-Z]{2}\d+$", r"^(?!^[-+.]*$)[+-]?0*\d*\.?\d*$", r"[\w.\-]+@[^@\s]+", "a|(?:b){2,3}?"]
)
def test_a_pattern_that_all_clients_read_stays_in_answers(pattern: str) -> None:
    assert answer_of({"type": "string", "pattern": pattern}) == {"type": "string", "pattern": pattern}


@pytest.mark.parametrize(
    "pattern",
    [r"\p{L}", r"\Aa\z", r"\Aa\Z", "(?i)a", "(?P<n>a)", "(?<n>a)", "a{,3}", "{}", r"[\w-.]", r"\_", "a++", "(", "^*"],
)
def test_a_pattern_that_some_client_cannot_read_falls_out_of_answers(pattern: str) -> None:
    """JavaScript's strict mode refuses most of these, and Python the others."""
    assert answer_of({"type": "string", "pattern": pattern}) == {"type": "string"}
    assert answer_of({"type": "object", "patternProperties": {pattern: {}}}) == {"type": "object"}


async def test_an_answer_is_refused_by_nothing_that_a_pattern_was_to_tell_apart() -> None:
    """Without its pattern a variant takes what another one takes, and what must not match takes all."""
    text = {"type": "string", "pattern": r"^\d{3}\-\d{4}$"}
    other = {"type": "string", "pattern": r"^[+]\d+$"}
    members = {"phone": {"oneOf": [text, other]}, "name": {"not": text}, "code": {"if": text, "then": {"maxLength": 8}}}
    schema = answer_of({"type": "object", "properties": members})
    Draft202012Validator(schema).validate({"phone": "555-1234", "name": "Ann", "code": "555-1234-9"})
    assert schema["properties"]["phone"] == {"anyOf": [{"type": "string"}, other]}


async def answers_object() -> Node: ...
async def answers_list() -> list[Node]: ...
async def answers_number() -> float: ...
async def answers_maybe() -> Node | None: ...
async def answers_union() -> Cat | Dog: ...
async def answers_nothing() -> None: ...
async def answers_anything() -> Any: ...
async def answers_enum() -> Colour: ...


@pytest.mark.parametrize(
    ("endpoint", "modern", "wrapped"),
    [
        (answers_object, True, False),
        (answers_list, True, True),
        (answers_number, True, True),
        (answers_enum, True, True),
        (answers_union, True, True),
        (answers_maybe, False, True),
    ],
)
async def test_output_schemas_are_objects_before_2026_07_28(endpoint: Any, modern: bool, wrapped: bool) -> None:
    tool = await tool_for(endpoint, "GET")
    assert (tool.output_schema is not None) is modern
    assert tool.wrapped_output_schema is not None
    assert tool.wrapped_output_schema["type"] == "object"
    assert (list(tool.wrapped_output_schema["properties"]) == ["result"]) is wrapped
    for schema in filter(None, (tool.output_schema, tool.wrapped_output_schema)):
        resolved(schema)


@pytest.mark.parametrize("endpoint", [answers_anything])
async def test_an_answer_that_is_not_described_promises_nothing(endpoint: Any) -> None:
    tool = await tool_for(endpoint, "GET")
    assert (tool.output_schema, tool.wrapped_output_schema) == (None, None)


async def test_members_that_an_answer_may_leave_out_are_not_required() -> None:
    app = FastAPI()

    @app.get("/a", response_model=Page[Cat], response_model_exclude_unset=True)
    async def a() -> Any: ...

    schema = (await only_tool(app)).output_schema
    assert schema is not None
    assert "required" not in schema
    assert "required" not in schema["$defs"]["Cat"]


async def test_a_schema_that_is_given_in_the_document_stays_word_for_word() -> None:
    given = {
        "$anchor": "here",
        "allOf": [{"properties": {"a": {"type": "string"}}}],
        "if": {"required": ["a"]},
        "then": {"required": ["b"]},
        "type": "array",
        "items": {"$ref": "#/$defs/Local"},
        "$defs": {"Local": {"type": "integer", "const": 3}},
    }
    app = FastAPI()

    @app.post("/a", openapi_extra={"requestBody": {"content": {"application/json": {"schema": given}}}})
    async def a(request: Request) -> None: ...

    tool = await only_tool(app)
    assert properties(tool)["body"] == {key: value for key, value in given.items() if key != "$defs"}
    assert tool.input_schema["$defs"] == given["$defs"]


@pytest.mark.parametrize(
    ("reference", "reason"),
    [
        ("#/components/schemas/Gone", "points to nothing"),
        ("https://example.com/schema.json", "points outside the"),
        ("other.yaml#/Thing", "points outside the"),
    ],
)
def test_an_operation_with_a_reference_that_cannot_be_followed_is_reported(reference: str, reason: str) -> None:
    schema = {"type": "object", "properties": {"a": {"$ref": reference}}}
    body = {"content": {"application/json": {"schema": schema}}, "required": True}
    document = {"openapi": "3.1.0", "paths": {"/a": {"post": {"requestBody": body}, "get": {}}}}

    catalog = build_catalog(read_document(document))

    assert [str(tool.operation) for tool in catalog.tools.values()] == ["GET /a"]
    assert [(entry.method, entry.path) for entry in catalog.skipped] == [("POST", "/a")]
    assert reason in catalog.skipped[0].reason


def test_a_schema_without_end_is_reported_and_stops_nothing_else() -> None:
    deep: Schema = {"type": "string"}
    for _ in range(100):
        deep = {"type": "array", "items": deep}
    body = {"content": {"application/json": {"schema": deep}}}
    document = {"openapi": "3.1.0", "paths": {"/a": {"post": {"requestBody": body}, "get": {}}}}

    catalog = build_catalog(read_document(document))

    assert len(catalog.tools) == 1
    assert "64 levels" in catalog.skipped[0].reason


async def test_mounted_applications_are_included_under_their_prefix() -> None:
    app, inner, innermost = FastAPI(), FastAPI(), FastAPI()

    @innermost.get("/deep/{x}")
    async def deep(x: int) -> int:
        return x

    @inner.get("/things")
    async def things() -> list[str]:
        return []

    inner.mount("/inner", innermost)
    app.mount("/tenants/{tenant}", inner)

    tools = (await catalog_of(app)).tools
    assert {name: str(tool.operation) for name, tool in tools.items()} == {
        "things": "GET /tenants/{tenant}/things",
        "deep": "GET /tenants/{tenant}/inner/deep/{x}",
    }
    assert set(properties(tools["deep"])) == {"tenant", "x"}
