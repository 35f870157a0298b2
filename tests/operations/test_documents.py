"""OpenAPI documents of any origin: 3.0 and 3.1, JSON and YAML, with references, and what is wrong with others."""

from __future__ import annotations

import gzip
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from fastapi import FastAPI, Response
from jsonschema import Draft202012Validator

from tests.servers import Serve
from toolway import DocumentError
from toolway.catalog import build_catalog
from toolway.operations import load_document, read_document


def document(operation: dict[str, Any], version: str = "3.1.0", **more: Any) -> dict[str, Any]:
    return {
        "openapi": version,
        "info": {"title": "T", "version": "1"},
        "paths": {"/a/{id}": {"post": operation}},
        **more,
    }


def shown(found: dict[str, Any]) -> dict[str, Any]:
    (tool,) = build_catalog(read_document(found)).tools.values()
    Draft202012Validator.check_schema(tool.input_schema)
    return tool.input_schema["properties"]


def test_the_schemas_of_openapi_3_0_become_json_schema_2020_12() -> None:
    fields = {
        "maybe": {"type": "string", "nullable": True, "description": "May be null."},
        "never": {"type": "string", "nullable": False},
        "above": {"type": "number", "minimum": 3, "exclusiveMinimum": True},
        "upto": {"type": "number", "maximum": 9, "exclusiveMaximum": False},
        "nullable": {"type": "boolean"},
        "choice": {"type": "string", "enum": ["a", "b"], "nullable": True},
    }
    body = {"content": {"application/json": {"schema": {"type": "object", "properties": fields}}}, "required": True}
    properties = shown(document({"requestBody": body}, version="3.0.3"))

    def accepts(name: str, value: object) -> bool:
        return Draft202012Validator(properties[name]).is_valid(value)

    assert properties["maybe"]["description"] == "May be null."
    assert (accepts("maybe", None), accepts("maybe", "x"), accepts("maybe", 1)) == (True, True, False)
    assert (accepts("never", None), accepts("never", "x")) == (False, True)
    assert (accepts("above", 3), accepts("above", 4)) == (False, True)
    assert (accepts("upto", 9), accepts("upto", 10)) == (True, False)
    assert accepts("nullable", True)
    assert (accepts("choice", "a"), accepts("choice", None), accepts("choice", "c")) == (True, True, False)


def test_parameters_bodies_and_answers_may_stand_elsewhere_in_the_document() -> None:
    components = {
        "parameters": {"Limit": {"name": "limit", "in": "query", "schema": {"type": "integer"}}},
        "requestBodies": {
            "Thing": {"content": {"application/json": {"schema": {"$ref": "#/components/schemas/Thing"}}}}
        },
        "responses": {"Thing": {"content": {"application/json": {"schema": {"$ref": "#/components/schemas/Thing"}}}}},
        "schemas": {"Thing": {"type": "object", "properties": {"name": {"type": "string"}}}},
    }
    operation = {
        "parameters": [{"$ref": "#/components/parameters/Limit"}],
        "requestBody": {"$ref": "#/components/requestBodies/Thing"},
        "responses": {"200": {"$ref": "#/components/responses/Thing"}},
    }
    found = document(operation, components=components)
    (tool,) = build_catalog(read_document(found)).tools.values()
    assert list(tool.arguments) == ["id", "limit", "name"]
    assert tool.output_schema == {"type": "object", "properties": {"name": {"type": "string"}}}


def test_an_operation_overrides_the_parameters_of_its_path() -> None:
    found = document({"parameters": [{"name": "q", "in": "query", "schema": {"type": "integer"}}]})
    found["paths"]["/a/{id}"]["parameters"] = [
        {"name": "q", "in": "query", "schema": {"type": "string"}},
        {"name": "id", "in": "path", "required": True, "schema": {"type": "integer"}},
    ]
    assert {name: schema["type"] for name, schema in shown(found).items()} == {"q": "integer", "id": "integer"}


def test_the_media_type_that_an_agent_can_fill_best_is_taken() -> None:
    schema = {"type": "object", "properties": {"a": {"type": "string"}}}
    content = {kind: {"schema": schema} for kind in ("application/xml", "multipart/form-data", "application/json")}
    (operation,) = read_document(document({"requestBody": {"content": content}})).operations
    assert operation.body is not None
    assert operation.body.media_type == "application/json"


@pytest.mark.parametrize(
    ("name", "write"),
    [
        ("api.json", lambda text: text.encode()),
        ("api.JSON.gz", lambda text: gzip.compress(text.encode())),
        ("api.yaml", lambda _: b"openapi: 3.1.0\npaths:\n  /a/{id}:\n    post: {}\n"),
    ],
)
def test_documents_are_read_from_files(tmp_path: Path, name: str, write: Callable[[str], bytes]) -> None:
    file = tmp_path / name
    file.write_bytes(write(json.dumps(document({}))))
    assert [str(operation) for operation in read_document(load_document(str(file))).operations] == ["POST /a/{id}"]


def test_documents_are_read_from_urls(serve: Serve) -> None:
    app = FastAPI()
    app.get("/here")(dict)
    url = serve(app)
    assert [str(entry) for entry in read_document(load_document(f"{url}/openapi.json")).operations] == ["GET /here"]


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (b"{", "not JSON"),
        (b"[1]", "expected an object"),
        (b'{"swagger": "2.0"}', "OpenAPI 3"),
        (b'{"openapi": "2.0.0"}', "OpenAPI 3"),
        (b'{"openapi": "3.1.0", "paths": []}', "'paths'"),
    ],
)
def test_what_is_no_openapi_3_document_is_refused_in_words(tmp_path: Path, content: bytes, words: str) -> None:
    file = tmp_path / "api.json"
    file.write_bytes(content)
    with pytest.raises(DocumentError, match=words):
        read_document(load_document(str(file)))


def test_a_file_that_is_not_there_and_a_url_that_does_not_answer_are_named(serve: Serve) -> None:
    app = FastAPI()
    app.get("/gone.json")(lambda: Response(status_code=410))
    url = f"{serve(app)}/gone.json"
    with pytest.raises(DocumentError, match="gone"):
        load_document(url)
    with pytest.raises(DocumentError, match="nowhere"):
        load_document("nowhere.json")


def test_references_in_a_circle_are_reported_and_stop_nothing_else() -> None:
    found = document({"parameters": [{"$ref": "#/components/parameters/A"}]})
    found["components"] = {
        "parameters": {"A": {"$ref": "#/components/parameters/B"}, "B": {"$ref": "#/components/parameters/A"}}
    }
    found["paths"]["/b"] = {"get": {}}
    api = read_document(found)
    assert [str(operation) for operation in api.operations] == ["GET /b"]
    assert "circle" in api.skipped[0].reason
