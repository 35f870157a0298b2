"""Behind a guard, callers are told apart by everything that its dependencies declare."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Callable, Iterator, Mapping
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Annotated, Any

import httpx2
import pytest
from fastapi import APIRouter, Cookie, Depends, FastAPI, Header, HTTPException, Query, Request
from starlette.authentication import SimpleUser
from starlette.responses import Response

from tests.protocol.tasking import Client
from tests.protocol.wire import CAPABILITIES_KEY, ERAS, MODERN, headers_of, message, reply
from tests.servers import serving
from toolway import Settings, Toolway, agent_tool

BADGES = {"blue-ann", "blue-bob"}
ASKABLE = {"_meta": {CAPABILITIES_KEY: {"elicitation": {}}}}
ANN, BOB = {"x-badge": "blue-ann"}, {"x-badge": "blue-bob"}


async def badge(x_badge: Annotated[str, Header()] = "") -> str:
    return x_badge


async def staff_only(found: Annotated[str, Depends(badge)]) -> None:
    if found not in BADGES:
        raise HTTPException(401, "show your badge")


async def by_cookie(badge: Annotated[str, Cookie()], x_request_id: Annotated[str | None, Header()] = None) -> None: ...


async def by_query(key: Annotated[str, Query()]) -> None: ...


def make_app() -> FastAPI:
    app = FastAPI(title="Guarded")

    @app.post("/report")
    @agent_tool(name="report", task="optional")
    async def report(who: str) -> dict[str, str]:
        return {"salary of": who}

    @app.get("/basket")
    @agent_tool(name="basket", task="optional")
    async def basket(basket: Annotated[str, Cookie()]) -> str:
        return basket

    return app


def make_confirming() -> FastAPI:
    app = FastAPI(title="Guarded")

    @app.delete("/things/{key}")
    @agent_tool(name="delete_thing", confirm="Delete {key}?")
    async def delete_thing(key: str) -> dict[str, str]:
        return {"deleted": key}

    return app


@pytest.fixture(scope="module")
def url(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    app = make_app()
    store: Path = tmp_path_factory.mktemp("store") / "tasks.db"
    settings = Settings(_env_file=None, store_url=f"sqlite:///{store}", caller_headers=["basket"])
    Toolway(app, settings=settings).mount(dependencies=[Depends(staff_only)])
    with serving(app) as url:
        yield url


def test_a_task_is_unknown_to_another_badge(url: str) -> None:
    task = Client(url, **ANN).start("report", who="ann")["taskId"]
    assert Client(url, **BOB).refusal("tasks/get", task)["code"] == -32602
    assert Client(url, **ANN).wait(task)["result"]["structuredContent"] == {"salary of": "ann"}


def test_a_task_gets_the_cookies_of_its_caller_and_belongs_to_them(url: str) -> None:
    mine = {**ANN, "cookie": "other=1; basket=b7"}
    task = Client(url, **mine).start("basket")["taskId"]
    assert Client(url, **ANN, cookie="basket=b8").refusal("tasks/get", task)["code"] == -32602
    assert Client(url, **{**mine, "cookie": "basket=b7"}).wait(task)["result"]["structuredContent"] == "b7"


def on_itself(guard: Callable[..., Any]) -> tuple[FastAPI, str]:
    app = make_confirming()
    Toolway(app, settings=Settings(_env_file=None)).mount(dependencies=[Depends(guard)])
    return app, "/mcp"


def on_another_application(guard: Callable[..., Any]) -> tuple[FastAPI, str]:
    site = FastAPI(dependencies=[Depends(guard)])
    Toolway(make_confirming(), settings=Settings(_env_file=None)).mount(on=site)
    return site, "/mcp"


def on_a_router(guard: Callable[..., Any]) -> tuple[FastAPI, str]:
    site, router = FastAPI(), APIRouter(prefix="/inner")
    Toolway(make_confirming(), settings=Settings(_env_file=None)).mount(on=router)
    site.include_router(router, prefix="/outer", dependencies=[Depends(guard)])
    return site, "/outer/inner/mcp"


def behind_middleware(guard: Callable[..., Any]) -> tuple[FastAPI, str]:
    site, path = on_a_router(guard)

    @site.middleware("http")
    async def pass_on(request: Request, call_next: Any) -> Response:
        return await call_next(request)

    return site, path


PLACES = [on_itself, on_another_application, on_a_router, behind_middleware]


@pytest.mark.parametrize("mounted", PLACES)
@pytest.mark.parametrize(
    ("guard", "ann", "bob"),
    [
        (staff_only, {"headers": ANN}, {"headers": BOB}),
        (
            by_cookie,
            {"headers": {"cookie": "theme=dark; badge=blue-ann"}},
            {"headers": {"cookie": "theme=dark; badge=blue-bob"}},
        ),
        (by_query, {"params": {"key": "a"}}, {"params": {"key": "b"}}),
    ],
)
async def test_a_confirmation_is_answered_by_its_own_caller_only(
    mounted: Callable[..., tuple[FastAPI, str]], guard: Any, ann: dict[str, Any], bob: dict[str, Any]
) -> None:
    site, path = mounted(guard)
    async with called(site, path) as call:
        asked = (await call(ann))["result"]
        answer = {
            "requestState": asked["requestState"],
            "inputResponses": {key: {"action": "accept", "content": {"ok": True}} for key in asked["inputRequests"]},
        }
        assert "error" in await call(bob, answer)
        assert (await call(ann, answer))["result"]["structuredContent"] == {"deleted": "k"}


async def test_headers_that_differ_per_request_do_not_tell_callers_apart() -> None:
    site, path = on_itself(by_cookie)
    async with called(site, path) as call:
        asked = (await call({"headers": {"cookie": "badge=a", "x-request-id": "1"}}))["result"]
        answer = {
            "requestState": asked["requestState"],
            "inputResponses": {key: {"action": "accept", "content": {"ok": True}} for key in asked["inputRequests"]},
        }
        again = await call({"headers": {"cookie": "badge=a", "x-request-id": "2"}}, answer)
        assert again["result"]["structuredContent"] == {"deleted": "k"}


async def test_users_that_middleware_has_set_are_told_apart() -> None:
    app = make_confirming()

    @app.middleware("http")
    async def sign_in(request: Request, call_next: Any) -> Response:
        request.scope["user"] = SimpleUser(request.headers.get("x-name", ""))
        return await call_next(request)

    Toolway(app, settings=Settings(_env_file=None)).mount()
    async with called(app, "/mcp") as call:
        asked = (await call({"headers": {"x-name": "ann"}}))["result"]
        answer = {
            "requestState": asked["requestState"],
            "inputResponses": {key: {"action": "accept", "content": {"ok": True}} for key in asked["inputRequests"]},
        }
        assert "error" in await call({"headers": {"x-name": "bob"}}, answer)
        assert "result" in await call({"headers": {"x-name": "ann"}}, answer)


@pytest.mark.parametrize("mounted", PLACES)
async def test_a_session_is_unknown_to_another_badge(
    mounted: Callable[..., tuple[FastAPI, str]], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TOOLWAY_STATEFUL", "true")
    site, path = mounted(staff_only)
    async with site.router.lifespan_context(site), client_of(site) as client:
        opening = {"protocolVersion": ERAS[1], "capabilities": {}, "clientInfo": {"name": "t", "version": "1"}}
        body = message(ERAS[1], "initialize", opening)
        begun = await client.post(path, json=body, headers={**headers_of(ERAS[1], body), **ANN})
        session = {"mcp-session-id": begun.headers["mcp-session-id"], **headers_of(ERAS[1], {})}
        note = {"jsonrpc": "2.0", "method": "notifications/initialized"}
        assert (await client.post(path, json=note, headers={**session, **BOB})).status_code == 404
        assert (await client.post(path, json=note, headers={**session, **ANN})).status_code == 202


@asynccontextmanager
async def called(site: FastAPI, path: str) -> AsyncGenerator[Any]:
    async def call(caller: Mapping[str, Any], more: Mapping[str, Any] | None = None) -> dict[str, Any]:
        params = {"name": "delete_thing", "arguments": {"key": "k"}, **(more or {}), **ASKABLE}
        body = message(MODERN, "tools/call", params)
        headers = {**headers_of(MODERN, body), **caller.get("headers", {})}
        return reply(await client.post(path, json=body, headers=headers, params=caller.get("params")))

    async with site.router.lifespan_context(site), client_of(site) as client:
        yield call


def client_of(site: FastAPI) -> httpx2.AsyncClient:
    return httpx2.AsyncClient(transport=httpx2.ASGITransport(app=site), base_url="http://localhost")
