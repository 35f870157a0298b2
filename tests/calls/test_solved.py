"""Endpoints that take more of a request than values are solved without the ASGI stack, and nobody can tell."""

from __future__ import annotations

import functools
from collections.abc import AsyncGenerator, Callable, Generator
from contextlib import asynccontextmanager, suppress
from typing import Annotated, Any
from uuid import UUID

import anyio
import pytest
from fastapi import (
    APIRouter,
    BackgroundTasks,
    Body,
    Cookie,
    Depends,
    FastAPI,
    Header,
    HTTPException,
    Query,
    Request,
    Response,
    Security,
)
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse, RedirectResponse
from fastapi.routing import APIRoute
from fastapi.security import APIKeyHeader, HTTPBearer, SecurityScopes
from pydantic import BaseModel
from starlette.requests import HTTPConnection

from tests.calls.stack import assert_calls_alike, call, client_of, require_direct_calls, without_reference
from toolway import agent_tool
from toolway.calls.direct.dispatch import DirectDispatch
from toolway.calls.direct.injected import InjectedEndpoint
from toolway.calls.direct.values_only import ValuesOnlyEndpoint
from toolway.openapi import read_application

pytestmark = require_direct_calls


class Line(BaseModel):
    sku: str
    count: int = 1


class Paging(BaseModel):
    page: int = 1
    sizes: list[int] = []


class Named(BaseModel):
    x_name: str = "nobody"
    x_tags: list[str] = []


class RefusedError(Exception):
    pass


def note(request: Request) -> Callable[[str], None]:
    """Return a function by which the order of things is noted."""
    did: list[str] = request.app.state.did
    return did.append


Note = Annotated[Callable[[str], None], Depends(note)]


class Counter:
    """A dependency that is no function."""

    def __init__(self, start: int) -> None:
        self.start = start

    def __call__(self, by: int = 1) -> int:
        return self.start + by


class Session:
    """A dependency that is a class."""

    def __init__(self, noted: Note, tenant: Annotated[str, Header()] = "none") -> None:
        noted("session")
        self.tenant = tenant


def resource(name: str, scope: Any = None, *, swallows: bool = False) -> Any:
    """Make a dependency that is opened and closed."""

    async def opened(noted: Note, fails: str = "") -> AsyncGenerator[str]:
        noted(f"{name} opened")
        if fails == f"{name} opening":
            raise HTTPException(409, fails)
        with suppress(*([RuntimeError] if swallows else [])):
            try:
                yield name
            except HTTPException as error:
                noted(f"{name} saw {error.status_code}")
                raise
            finally:
                await anyio.lowlevel.checkpoint()
                noted(f"{name} closed")
        if fails == f"{name} closing":
            raise HTTPException(409, fails)

    return Depends(opened, scope=scope)


def in_thread(noted: Note) -> Generator[int]:
    noted("thread opened")
    yield 3
    noted("thread closed")


ticks: list[str] = []


def ticking(x: Annotated[int, Query()] = 0) -> int:
    ticks.append("tick")
    return x + len(ticks)


async def kept(tick: Annotated[int, Depends(ticking)], again: Annotated[int, Depends(ticking)]) -> list[int]:
    return [tick, again]


def who(
    scopes: SecurityScopes, key: Annotated[str | None, Security(APIKeyHeader(name="x-key", auto_error=False))]
) -> str:
    return f"{key} for {scopes.scopes}"


def refuses(noted: Note, level: int = 0) -> int:
    noted("refuses")
    if level > 2:
        raise RefusedError(f"level {level}")
    if level == 2:
        raise RequestValidationError([{"type": "own", "loc": ("query", "level"), "msg": "Not two", "input": level}])
    if level == 1:
        raise HTTPException(418, {"level": level}, headers={"x-level": "1"})
    return level


