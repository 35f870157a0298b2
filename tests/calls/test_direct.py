"""Plain endpoints are called without the ASGI stack, and nobody can tell the difference."""

from __future__ import annotations

import functools
import json
from collections.abc import AsyncGenerator, Callable
from contextlib import asynccontextmanager
from datetime import date, datetime
from enum import Enum
from typing import Annotated, Any, Literal, cast
from uuid import UUID

import fastapi
import httpx2
import pytest
from fastapi import (
    APIRouter,
    BackgroundTasks,
    Body,
    Depends,
    FastAPI,
    Form,
    Header,
    HTTPException,
    Query,
    Request,
    Response,
)
from fastapi import routing as fastapi_routing
from fastapi.exceptions import RequestValidationError, ResponseValidationError
from fastapi.responses import JSONResponse, PlainTextResponse
from fastapi.routing import APIRoute
from opentelemetry import trace
from pydantic import AfterValidator, AliasChoices, BaseModel, ConfigDict, Json
from starlette.middleware.cors import CORSMiddleware
from starlette.middleware.gzip import GZipMiddleware
from starlette.routing import Host, Match, Route
from starlette.types import ASGIApp, Receive, Scope, Send

from tests import web
from tests.calls.stack import (
    IS_COVERED,
    Passes,
    answers_of,
    assert_calls_alike,
    call,
    client_of,
    counted,
    is_direct,
    require_direct_calls,
    without_reference,
)
from tests.protocol.wire import ERAS, MODERN, headers_of, message
from toolway import Settings, Toolway


def plain_app(**options: Any) -> FastAPI:
    app = FastAPI(**options)

    @app.get("/counted", operation_id="counted")
    async def endpoint() -> Passes:
        return counted()

    return app


@require_direct_calls
async def test_a_plain_endpoint_is_called_without_the_stack() -> None:
    assert await is_direct(plain_app(), "counted")


@require_direct_calls
async def test_so_is_one_of_a_router_that_was_included() -> None:
    app, router = FastAPI(), APIRouter(prefix="/deep", tags=["deep"])

    @router.get("/counted", operation_id="counted")
    async def endpoint() -> Passes:
        return counted()

    app.include_router(router, prefix="/deeper")
    assert await is_direct(app, "counted")


async def test_a_setting_switches_it_off() -> None:
    assert not await is_direct(plain_app(), "counted", direct=False)


class Passing:
    """Middleware that does nothing."""

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        await self.app(scope, receive, send)


@pytest.mark.parametrize("middleware", [Passing, GZipMiddleware])
async def test_an_application_with_middleware_has_all_its_requests_go_through_it(middleware: Any) -> None:
    app = plain_app()
    app.add_middleware(middleware)
    assert not await is_direct(app, "counted")


@require_direct_calls
async def test_middleware_that_only_browsers_see_need_not_be_passed() -> None:
    app = plain_app()
    app.add_middleware(CORSMiddleware, allow_origins=["*"])
    assert await is_direct(app, "counted")


class OwnRouter(APIRouter):
    async def handle(self, scope: Scope, receive: Receive, send: Send) -> None:
        await super().handle(scope, receive, send)


@require_direct_calls
async def test_a_route_that_is_wrapped_is_left_to_the_router() -> None:
    wrapped = plain_app()
    route = next(route for route in wrapped.routes if isinstance(route, APIRoute))
    vars(route)["handle"] = route.handle
    assert not await is_direct(wrapped, "counted")


@pytest.mark.skipif(fastapi.__version__ < "0.165", reason="the first release with limits on forms")
async def test_limits_on_forms_are_kept_by_the_router() -> None:
    assert not await is_direct(plain_app(form_limits={"max_fields": 3}), "counted")


class ByHeader(Route):
    """A route that may take any request."""

    def matches(self, scope: Scope) -> tuple[Match, Scope]:
        return super().matches(scope)


@require_direct_calls
async def test_a_refresh_looks_at_the_application_again() -> None:
    app = plain_app()
    toolway = Toolway(app, settings=Settings(_env_file=None)).mount()
    transport = httpx2.ASGITransport(app=app)
    async with (
        app.router.lifespan_context(app),
        web.AsyncClient(transport=transport, base_url="http://localhost") as client,
    ):
        assert (await call(client, "counted"))["structuredContent"] == {"count": 1}
        app.router.routes.append(ByHeader("/any", counted))
        toolway.refresh()
        assert (await call(client, "counted"))["structuredContent"] == {"count": 2}


