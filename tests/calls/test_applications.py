"""Applications of every build: routers, mounts, middleware, handlers, lifespans, documents of their own."""

from __future__ import annotations

import re
import warnings
from collections.abc import AsyncGenerator, Awaitable, Callable
from contextlib import asynccontextmanager
from typing import Annotated, Any

import pytest
from fastapi import APIRouter, BackgroundTasks, Depends, FastAPI, HTTPException, Request
from fastapi.responses import JSONResponse, PlainTextResponse, Response
from starlette.middleware.base import BaseHTTPMiddleware
from starlette.middleware.gzip import GZipMiddleware
from starlette.middleware.trustedhost import TrustedHostMiddleware
from starlette.types import ASGIApp, Receive, Scope, Send

from tests import web
from tests.calls.both import assert_same, both, error_of, text_of
from tests.protocol.wire import ERAS, Peer
from tests.servers import Serve
from toolway import Settings, Toolway


def sub_application(name: str) -> FastAPI:
    """An application with one static and one filled path, which says its name."""
    app = FastAPI(title=name)

    @app.get("/things/special", operation_id=f"{name}_special")
    async def special() -> Any:
        return f"{name} special"

    @app.get("/things/{thing}", operation_id=f"{name}_thing")
    async def thing(thing: str, request: Request) -> Any:
        return [name, thing, request.url.path, request.scope["root_path"]]

    return app


async def test_a_router_included_twice_gives_two_sets_of_tools() -> None:
    router = APIRouter(tags=["inner"])

    @router.get("/items/{item}")
    async def read_item(item: str, request: Request) -> Any:
        return [item, request.url.path]

    outer = APIRouter(prefix="/outer")
    outer.include_router(router, prefix="/first")
    app = FastAPI()
    app.include_router(outer)
    app.include_router(router, prefix="/second")
    async with both(app) as reached:
        assert len(reached.catalog.tools) == 2
        for tool in reached.catalog.tools.values():
            path = tool.operation.path.replace("{item}", "x")
            assert_same(await reached.call(tool.name, {"item": "x"}), await reached.web.get(path))


async def test_mounted_applications_are_reached_under_their_prefix() -> None:
    app, inner = FastAPI(), sub_application("inner")
    inner.mount("/deepest", sub_application("deepest"))
    app.mount("/inner", inner)
    app.mount("/of/{tenant}", sub_application("tenant"))
    app.mount("/wrapped", GZipMiddleware(sub_application("lost")))  # no application is seen through other classes
    async with both(app) as reached:
        assert list(reached.catalog.tools) == [
            "inner_special", "inner_thing", "deepest_special", "deepest_thing", "tenant_special", "tenant_thing",
        ]  # fmt: skip
        calls = {
            "/inner/things/a b": ("inner_thing", {"thing": "a b"}),
            "/inner/deepest/things/x": ("deepest_thing", {"thing": "x"}),
            "/of/me/things/y": ("tenant_thing", {"tenant": "me", "thing": "y"}),
            "/of/me/things/special": ("tenant_special", {"tenant": "me"}),
        }
        for path, (tool, arguments) in calls.items():
            assert_same(await reached.call(tool, arguments), await reached.web.get(path))
        refused = await reached.call("tenant_thing", {"tenant": "me", "thing": "special"})
        assert "would be routed to a different endpoint" in text_of(refused)


async def test_a_mount_whose_parameter_is_named_again_inside_is_skipped() -> None:
    app = FastAPI()
    app.mount("/of/{thing}", sub_application("inner"))
    async with both(app) as reached:
        assert list(reached.catalog.tools) == ["inner_special"]
        (skipped,) = reached.catalog.skipped
        assert skipped.path == "/of/{thing}/things/{thing}"
        assert "'thing' twice" in skipped.reason


async def test_every_method_of_a_route_is_a_tool_of_its_own() -> None:
    app = FastAPI()

    @app.api_route("/both", methods=["GET", "POST"])
    async def either(request: Request) -> Any:
        return request.method

    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", message="Duplicate Operation ID")
        async with both(app) as reached:
            assert {name: tool.operation.method for name, tool in reached.catalog.tools.items()} == {
                "either_get": "GET",
                "either_post": "POST",
            }
            assert text_of(await reached.call("either_get")) == '"GET"'
            assert text_of(await reached.call("either_post")) == '"POST"'


async def late(word: str) -> str:
    return word


async def test_routes_added_at_start_up_are_tools() -> None:
    @asynccontextmanager
    async def lifespan(app: FastAPI) -> AsyncGenerator[None]:
        app.add_api_route("/late", late)
        yield

    async with both(FastAPI(lifespan=lifespan)) as reached:
        assert text_of(await reached.call("late", {"word": "now"})) == '"now"'


async def test_the_tools_are_what_the_document_says_after_start_up() -> None:
    @asynccontextmanager
    async def lifespan(app: FastAPI) -> AsyncGenerator[None]:
        app.openapi()  # some releases of FastAPI keep the document that they have made once
        app.add_api_route("/late", late, operation_id="late")
        yield

    async with both(FastAPI(lifespan=lifespan)) as reached:
        document = (await reached.web.get("/openapi.json")).json()
        assert ("late" in reached.catalog.tools) == ("/late" in document["paths"])


