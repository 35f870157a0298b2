"""References in an OpenAPI document are followed to the very place they name, or cost their operation."""

from __future__ import annotations

from typing import Any

import pytest
from jsonschema import Draft202012Validator

from tests.calls.upstream import document, operation, parameter
from toolway.catalog import Catalog, Tool, build_catalog
from toolway.openapi import read_document

TEXT = {"type": "string"}
USER = {
    "type": "object",
    "properties": {
        "id": {"type": "integer"},
        "address": {"type": "object", "properties": {"city": TEXT}},
        "tags": {"type": "array", "items": {"type": "array", "prefixItems": [{"enum": ["a"]}, TEXT]}},
    },
}


def catalog_of(schema: dict[str, Any], **components: Any) -> Catalog:
    """Return the catalog of a document with an operation that takes this schema, and one that takes nothing."""
    found = {"requestBody": {"required": True, "content": {"application/json": {"schema": schema}}}}
    paths = {"/t": {"post": operation("t", **found)}, "/other": {"get": operation("other")}}
    return build_catalog(read_document(document(paths, components={"schemas": components})))


def tool_of(schema: dict[str, Any], **components: Any) -> Tool:
    return catalog_of(schema, **components).tools["t"]


def reason(catalog: Catalog) -> str:
    """Return why the first operation is not offered, when only that one is not."""
    assert list(catalog.tools) == ["other"]
    (skipped,) = catalog.skipped
    return skipped.reason


def test_a_reference_into_a_component_is_the_part_and_not_the_whole() -> None:
    tool = tool_of({"$ref": "#/components/schemas/User/properties/address"}, User=USER)
    assert list(tool.input_schema["properties"]) == ["city"]


@pytest.mark.parametrize(
    ("pointer", "good", "bad"),
    [
        ("User/properties/address", {"city": "Bonn"}, {"city": 1}),
        ("User/properties/id", 7, "7"),
        ("User/properties/tags/items/prefixItems/0", "a", "b"),
        ("My%20User/properties/a~1b", 1, "x"),
    ],
)
def test_a_nested_reference_into_a_component_keeps_its_meaning(pointer: str, good: object, bad: object) -> None:
    nested = {"type": "object", "properties": {"x": {"$ref": f"#/components/schemas/{pointer}"}}}
    mine = {"type": "object", "properties": {"a/b": {"type": "integer"}}}
    tool = tool_of(nested, User=USER, **{"My User": mine})
    validator = Draft202012Validator(tool.input_schema)
    assert validator.is_valid({"x": good})
    assert not validator.is_valid({"x": bad})


def test_a_name_that_is_percent_encoded_is_found() -> None:
    tool = tool_of({"$ref": "#/components/schemas/My%20User"}, **{"My User": USER})
    assert "address" in tool.input_schema["properties"]


@pytest.mark.parametrize(
    ("schema", "words"),
    [
        ({"$ref": "#/components/schemas/User/properties/phone"}, "points to nothing"),
        ({"$ref": "#/paths/~1other/get"}, "points outside"),
        ({"$ref": "#node"}, "points outside"),
        ({"type": "object", "properties": {"x": {"$dynamicRef": "#node"}}}, "$dynamicRef"),
        ({"type": "object", "properties": {"x": {"$ref": "#/components/schemas/Loop"}}}, "itself"),
        ({"$ref": "#/components/schemas/Loop"}, "itself"),
    ],
)
def test_a_reference_that_cannot_be_followed_costs_its_operation(schema: dict[str, Any], words: str) -> None:
    loop = {"$ref": "#/components/schemas/Back"}
    assert words in reason(catalog_of(schema, User=USER, Loop=loop, Back={"$ref": "#/components/schemas/Loop"}))


def test_a_loop_in_a_parameter_costs_its_operation() -> None:
    declared = parameter("q", "query", {"$ref": "#/components/schemas/A"})
    paths = {"/x": {"get": operation("x", parameters=[declared])}, "/other": {"get": operation("other")}}
    schemas = {"A": {"$ref": "#/components/schemas/B"}, "B": {"allOf": [{"$ref": "#/components/schemas/A"}]}}
    catalog = build_catalog(read_document(document(paths, components={"schemas": schemas})))
    assert "itself" in reason(catalog)


def test_recursion_that_ends_is_kept() -> None:
    node = {"type": "object", "properties": {"kids": {"type": "array", "items": {"$ref": "#/components/schemas/Node"}}}}
    tool = tool_of({"type": "object", "properties": {"root": {"$ref": "#/components/schemas/Node"}}}, Node=node)
    assert Draft202012Validator(tool.input_schema).is_valid({"root": {"kids": [{"kids": []}]}})


def test_a_reference_in_place_of_an_operation_is_followed() -> None:
    shared = operation("shared", parameters=[parameter("q", "query", required=True)])
    paths = {"/a": {"get": {"$ref": "#/components/x-operations/shared"}}, "/b": {"get": {"$ref": "#/nowhere"}}}
    catalog = build_catalog(read_document(document(paths, components={"x-operations": {"shared": shared}})))
    assert catalog.tools["shared"].input_schema["required"] == ["q"]
    assert [(entry.path, "nowhere" in entry.reason) for entry in catalog.skipped] == [("/b", True)]


def test_what_is_written_beside_the_reference_of_a_path_is_kept() -> None:
    paths = {
        "/a/{id}": {
            "$ref": "#/components/pathItems/shared",
            "parameters": [parameter("id", "path"), parameter("q", "query")],
        }
    }
    shared = {"get": operation("t"), "delete": operation("gone")}
    catalog = build_catalog(read_document(document(paths, components={"pathItems": {"shared": shared}})))
    assert [list(tool.input_schema["properties"]) for tool in catalog.tools.values()] == [["id", "q"]] * 2
