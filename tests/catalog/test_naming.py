"""Names: legal for every client, unique, and the same from run to run."""

from __future__ import annotations

import re
import subprocess
import sys
import warnings
from collections.abc import Iterator

import pytest
from fastapi import APIRouter, FastAPI
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.catalog.looking import names_of, nothing
from tests.support import ROOT
from toolway import Toolway, agent_tool
from toolway.catalog import build_catalog
from toolway.openapi import read_document

LEGAL = re.compile(r"[A-Za-z0-9_-]{1,64}")


@pytest.fixture(autouse=True)
def duplicate_ids() -> Iterator[None]:
    """FastAPI warns of them; these tests have them on purpose."""
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", message="Duplicate Operation ID")
        yield


def app_with_ids(*ids: str) -> FastAPI:
    app = FastAPI()
    for number, operation_id in enumerate(ids):
        app.add_api_route(f"/{number}", nothing, operation_id=operation_id)
    return app


async def test_what_fastapi_generates_falls_away() -> None:
    app = FastAPI()

    @app.get("/users/{user_id}/items/{item-id}")
    async def read_item(user_id: int) -> None: ...

    @app.post("/")
    async def create() -> None: ...

    @app.get("/list/")
    async def list_() -> None: ...

    assert await names_of(app) == ["read_item", "create", "list"]


async def test_a_chosen_id_stays_as_it_is() -> None:
    ids = ["getThing", "get-thing", "_private_", "UPPER", "upper", "a" * 50, "get_thing_x_get"]
    assert await names_of(app_with_ids(*ids)) == ids


@pytest.mark.parametrize(
    ("chosen", "name"),
    [
        ("things.list", "things_list"),
        ("orders.list all!", "orders_list_all"),
        ("weird name!", "weird_name"),
        ("Größe ändern", "Groe_andern"),
        ("a//b", "a_b"),
        ("日本語", "tool"),
        ("!!!", "tool"),
        ("\x00\u202ea", "a"),
    ],
)
async def test_an_illegal_name_is_cleaned(chosen: str, name: str) -> None:
    assert await names_of(app_with_ids(chosen)) == [name]


@pytest.mark.parametrize(
    ("chosen", "name"),
    [
        # mcp__fastapi__ and 50 characters
        ("list_the_configurations_of_all_organizations_by_us", "list_the_configurations_of_all_organizations_by_us"),
        ("list_the_configurations_of_all_organizations_by_user", "list_the_configurations_of_all_orgs_by_user"),
        ("ListTheConfigurationsOfAllOrganizationsAndTheirUsers", "ListTheConfigurationsOfAllOrgsAndTheirUsers"),
        ("get_a_b__with___too__many_underscores____between_them", "get_a_b_with_too_many_underscores_between_them"),
        (
            "find_the_blue_and_the_green_things_of_the_old_house_here",
            "find_blue_the_green_things_of_the_old_house_here",
        ),
        ("x" * 85 + "one", "x" * 24 + "_" + "x" * 22 + "one"),
        ("first_" + "word_" * 20 + "read_last_one", "first_word_word_word_word_word_word_read_last_one"),
    ],
)
async def test_a_name_that_does_not_fit_with_the_name_of_the_server_has_its_words_abbreviated(
    chosen: str, name: str
) -> None:
    assert await names_of(app_with_ids(chosen)) == [name]
    assert len(f"mcp__fastapi__{name}") <= 64


async def test_long_names_keep_the_end_that_tells_them_apart() -> None:
    ends = ["create", "delete", "list", "get"]
    names = await names_of(app_with_ids(*(f"{'part_of_the_path_' * 6}{end}" for end in ends)))
    assert [name.rpartition("_")[2] for name in names] == ends


async def test_long_names_that_differ_only_in_the_middle_end_in_a_hash() -> None:
    one, two = await names_of(app_with_ids(*(f"{'left_' * 8}{middle}{'_right' * 8}" for middle in ("one", "two"))))
    assert one != two
    assert one[:-8] == two[:-8]


async def test_a_long_server_name_leaves_less_room() -> None:
    app = FastAPI(title="Warehouse of the north")
    app.add_api_route("/x", nothing, operation_id="list_the_configurations_of_all_organizations")
    toolway = Toolway({"eu": app}, name="warehouse-north")
    (name,) = toolway.read_catalog().tools
    assert name == "eu_list_the_configs_of_all_organizations"
    assert len(f"mcp__warehouse-north__{name}") <= 64


async def test_duplicates_are_told_apart() -> None:
    assert len(set(await names_of(app_with_ids("same", "same", "same", "same!")))) == 4