@require_direct_calls
async def test_a_router_that_chooses_by_more_than_the_path_is_left_to_choose() -> None:
    for inner in (OwnRouter(), APIRouter(routes=[Host("elsewhere", APIRouter())])):
        app, outer = plain_app(), APIRouter()
        inner.get("/other")(counted)
        outer.include_router(inner)
        app.include_router(outer)
        assert not await is_direct(app, "counted")


async def test_an_application_that_handles_server_errors_handles_all_of_them() -> None:
    app = plain_app(exception_handlers={Exception: lambda *_: PlainTextResponse("Oh no", 500)})
    assert not await is_direct(app, "counted")


async def test_limits_on_bodies_are_kept_by_the_stack() -> None:
    assert not await is_direct(plain_app(max_body_size=100_000), "counted")


async def test_an_application_that_changes_how_it_is_called_is_called_so() -> None:
    class Own(FastAPI):
        async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
            await super().__call__(scope, receive, send)

    app = Own()

    @app.get("/counted", operation_id="counted")
    async def endpoint() -> Passes:
        return counted()

    assert not await is_direct(app, "counted")


class Tracing(trace.TracerProvider):
    def get_tracer(self, *_: Any, **__: Any) -> trace.Tracer:
        return trace.NoOpTracer()


async def test_requests_that_are_traced_are_traced_whole() -> None:
    app = plain_app(telemetry={"tracer_provider": Tracing()})
    assert not await is_direct(app, "counted")


async def test_a_patched_fastapi_is_left_to_who_patched_it(monkeypatch: pytest.MonkeyPatch) -> None:
    original = fastapi_routing.run_endpoint_function

    async def patched(**options: Any) -> Any:
        return await original(**options)

    monkeypatch.setattr(fastapi_routing, "run_endpoint_function", patched)
    assert not await is_direct(plain_app(), "counted")


async def test_a_caller_that_came_through_another_application_says_nothing_of_this_one() -> None:
    app, site = plain_app(), FastAPI()
    Toolway(app, settings=Settings(_env_file=None)).mount(on=site)
    transport = httpx2.ASGITransport(app=site)
    async with (
        site.router.lifespan_context(site),
        web.AsyncClient(transport=transport, base_url="http://localhost") as client,
    ):
        assert (await call(client, "counted"))["structuredContent"] == {"count": 2}


def _noted() -> None: ...


class OwnRoute(APIRoute): ...


def with_dependency(app: FastAPI) -> None:
    @app.get("/counted", operation_id="counted", dependencies=[Depends(_noted)])
    async def endpoint() -> Passes:
        return counted()


def with_request(app: FastAPI) -> None:
    @app.get("/counted", operation_id="counted")
    async def endpoint(request: Request) -> Passes:
        return counted()


def with_response(app: FastAPI) -> None:
    @app.get("/counted", operation_id="counted")
    async def endpoint(response: Response) -> Passes:
        return counted()


def with_background(app: FastAPI) -> None:
    @app.get("/counted", operation_id="counted")
    async def endpoint(background: BackgroundTasks) -> Passes:
        return counted()


def with_header(app: FastAPI) -> None:
    @app.get("/counted", operation_id="counted")
    async def endpoint(x_name: Annotated[str, Header()] = "") -> Passes:
        return counted()


def with_response_class(app: FastAPI) -> None:
    @app.get("/counted", operation_id="counted", response_class=JSONResponse)
    async def endpoint() -> Passes:
        return counted()


def with_route_class(app: FastAPI) -> None:
    app.router.route_class = OwnRoute
    with_annotation_only(app)


def with_annotation_only(app: FastAPI) -> None:
    @app.get("/counted", operation_id="counted")
    async def endpoint() -> Passes:
        return counted()


def with_form(app: FastAPI) -> None:
    @app.post("/counted", operation_id="counted")
    async def endpoint(name: Annotated[str, Form()] = "") -> Passes:
        return counted()


@require_direct_calls
@pytest.mark.parametrize("shape", [with_dependency, with_request, with_response, with_background, with_header])
async def test_what_takes_more_than_values_is_solved_without_the_stack(shape: Callable[[FastAPI], None]) -> None:
    app = FastAPI()
    shape(app)
    assert await is_direct(app, "counted")


@pytest.mark.parametrize("shape", [with_response_class, with_route_class, with_form])
async def test_what_is_read_or_written_otherwise_goes_through_the_stack(shape: Callable[[FastAPI], None]) -> None:
    app = FastAPI()
    shape(app)
    assert not await is_direct(app, "counted")


