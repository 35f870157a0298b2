"""Tool names are legal for every client, unique, short where that is possible, and the same from run to run."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from collections.abc import Callable

import pytest
from fastapi import APIRouter, FastAPI
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.catalog.looking import catalog_of, only_tool
from tests.support import ROOT
from toolway.catalog import build_catalog
from toolway.operations import read_document

pytestmark = pytest.mark.anyio

LEGAL = re.compile(r"[A-Za-z0-9_-]{1,64}")


def endpoint(name: str) -> Callable[[], None]:
    def answer() -> None: ...

    answer.__name__ = name
    return answer


async def test_the_tail_that_fastapi_generates_falls_away() -> None:
    app = FastAPI()
    app.get("/orders/{order_id}/items")(endpoint("list_items"))
    assert (await only_tool(app)).name == "list_items"


async def test_an_operation_id_that_somebody_chose_stays_as_it_is() -> None:
    app = FastAPI()
    app.get("/orders", operation_id="Orders-List_all")(endpoint("f"))
    assert (await only_tool(app)).name == "Orders-List_all"


async def test_functions_of_one_name_keep_their_paths_to_tell_them_apart() -> None:
    app = FastAPI()
    for version in ("v1", "v2"):
        app.get(f"/{version}/orders")(endpoint("orders"))
    assert list((await catalog_of(app)).tools) == ["orders_v1_orders_get", "orders_v2_orders_get"]


async def test_a_router_that_is_included_twice_gives_two_tools() -> None:
    router, app = APIRouter(), FastAPI()
    router.get("/status")(endpoint("status"))
    app.include_router(router, prefix="/a")
    app.include_router(router, prefix="/b")
    assert list((await catalog_of(app)).tools) == ["status_a_status_get", "status_b_status_get"]


async def test_a_route_of_several_methods_gives_a_tool_for_each_named_by_its_method() -> None:
    app = FastAPI()
    app.api_route("/thing", methods=["GET", "PUT", "DELETE"])(endpoint("thing"))
    with pytest.warns(UserWarning, match="Duplicate Operation ID"):
        tools = (await catalog_of(app)).tools
    assert {name: tool.operation.method for name, tool in tools.items()} == {
        "thing_get": "GET",
        "thing_put": "PUT",
        "thing_delete": "DELETE",
    }


async def test_one_operation_id_on_two_routes_gives_two_callable_tools() -> None:
    app = FastAPI()
    app.get("/a", operation_id="same")(endpoint("a"))
    app.get("/b", operation_id="same")(endpoint("b"))
    with pytest.warns(UserWarning, match="Duplicate Operation ID"):
        tools = (await catalog_of(app)).tools
    assert {tool.operation.path for tool in tools.values()} == {"/a", "/b"}
    assert all(LEGAL.fullmatch(name) for name in tools)


@pytest.mark.parametrize(
    ("operation_id", "name"),
    [
        ("orders.list all!", "orders_list_all"),
        ("größe", "groe"),
        ("日本", "tool"),
        ("__private__", "private"),
        ("CamelCase", "CamelCase"),
    ],
)
async def test_illegal_characters_are_replaced(operation_id: str, name: str) -> None:
    app = FastAPI()
    app.get("/a", operation_id=operation_id)(endpoint("a"))
    assert (await only_tool(app)).name == name


async def test_long_names_are_cut_to_64_characters_and_stay_apart() -> None:
    app = FastAPI()
    for end in ("first", "second"):
        app.get(f"/{end}", operation_id=f"{'long_' * 20}{end}")(endpoint(end))
    names = list((await catalog_of(app)).tools)
    assert len(set(names)) == 2
    assert all(LEGAL.fullmatch(name) and name.startswith("long_long_") for name in names)


async def test_a_filter_never_renames_a_tool_that_stays() -> None:
    app = FastAPI()
    for version in ("v1", "v2"):
        app.get(f"/{version}/orders", tags=[version])(endpoint("orders"))
    everything = set((await catalog_of(app)).tools)
    narrowed = set((await catalog_of(app, include={"tags": ["v2"]})).tools)
    assert narrowed < everything


ids = st.text(min_size=1, max_size=90)
paths = st.from_regex(r"/[a-z0-9_.-]{0,12}(/\{[a-z]{1,5}\})?", fullmatch=True)
methods = st.sampled_from(["get", "post", "put", "patch", "delete"])


@settings(max_examples=300, derandomize=True, deadline=None)
@given(st.dictionaries(st.tuples(paths, methods), st.none() | ids, max_size=12))
def test_whatever_the_ids_are_every_operation_has_a_legal_name_of_its_own(
    operations: dict[tuple[str, str], str | None],
) -> None:
    document: dict[str, object] = {"openapi": "3.1.0", "paths": {}}
    for (path, method), operation_id in operations.items():
        node = {"responses": {}} | ({"operationId": operation_id} if operation_id else {})
        document["paths"].setdefault(path, {})[method] = node  # type: ignore[attr-defined]

    tools = build_catalog(read_document(document)).tools

    assert len(tools) == len(operations)
    assert all(LEGAL.fullmatch(name) for name in tools)


PROGRAM = """
import warnings; warnings.simplefilter("ignore")
import asyncio, json
from fastapi import FastAPI
from toolway import Toolway
app = FastAPI()
@app.api_route("/thing", methods=["GET", "POST", "PUT"])
def thing(): ...
@app.get("/other")
def other(q: int | str | bool | None = None, tags: set[str] | None = None): ...
sub = FastAPI()
@sub.get("/other")
def inner(): ...
app.mount("/sub", sub)
async def main():
    async with Toolway(app).running() as running:
        tools = sorted(running.catalog.tools.values(), key=lambda tool: tool.name)
        print(json.dumps([tool.definition(wrapped=True) for tool in tools]))
asyncio.run(main())
"""


def test_the_catalogue_is_the_same_whatever_the_hash_seed() -> None:
    printed = {
        subprocess.check_output(
            [sys.executable, "-c", PROGRAM], cwd=ROOT, env={**os.environ, "PYTHONHASHSEED": seed}, text=True
        )
        for seed in ("0", "1", "2", "3")
    }
    assert len(printed) == 1