async def test_an_overridden_document_is_honoured() -> None:
    app = sub_application("app")
    plain = app.openapi

    def openapi() -> dict[str, Any]:
        document = plain()
        document["paths"]["/things/{thing}"]["get"]["description"] = "Said by hand."
        return document

    app.openapi = openapi  # type: ignore[method-assign]
    async with both(app) as reached:
        assert reached.catalog.tools["app_thing"].description == "Said by hand."


def document_with(app: FastAPI, *paths: str) -> None:
    """Add GET operations to an application's document, whatever serves them."""
    document = app.openapi()
    for path in paths:
        parameters = [
            {"name": name, "in": "path", "required": True, "schema": {"type": "string"}}
            for name in re.findall(r"{(\w+)}", path)
        ]
        operation = {"operationId": path.split("/")[1], "parameters": parameters, "responses": {}}
        document["paths"][path] = {"get": operation}


class AddingRoutes:
    """Adds a route at the first request, which the document names from the start."""

    def __init__(self, app: ASGIApp, target: FastAPI) -> None:
        self.app = app
        self.target = target

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        known = {getattr(route, "path", "") for route in self.target.routes}
        if scope["type"] == "http" and "/lazy/{word}" not in known:
            self.target.get("/lazy/{word}", include_in_schema=False)(lambda word: f"late {word}")
        await self.app(scope, receive, send)


@pytest.mark.parametrize("direct", [True, False])
async def test_a_documented_route_that_is_added_at_the_first_request_is_a_tool(direct: bool) -> None:
    app = FastAPI()
    app.get("/lazy/known", operation_id="known")(lambda: "known")
    document_with(app, "/lazy/{word}")
    app.add_middleware(AddingRoutes, target=app)

    async with both(app, settings=Settings(_env_file=None, direct=direct)) as reached:
        assert text_of(await reached.call("lazy", {"word": "now"})) == '"late now"'
        assert error_of(await reached.call("lazy", {"word": "known"})) == {
            "status": None,
            "detail": "word='known' is not accepted: '/lazy/known' would be routed to a different endpoint.",
        }


async def test_a_documented_path_that_only_a_catch_all_mount_serves_is_skipped() -> None:
    async def pages(scope: Scope, receive: Receive, send: Send) -> None:
        await PlainTextResponse("a page")(scope, receive, send)

    app, inner = FastAPI(), FastAPI()
    inner.mount("/", pages)
    inner.get("/own", operation_id="own")(lambda: "own")
    document_with(inner, "/dead")
    app.mount("/api", inner)
    app.mount("/", pages)
    document_with(app, "/flows/{name}")

    async with both(app) as reached:
        skipped = {entry.path: entry.reason for entry in reached.catalog.skipped}
    reason = "only a catch-all mount serves this path, as it does any other path"
    assert (skipped["/flows/{name}"], skipped["/api/dead"]) == (reason, reason)


async def test_a_documented_path_of_a_foreign_mount_is_served_by_it() -> None:
    async def foreign(scope: Scope, receive: Receive, send: Send) -> None:
        await PlainTextResponse(scope["path"])(scope, receive, send)

    app = FastAPI()
    app.mount("/foreign", foreign)
    document = app.openapi()
    document["paths"]["/foreign/{name}"] = {"get": {"operationId": "foreign", "responses": {}}}
    app.openapi = lambda: document  # type: ignore[method-assign]
    async with both(app) as reached:
        assert text_of(await reached.call("foreign", {"name": "x y"})) == "/foreign/x y"


@pytest.mark.parametrize("version", ERAS)
def test_a_server_below_a_root_path_serves_its_endpoints(serve: Serve, version: str) -> None:
    app = sub_application("app")
    app.mount("/inner", sub_application("inner"))
    Toolway(app).mount()
    peer = Peer(f"{serve(app, root_path='/api')}/mcp", version)
    assert peer.call("app_thing", {"thing": "x"})["content"][0]["text"] == '["app","x","/api/things/x","/api"]'
    assert peer.call("inner_thing", {"thing": "x"})["content"][0]["text"] == (
        '["inner","x","/api/inner/things/x","/api/inner"]'
    )


@pytest.mark.parametrize("version", ERAS)
def test_middleware_sees_the_path_that_a_plain_request_would_have(serve: Serve, version: str) -> None:
    app = FastAPI(generate_unique_id_function=lambda route: route.name)
    app.root_path = "/api"  # a proxy takes it off the path

    @app.get("/admin/secrets")
    async def secrets() -> str:
        return "secret"

    @app.middleware("http")
    async def guard(request: Request, call_next: Callable[[Request], Awaitable[Response]]) -> Response:
        return Response("no", 403) if request.url.path.startswith("/admin") else await call_next(request)

    Toolway(app).mount()
    assert Peer(f"{serve(app)}/mcp", version).call("secrets", {})["isError"]