class Line(BaseModel):
    sku: str
    count: int = 1


class RefusedError(Exception):
    pass


async def ended(how: str) -> Line:
    match how:
        case "missing":
            raise HTTPException(404, "No such line", headers={"x-why": "because"})
        case "refused":
            raise RefusedError("not today")
        case "broken":
            raise RuntimeError("a secret")
        case "response":
            return JSONResponse({"sku": "own", "count": 2}, 200)  # type: ignore[return-value]
        case "promise":
            return {"count": "many"}  # type: ignore[return-value]
        case _:
            return Line(sku=how)


class Size(Enum):
    SMALL = "small"
    LARGE = "large"


Pages: Any = Json[list[int]] if IS_COVERED else str  # which older releases refuse


class Page(BaseModel):
    model_config = ConfigDict(extra="forbid")

    number: int = 1
    sizes: list[int] = []


class Numbers(BaseModel):
    value: float


class Infinities(BaseModel):
    model_config = ConfigDict(ser_json_inf_nan="constants")

    value: float


def picked(number: int) -> int:
    """Fail in a way that is no refusal to Pydantic, as any code of an application can."""
    if number == 404:
        raise KeyError(number)
    if number >= 400:
        raise HTTPException(number, "not this one")
    return number


class Picked(BaseModel):
    number: Annotated[int, AfterValidator(picked)]


class Node(BaseModel):
    below: list[list[list[list[Node]]]] = []
    text: str = ""


class Kind(Enum):
    OWN = Infinities(value=float("inf"))


class Several(BaseModel):
    model_config = ConfigDict(polymorphic_serialization=True)


class Infinite(Several):
    model_config = ConfigDict(ser_json_inf_nan="constants")

    value: float


def values() -> APIRouter:
    """Values of many kinds, read and written."""
    router = APIRouter()

    @router.get("/read/{size}", operation_id="read")
    async def read(
        size: Size,
        day: Annotated[date, Query(alias="on")],
        kind: Literal["a", "b"] = "a",
        since: datetime | None = None,
        key: Annotated[UUID | None, Query(alias="the-key")] = None,
        name: Annotated[str, Query(validation_alias=AliasChoices("name", "title"))] = "none",
        pages: Annotated[Pages | None, Query()] = None,
    ) -> list[Any]:
        return [size, day, kind, since, key, name, pages]

    @router.post("/picky/{number}", operation_id="picky")
    async def picky(
        number: Annotated[int, AfterValidator(picked)],
        other: Annotated[int, Query(default_factory=lambda: picked(418))],
        line: Picked | None = None,
    ) -> list[Any]:
        return [number, other, line]

    @router.get("/nodes/{levels}", operation_id="nodes")
    async def nodes(levels: int) -> Node:
        node = Node(text="x" * 70_000)
        for _ in range(levels):
            node = Node(below=[[[[node]]]])
        return node

    @router.get("/made", operation_id="made")
    async def made() -> list[Kind]:
        return [Kind.OWN] * 2

    @router.get("/several", operation_id="several")
    async def several() -> list[Several]:
        return [Infinite(value=float("nan"))]

    @router.get("/paged", operation_id="paged")
    async def paged(page: Annotated[Page, Query()]) -> Page:
        return page

    @router.get("/numbers/{many}", operation_id="numbers")
    async def numbers(many: int, kind: str = "finite") -> list[Numbers]:
        return [Numbers(value=float(kind) if kind != "finite" else 0.5)] * many

    @router.get("/infinities/{many}", operation_id="infinities")
    async def infinities(many: int, kind: str = "finite") -> list[Infinities]:
        return [Infinities(value=float(kind) if kind != "finite" else 0.5)] * many

    return router


