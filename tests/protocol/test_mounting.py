"""Mounting MCP: on the application, on another one, on a router; several times, and behind dependencies."""

from __future__ import annotations

import gc
import threading
from collections.abc import AsyncGenerator, Mapping
from contextlib import AsyncExitStack, asynccontextmanager
from typing import Annotated, Any
from weakref import ref

import anyio
import httpx2
import pytest
from fastapi import APIRouter, BackgroundTasks, Depends, FastAPI, Header, HTTPException, Request
from fastapi import __version__ as fastapi_version
from fastapi.responses import PlainTextResponse, StreamingResponse
from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.routing import Route
from starlette.types import ASGIApp, Receive, Scope, Send

from tests import web
from tests.protocol.wire import ERAS, MODERN, OPTIONS, Peer, headers_of, message, messages
from tests.servers import PATIENCE, Serve
from toolway import Settings, Toolway
from toolway.errors import ConfigurationError

pytestmark = pytest.mark.anyio

ROWS = '[["spoon"],"at start","http://localhost/rows"]'
COPIES_ROUTERS = tuple(map(int, fastapi_version.split(".")[:2])) < (0, 137)


def make_api(log: list[str] | None = None) -> FastAPI:
    """Return an application that needs its lifespan, and logs when it runs."""
    log = [] if log is None else log

    @asynccontextmanager
    async def lifespan(app: FastAPI) -> AsyncGenerator[dict[str, Any]]:
        log.append("start")
        app.state.rows = ["spoon"]
        yield {"made": "at start"}
        log.append("end")

    api = FastAPI(title="Shop", lifespan=lifespan)

    @api.get("/rows", operation_id="list_rows")
    async def list_rows(request: Request) -> Any:
        return [request.app.state.rows, request.state.made, str(request.url)]

    @api.get("/secret", operation_id="read_secret", tags=["secret"])
    async def read_secret() -> str:
        return "secret"

    return api


def text(result: dict[str, Any]) -> str:
    """Return the text of a result."""
    return result["content"][0]["text"]


def listed(peer: Peer) -> list[str]:
    """Return the names of a server's tools."""
    return [tool["name"] for tool in peer.ask("tools/list")["tools"]]


def running(app: Starlette) -> Any:
    """Return the lifespan of an application, as its server would run it."""
    return app.router.lifespan_context(app)


async def asked(
    app: Starlette,
    path: str = "/mcp",
    method: str = "tools/list",
    version: str = MODERN,
    headers: Mapping[str, str] | None = None,
    **params: Any,
) -> httpx2.Response:
    """Send a request to a running application without a server."""
    body = message(version, method, params)
    transport = httpx2.ASGITransport(app=app)
    async with web.AsyncClient(transport=transport, base_url="http://localhost") as client:
        return await client.post(path, json=body, headers={**headers_of(version, body), **(headers or {})})


async def rows(app: FastAPI) -> str:
    """Return the result of the tool ``list_rows``."""
    return text((await asked(app, method="tools/call", name="list_rows", arguments={})).json()["result"])


# Another application


@pytest.mark.parametrize("version", ERAS)
def test_another_application_serves_mcp_and_runs_the_lifespan_of_the_api(serve: Serve, version: str) -> None:
    log: list[str] = []
    other = FastAPI()
    other.mount("/", PlainTextResponse("everything else"))
    Toolway(make_api(log)).mount("/tools", on=other)
    url = serve(other, root_path="/behind")
    assert text(Peer(f"{url}/tools", version).call("list_rows")) == ROWS.replace("http://localhost", url)
    assert log == ["start"]
    assert web.get(f"{url}/rows", **OPTIONS).text == "everything else"


ORDERS = [("api", "other"), ("other", "api")]


@pytest.mark.parametrize("start", ORDERS)
@pytest.mark.parametrize("end", ORDERS)
async def test_the_lifespan_runs_once_when_both_applications_run(start: tuple[str, str], end: tuple[str, str]) -> None:
    log: list[str] = []
    apps = {"api": make_api(log), "other": FastAPI()}
    Toolway(apps["api"]).mount(on=apps["other"])
    runs = {name: AsyncExitStack() for name in apps}
    for name in start:
        await runs[name].enter_async_context(running(apps[name]))
    assert await rows(apps["other"]) == ROWS
    await runs[end[0]].aclose()
    # An application's own server stops it for all; one that another application started runs until the last leaves.
    assert log == (["start", "end"] if start[0] == end[0] == "api" else ["start"])
    await runs[end[1]].aclose()
    assert log == ["start", "end"]