def parameters() -> APIRouter:  # noqa: C901 - one after the other
    """What stands in headers, cookies and elsewhere."""
    router = APIRouter()

    @router.get("/headers", operation_id="headers")
    async def headers(
        x_text: Annotated[str, Header()],
        x_many: Annotated[list[int] | None, Header()] = None,
        odd: Annotated[int, Header(alias="X-Odd_Name")] = 3,
        x_hidden: Annotated[str, Header(include_in_schema=False)] = "hidden",
    ) -> list[Any]:
        return [x_text, x_many, odd, x_hidden]

    @router.get("/cookies", operation_id="cookies")
    async def cookies(a: Annotated[str, Cookie()] = "", b: Annotated[int | None, Cookie()] = None) -> list[Any]:
        return [a, b]

    @router.get("/models", operation_id="models")
    async def models(paging: Annotated[Paging, Query()], named: Annotated[Named, Header()]) -> list[Any]:
        return [paging, named]

    @router.get("/numbers/{number:int}/{share:float}/{key:uuid}", operation_id="numbers")
    async def numbers(number: int, share: float, key: UUID, request: Request) -> list[Any]:
        kinds = [type(value).__name__ for value in request.path_params.values()]
        return [number, share, key, kinds]

    @router.get("/ordered/{first}/{second}", operation_id="ordered")
    async def ordered(request: Request) -> dict[str, str]:
        return request.path_params

    @router.get("/changed", operation_id="changed", dependencies=[Depends(changes)])
    async def changed(
        request: Request, q: str = "none", x_text: Annotated[str, Header()] = "none", a: Annotated[str, Cookie()] = ""
    ) -> list[Any]:
        return [q, x_text, a, str(request.query_params), request.headers.get("x-text"), request.cookies]

    @router.post("/cleaned", operation_id="cleaned", dependencies=[Depends(cleans)])
    async def cleaned(line: Line) -> Line:
        return line

    @router.get("/whole/{text}", operation_id="whole")
    async def whole(text: str, request: Request, connection: HTTPConnection, noted: Note) -> dict[str, Any]:
        noted(f"{request is connection} {await request.is_disconnected()}")
        route = request.scope["route"]
        return {
            "url": str(request.url), "base": str(request.base_url), "there": str(request.url_for("whole", text="x")),
            "path": [request.scope["path"], request.scope["raw_path"].decode(), request.scope["root_path"]],
            "query": request.query_params.multi_items(), "headers": request.headers.items(), "method": request.method,
            "params": request.path_params, "client": request.client, "cookies": request.cookies,
            "route": [route.path, route.name, type(route).__name__, request.scope["endpoint"].__name__],
            "state": request.state.started, "router": request.scope["router"] is request.app.router,
            "keys": sorted(key for key in request.scope if "toolway" not in key),
            "within": _within(request.scope.get("fastapi", {})),
        }  # fmt: skip

    @router.put("/bodies/{number}", operation_id="bodies")
    async def bodies(
        number: int,
        line: Line,
        request: Request,
        counted: Annotated[int, Depends(Counter(10))],
        reason: Annotated[str, Body()] = "none",
    ) -> list[Any]:
        return [number, line, counted, reason, await request.is_disconnected(), await request.json()]

    @router.post("/raw", operation_id="raw")
    async def raw(request: Request) -> list[Any]:
        return [request.headers.get("content-type"), (await request.body()).decode()]

    @router.post("/checked", operation_id="checked")
    async def checked(line: Line | None = None, read: Annotated[bytes, Depends(read_body)] = b"") -> list[Any]:
        return [line, read.decode()]

    return router


def _within(fastapi: dict[str, Any]) -> list[Any]:
    """What FastAPI 0.165 tells of a route that is on a router."""
    context, router = fastapi.get("effective_route_context"), fastapi.get("included_router")
    return [context and context.path, router and context in router.effective_candidates()]


async def changes(request: Request) -> None:
    request.scope["query_string"] = b"q=changed"
    request.scope["headers"] = [(b"x-text", b"changed"), (b"cookie", b"a=changed")]


async def cleans(request: Request) -> None:
    line = await request.json()
    line["sku"] = line["sku"].strip()


async def read_body(request: Request, extra: Annotated[int | None, Body()] = None) -> bytes:
    return b"".join([chunk async for chunk in request.stream()]) + str(extra).encode()