def shop() -> FastAPI:
    """Everything that a plain endpoint can be, and every way in which it can end."""
    app = FastAPI()
    app.state.did = []

    def note(what: str) -> None:
        app.state.did.append(what)

    @app.exception_handler(RefusedError)
    async def refused(request: Request, error: RefusedError) -> JSONResponse:
        where = str(request.url_for("ended", how="x"))
        told = [str(error), where, request.scope["route"].path, request.path_params, (await request.body()).decode()]
        return JSONResponse({"detail": told}, 409)

    @app.get("/texts/{text}")
    async def texts(text: str, many: Annotated[list[int] | None, Query()] = None, flag: bool = False) -> list[Any]:
        note("texts")
        return [text, many, flag]

    @app.put("/lines/{number}")
    async def lines(number: int, line: Line, reason: Annotated[str, Body()] = "none") -> dict[str, Line | int | str]:
        note("lines")
        return {"line": line, "number": number, "reason": reason}

    @app.post("/line", status_code=201)
    def line(line: Line) -> Line:
        note("line")
        return line

    @app.post("/optional")
    async def optional(line: Line | None = None) -> Line | None:
        return line

    app.include_router(values())
    app.get("/ended/{how}")(ended)
    app.get("/counter", operation_id="counter")(Counter())
    app.get("/repeated", response_model=list[int])(repeated)
    app.get("/partial", operation_id="partial", response_model=list[int])(functools.partial(repeated, start=3))

    for status in (302, 404, 500):

        @app.get(f"/declared/{status}", operation_id=f"declared_{status}", status_code=status)
        async def declared() -> list[int]:
            return [1]

    @app.get("/large")
    async def large() -> list[str]:
        return ["x" * 1000] * 300

    return app


class Counter:
    """An endpoint that is no function."""

    async def __call__(self, start: int) -> list[int]:
        return [start + 1]


def twice(endpoint: Callable[..., Any]) -> Callable[..., Any]:
    @functools.wraps(endpoint)
    async def both(*args: Any, **kwargs: Any) -> Any:
        return [await endpoint(*args, **kwargs) for _ in range(2)]

    return both


@twice
async def repeated(start: int) -> int:
    return start


CALLS: list[tuple[str, dict[str, Any]]] = [
    ("texts", {"text": "a b/c"[:3], "many": [1, 2], "flag": True}),
    ("texts", {"text": "%41?&=#", "many": 7}),
    ("texts", {"text": "x", "many": ["one"]}),
    ("texts", {"text": "..", "flag": "perhaps"}),
    ("lines", {"number": 7, "line": {"sku": "a", "count": 3}}),
    ("lines", {"number": "seven", "line": {"sku": "a"}, "reason": "x"}),
    ("lines", {"number": 1.5, "line": None, "reason": None}),
    ("line", {"sku": "a", "count": 10**400}),
    ("line", {"sku": "ä\n\"'\\\u2028", "count": 2}),
    ("line", {}),
    ("optional", {}),
    ("optional", {"sku": "a"}),
    ("ended", {"how": "missing"}),
    ("ended", {"how": "refused"}),
    ("ended", {"how": "response"}),
    ("ended", {"how": "fine"}),
    ("ended", {"how": "fine", "other": 1}),
    ("large", {}),
    *[(f"declared_{status}", {}) for status in (302, 404, 500)],
    ("counter", {"start": 1}),
    ("repeated", {"start": 1}),
    ("partial", {}),
    ("read", {"size": "small", "on": "2026-11-28", "the-key": "12345678-1234-5678-1234-567812345678", "pages": "[1]"}),
    ("read", {"size": "large", "on": "2026-11-28", "kind": "b", "title": "x", "since": "2026-11-28T10:00:00Z"}),
    ("read", {"size": "huge", "on": "someday", "kind": "c", "pages": "["}),
    ("read", {"size": "small", "day": "2026-11-28"}),
    ("paged", {"number": 3, "sizes": [1, 2]}),
    ("paged", {"number": "three"}),
    ("picky", {"number": 1, "other": 2, "line": {"number": 3}}),
    ("picky", {"number": 418, "other": 2}),
    ("picky", {"number": 404, "other": 2}),
    ("picky", {"number": 1}),
    ("picky", {"number": 1, "other": 2, "line": {"number": 418}}),
    ("picky", {"number": 1, "other": 2, "line": {"number": 404}}),
    ("nodes", {"levels": 3}),
    ("nodes", {"levels": 200}),
    ("made", {}),
    ("several", {}),
    *[
        (tool, {"many": many, "kind": kind})
        for tool in ("numbers", "infinities")
        for many in (2, 7000)
        for kind in ("finite", "nan", "-inf")
    ],
]


@pytest.mark.parametrize("version", ERAS)
async def test_direct_calls_end_as_any_other(version: str) -> None:
    await assert_calls_alike(shop, CALLS, version)


