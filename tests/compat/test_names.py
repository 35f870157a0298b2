"""Operation ids that cannot be names, and those that can."""

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
def test_an_operation_id_that_every_client_takes_stays_as_it_is(operation_id: str) -> None:
    assert list(serving_id(operation_id).operation_map) == [operation_id]


@pytest.mark.parametrize(
    ("operation_id", "name"), [("things.get", "things_get"), ("get a thing", "get_a_thing"), ("größe", "groe")]
)
def test_an_operation_id_that_is_no_name_is_told_with_what_it_became(operation_id: str, name: str) -> None:
    with pytest.warns(MigrationWarning, match=f"GET /thing is the tool '{name}': .* operation id '{operation_id}'"):
        assert list(serving_id(operation_id).operation_map) == [name]


def test_an_operation_id_that_is_too_long_for_clients_is_told() -> None:
    with pytest.warns(MigrationWarning, match="1 to 64"):
        (name,) = serving_id("x" * 65).operation_map
    assert len(name) == 64


def test_a_name_that_an_endpoint_asks_for_needs_no_word() -> None:
    app = FastAPI()
    app.get("/thing", operation_id="thing_get")(agent_tool(name="look")(lambda: None))
    assert list(FastApiMCP(app).operation_map) == ["look"]