class Counting:
    """Plain ASGI middleware."""

    def __init__(self, app: ASGIApp, seen: list[str]) -> None:
        self.app, self.seen = app, seen

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "http":
            self.seen.append(f"{scope['method']} {scope['path']}")
        await self.app(scope, receive, send)


class Stamping(BaseHTTPMiddleware):
    """Middleware of the kind that wraps request and response."""

    async def dispatch(self, request: Request, call_next: Callable[[Request], Awaitable[Response]]) -> Response:
        if request.url.path == "/forbidden":
            return JSONResponse({"detail": "not for you"}, 403)
        request.state.stamp = "stamped"
        response = await call_next(request)
        response.headers["x-stamp"] = "stamped"
        return response


async def test_a_call_passes_all_middleware() -> None:
    app, seen = FastAPI(), list[str]()
    app.add_middleware(Counting, seen=seen)
    app.add_middleware(Stamping)
    app.add_middleware(GZipMiddleware, minimum_size=1)
    app.add_middleware(TrustedHostMiddleware, allowed_hosts=["api.example.com"])

    @app.post("/echo")
    async def echo(body: dict[str, str], request: Request) -> Any:
        return [request.state.stamp, body]

    @app.get("/forbidden")
    async def forbidden() -> Any:
        return "never"

    long = {"text": "x" * 100_000}
    async with both(app, settings=Settings(public_url="https://api.example.com", result_tokens=0)) as reached:
        result = await reached.call("echo", {"body": long})
        assert result.structured_content == ["stamped", long]
        assert seen == ["POST /echo"]
        assert error_of(await reached.call("forbidden")) == {"status": 403, "detail": "not for you"}
    async with both(app) as reached:
        assert error_of(await reached.call("echo", {"body": long}))["status"] == 400


class OutOfStockError(Exception):
    """Something of the application's own."""


async def test_exception_handlers_of_the_application_answer() -> None:
    app = FastAPI()

    @app.exception_handler(OutOfStockError)
    async def answer(request: Request, error: OutOfStockError) -> Response:
        return JSONResponse({"detail": "sold out", "code": 7}, 409)

    @app.exception_handler(HTTPException)
    async def other(request: Request, error: HTTPException) -> Response:
        return PlainTextResponse(f"plain: {error.detail}", error.status_code)

    @app.get("/buy")
    async def buy() -> Any:
        raise OutOfStockError

    @app.get("/find")
    async def find() -> Any:
        raise HTTPException(404, "not here")

    async with both(app) as reached:
        assert error_of(await reached.call("buy")) == {"status": 409, "detail": "sold out"}
        result = await reached.call("find")
        assert error_of(result) == {"status": 404, "detail": "plain: not here"}
        assert text_of(result) == "404 Not Found: plain: not here"


def test_endpoints_see_what_the_lifespan_made_and_it_runs_once(serve: Serve) -> None:
    log: list[str] = []

    @asynccontextmanager
    async def lifespan(app: FastAPI) -> AsyncGenerator[dict[str, Any]]:
        log.append("start")
        yield {"database": {"rows": 3}}
        log.append("end")

    app = FastAPI(lifespan=lifespan)

    @app.get("/rows", operation_id="rows")
    async def rows(request: Request) -> Any:
        request.state.mine = "only this request's"
        return [request.state.database["rows"], hasattr(request.state, "earlier")]

    @app.get("/leftovers", operation_id="leftovers")
    async def leftovers(request: Request) -> Any:
        return hasattr(request.state, "mine")

    Toolway(app).mount()
    url = serve(app)
    assert web.get(f"{url}/rows").json() == [3, False]
    assert Peer(f"{url}/mcp").call("rows")["structuredContent"] == [3, False]
    assert Peer(f"{url}/mcp").call("leftovers")["content"][0]["text"] == "false"
    assert log == ["start"]


async def opened(request: Request) -> AsyncGenerator[str]:
    request.app.state.log.append("open")
    try:
        yield "resource"
    finally:
        request.app.state.log.append("close")


async def test_dependencies_are_opened_and_closed_around_a_call_and_background_work_follows() -> None:
    app = FastAPI()

    @app.get("/use")
    async def use(resource: Annotated[str, Depends(opened)], tasks: BackgroundTasks) -> str:
        tasks.add_task(app.state.log.append, "background")
        app.state.log.append("run")
        return resource

    over_mcp = app.state.log = []
    async with both(app) as reached:
        assert text_of(await reached.call("use")) == '"resource"'
    over_http = app.state.log = []
    async with both(app) as reached:
        await reached.web.get("/use")
    assert over_mcp == over_http
    assert sorted(over_mcp) == ["background", "close", "open", "run"]


async def test_functions_that_block_run_in_threads() -> None:
    import threading

    app = FastAPI()

    @app.get("/thread")
    def thread() -> bool:
        return threading.current_thread() is threading.main_thread()

    async with both(app) as reached:
        assert text_of(await reached.call("thread")) == "false"
