"""Filters and markers decide which operations are tools; they narrow, and nothing that is left out can be called."""

from __future__ import annotations

import pytest
from fastapi import APIRouter, FastAPI, WebSocket

from tests.catalog.looking import catalog_of
from toolway import Filter, Toolway, agent_tool
from toolway.app import engine_of
from toolway.calls import CallContext
from toolway.errors import ConfigurationError, FilterError, UnknownToolError
from toolway.mounts import toolway_of

pytestmark = pytest.mark.anyio


def shop() -> FastAPI:
    app = FastAPI()

    @app.get("/orders/{order_id}", tags=["orders"], operation_id="get_order")
    async def get_order(order_id: str) -> str:
        return order_id

    @app.delete("/orders/{order_id}", tags=["orders", "admin"], operation_id="delete_order")
    @agent_tool()
    async def delete_order(order_id: str) -> None: ...

    @app.get("/users", tags=["users"], operation_id="list_users", openapi_extra={"x-toolway": {"title": "Users"}})
    async def list_users() -> list[str]:
        return []

    @app.post("/users", tags=["users", "admin"], operation_id="add_user")
    @agent_tool(hide=True)
    async def add_user() -> None: ...

    @app.get("/health", include_in_schema=False)
    async def health() -> None: ...

    return app


@pytest.mark.parametrize(
    ("include", "exclude", "names"),
    [
        ({}, {}, {"get_order", "delete_order", "list_users"}),
        ({"tags": ["orders"]}, {}, {"get_order", "delete_order"}),
        ({"tags": ["orders"], "methods": ["get"]}, {}, {"get_order"}),
        ({"operations": ["get_order", "list_users"]}, {}, {"get_order", "list_users"}),
        ({"operations": ["get_order", "list_users"], "tags": ["users"]}, {}, {"list_users"}),
        ({"paths": ["/orders/*"]}, {}, {"get_order", "delete_order"}),
        ({"paths": ["/users"]}, {}, {"list_users"}),
        ({}, {"tags": ["admin"]}, {"get_order", "list_users"}),
        ({}, {"operations": ["get_order", "delete_order"], "tags": ["users"]}, set()),
        ({"tags": ["orders"]}, {"operations": ["delete_order"]}, {"get_order"}),
        ({"tags": ["orders", "users"]}, {"methods": ["DELETE", "POST"]}, {"get_order", "list_users"}),
    ],
)
async def test_include_and_exclude_only_ever_narrow(include: Filter, exclude: Filter, names: set[str]) -> None:
    assert set((await catalog_of(shop(), include=include, exclude=exclude)).tools) == names


async def test_expose_marked_takes_only_endpoints_that_say_something_of_themselves() -> None:
    assert set((await catalog_of(shop(), expose="marked")).tools) == {"delete_order", "list_users"}


@pytest.mark.parametrize(
    ("side", "chosen", "named"),
    [
        ("include", {"tags": ["order"]}, "No operation has the tag 'order' (include={'tags': ...})"),
        (
            "exclude",
            {"operations": ["remove_order"]},
            "No operation has the id 'remove_order' (exclude={'operations': ...})",
        ),
        ("include", {"paths": ["/order/*"]}, "No operation has the path '/order/*' (include={'paths': ...})"),
        ("exclude", {"methods": ["TRACE"]}, "No operation has the method 'TRACE' (exclude={'methods': ...})"),
        ("include", {"tags": ["orders", "odrers"]}, "did you mean 'orders'"),
    ],
)
async def test_an_entry_that_matches_nothing_stops_the_start_and_is_named(
    side: str, chosen: Filter, named: str
) -> None:
    app = shop()
    Toolway(app, **{side: chosen}).mount()
    with pytest.raises(FilterError) as stopped:
        async with app.router.lifespan_context(app):
            pass
    assert named in str(stopped.value)


@pytest.mark.parametrize(
    "options",
    [
        {"include": {"tag": ["orders"]}},
        {"exclude": {"tags": "orders"}},
        {"expose": "some"},
        {"include": ["get_order"]},
        {"exclude": "orders"},
    ],
)
def test_a_filter_of_the_wrong_shape_is_refused_at_once(options: dict[str, object]) -> None:
    with pytest.raises(ConfigurationError):
        Toolway(shop(), **options)  # type: ignore[arg-type]


@pytest.mark.parametrize("side", ["include", "exclude"])
def test_names_without_a_key_are_refused_with_how_a_filter_looks(side: str) -> None:
    with pytest.raises(ConfigurationError) as caught:
        Toolway(shop(), **{side: ["get_order"]})  # type: ignore[arg-type]
    assert str(caught.value) == f"expected {side} to be a mapping, such as {{'tags': ['orders']}}, found ['get_order']"


@pytest.mark.parametrize("name", ["delete_order", "add_user", "health", "mcp", "openapi"])
async def test_what_is_not_listed_cannot_be_called(name: str) -> None:
    app = shop()
    toolway = Toolway(app, exclude={"methods": ["DELETE"]}).mount()
    async with engine_of(toolway).run() as running:
        with pytest.raises(UnknownToolError):
            await running.calls.call(name, {"order_id": "1"}, CallContext())


