"""Operations read from OpenAPI documents."""

from __future__ import annotations

import copy
import gzip
import json
import random
from pathlib import Path
from typing import Any

import pytest
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st
from jsonschema import Draft202012Validator

from tests.servers import Serve
from toolway.catalog import Catalog, build_catalog
from toolway.errors import ConfigurationError, DocumentError
from toolway.openapi import is_document, load_document, read_document

PETS: dict[str, Any] = {
    "openapi": "3.1.0",
    "info": {"title": "Pets", "version": "1", "description": "Keeps pets."},
    "security": [{"key": []}],
    "paths": {
        "/pets/{pet~id}": {
            "parameters": [
                {"$ref": "#/components/parameters/Id"},
                {"name": "verbose", "in": "query", "schema": {"type": "string"}},
            ],
            "get": {
                "operationId": "getPet",
                "summary": "Get a pet",
                "tags": ["pets"],
                "parameters": [
                    {"name": "verbose", "in": "query", "schema": {"type": "boolean"}, "deprecated": True},
                    {"name": "X-Key", "in": "header", "schema": {"type": "string"}},
                ],
                "responses": {"200": {"$ref": "#/components/responses/Pet"}, "default": {"description": "no"}},
            },
            "put": {
                "operationId": "putPet",
                "security": [],
                "requestBody": {"$ref": "#/components/requestBodies/Pet"},
                "responses": {"204": {"description": "done"}},
            },
        },
        "/alias": {"$ref": "#/components/pathItems/alias"},
    },
    "components": {
        "securitySchemes": {"key": {"type": "apiKey", "in": "header", "name": "X-Key"}},
        "parameters": {"Id": {"name": "pet~id", "in": "path", "required": True, "schema": {"type": "integer"}}},
        "pathItems": {"alias": {"post": {"operationId": "aliased", "responses": {}}}},
        "requestBodies": {
            "Pet": {
                "required": True,
                "content": {
                    "application/xml": {"schema": {"type": "string"}},
                    "application/json": {"schema": {"$ref": "#/components/schemas/Pet~1Dog"}},
                },
            }
        },
        "responses": {
            "Pet": {
                "description": "a pet",
                "content": {"application/json": {"schema": {"$ref": "#/components/schemas/Pet~1Dog"}}},
            }
        },
        "schemas": {
            "Pet/Dog": {
                "type": "object",
                "properties": {"name": {"type": "string"}, "friends": {"$ref": "#/components/schemas/Pack"}},
                "required": ["name"],
            },
            "Pack": {"type": "array", "items": {"$ref": "#/components/schemas/Pet~1Dog"}},
        },
    },
}


def catalog_of(document: dict[str, Any]) -> Catalog:
    return build_catalog(read_document(document))


def with_operation(operation: dict[str, Any], version: str = "3.1.0", **components: Any) -> dict[str, Any]:
    """A document of one operation, ``POST /it``."""
    return {
        "openapi": version,
        "info": {"title": "t", "version": "1"},
        "paths": {"/it": {"post": {"operationId": "it", "responses": {}, **operation}}},
        "components": components,
    }


def with_body(schema: dict[str, Any], version: str = "3.1.0", **schemas: Any) -> dict[str, Any]:
    body = {"required": True, "content": {"application/json": {"schema": schema}}}
    return with_operation({"requestBody": body}, version, schemas=schemas)


def test_references_to_every_part_are_followed() -> None:
    catalog = catalog_of(PETS)
    assert list(catalog.tools) == ["getPet", "putPet", "aliased"]
    assert catalog.skipped == ()
    put = catalog.tools["putPet"].input_schema
    assert put["properties"]["name"] == {"type": "string"}
    assert put["properties"]["friends"] == {"$ref": "#/$defs/Pack"}
    assert set(put["$defs"]) == {"Pack", "Pet/Dog"}
    assert put["$defs"]["Pack"]["items"] == {"$ref": "#/$defs/Pet~1Dog"}


def test_an_operations_parameters_override_those_of_its_path() -> None:
    schema = catalog_of(PETS).tools["getPet"].input_schema
    assert schema["properties"] == {"pet_id": {"type": "integer"}, "verbose": {"type": "boolean", "deprecated": True}}
    assert schema["required"] == ["pet_id"]