async def test_handlers_count_as_they_were_when_the_application_was_built() -> None:
    def make() -> FastAPI:
        @asynccontextmanager
        async def late(app: FastAPI) -> AsyncGenerator[None]:
            app.middleware_stack = app.build_middleware_stack()  # as any server has it built by now
            app.add_exception_handler(KeyError, lambda *_: JSONResponse({"detail": "too late"}, 404))
            app.add_exception_handler(500, lambda *_: JSONResponse({"detail": "too late"}, 500))
            yield

        app = FastAPI(lifespan=late)

        @app.get("/missing", operation_id="missing")
        async def missing() -> int:
            raise KeyError("x")

        return app

    plain, texts = await answers_of(make, "/missing", "missing")
    assert plain == (500, "Internal Server Error")
    assert all(text.startswith("The tool failed") for text in texts)


tries: list[int] = []


def not_at_first(value: int) -> int:
    tries.append(value)
    if len(tries) == 1:
        raise ValueError("the first is refused")
    return value


async def test_refused_values_are_validated_once() -> None:
    def make() -> FastAPI:
        tries.clear()
        app = FastAPI()

        @app.get("/tries/{value}", operation_id="tries")
        async def endpoint(value: Annotated[int, AfterValidator(not_at_first)]) -> int:
            return len(tries)

        return app

    (status, body), texts = await answers_of(make, "/tries/5", "tries", value=5)
    assert status == 422
    assert "the first is refused" in body
    assert texts[0] == texts[1]
    assert "the first is refused" in texts[0]


@pytest.mark.parametrize("path", ["/bodies/1", "/bodies/x?page=y", "/promises", "/raises"])
async def test_handlers_of_refusals_get_all_of_them(path: str) -> None:
    def make() -> FastAPI:
        # FastAPI keeps what an error says of its endpoint under the function's id, which an earlier one may have had.
        getattr(fastapi_routing, "_endpoint_context_cache", {}).clear()
        app = FastAPI()

        @app.exception_handler(ResponseValidationError)
        @app.exception_handler(RequestValidationError)
        async def handler(_: Request, error: RequestValidationError | ResponseValidationError) -> JSONResponse:
            return JSONResponse({"detail": [str(error), repr(error.body), getattr(error, "endpoint_path", None)]}, 409)

        @app.get("/bodies/{number}", operation_id="bodies")
        async def bodies(number: int, page: int) -> int:
            return number + page

        @app.get("/promises", operation_id="promises")
        async def promises() -> int:
            return cast("int", "none")

        @app.get("/raises", operation_id="raises")
        async def raises() -> int:
            raise RequestValidationError([{"type": "own", "loc": ("query", "x"), "msg": "Not today"}])

        return app

    arguments: dict[str, Any] = {"/bodies/1": {"number": 1}, "/bodies/x?page=y": {"number": "x", "page": "y"}}.get(
        path, {}
    )
    (status, body), texts = await answers_of(make, path, path.split("/")[1], **arguments)
    assert status == 409
    assert texts[0] == texts[1]
    assert json.loads(body)["detail"][0].splitlines()[-1] in texts[0].replace("\\n", "\n")


@pytest.mark.parametrize("version", ERAS)
async def test_numbers_that_python_does_not_read_are_told_alike(version: str) -> None:
    def make() -> FastAPI:
        app = FastAPI()

        @app.get("/huge", operation_id="huge")
        async def huge() -> int:
            return 10**5000

        return app

    told: list[Any] = []
    for direct in (True, False):
        async with client_of(make(), direct=direct) as client:
            told.append(without_reference(await call(client, "huge", version)))
    assert told[0] == told[1]


@pytest.mark.parametrize("how", ["broken", "promise"])
async def test_a_failure_leaks_nothing(how: str, caplog: pytest.LogCaptureFixture) -> None:
    async with client_of(shop()) as client:
        result = await call(client, "ended", how=how)
    assert result["isError"]
    assert "secret" not in str(result)
    assert result["_meta"]["toolway/error"]["status"] == 500
    assert "a secret" in caplog.text or "ResponseValidationError" in caplog.text


@pytest.mark.parametrize("direct", [True, False])
async def test_a_key_in_the_query_that_only_the_document_knows_of_arrives(direct: bool) -> None:
    app = FastAPI()

    @app.get("/keyed", operation_id="keyed")
    async def keyed(key: str = "none") -> str:
        return key

    document = app.openapi()
    document["components"] = {"securitySchemes": {"Key": {"type": "apiKey", "in": "query", "name": "key"}}}
    document["paths"]["/keyed"]["get"]["security"] = [{"Key": []}]
    body = message(MODERN, "tools/call", {"name": "keyed", "arguments": {}})
    async with client_of(app, direct=direct) as client:
        response = await client.post("/mcp?key=secret", json=body, headers=headers_of(MODERN, body))
    assert response.json()["result"]["structuredContent"] == "secret"
