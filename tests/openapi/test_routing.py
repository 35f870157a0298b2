"""With any routes of an application, a tool runs its own endpoint with its own values, or is rejected."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import anyio
import pytest
from fastapi import APIRouter, FastAPI, Request
from hypothesis import given, settings
from hypothesis import strategies as st
from starlette.convertors import CONVERTOR_TYPES, Convertor
from starlette.routing import Route

from tests.calls.both import both, text_of
from tests.catalog.looking import catalog_of
from toolway import Settings, Toolway
from toolway.app import engine_of
from toolway.calls import CallContext
from toolway.catalog import Tool


class Pair(Convertor[str]):
    """A convertor of an application's own, whose values span two segments."""

    regex = "[a-z]+/[a-z]+"

    def convert(self, value: str) -> str:
        return value

    def to_string(self, value: str) -> str:
        return value


@pytest.fixture
def pair_convertor() -> Iterator[None]:
    CONVERTOR_TYPES["pair"] = Pair()
    yield
    del CONVERTOR_TYPES["pair"]


def app_of(*paths: str) -> FastAPI:
    """An application whose endpoints answer with their own path and what they got."""
    app = FastAPI()
    for path in paths:
        add(app, path)
    return app


def add(app: FastAPI, path: str, prefix: str = "") -> None:
    async def endpoint(request: Request) -> Any:
        return [prefix + path, request.path_params]

    app.add_api_route(path, endpoint, operation_id=prefix + path)


SHADOWS = [
    (["/users/{a}", "/users/me"], ["/users/me"]),
    (["/users/me", "/users/{a}"], []),
    (["/users/{a}", "/users/{b}"], ["/users/{b}"]),
    (["/users/{a:int}", "/users/{b}"], []),
    (["/users/{a:int}", "/users/5"], ["/users/5"]),
    (["/users/{a:int}", "/users/me"], []),
    (["/{rest:path}", "/users/me", "/users/{a}/x"], ["/users/me", "/users/{a}/x"]),
    (["/files/{rest:path}", "/files/{name}", "/files", "/other"], ["/files/{name}"]),
    (["/{a}/{b}", "/users/{b}", "/users/me/x"], ["/users/{b}"]),
    (["/x/{a}.{b}", "/x/{a}.txt", "/x/a"], []),
    (["/{a}", "/"], []),
    (["/x/{a}", "/x/{rest:path}"], []),
]


@pytest.mark.parametrize(("paths", "shadowed"), SHADOWS)
async def test_what_an_earlier_route_always_takes_is_no_tool(paths: list[str], shadowed: list[str]) -> None:
    catalog = await catalog_of(app_of(*paths))
    listed = {tool.operation.operation_id for tool in catalog.tools.values()}
    skipped = {entry.path for entry in catalog.skipped}
    assert skipped == set(shadowed)
    assert listed == set(paths) - set(shadowed)
    assert {entry.reason for entry in catalog.skipped} <= {"an earlier route of the application matches this path"}


async def test_an_earlier_mount_takes_everything_below_it() -> None:
    app, inner = FastAPI(), app_of("/{name}")
    add(app, "/api/first")
    app.mount("/api", inner)
    add(app, "/api/late")
    add(app, "/{any}/late")
    async with both(app) as reached:
        tools = {tool.operation.path: name for name, tool in reached.catalog.tools.items()}
        assert tools.keys() == {"/api/first", "/api/{name}", "/{any}/late"}
        assert [entry.path for entry in reached.catalog.skipped] == ["/api/late"]
        refused = await reached.call(tools["/{any}/late"], {"any": "api"})
        assert "would be routed to a different endpoint" in text_of(refused)
        assert not (await reached.call(tools["/{any}/late"], {"any": "other"})).is_error
        assert (await reached.call(tools["/api/{name}"], {"name": "first"})).is_error


async def test_an_application_mounted_on_a_router_is_reached_where_the_router_is_included() -> None:
    app, router = FastAPI(), APIRouter()
    router.mount("/inner", app_of("/{name}"))
    app.include_router(router, prefix="/v1")
    async with both(app) as reached:
        is_included = (await reached.web.get("/v1/inner/spoon")).status_code == 200  # since FastAPI 0.137
        paths = [tool.operation.path for tool in reached.catalog.tools.values()]
        assert paths == (["/v1/inner/{name}"] if is_included else [])
        for tool in reached.catalog.tools:
            assert not (await reached.call(tool, {"name": "spoon"})).is_error