def test_the_media_type_that_an_agent_can_fill_best_is_taken() -> None:
    kinds = ["image/png", "text/plain", "application/x-www-form-urlencoded", "multipart/form-data", "application/json"]
    for best in range(1, len(kinds) + 1):
        content = {kind: {"schema": {"type": "object"}} for kind in kinds[:best]}
        (operation,) = read_document(with_operation({"requestBody": {"content": content}})).operations
        assert operation.body is not None
        assert operation.body.media_type == kinds[best - 1]


def test_security_of_the_document_holds_unless_the_operation_says_otherwise() -> None:
    operations = {operation.operation_id: operation for operation in read_document(PETS).operations}
    assert operations["getPet"].credentials.headers == {"x-key"}
    assert operations["putPet"].credentials.headers == frozenset()


def test_openapi_30_becomes_dialect_2020_12() -> None:
    document = with_body(
        {
            "type": "object",
            "properties": {
                "nullable": {"type": "string", "nullable": True, "description": "A name like a keyword."},
                "above": {"type": "integer", "minimum": 0, "exclusiveMinimum": True, "maximum": 9},
                "up_to": {"type": "integer", "maximum": 9, "exclusiveMaximum": False},
                "choice": {"type": "string", "enum": ["a", "b"], "nullable": True},
                "linked": {"$ref": "#/components/schemas/Linked", "nullable": True},
                "default": {"type": "object", "default": {"nullable": True, "exclusiveMinimum": True}},
                "never": {"type": "string", "nullable": False},
            },
        },
        version="3.0.3",
        Linked={"type": "object", "properties": {"next": {"$ref": "#/components/schemas/Linked"}}},
    )
    properties = catalog_of(document).tools["it"].input_schema["properties"]
    assert properties == {
        "nullable": {"anyOf": [{"type": "string"}, {"type": "null"}], "description": "A name like a keyword."},
        "above": {"type": "integer", "exclusiveMinimum": 0, "maximum": 9},
        "up_to": {"type": "integer", "maximum": 9},
        "choice": {"anyOf": [{"type": "string", "enum": ["a", "b"]}, {"type": "null"}]},
        "linked": {"anyOf": [{"$ref": "#/$defs/Linked"}, {"type": "null"}]},
        "default": {"type": "object", "default": {"nullable": True, "exclusiveMinimum": True}},
        "never": {"type": "string"},
    }


def test_openapi_31_is_left_as_it_is() -> None:
    schema = {"type": "object", "properties": {"a": {"type": ["string", "null"], "nullable": True}}}
    assert catalog_of(with_body(schema)).tools["it"].input_schema["properties"] == schema["properties"]


@pytest.mark.parametrize(
    ("reference", "reason"),
    [
        ("#/components/schemas/Missing", "points to nothing"),
        ("#/$defs/Missing", "points to nothing"),
        ("https://elsewhere.example/schema.json", "points outside the"),
        ("other.yaml#/Pet", "points outside the"),
        ("#/paths/~1it", "points outside the document's schemas"),
    ],
)
@pytest.mark.parametrize("place", ["body", "member", "parameter", "answer", "shared"])
def test_a_reference_that_leads_nowhere_costs_one_tool_and_says_why(place: str, reference: str, reason: str) -> None:
    schema = {"$ref": reference}
    documents = {
        "body": with_body(schema),
        "member": with_body({"type": "object", "properties": {"a": {"type": "array", "items": schema}}}),
        "parameter": with_operation({"parameters": [{"name": "q", "in": "query", "schema": schema}]}),
        "answer": with_operation({"responses": {"200": {"content": {"application/json": {"schema": schema}}}}}),
        "shared": with_body({"$ref": "#/components/schemas/A"}, A={"type": "object", "properties": {"a": schema}}),
    }
    document = documents[place]
    document["paths"]["/fine"] = {"get": {"operationId": "fine", "responses": {}}}
    catalog = catalog_of(document)
    assert list(catalog.tools) == ["fine"]
    (skipped,) = catalog.skipped
    assert (skipped.method, skipped.path) == ("POST", "/it")
    assert reason in skipped.reason
    assert repr(reference) in skipped.reason


@pytest.mark.parametrize("reference", ["https://elsewhere.example/a", "#/components/parameters/Missing"])
def test_a_parameter_that_is_elsewhere_costs_one_tool(reference: str) -> None:
    catalog = catalog_of(with_operation({"parameters": [{"$ref": reference}]}))
    assert len(catalog.skipped) == 1