def answers() -> APIRouter:  # noqa: C901 - one after the other
    """What is answered, and what is written to the response beside that."""
    router = APIRouter()

    @router.get("/untyped", operation_id="untyped")
    async def untyped(noted: Note):  # type: ignore[no-untyped-def]
        return {"line": Line(sku="a"), "set": {1}}

    @router.get("/untyped_plain", operation_id="untyped_plain")
    def untyped_plain():  # type: ignore[no-untyped-def]
        return [1.5, None, "ä"]

    @router.get("/unwritable", operation_id="unwritable")
    async def unwritable():  # type: ignore[no-untyped-def]
        return {"value": float("nan")}

    @router.get("/status/{code}", operation_id="status")
    async def status(code: int, response: Response, kind: str = "") -> list[int]:
        response.status_code = code
        response.headers["x-code"] = str(code)
        if kind:
            response.headers["content-type"] = kind
        if code == 302:
            response.headers["location"] = "/untyped"
        return [code]

    @router.get("/nothing", operation_id="nothing", status_code=204, response_model=None)
    async def nothing(noted: Note) -> None:
        noted("nothing")

    @router.get("/partly", operation_id="partly", response_model=Line, response_model_exclude_unset=True)
    async def partly(noted: Note) -> Any:
        return {"sku": "a"}

    @router.get("/promise", operation_id="promise")
    async def promise(noted: Note) -> Line:
        return {"count": "many"}  # type: ignore[return-value]

    @router.get("/own", operation_id="own")
    async def own(tasks: BackgroundTasks, noted: Note, kind: str = "json") -> JSONResponse:
        tasks.add_task(noted, "background")
        match kind:
            case "away":
                return RedirectResponse("/untyped")  # type: ignore[return-value]
            case "huge":
                return JSONResponse(["x" * 1000] * 300)
            case _:
                return JSONResponse({"own": kind}, 201, headers={"x-own": "1"})

    @router.get("/large", operation_id="large")
    async def large(noted: Note, many: int = 300) -> list[str]:
        return ["x" * 1000] * many

    @router.get("/later", operation_id="later")
    async def later(tasks: BackgroundTasks, more: Annotated[None, Depends(adds_task)], noted: Note) -> str:
        tasks.add_task(noted, "second task")
        return "at once"

    return router


def adds_task(tasks: BackgroundTasks, noted: Note) -> None:
    tasks.add_task(noted, "first task")


def dependencies() -> APIRouter:  # noqa: C901 - one after the other
    """What depends on what, what is kept, opened and closed, and how it fails."""
    router = APIRouter(dependencies=[Depends(Session)])

    @router.get("/opened", operation_id="opened")
    async def opened(
        one: Annotated[str, resource("one")],
        two: Annotated[str, resource("two", "function")],
        three: Annotated[int, Depends(in_thread)],
        tasks: BackgroundTasks,
        noted: Note,
        ends: str = "",
    ) -> list[Any]:
        noted("endpoint")
        tasks.add_task(noted, "background")
        if ends == "refused":
            raise RefusedError(ends)
        if ends == "http":
            raise HTTPException(404, ends)
        if ends:
            raise RuntimeError(ends)
        return [one, two, three]

    @router.get("/swallowed", operation_id="swallowed")
    async def swallowed(one: Annotated[str, resource("one", swallows=True)], ends: str = "") -> str:
        if ends:
            raise RuntimeError(ends)
        return one

    @router.get("/kept", operation_id="kept")
    async def keeping(
        first: Annotated[list[int], Depends(kept)],
        second: Annotated[int, Depends(ticking)],
        third: Annotated[int, Depends(ticking, use_cache=False)],
    ) -> list[Any]:
        return [first, second, third]

    @router.get("/limited", operation_id="limited")
    async def limited(one: Annotated[int, Depends(ticking, max_concurrency=1)]) -> int:
        return one

    @router.get("/secured", operation_id="secured")
    async def secured(
        one: Annotated[str, Security(who, scopes=["read"])],
        two: Annotated[str, Security(who, scopes=["write", "read"])],
        bearer: Annotated[Any, Depends(HTTPBearer(auto_error=False))],
    ) -> list[Any]:
        return [one, two, bearer]

    @router.get("/bearer", operation_id="bearer", dependencies=[Depends(HTTPBearer())])
    async def bearer() -> str:
        return "in"

    @router.get("/refusing", operation_id="refusing")
    async def refusing(level: Annotated[int, Depends(refuses)], noted: Note, other: int = 0) -> list[int]:
        noted("endpoint")
        return [level, other]

    @router.get("/partial", operation_id="partial")
    async def partial(got: Annotated[str, Depends(functools.partial(joined, "a"))]) -> str:
        return got

    @router.get("/written", operation_id="written")
    async def written(header: Annotated[None, Depends(writes)], response: Response) -> str | None:
        return response.headers.get("x-written")

    return router


def joined(one: str, other: str = "b") -> str:
    return one + other