async def test_a_chosen_name_is_not_taken_away_by_a_generated_one() -> None:
    app = FastAPI()

    @app.get("/first")
    async def read() -> None: ...

    app.add_api_route("/second", nothing, operation_id="read")
    assert await names_of(app) == ["read_first_get", "read"]


async def test_one_function_on_several_paths_gives_several_names() -> None:
    app, router = FastAPI(), APIRouter()

    @router.get("/read")
    async def read() -> None: ...

    app.include_router(router, prefix="/one")
    app.include_router(router, prefix="/two")
    assert await names_of(app) == ["read_one_read_get", "read_two_read_get"]


async def test_the_methods_of_a_route_are_told_apart() -> None:
    app = FastAPI()
    app.add_api_route("/it", nothing, methods=["GET", "POST", "DELETE"], operation_id="it")
    assert sorted(await names_of(app)) == ["it_delete", "it_get", "it_post"]


async def test_a_marked_name_wins_and_stays_unique() -> None:
    app = FastAPI()

    @app.get("/one")
    @agent_tool(name="find")
    async def one() -> None: ...

    @app.post("/two")
    @agent_tool(name="find")
    async def two() -> None: ...

    @app.get("/three", openapi_extra={"x-toolway": {"name": "seek"}})
    async def three() -> None: ...

    assert await names_of(app) == ["find_get", "find_post", "seek"]


async def test_a_filter_never_renames_what_stays() -> None:
    app = FastAPI()

    @app.get("/one", tags=["keep"])
    async def read() -> None: ...

    app.add_api_route("/two", nothing, operation_id="read")
    everything = set(await names_of(app))
    assert set(await names_of(app, include={"tags": ["keep"]})) < everything


def test_an_operation_without_an_id_is_named_by_method_and_path() -> None:
    document = {
        "openapi": "3.1.0",
        "info": {"title": "t", "version": "1"},
        "paths": {"/a/{b}": {"get": {"responses": {}}, "post": {"responses": {}}}, "/": {"get": {"responses": {}}}},
    }
    assert list(build_catalog(read_document(document)).tools) == ["get_a_b", "post_a_b", "get"]


@settings(max_examples=200)
@given(
    st.lists(st.one_of(st.text(st.characters(), max_size=90), st.sampled_from(["a", "a_get", "a!", ""])), max_size=8)
)
def test_names_are_always_legal_and_unique(ids: list[str]) -> None:
    document = {
        "openapi": "3.1.0",
        "info": {"title": "t", "version": "1"},
        "paths": {
            f"/{number}": {"get": {"operationId": name, "responses": {}}, "post": {"operationId": name}}
            for number, name in enumerate(ids)
        },
    }
    tools = build_catalog(read_document(document)).tools
    assert len(tools) == 2 * len(ids)
    assert all(LEGAL.fullmatch(name) for name in tools)


PRINT = """
import asyncio, json, warnings
warnings.simplefilter("ignore")
from fastapi import FastAPI
from tests.calls.shapes import ROUTERS
from tests.catalog.looking import catalog_of, nothing
app = FastAPI()
for router in ROUTERS:
    app.include_router(router)
    app.include_router(router, prefix="/again", tags=["again", "more"])
app.add_api_route("/many", nothing, methods=["GET", "POST", "PUT", "PATCH", "DELETE"])
app.add_api_route("/many/{x}", nothing, methods=["DELETE", "GET"], operation_id="x" * 80)
for length in range(40, 54):  # around the length where names are cut
    for part in ("a", "b"):
        path = "/" + part * length + "/{x}"
        app.add_api_route(path, nothing, methods=["GET", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"])
catalog = asyncio.run(catalog_of(app))
print(json.dumps([tool.definition(wrapped=True) for tool in catalog.tools.values()]))
"""


def test_everything_is_the_same_in_every_process() -> None:
    printed = set()
    for seed in ("0", "1", "2", "77"):
        result = subprocess.run(
            [sys.executable, "-c", PRINT],
            env={"PYTHONHASHSEED": seed, "PYTHONPATH": str(ROOT), "PYTHONDONTWRITEBYTECODE": "1"},
            capture_output=True,
            text=True,
            check=True,
            cwd=ROOT,
        )
        printed.add(result.stdout)
    assert len(printed) == 1
    assert len(printed.pop()) > 10_000


async def test_tools_stand_in_the_order_of_the_routes() -> None:
    ids = [f"tool_{number}" for number in (5, 3, 9, 1, 7)]
    assert await names_of(app_with_ids(*ids)) == ids