def test_circles_are_found() -> None:
    looped = with_operation(
        {"parameters": [{"$ref": "#/components/parameters/A"}]},
        parameters={"A": {"$ref": "#/components/parameters/B"}, "B": {"$ref": "#/components/parameters/A"}},
    )
    assert "is circular" in catalog_of(looped).skipped[0].reason
    itself = with_body({"$ref": "#/components/schemas/A"}, A={"$ref": "#/components/schemas/A"})
    assert "only of a reference to itself" in catalog_of(itself).skipped[0].reason


def test_a_schema_beyond_the_limits_costs_one_tool() -> None:
    deep: dict[str, Any] = {"type": "string"}
    for _ in range(100):
        deep = {"type": "array", "items": deep}
    assert "64 levels" in catalog_of(with_body(deep)).skipped[0].reason
    wide = {"type": "object", "properties": {f"p{number}": {"type": "string"} for number in range(30_000)}}
    document = with_body({"type": "object", "properties": {"a": wide}})
    assert "20,000 nodes" in catalog_of(document).skipped[0].reason


def test_local_definitions_of_a_schema_are_kept() -> None:
    node = {"type": "object", "properties": {"next": {"$ref": "#/$defs/Node"}, "pet": {"$ref": "#/$defs/Pet"}}}
    schema = {
        "$defs": {"Node": node, "Pet": {"type": "string"}},
        "type": "object",
        "properties": {"first": {"$ref": "#/$defs/Node"}, "plain": {"type": "integer"}},
    }
    catalog = catalog_of(with_body(schema))
    assert catalog.skipped == ()
    adopted = catalog.tools["it"].input_schema
    assert adopted["properties"] == {"first": {"$ref": "#/$defs/Node"}, "plain": {"type": "integer"}}
    assert adopted["$defs"] == {"Node": node, "Pet": {"type": "string"}}


def test_a_body_that_is_itself_a_local_definition_is_kept() -> None:
    tree = {"type": "object", "properties": {"children": {"type": "array", "items": {"$ref": "#/$defs/Tree"}}}}
    catalog = catalog_of(with_body({"$ref": "#/$defs/Tree", "$defs": {"Tree": tree}}))
    assert catalog.skipped == ()
    assert catalog.tools["it"].input_schema["$defs"] == {"Tree": tree}
    assert list(catalog.tools["it"].arguments) == ["children"]


def test_two_definitions_of_one_name_are_not_mixed_up() -> None:
    schema = {
        "$defs": {"Pet": {"type": "string"}},
        "type": "object",
        "properties": {"here": {"$ref": "#/$defs/Pet"}, "there": {"$ref": "#/components/schemas/Pet"}},
    }
    catalog = catalog_of(with_body(schema, Pet={"type": "integer"}))
    assert "'Pet'" in catalog.skipped[0].reason


def test_definitions_of_an_answer_are_kept() -> None:
    schema = {"$defs": {"Pet": {"type": "string"}}, "type": "object", "properties": {"pet": {"$ref": "#/$defs/Pet"}}}
    document = with_operation({"responses": {"200": {"content": {"application/json": {"schema": schema}}}}})
    output = catalog_of(document).tools["it"].output_schema
    assert output is not None
    assert output["$defs"] == {"Pet": {"type": "string"}}


@pytest.mark.parametrize(
    "document",
    [{}, {"swagger": "2.0"}, {"openapi": "2.0"}, {"openapi": "4.0.0"}, {"openapi": "3.1.0", "paths": []}, {"a": 1}],
)
def test_what_is_no_openapi_document_is_an_error(document: dict[str, Any]) -> None:
    with pytest.raises(DocumentError, match="expected"):
        read_document(document)


def test_documents_are_read_from_files_in_json_and_yaml_and_packed(tmp_path: Path) -> None:
    as_json, as_yaml = json.dumps(PETS).encode(), yaml.safe_dump(PETS).encode()
    files = {"a.json": as_json, "b.yaml": as_yaml, "c.yml": as_yaml, "d.json.gz": gzip.compress(as_json)}
    files["e.yaml.gz"] = gzip.compress(as_yaml)
    files |= {"f.yaml": as_json, "G.JSON.gz": gzip.compress(as_json)}
    for name, raw in files.items():
        (tmp_path / name).write_bytes(raw)
        assert is_document(name)
        assert load_document(str(tmp_path / name)) == PETS