async def test_several_servers_on_another_application_start_the_api_once() -> None:
    log: list[str] = []
    api, other = make_api(log), FastAPI()
    Toolway(api).mount(on=other)
    Toolway(api, exclude={"tags": ["secret"]}).mount("/public", on=other)
    async with running(other), running(api):
        assert len((await asked(other)).json()["result"]["tools"]) == 2
        assert len((await asked(other, "/public")).json()["result"]["tools"]) == 1
    assert log == ["start", "end"]


async def test_a_second_startup_runs_the_lifespan_again() -> None:
    log: list[str] = []
    other = FastAPI()
    Toolway(make_api(log)).mount(on=other)
    for _ in range(2):
        async with running(other):
            assert await rows(other) == ROWS
    assert log == ["start", "end"] * 2


async def test_an_api_that_is_also_mounted_in_the_other_application_is_started_once() -> None:
    log: list[str] = []
    api = make_api(log)

    @asynccontextmanager
    async def lifespan(_: FastAPI) -> AsyncGenerator[None]:
        async with running(api):
            yield

    other = FastAPI(lifespan=lifespan)
    other.mount("/api", api)
    Toolway(api).mount(on=other)
    async with running(other):
        assert await rows(other) == ROWS
    assert log == ["start", "end"]


async def test_a_failing_startup_fails_the_other_application() -> None:
    @asynccontextmanager
    async def lifespan(_: FastAPI) -> AsyncGenerator[None]:
        raise OSError("no database")
        yield

    other = FastAPI()
    Toolway(FastAPI(lifespan=lifespan)).mount(on=other)
    with pytest.raises(OSError, match="no database"):
        async with running(other):
            pass


async def test_a_failing_shutdown_fails_the_other_application() -> None:
    @asynccontextmanager
    async def lifespan(_: FastAPI) -> AsyncGenerator[None]:
        yield
        raise OSError("not saved")

    other = FastAPI()
    Toolway(FastAPI(lifespan=lifespan)).mount(on=other)
    with pytest.raises(OSError, match="not saved"):
        async with running(other):
            pass


async def test_without_a_lifespan_the_error_names_what_is_missing() -> None:
    other = FastAPI()
    Toolway(make_api()).mount(on=other)
    answer = await asked(other)
    assert answer.status_code == 503
    assert "lifespan" in answer.json()["error"]["message"]


@pytest.mark.parametrize("outer", [FastAPI, Starlette])
async def test_a_mounted_application_without_a_lifespan_names_where_to_mount(outer: type[Starlette]) -> None:
    """A server runs only the lifespan of the outermost application."""
    api, site = make_api(), outer()
    Toolway(api).mount()
    site.mount("/api", api)
    async with running(site):
        answer = await asked(site, "/api/mcp")
    assert answer.status_code == 503
    assert "mounted inside another app" in answer.json()["error"]["message"]
    assert "mount(on=outer_app)" in answer.json()["error"]["message"]


@pytest.mark.parametrize("outer", [FastAPI, Starlette])
async def test_an_outer_application_may_run_the_lifespan_itself(outer: type[Starlette]) -> None:
    api = make_api()
    Toolway(api).mount()

    @asynccontextmanager
    async def lifespan(_: Any) -> AsyncGenerator[None]:
        async with running(api):
            yield

    site = outer(lifespan=lifespan)
    site.mount("/api", api)
    async with running(site):
        assert (await asked(site, "/api/mcp")).status_code == 200


def test_mounting_on_a_running_application_logs_a_warning(serve: Serve, caplog: pytest.LogCaptureFixture) -> None:
    """Only Toolways that were mounted before startup are started."""
    app = make_api()
    toolway = Toolway(app).mount()
    Peer(f"{serve(app)}/mcp").ask("tools/list")
    toolway.mount("/again")
    assert "MCP was mounted" not in caplog.text
    Toolway(app).mount("/late")
    assert "MCP was mounted at '/late' after 'Shop' had started" in caplog.text


# Routers


@pytest.mark.parametrize("included", ["before", "after"])
async def test_a_router_serves_mcp_below_its_prefixes_and_its_own_routes_once(included: str) -> None:
    if included == "before" and COPIES_ROUTERS:
        pytest.skip("before 0.137 a router that is included is copied")
    api, router = make_api(), APIRouter(prefix="/v1")

    @router.get("/things", operation_id="list_things")
    async def list_things() -> list[str]:
        return ["fork"]

    if included == "before":
        api.include_router(router, prefix="/api")
        assert api.openapi()["paths"]
    toolway = Toolway(api).mount(on=router)
    if included == "after":
        api.include_router(router, prefix="/api")
    async with running(api):
        assert (await asked(api, "/api/v1/mcp")).status_code == 200
        assert (await asked(api, "/v1/mcp")).status_code == 404
        names = list(toolway.catalog.tools)
    assert sorted(names) == ["list_rows", "list_things", "read_secret"]


