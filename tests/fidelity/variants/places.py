"""Where an application stands: behind a proxy, under a parent, within another application, at a host."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Iterable, Iterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import replace
from typing import Any

from fastapi import Depends, FastAPI, Header, HTTPException, Request, Response
from fastapi.responses import JSONResponse, RedirectResponse
from starlette.applications import Starlette
from starlette.middleware.base import BaseHTTPMiddleware
from starlette.routing import BaseRoute, Host, Mount
from starlette.types import ASGIApp

from tests.fidelity.application import Application
from tests.fidelity.case import Case, Chapter
from tests.fidelity.journal import effect
from tests.fidelity.variants.proxy import behind, movable

__all__ = ["applications"]

PREFIX = "/api/v1"


def applications(main: Sequence[Chapter]) -> dict[str, Application]:
    """Return the applications by name; `main` are the chapters that must not notice where they stand."""
    return {
        "root_path": Application(
            chapters=[placed], options={"root_path": PREFIX}, under=behind(PREFIX), base=PREFIX, mcp=f"{PREFIX}/mcp"
        ),
        "root_path_of_the_server": Application(
            chapters=[placed], server={"root_path": PREFIX}, under=behind(PREFIX), base=PREFIX, mcp=f"{PREFIX}/mcp"
        ),
        "prefix_not_stripped": Application(
            chapters=[placed], options={"root_path": PREFIX}, base=PREFIX, mcp=f"{PREFIX}/mcp"
        ),
        "under_starlette": Application(
            chapters=(*movable(main), placed),
            under=_under_starlette,
            base="/shop",
            mcp="/shop/mcp",
        ),
        "two_deep": Application(chapters=(*_unstarted(movable(main)), placed), within=_two_deep, base="/outer/inner"),
        "hosts": Application(chapters=[hosted], steps=[_at_hosts], under=_at_this_host),
        "sub_applications": Application(chapters=[below], steps=[_mount_them], transports=["HTTP", "stdio"]),
    }  # fmt: skip


def _unstarted(chapters: Iterable[Chapter]) -> Iterator[Chapter]:
    """Yield the chapters for a mounted application, whose lifespan nobody runs: what that opens is missing."""
    for chapter in chapters:
        cases = [
            replace(case, may_fail=True) if isinstance(case, Case) and case.tool == "lifespan_state" else case
            for case in chapter.cases
        ]
        yield replace(chapter, cases=cases)


placed = Chapter("Where an application stands")


@placed.router.get("/placed/here/{number}")
async def placed_here(number: int, request: Request) -> list[Any]:
    target = request.url_for("placed_here", number=number)
    return [request.url.path, request.scope["root_path"], target.path, request.app.url_path_for("placed_away")]


@placed.router.get("/placed/away")
async def placed_away(request: Request, relative: bool = False) -> Response:
    return RedirectResponse("here/8" if relative else str(request.url_for("placed_here", number=7)))


@placed.router.get("/placed/slash/")
async def placed_with_a_slash(request: Request) -> str:
    return request.url.path


placed.case("its own address", "placed_here", {"number": 3}, "GET /placed/here/3", params={})
placed.case("a redirect to itself", "placed_away", {}, "GET /placed/away")
placed.case("a relative redirect", "placed_away", {"relative": True}, "GET /placed/away", params={"relative": "true"})
placed.case("a slash at the end", "placed_with_a_slash", {}, "GET /placed/slash/")


def _under_starlette(app: FastAPI) -> ASGIApp:
    return _parent(app, Mount("/shop", app))


def _at_this_host(app: FastAPI) -> ASGIApp:
    return _parent(app, Host("127.0.0.1", app))


def _parent(app: FastAPI, route: BaseRoute) -> ASGIApp:
    """Starlette runs no lifespan but its own, so the parent has to."""

    @asynccontextmanager
    async def lifespan(parent: Starlette) -> AsyncGenerator[Any]:
        async with app.router.lifespan_context(app) as state:
            yield state

    return Starlette(routes=[route], lifespan=lifespan)


def _two_deep(app: FastAPI) -> FastAPI:
    middle = FastAPI(title="Middle")
    middle.mount("/inner", app)
    outer = FastAPI(title="Outer")
    outer.mount("/outer", middle)
    return outer


hosted = Chapter("Hosts of their own")


@hosted.router.get("/here")
async def at_this_host() -> str:
    return "here"


hosted.case("beside other hosts, and under one", "at_this_host", {}, "GET /here")


def _at_hosts(app: FastAPI) -> None:
    shop, tenants = _sub("Shop"), _sub("Tenants")

    @shop.get("/here")
    async def shop_of_its_own() -> str:
        return "the shop's"

    @tenants.get("/tenant/{number}")
    async def tenant_of_its_own(number: int) -> list[int]:
        return [number]

    app.router.routes.insert(0, Host("shop.example.com", shop))
    app.host("{tenant}.example.com", tenants)


hosted.absent("at a host of its own", "shop_of_its_own", reported="GET /here")
hosted.absent("at one host of many", "tenant_of_its_own", reported="GET /tenant/{number}")

below = Chapter("Applications within applications")


class Marking(BaseHTTPMiddleware):
    """Says that it was there."""

    async def dispatch(self, request: Request, call_next: Any) -> Response:
        effect("marked by the sub-application")
        response = await call_next(request)
        response.headers["x-marked"] = "yes"
        return response


async def _with_key(x_level: str = Header("none")) -> None:
    if x_level == "forbidden":
        raise HTTPException(403, "not on this level")


def _plain_id(route: Any) -> str:
    return str(route.name)


def _sub(title: str, **options: Any) -> FastAPI:
    return FastAPI(title=title, generate_unique_id_function=_plain_id, **options)


def _mount_them(app: FastAPI) -> None:
    deep = _sub("Deep", openapi_url=None)

    @deep.get("/thing/{number}")
    async def deep_thing(number: int, request: Request) -> list[Any]:
        return [number, request.scope["root_path"], request.url.path]

    @deep.get("/wrong")
    async def deep_wrong(request: Request) -> None:
        raise KeyError("lost")

    @deep.exception_handler(KeyError)
    async def lost(request: Request, error: KeyError) -> Response:
        return JSONResponse({"detail": "lost below"}, 410)

    level = _sub("Level", dependencies=[Depends(_with_key)])
    level.add_middleware(Marking)

    @level.get("/thing/{number}")
    async def level_thing(number: int) -> list[int]:
        return [number]

    v1, v2 = _sub("V1"), _sub("V2")

    @v1.get("/who")
    async def first_version() -> str:
        return "first"

    @v2.get("/who")
    async def second_version() -> str:
        return "second"

    hidden = _sub("Hidden")

    @hidden.get("/thing/{number}")
    async def shadowed_thing(number: int) -> list[int]:
        return [number]

    level.mount("/deep", deep)
    app.mount("/level", level)
    app.mount("/versions/1", v1)
    app.mount("/versions/2", v2)
    app.mount("/{tenant}/rooms", _rooms())
    app.mount("/level", hidden)


def _rooms() -> FastAPI:
    rooms = _sub("Rooms")

    @rooms.get("/{room}")
    async def room_of_tenant(room: str, request: Request) -> list[str]:
        return [request.path_params["tenant"], room]

    return rooms


below.case("one deep", "level_thing", {"number": 1}, "GET /level/thing/1", params={}, credentials={"x-level": "l"})
below.case(
    "its own dependencies", "level_thing", {"number": 1}, "GET /level/thing/1", params={},
    credentials={"x-level": "forbidden"},
)  # fmt: skip
below.case("two deep, without a document of its own", "deep_thing", {"number": 2}, "GET /level/deep/thing/2", params={})
below.case("its own handler of exceptions", "deep_wrong", {}, "GET /level/deep/wrong")
below.case("a version", "first_version", {}, "GET /versions/1/who")
below.case("a version beside another", "second_version", {}, "GET /versions/2/who")
below.case(
    "a mount with a parameter", "room_of_tenant", {"tenant": "a b", "room": "r"}, "GET /a%20b/rooms/r", params={}
)
below.absent("behind a mount at the same path", "shadowed_thing", reported="GET /level/thing/{number}")