def writes(response: Response, code: int = 0) -> None:
    response.headers["x-written"] = "yes"
    if code:
        response.status_code = code


@asynccontextmanager
async def started(_: FastAPI) -> AsyncGenerator[dict[str, Any]]:
    yield {"started": "today"}


def shop(overrides: dict[Any, Any] | None = None) -> FastAPI:
    """Everything that FastAPI's solver can find for an endpoint."""
    ticks.clear()
    app = FastAPI(lifespan=started)
    app.state.did = []
    app.dependency_overrides = dict(overrides or {})

    @app.exception_handler(RefusedError)
    async def refused(request: Request, error: RefusedError) -> JSONResponse:
        request.app.state.did.append("handler")
        return JSONResponse({"detail": [str(error), request.scope["route"].path]}, 409)

    @app.exception_handler(ZeroDivisionError)
    async def divided(_: Request, error: ZeroDivisionError) -> JSONResponse:
        raise RefusedError("from a handler") from error

    @app.get("/divided", operation_id="divided")
    async def dividing(noted: Note, by: int = 0) -> float:
        return 1 / by

    outer = APIRouter(prefix="/outer")
    outer.include_router(parameters(), prefix="/inner")
    app.include_router(outer)
    app.include_router(answers(), prefix="/deep", tags=["deep"])
    app.include_router(dependencies())

    @app.get("/last", operation_id="last")
    async def last(request: Request) -> list[str]:
        return sorted(key for key in request.scope if "toolway" not in key)

    return app


def test_all_of_them_are_solved_without_the_stack() -> None:
    app = shop()
    app.middleware_stack = app.build_middleware_stack()
    path = DirectDispatch(app)
    operations = read_application(app).operations
    found = {str(one): path.endpoint(one, app) for one in operations}
    assert [name for name, one in found.items() if not isinstance(one, (InjectedEndpoint, ValuesOnlyEndpoint))] == []


CALLS: list[tuple[str, dict[str, Any]]] = [
    ("headers", {"x-text": "a", "x-many": [1, 2], "X-Odd_Name": 7}),
    ("headers", {"x-text": "ä b", "x-many": []}),
    ("headers", {"x-many": ["one"], "X-Odd_Name": "odd"}),
    ("cookies", {"a": "x", "b": 2}),
    ("cookies", {"b": "two"}),
    ("cookies", {}),
    ("models", {"page": 2, "sizes": [1, 2], "x-name": "b", "x-tags": ["c", "d"]}),
    ("models", {"page": "two"}),
    ("numbers", {"number": 7, "share": 1.5, "key": "12345678-1234-5678-1234-567812345678"}),
    ("numbers", {"number": "seven", "share": 1.5, "key": "x"}),
    ("numbers", {"number": "9" * 4301, "share": 1.5, "key": "12345678-1234-5678-1234-567812345678"}),
    ("ordered", {"second": "2", "first": "1"}),
    ("changed", {"q": "sent", "x-text": "sent", "a": "sent"}),
    ("changed", {}),
    ("cleaned", {"sku": "  a  "}),
    ("whole", {"text": "a b%/"[:4]}),
    ("bodies", {"number": 7, "line": {"sku": "a"}, "by": 5, "reason": "x"}),
    ("bodies", {"number": "x", "line": {"sku": 1}, "by": "y"}),
    ("bodies", {"number": 7, "line": None, "reason": None}),
    ("raw", {"body": {"a": 1}}),
    ("raw", {}),
    ("checked", {}),
    ("checked", {"line": {"sku": "a"}, "extra": 3}),
    ("checked", {"line": {"sku": "a"}, "extra": "x"}),
    ("untyped", {}),
    ("untyped_plain", {}),
    ("unwritable", {}),
    *[("status", {"code": code}) for code in (200, 201, 204, 205, 304, 302, 404, 503)],
    ("status", {"code": 200, "kind": "text/plain"}),
    ("nothing", {}),
    ("partly", {}),
    ("promise", {}),
    *[("own", {"kind": kind}) for kind in ("json", "away", "huge")],
    ("large", {}),
    ("large", {"many": 150}),
    ("later", {}),
    *[("opened", {"ends": ends}) for ends in ("", "refused", "http", "broken")],
    *[("opened", {"fails": f"{name} {when}"}) for name in ("one", "two") for when in ("opening", "closing")],
    ("swallowed", {}),
    ("swallowed", {"ends": "broken"}),
    ("kept", {"x": 3}),
    ("kept", {"x": "three"}),
    ("limited", {"x": 3}),
    ("secured", {}),
    ("bearer", {}),
    *[("refusing", {"level": level}) for level in (0, 1, 2, 3, "four")],
    ("refusing", {"other": "x"}),
    ("partial", {"other": "c"}),
    ("written", {}),
    ("written", {"code": 202}),
    ("last", {}),
    ("divided", {"by": 2}),
    ("divided", {"by": 0}),
]