async def test_a_router_of_another_application_runs_the_lifespan_of_the_api() -> None:
    log: list[str] = []
    other, router = FastAPI(), APIRouter()
    Toolway(make_api(log)).mount(on=router)
    other.include_router(router)
    async with running(other):
        assert await rows(other) == ROWS
    assert log == ["start", "end"]


async def refuse(x_pass: Annotated[str, Header()] = "") -> None:
    """Accept requests with the right header."""
    if x_pass != "please":
        raise HTTPException(401, "say please", {"WWW-Authenticate": 'Bearer realm="shop"'})


@pytest.mark.parametrize("where", ["router", "other application", "include"])
async def test_the_dependencies_of_the_mount_guard_mcp(where: str) -> None:
    guards = [Depends(refuse)]
    host = FastAPI(dependencies=guards if where == "other application" else None)
    router = APIRouter(dependencies=guards if where == "router" else None)
    Toolway(make_api()).mount(on=host if where == "other application" else router)
    host.include_router(router, dependencies=guards if where == "include" else None)
    async with running(host):
        assert (await asked(host)).status_code == 401


async def test_the_applications_own_dependencies_run_with_its_endpoints() -> None:
    app = FastAPI(dependencies=[Depends(refuse)])

    @app.get("/open", operation_id="open_door")
    async def open_door() -> str:
        return "open"

    Toolway(app).mount()
    async with running(app):
        (tool,) = (await asked(app)).json()["result"]["tools"]
        assert tool["inputSchema"]["properties"] == {}  # the header comes with the MCP request
        refused = await asked(app, method="tools/call", name="open_door", arguments={})
        assert refused.json()["result"]["isError"] is True


class Closed:
    """Middleware that rejects every request."""

    def __init__(self, app: ASGIApp) -> None: ...

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        await PlainTextResponse("closed", 403)(scope, receive, send)


@pytest.mark.parametrize("added", ["before", "after", "behind everything"])
async def test_the_applications_own_middleware_guards_mcp_whenever_it_is_added(added: str) -> None:
    app = make_api()
    if added == "before":
        app.add_middleware(Closed)
    Toolway(app).mount()
    if added == "after":
        app.add_middleware(Closed)
    if added == "behind everything":
        app.user_middleware.append(Middleware(Closed))
    async with running(app):
        assert (await asked(app)).status_code == 403


async def test_a_route_that_is_inserted_before_mcp_wins() -> None:
    app = make_api()
    Toolway(app).mount()

    async def maintenance(request: Request) -> PlainTextResponse:
        return PlainTextResponse(f"closed: {request.url.path}", 503)

    async with running(app):
        assert (await asked(app)).status_code == 200
        app.router.routes.insert(0, Route("/{path:path}", maintenance, methods=["GET", "POST"]))
        assert (await asked(app)).status_code == 503


async def test_a_wrapper_of_the_router_also_wraps_mcp() -> None:
    app = make_api()
    Toolway(app).mount()
    async with running(app):
        assert (await asked(app)).status_code == 200
        app.router.middleware_stack = Closed(app.router.app)
        assert (await asked(app)).status_code == 403


# Several


def test_several_toolways_on_one_application_share_its_lifespan(serve: Serve) -> None:
    log: list[str] = []
    app = make_api(log)
    first = Toolway(app).mount()
    Toolway(app, exclude={"tags": ["secret"]}).mount("/public")
    first.mount("/again")
    url = serve(app)
    assert listed(Peer(f"{url}/mcp")) == listed(Peer(f"{url}/again")) == ["list_rows", "read_secret"]
    assert listed(Peer(f"{url}/public")) == ["list_rows"]
    assert "read_secret" in Peer(f"{url}/public").refusal("tools/call", {"name": "read_secret"})["message"]
    assert log == ["start"]


@pytest.mark.parametrize("taken", ["toolway", "route", "mount"])
def test_a_path_that_is_taken_is_rejected(taken: str) -> None:
    app = make_api()
    if taken == "toolway":
        Toolway(app).mount("/rows/mcp")
    elif taken == "route":
        app.add_api_route("/rows/mcp", refuse)
    else:
        app.mount("/rows/mcp", FastAPI())
    with pytest.raises(ConfigurationError, match="'/rows/mcp' is already taken by another route"):
        Toolway(app).mount("/rows/mcp")


