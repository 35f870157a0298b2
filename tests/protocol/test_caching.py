"""How long clients may keep what they got, and whether others may have it: C1 and C2."""

from __future__ import annotations

from typing import Any

import pytest
from fastapi import Depends, FastAPI, Response
from fastapi.middleware.cors import CORSMiddleware
from fastapi.security import APIKeyHeader
from starlette.middleware.base import BaseHTTPMiddleware

from tests.protocol.test_mounting import asked, running
from tests.protocol.wire import HANDSHAKES
from toolway import Settings, Toolway, agent_prompt, agent_resource

pytestmark = pytest.mark.anyio

LISTS = ("server/discover", "tools/list", "prompts/list", "resources/list", "resources/templates/list")


def make_app(**options: Any) -> FastAPI:
    """Make an application with a resource of each kind, and a prompt."""
    app = FastAPI(**options)

    @app.get("/page", operation_id="page")
    @agent_resource("shop://page")
    async def page(response: Response) -> str:
        if app.state.cache_control:
            response.headers["cache-control"] = app.state.cache_control
        return "page"

    @app.get("/greet", operation_id="greet")
    @agent_prompt()
    async def greet() -> str:
        return "Say hello."

    app.state.cache_control = ""
    return app


async def hint(app: FastAPI, method: str, **params: Any) -> tuple[int, str]:
    result = (await asked(app, method=method, **params)).json()["result"]
    return result["ttlMs"], result["cacheScope"]


@pytest.mark.parametrize("fast_lane", [True, False])
async def test_every_list_says_how_long_it_may_be_kept(fast_lane: bool) -> None:
    app = make_app()
    Toolway(app, settings=Settings(fast_lane=fast_lane, list_ttl_seconds=1.5)).mount()
    async with running(app):
        for method in LISTS:
            assert await hint(app, method) == await hint(app, method) == (1500, "public")


async def test_handshake_revisions_say_nothing_of_it() -> None:
    app = Toolway(make_app()).mount().app
    async with running(app):
        for method in LISTS[1:]:
            assert "ttlMs" not in (await asked(app, method=method, version=HANDSHAKES[-1])).text


def plain() -> FastAPI:
    return Toolway(make_app()).mount().app


def with_harmless_middleware() -> FastAPI:
    app = make_app()
    app.add_middleware(CORSMiddleware, allow_origins=["*"])
    return Toolway(app).mount().app


def with_a_dependency_of_the_mount() -> FastAPI:
    return Toolway(make_app()).mount(dependencies=[Depends(lambda: None)]).app


def with_a_dependency_of_the_application() -> FastAPI:
    return Toolway(make_app(dependencies=[Depends(lambda: None)])).mount().app


def with_middleware_of_its_own() -> FastAPI:
    app = make_app()

    @app.middleware("http")
    async def look(request: Any, call_next: Any) -> Any:
        return await call_next(request)

    return Toolway(app).mount().app


def with_a_class_of_middleware() -> FastAPI:
    class Look(BaseHTTPMiddleware):
        async def dispatch(self, request: Any, call_next: Any) -> Any:
            return await call_next(request)

    app = make_app()
    app.add_middleware(Look)
    return Toolway(app).mount().app


def with_a_key() -> FastAPI:
    app = make_app()
    app.add_api_route("/secret", lambda: "x", operation_id="secret", dependencies=[Depends(APIKeyHeader(name="x-key"))])
    return Toolway(app).mount().app


@pytest.mark.parametrize(
    ("make", "scope"),
    [
        (plain, "public"),
        (with_harmless_middleware, "public"),
        (with_a_dependency_of_the_mount, "private"),
        (with_a_dependency_of_the_application, "private"),
        (with_middleware_of_its_own, "private"),
        (with_a_class_of_middleware, "private"),
        (with_a_key, "private"),
    ],
)
async def test_others_may_have_a_list_only_where_nobody_has_to_say_who_they_are(make: Any, scope: str) -> None:
    app = make()
    async with running(app):
        assert {await hint(app, method) for method in LISTS} == {(60_000, scope)}


@pytest.mark.parametrize(
    ("cache_control", "expected"),
    [
        ("", (2000, "private")),
        ("max-age=60", (60_000, "private")),
        ("public, max-age=60", (60_000, "public")),
        ("Public,Max-Age=60", (60_000, "public")),
        ('max-age="7", public, stale-while-revalidate=9', (7000, "public")),
        ("public", (2000, "public")),
        ("private, public, max-age=60", (60_000, "private")),
        ("no-store, public, max-age=60", (0, "private")),
        ("no-cache", (0, "private")),
        ("max-age=0", (0, "private")),
        ("max-age=99999999999999999999", (31_536_000_000, "private")),
        ("max-age=many", (2000, "private")),
        ("x-max-age=9", (2000, "private")),
    ],
)
async def test_a_read_says_what_the_endpoints_own_answer_says(cache_control: str, expected: tuple[int, str]) -> None:
    app = make_app()
    Toolway(app, settings=Settings(resource_ttl_seconds=2)).mount()
    app.state.cache_control = cache_control
    async with running(app):
        assert await hint(app, "resources/read", uri="shop://page") == expected


async def test_what_an_answer_to_a_question_made_is_not_kept() -> None:
    app = Toolway(make_app(), settings=Settings(resource_ttl_seconds=2)).mount().app
    async with running(app):
        assert await hint(app, "resources/read", uri="shop://page", inputResponses={}) == (0, "private")