async def test_solved_calls_end_as_any_other() -> None:
    await assert_calls_alike(shop, CALLS)


async def overridden(other: str = "b") -> AsyncGenerator[str]:
    yield f"overridden {other}"


@pytest.mark.parametrize(("tool", "arguments"), [("kept", {"other": "c"}), ("kept", {}), ("refusing", {"other": 3})])
async def test_overridden_dependencies_are_overridden_in_solved_calls(tool: str, arguments: dict[str, Any]) -> None:
    told: list[Any] = []
    for direct in (True, False):
        app = shop({ticking: overridden, refuses: overridden, Session: overridden})
        async with client_of(app, direct=direct, ignore_unknown_arguments=True) as client:
            result = without_reference(await call(client, tool, **arguments))
        told.append((result, app.state.did, len(ticks)))
    assert told[0] == told[1]
    assert told[0][2] == 0


async def test_dependencies_overridden_while_it_runs_are_overridden_from_then_on() -> None:
    app = shop()
    async with client_of(app) as client:
        before = await call(client, "kept")
        app.dependency_overrides[ticking] = lambda: 100
        after = await call(client, "kept")
        app.dependency_overrides.clear()
        last = await call(client, "kept")
    texts = [result["content"][0]["text"] for result in (before, after, last)]
    assert texts == ["[[1,1],1,2]", "[[100,100],100,100]", "[[3,3],3,4]"]


async def test_a_caller_s_identity_reaches_what_a_solved_call_depends_on() -> None:
    app = FastAPI()

    @app.get("/me", operation_id="me")
    async def me(request: Request, login: Annotated[Any, Depends(HTTPBearer())]) -> list[str]:
        return [login.credentials, request.headers["authorization"]]

    async with client_of(app) as client:
        client.headers["Authorization"] = "Bearer alice"
        assert (await call(client, "me"))["structuredContent"] == ["alice", "Bearer alice"]


async def test_refusals_tell_of_a_body_only_where_one_was_read() -> None:
    told: list[Any] = []
    for direct in (True, False):
        app = FastAPI()

        @app.exception_handler(RequestValidationError)
        async def handler(_: Request, error: RequestValidationError) -> JSONResponse:
            return JSONResponse({"detail": [repr(error.body), getattr(error, "endpoint_path", None)]}, 409)

        @app.post("/raw/{number}", operation_id="raw")
        @agent_tool(raw_body=True)
        async def raw(number: int, request: Request) -> int:
            return number

        @app.post("/read/{number}", operation_id="read")
        async def read(number: int, line: Line, request: Request) -> int:
            return number

        async with client_of(app, direct=direct) as client:
            raw_text = (await call(client, "raw", number="x", body={"a": 1}))["content"][0]["text"]
            read_text = (await call(client, "read", number="x", sku="a"))["content"][0]["text"]
        told.append((raw_text, read_text))
    assert told[0] == told[1]
    assert "None" in told[0][0]
    assert "sku" in told[0][1]


async def test_a_route_that_is_changed_later_is_handled_as_it_was_made() -> None:
    told: list[Any] = []
    for direct in (True, False):
        app = FastAPI()

        @app.get("/nothing", operation_id="nothing")
        async def nothing(request: Request) -> dict[str, int | None]:
            return {"a": None}

        @app.get("/plain", operation_id="plain")
        async def plain() -> dict[str, int | None]:
            return {"a": None}

        for route in app.routes:
            if isinstance(route, APIRoute):
                route.response_model_exclude_none = True
                route.status_code = 404
                route.endpoint = lambda: None
        async with client_of(app, direct=direct) as client:
            told.append([await call(client, tool) for tool in ("nothing", "plain")])
    assert told[0] == told[1]
    assert [result["structuredContent"] for result in told[0]] == [{"a": None}] * 2
