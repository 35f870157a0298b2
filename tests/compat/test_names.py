"""Operation ids as the names of tools."""

from __future__ import annotations

import pytest
from fastapi import FastAPI

from toolway import agent_tool
from toolway.compat.fastapi_mcp import FastApiMCP, MigrationWarning


def serving_id(operation_id: str) -> FastApiMCP:
    app = FastAPI()
    app.get("/thing", operation_id=operation_id)(lambda: None)
    return FastApiMCP(app)


@pytest.mark.parametrize("operation_id", ["thing", "get-thing", "thing_thing_get", "Thing9", "_thing_", "x" * 64])
def test_a_valid_operation_id_is_the_name(operation_id: str) -> None:
    assert list(serving_id(operation_id).operation_map) == [operation_id]


@pytest.mark.parametrize(
    ("operation_id", "name"), [("things.get", "things_get"), ("get a thing", "get_a_thing"), ("größe", "groe")]
)
def test_an_invalid_operation_id_issues_a_warning_with_the_name_of_the_tool(operation_id: str, name: str) -> None:
    with pytest.warns(MigrationWarning, match=f"GET /thing is the tool '{name}': .* operation id '{operation_id}'"):
        assert list(serving_id(operation_id).operation_map) == [name]


def test_a_long_operation_id_issues_a_warning() -> None:
    with pytest.warns(MigrationWarning, match="1 to 64"):
        (name,) = serving_id("x" * 65).operation_map
    assert len(name) == 64


def test_a_name_from_a_marker_issues_no_warning() -> None:
    app = FastAPI()
    app.get("/thing", operation_id="thing_get")(agent_tool(name="look")(lambda: None))
    assert list(FastApiMCP(app).operation_map) == ["look"]