async def test_a_plain_route_takes_paths_away_too() -> None:
    async def plain(request: Request) -> Any:
        raise AssertionError

    app = FastAPI(routes=[Route("/users/plain", plain, methods=["GET"]), Route("/users/post", plain, methods=["POST"])])
    add(app, "/users/{name}")
    async with both(app) as reached:
        (tool,) = reached.catalog.tools
        assert (await reached.call(tool, {"name": "plain"})).is_error
        assert not (await reached.call(tool, {"name": "post"})).is_error


async def test_toolways_own_path_cannot_be_reached_by_a_value() -> None:
    app = app_of("/{name}")
    toolway = Toolway(app).mount()
    async with engine_of(toolway).run() as running:
        (tool,) = running.catalog.tools
        for name in ("mcp", "docs", "openapi.json"):
            outcome = await running.calls.call(tool, {"name": name}, CallContext())
            assert outcome.is_error
            assert outcome.status is None


@pytest.mark.usefixtures("pair_convertor")
async def test_convertors_of_the_applications_own_may_span_segments() -> None:
    app = app_of("/pairs/{both:pair}", "/pairs/{one}/{other}")
    async with both(app) as reached:
        first, second = reached.catalog.tools
        assert (await reached.call(first, {"both": "a/b"})).structured_content == [
            "/pairs/{both:pair}",
            {"both": "a/b"},
        ]
        assert (await reached.call(first, {"both": "a/1"})).is_error
        assert (await reached.call(second, {"one": "a", "other": "b"})).is_error
        assert not (await reached.call(second, {"one": "a", "other": "1"})).is_error


SEGMENTS = st.sampled_from(["a", "b", "", "{x}", "{x:int}", "a.{x}", "{x}.a", "{x:path}", "{y}", "{y:path}"])
PATHS = (
    st.lists(SEGMENTS, min_size=1, max_size=3)
    .map(lambda parts: "/" + "/".join(parts))
    .filter(lambda path: max(path.count("{x"), path.count("{y")) < 2)
)
PREFIXES = st.sampled_from(["/a", "/b", "/{p}", "/a/{p}", ""])
VALUES = st.sampled_from(
    ["a", "b", "5", "a.a", "a/b", "", "a/", "/", "a\n", "5\n", "\n", "mcp", "é", "..", "{x}", "b/a.b", "a+"]
)


@st.composite
def applications(draw: st.DrawFn) -> FastAPI:
    app = FastAPI()
    for _ in range(draw(st.integers(1, 6))):
        if draw(st.integers(0, 3)):
            add(app, draw(PATHS))
        else:
            inner, prefix = FastAPI(), draw(PREFIXES)
            for path in draw(st.lists(PATHS, min_size=1, max_size=3)):
                add(inner, path, prefix)
            app.mount(prefix, inner)
    return app


async def plain_answer(app: FastAPI, path: str) -> Any:
    """Return the application's response to a path that a server has decoded; None for an error."""
    got: dict[str, Any] = {}

    async def receive() -> Any:
        return {"type": "http.request"}

    async def send(message: Any) -> None:
        got.update(message)

    scope = {"type": "http", "method": "GET", "path": path, "query_string": b"", "headers": [], "root_path": ""}
    await app(scope, receive, send)
    return json.loads(got["body"]) if got["status"] == 200 else None


def may_be_refused(tool: Tool, values: dict[str, str]) -> bool:
    """A mount passes a line break on only at the very end, and by chance; it is refused everywhere."""
    return bool(tool.operation.template.mounts) and any("\n" in value for value in values.values())


async def check(app: FastAPI, choose: Any) -> None:
    async with engine_of(Toolway(app, settings=Settings(_env_file=None))).run() as running:
        for name, tool in running.catalog.tools.items():
            template = tool.operation.template
            values = {target: choose() for target in template.names}
            arguments = {entry.name: values[entry.target] for entry in tool.arguments.values()}
            own = [tool.operation.operation_id, values]
            answer = await plain_answer(app, template.fill(values))
            is_own = answer is not None and [answer[0], {key: str(value) for key, value in answer[1].items()}] == own
            outcome = await running.calls.call(name, arguments, CallContext())
            if outcome.is_error:
                assert outcome.status is None, (own, outcome)
                assert not is_own or may_be_refused(tool, values), (own, outcome)
            else:
                assert is_own, (own, outcome)


@pytest.mark.filterwarnings("ignore:Duplicate Operation ID")
@settings(max_examples=400)
@given(applications(), st.data())
def test_whatever_the_routes_a_call_runs_its_own_endpoint_or_none(app: FastAPI, data: st.DataObject) -> None:
    anyio.run(check, app, lambda: data.draw(VALUES))