async def test_toolways_own_routes_and_the_documentation_pages_are_no_tools() -> None:
    app = shop()
    Toolway(app).mount()
    async with app.router.lifespan_context(app):
        paths = {tool.operation.path for tool in toolway_of(app).catalog.tools.values()}
    assert paths == {"/orders/{order_id}", "/users"}


async def test_a_web_socket_is_reported_as_no_tool() -> None:
    app, router = FastAPI(), APIRouter(prefix="/shop")

    @app.websocket("/live")
    @router.websocket("/news")
    async def live(socket: WebSocket) -> None: ...

    app.include_router(router, prefix="/v1")
    catalog = await catalog_of(app)
    assert not catalog.tools
    assert {(entry.method, entry.path) for entry in catalog.skipped} == {
        ("WEBSOCKET", "/live"),
        ("WEBSOCKET", "/v1/shop/news"),
    }


async def test_what_is_marked_for_agents_and_left_out_of_the_document_is_reported() -> None:
    app, router = FastAPI(), APIRouter(prefix="/v1", include_in_schema=False)

    @app.get("/orders", include_in_schema=False)
    @agent_tool()
    async def orders() -> None: ...

    @router.post("/users", openapi_extra={"x-toolway": {}})
    async def add_user() -> None: ...

    @app.get("/people-only", include_in_schema=False)
    @agent_tool(hide=True)
    async def people_only() -> None: ...

    @app.get("/health", include_in_schema=False)
    async def health() -> None: ...

    app.include_router(router)
    catalog = await catalog_of(app)
    assert not catalog.tools
    assert [(entry.method, entry.path) for entry in catalog.skipped] == [("GET", "/orders"), ("POST", "/v1/users")]
    assert all("include_in_schema=False" in entry.reason for entry in catalog.skipped)


async def test_marked_endpoints_and_none_marked_is_warned_of(caplog: pytest.LogCaptureFixture) -> None:
    app = FastAPI(title="Shop")

    @app.get("/orders")
    async def orders() -> None: ...

    assert not (await catalog_of(app, expose="marked")).tools
    assert "none of the operations of 'Shop' (1) is offered to agents: expose='marked' selects only" in caplog.text


async def test_filters_that_leave_nothing_are_warned_of(caplog: pytest.LogCaptureFixture) -> None:
    """Each of them may match, and so be no mistake of its own."""
    assert not (await catalog_of(shop(), include={"tags": ["users"]}, exclude={"tags": ["users"]})).tools
    assert (
        "none of the operations of 'FastAPI' (4) is offered to agents: include and exclude filter out all"
        in caplog.text
    )


async def test_an_application_without_operations_is_nothing_to_warn_of(caplog: pytest.LogCaptureFixture) -> None:
    await catalog_of(FastAPI(), expose="marked")
    assert "is offered to agents" not in caplog.text


async def test_an_operation_that_an_earlier_route_always_answers_is_reported_and_no_tool() -> None:
    app = FastAPI()

    @app.get("/users/{user_id}")
    async def get_user(user_id: str) -> str:
        return user_id

    @app.get("/users/me")
    async def get_me() -> str:
        return "me"

    catalog = await catalog_of(app)
    assert set(catalog.tools) == {"get_user"}
    assert [(entry.path, entry.reason) for entry in catalog.skipped] == [
        ("/users/me", "an earlier route of the application matches this path")
    ]


async def test_routes_that_are_added_at_start_up_are_tools() -> None:
    app = FastAPI()

    async def late() -> str:
        return "late"

    app.router.lifespan_context = _adding(app, late)  # type: ignore[assignment]
    assert set((await catalog_of(app)).tools) == {"late"}


def _adding(app: FastAPI, endpoint: object) -> object:
    from contextlib import asynccontextmanager

    @asynccontextmanager
    async def lifespan(_: FastAPI):
        app.add_api_route("/late", endpoint)  # type: ignore[arg-type]
        yield

    return lifespan


async def test_an_overridden_document_is_the_contract() -> None:
    app = shop()
    whole = app.openapi()
    app.openapi = lambda: {**whole, "paths": {"/users": whole["paths"]["/users"]}}  # type: ignore[method-assign]
    assert set((await catalog_of(app)).tools) == {"list_users"}


@pytest.mark.parametrize(
    "note",
    [{"nmae": "x"}, {"name": 3}, {"hide": "yes"}, {"hints": {"readonly": True}}],
)
async def test_a_note_that_is_misspelt_stops_the_start(note: dict[str, object]) -> None:
    app = FastAPI()

    @app.get("/a", openapi_extra={"x-toolway": note})
    async def a() -> None: ...

    with pytest.raises(ConfigurationError, match="GET /a"):
        await catalog_of(app)


@pytest.mark.parametrize("key", ["operations", "tags", "paths", "methods"])
def test_an_include_that_names_nothing_is_refused_and_does_not_open_everything(key: str) -> None:
    with pytest.raises(ConfigurationError, match=f"include {key} is empty"):
        Toolway(shop(), include={key: []})  # type: ignore[misc]