def test_a_date_in_a_yaml_document_is_text_as_it_is_in_json(tmp_path: Path) -> None:
    """Everything in a document ends up as JSON, which has no dates."""
    file = tmp_path / "a.yaml"
    file.write_text("info:\n  default: 2020-01-01\n  example: 2020-01-01T10:00:00Z\n  count: 3\n", encoding="utf-8")
    found = load_document(str(file))
    assert found == {"info": {"default": "2020-01-01", "example": "2020-01-01T10:00:00Z", "count": 3}}


def test_documents_are_fetched(serve: Serve) -> None:
    async def app(scope: Any, receive: Any, send: Any) -> None:
        if scope["type"] == "http":
            status = 200 if scope["path"] == "/openapi.json" else 404
            await send({"type": "http.response.start", "status": status, "headers": []})
            await send({"type": "http.response.body", "body": json.dumps(PETS).encode()})

    url = serve(app, lifespan="off")
    assert load_document(f"{url}/openapi.json") == PETS
    with pytest.raises(DocumentError, match="404"):
        load_document(f"{url}/missing.json")


@pytest.mark.parametrize(
    ("name", "raw", "message"),
    [
        ("a.json", b"{", "not JSON"),
        ("a.yaml", b"a: [", "neither JSON nor YAML"),
        ("a.yaml", b"\xff\xfe\x00", "neither JSON nor YAML"),
        ("a.yaml", b"just words", "expected an object"),
        ("a.json", b"[]", "expected an object"),
        ("a.json.gz", b"no gzip", "cannot read"),
        ("a.yaml", b"!!python/object/apply:os.system ['true']", "neither JSON nor YAML"),
    ],
)
def test_what_cannot_be_read_is_an_error_that_names_the_file(
    tmp_path: Path, name: str, raw: bytes, message: str
) -> None:
    (tmp_path / name).write_bytes(raw)
    with pytest.raises(DocumentError, match=message) as caught:
        load_document(str(tmp_path / name))
    assert name in str(caught.value)


def test_a_missing_file_is_an_error_that_names_it(tmp_path: Path) -> None:
    with pytest.raises(DocumentError, match=r"missing\.json"):
        load_document(str(tmp_path / "missing.json"))


@pytest.mark.parametrize("source", ["tools.main:app", "main:create_app()", "json", "app.py"])
def test_what_names_an_application_is_no_document(source: str) -> None:
    assert not is_document(source)


JUNK = st.sampled_from([None, True, 5, "text", "#/components", [], [None], {}, {"a": 1}, {"$ref": 5}, {"type": 7}])


def places(node: Any, path: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
    keys = node.keys() if isinstance(node, dict) else range(len(node)) if isinstance(node, list) else ()
    return [path, *(place for key in keys for place in places(node[key], (*path, key)))]


@settings(max_examples=600)
@given(st.integers(0, 2**32), st.lists(JUNK, min_size=1, max_size=3), st.sampled_from(["3.1.0", "3.0.3"]))
def test_a_broken_document_is_an_error_or_costs_single_tools(seed: int, junk: list[Any], version: str) -> None:
    chance = random.Random(seed)
    document = copy.deepcopy({**PETS, "openapi": version})
    for entry in junk:
        *above, last = chance.choice(places(document)[1:])
        node: Any = document
        for key in above:
            node = node[key]
        node[last] = copy.deepcopy(entry)  # one value in two places could end up inside itself
    try:
        catalog = catalog_of(document)
    except ConfigurationError:
        return
    json.dumps([tool.definition(wrapped=True) for tool in catalog.tools.values()])


@pytest.mark.parametrize("schema", [True, False, {"allOf": [True]}, {"anyOf": [True, {"type": "string"}]}])
def test_a_schema_that_takes_everything_or_nothing_is_a_schema(schema: object) -> None:
    described = {"content": {"application/json": {"schema": schema}}}
    operation = {
        "parameters": [{"name": "q", "in": "query", "schema": schema}],
        "requestBody": described,
        "responses": {"200": described},
    }
    catalog = build_catalog(read_document({"openapi": "3.1.0", "paths": {"/a": {"post": operation}}}))
    (tool,) = catalog.tools.values()
    assert set(tool.arguments) == {"q", "body"}
    Draft202012Validator.check_schema(tool.input_schema)