# Guards


@pytest.mark.parametrize("on", [None, FastAPI(), APIRouter()], ids=["itself", "application", "router"])
def test_a_bare_function_is_rejected_as_a_dependency(on: FastAPI | APIRouter | None) -> None:
    with pytest.raises(ConfigurationError) as caught:
        Toolway(make_api()).mount(on=on, dependencies=[refuse])  # type: ignore[list-item]
    assert str(caught.value).startswith("expected dependencies such as Depends(check), got <function refuse")


@pytest.mark.parametrize("method", ["GET", "POST", "DELETE", "PUT", "HEAD"])
async def test_a_guard_responds_to_every_method(method: str) -> None:
    app = make_api()
    Toolway(app).mount(dependencies=[Depends(refuse)])
    async with (
        running(app),
        httpx2.AsyncClient(transport=httpx2.ASGITransport(app=app), base_url="http://localhost") as client,
    ):
        answer = await client.request(method, "/mcp")
        assert answer.status_code == 401
        assert answer.headers["www-authenticate"] == 'Bearer realm="shop"'
        if method != "HEAD":
            assert answer.json() == {"detail": "say please"}
        passed = await client.request(method, "/mcp", headers={"x-pass": "please"})
        assert passed.status_code in {405, 406, 415}


async def test_a_guard_can_be_overridden_like_any_dependency() -> None:
    app = make_api()
    Toolway(app).mount(dependencies=[Depends(refuse)])
    app.dependency_overrides[refuse] = lambda: None
    async with running(app):
        assert (await asked(app)).status_code == 200


async def test_a_guard_may_read_the_body_and_add_background_tasks() -> None:
    app, log = make_api(), list[str]()

    async def sign(request: Request, tasks: BackgroundTasks) -> None:
        log.append((await request.json())["method"])
        tasks.add_task(log.append, "later")

    Toolway(app).mount(dependencies=[Depends(sign)])
    async with running(app):
        assert await rows(app) == ROWS
    assert log == ["tools/call", "later"]


@pytest.mark.parametrize("version", ERAS)
async def test_streams_and_dependencies_with_yield_work_behind_a_guard(version: str) -> None:
    app, log = FastAPI(), list[str]()

    @app.get("/stream", operation_id="read_stream")
    async def read_stream() -> StreamingResponse:
        async def lines() -> AsyncGenerator[str]:
            for number in range(3):
                yield f"line {number}\n"

        return StreamingResponse(lines(), media_type="text/plain")

    async def opened() -> AsyncGenerator[None]:
        log.append("open")
        yield
        log.append("close")

    Toolway(app).mount(dependencies=[Depends(opened)])
    params = {"name": "read_stream", "arguments": {}, "_meta": {"progressToken": "p"}}
    async with running(app):
        *progress, answer = messages(await asked(app, method="tools/call", version=version, **params))
    assert [event["params"]["message"] for event in progress] == ["line 0", "line 1", "line 2"]
    assert text(answer["result"]) == "line 0\nline 1\nline 2\n"
    assert log == ["open", "close"]


@pytest.mark.parametrize("fast_lane", [True, False])
def test_a_disconnect_behind_a_guard_cancels_the_call(serve: Serve, fast_lane: bool) -> None:
    app, ended = FastAPI(), threading.Event()

    @app.get("/wait", operation_id="wait_long")
    async def wait_long() -> None:
        try:
            await anyio.sleep_forever()
        finally:
            ended.set()

    async def opened() -> AsyncGenerator[None]:
        yield

    Toolway(app, settings=Settings(fast_lane=fast_lane)).mount(dependencies=[Depends(opened)])
    peer = Peer(f"{serve(app)}/mcp")
    body = message(peer.version, "tools/call", {"name": "wait_long", "arguments": {}})
    with pytest.raises(httpx2.ReadTimeout):
        httpx2.post(peer.url, json=body, headers=headers_of(peer.version, body), **{**OPTIONS, "timeout": 0.5})
    assert ended.wait(PATIENCE)


# Unmounted Toolways


def test_unmounted_toolways_do_not_accumulate_on_an_application() -> None:
    app = FastAPI()
    made = [ref(Toolway(app)) for _ in range(20)]
    gc.collect()
    assert sum(toolway() is not None for toolway in made) <= 2


def test_an_application_is_collected_with_its_toolways() -> None:
    made = ref(app := FastAPI())
    Toolway(app)
    Toolway(app).mount()
    del app
    gc.collect()
    assert made() is None
