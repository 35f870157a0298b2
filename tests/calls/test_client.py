"""Calls that an HTTP client carries to where the application runs end as those in the process do."""

from __future__ import annotations

import threading
from collections.abc import AsyncGenerator, AsyncIterator
from contextlib import asynccontextmanager
from typing import Annotated, Any
from urllib.parse import quote

import anyio
import httpx2
import pytest
from fastapi import Depends, FastAPI, File, Header, HTTPException, Query, Request, Response, UploadFile
from fastapi.middleware.gzip import GZipMiddleware
from fastapi.responses import RedirectResponse, StreamingResponse
from fastapi.security import APIKeyHeader, APIKeyQuery, HTTPBearer

from tests.calls.both import error_of, text_of
from tests.protocol.test_cancellation import drop
from tests.protocol.wire import ERAS, OPTIONS, Peer
from tests.servers import PATIENCE, Serve
from toolway import Remote, Settings, Toolway
from toolway.app import engine_of
from toolway.calls import CallContext, Outcome
from toolway.errors import ConfigurationError
from toolway.protocol.results import tool_result
from toolway.protocol.versions import revision_for

pytestmark = pytest.mark.anyio

PICTURE = b"\x89PNG\r\n\x1a\n"


def make_api() -> FastAPI:
    api = FastAPI()
    api.add_middleware(GZipMiddleware, minimum_size=500)
    api.state.entered, api.state.heard, api.state.ended = threading.Event(), threading.Event(), threading.Event()
    _add_answers(api)
    _add_streams(api)
    _add_callers(api)
    return api


def _add_answers(api: FastAPI) -> None:
    @api.get("/things/{name}", operation_id="get_thing")
    async def get_thing(name: str, request: Request, q: Annotated[list[str], Query()] = []) -> Any:  # noqa: B006
        if name == "none":
            raise HTTPException(404, "no such thing")
        return {"name": name, "q": q, "url": str(request.url.path)}

    @api.post("/count", operation_id="count")
    async def count(pieces: int) -> int:
        return pieces

    @api.post("/big", operation_id="send_big")
    async def send_big(body: dict[str, str]) -> Any:
        return body

    @api.post("/file", operation_id="send_file")
    async def send_file(file: Annotated[UploadFile, File()]) -> Any:
        return [file.filename, (await file.read()).decode()]

    @api.get("/picture", operation_id="show_picture", response_class=Response)
    async def show_picture() -> Response:
        return Response(PICTURE, media_type="image/png")

    @api.delete("/things", operation_id="drop", status_code=204, response_model=None)
    async def drop() -> None:
        pass

    @api.get("/fails", operation_id="fail")
    async def fail() -> None:
        raise RuntimeError("the secret of the house")

    @api.get("/go", operation_id="go")
    async def go(url: str) -> Any:
        return RedirectResponse(url)


def _add_streams(api: FastAPI) -> None:
    @api.get("/lines", operation_id="read_lines")
    async def read_lines() -> StreamingResponse:
        async def lines() -> AsyncIterator[str]:
            yield "line 0\n"
            await anyio.to_thread.run_sync(api.state.heard.wait, PATIENCE)
            yield "line 1\n"

        return StreamingResponse(lines(), media_type="text/plain")

    @api.get("/endless", operation_id="read_endless")
    async def read_endless() -> StreamingResponse:
        async def lines() -> AsyncIterator[str]:
            try:
                yield "line 0\n"
                await anyio.sleep_forever()
            finally:
                api.state.ended.set()

        return StreamingResponse(lines(), media_type="text/plain")

    @api.get("/wait", operation_id="wait_long")
    async def wait_long(request: Request) -> None:
        api.state.entered.set()
        while (await request.receive())["type"] != "http.disconnect":
            pass
        api.state.ended.set()


def _add_callers(api: FastAPI) -> None:
    @api.get("/seen", operation_id="seen")
    async def seen(request: Request) -> Any:
        return {name: value for name, value in request.headers.items() if name not in USUAL}

    @api.get("/bearer", operation_id="bearer")
    async def bearer(found: Annotated[Any, Depends(HTTPBearer())]) -> Any:
        return found.credentials

    @api.get("/keys", operation_id="keys")
    async def keys(
        first: Annotated[str, Depends(APIKeyHeader(name="X-Key"))],
        second: Annotated[str, Depends(APIKeyQuery(name="key"))],
        x_fine: Annotated[str, Header()],
    ) -> Any:
        return [first, second, x_fine]

    @api.get("/log-in", operation_id="log_in")
    async def log_in(response: Response) -> None:
        response.set_cookie("session", "of the first caller")


USUAL = {"accept", "accept-encoding", "connection", "host", "user-agent"}


class Sent:
    """The tools of an application, called with a client."""

    def __init__(self, calls: Any) -> None:
        self._calls = calls

    async def outcome(self, tool: str, arguments: dict[str, Any] | None = None, **context: Any) -> Outcome:
        return await self._calls.call(tool, arguments or {}, CallContext(**context))

    async def __call__(self, tool: str, arguments: dict[str, Any] | None = None, **context: Any) -> Any:
        outcome = await self.outcome(tool, arguments, **context)
        return tool_result(self._calls.tool(tool, CallContext(**context)), outcome, revision_for("2026-07-28"))


@asynccontextmanager
async def sending(api: FastAPI, url: str, settings: Settings | None = None, **options: Any) -> AsyncGenerator[Sent]:
    """Call the application that runs at an address."""
    async with (
        httpx2.AsyncClient(base_url=url, **OPTIONS, **options) as client,
        engine_of(Toolway(Remote(api, client=client), settings=settings or Settings())).run() as running,
    ):
        yield Sent(running.calls)


def make_host(api: FastAPI, url: str) -> FastAPI:
    """Make an application that serves the tools of one that runs elsewhere."""
    client = httpx2.AsyncClient(base_url=url, **OPTIONS)

    @asynccontextmanager
    async def lifespan(_: FastAPI) -> AsyncGenerator[None]:
        async with client:
            yield

    host = FastAPI(lifespan=lifespan)
    Toolway(Remote(api, client=client)).mount(on=host)
    return host


@pytest.fixture(scope="module")
def api() -> FastAPI:
    return make_api()


@pytest.fixture
def url(api: FastAPI, serve: Serve) -> str:
    return serve(api)


@pytest.mark.parametrize("base", ["", "/api"])
async def test_values_and_answers_are_those_of_plain_http(serve: Serve, api: FastAPI, base: str) -> None:
    outer = FastAPI()
    outer.mount(base or "/", api)
    url = serve(outer) + base
    async with sending(api, url) as sent, httpx2.AsyncClient(base_url=url, **OPTIONS) as web:
        for name in ("x", "a b", "50% off? #1", "ä&ö;=", "..;", "...", "%2e%2e", "+", "'\"<>[]{}|^`\\"):
            arguments = {"name": name, "q": ["1&2", "", "ü"]}
            plain = await web.get(f"/things/{quote(name, safe='')}", params={"q": arguments["q"]})
            result = await sent("get_thing", arguments)
            assert result.structured_content == plain.json()
            assert plain.json()["name"] == name


async def test_every_kind_of_answer_arrives(api: FastAPI, url: str) -> None:
    async with sending(api, url) as sent:
        long = {"text": "x" * 100_000}
        assert (await sent("send_big", {"body": long})).structured_content == long
        file = {"filename": "a.txt", "content_type": "text/plain", "text": "words"}
        assert (await sent("send_file", {"file": file})).structured_content == ["a.txt", "words"]
        (picture,) = (await sent.outcome("show_picture")).content
        assert picture.data == PICTURE  # type: ignore[union-attr]
        assert not (await sent("drop")).is_error


async def test_refusals_and_failures_arrive_as_from_the_process(api: FastAPI, url: str) -> None:
    async with sending(api, url) as sent:
        assert error_of(await sent("get_thing", {"name": "none"})) == {"status": 404, "detail": "no such thing"}
        (problem,) = error_of(await sent("count", {"pieces": "many"}))["problems"]
        assert problem["argument"] == "pieces"
        failed = await sent("fail")
        assert error_of(failed)["status"] == 500
        assert "secret" not in text_of(failed)


async def test_a_path_that_a_client_would_resolve_is_refused(api: FastAPI, url: str) -> None:
    async with sending(api, url) as sent:
        for name in (".", ".."):
            result = await sent("get_thing", {"name": name})
            assert result.is_error
            assert "cannot be sent as it is" in text_of(result)


async def test_where_nobody_listens_the_caller_gets_a_reference(api: FastAPI) -> None:
    async with sending(api, "http://127.0.0.1:9") as sent:
        error = error_of(await sent("count", {"pieces": 1}))
        assert set(error) == {"status", "reference"}


async def test_redirects_are_followed_to_tools_and_to_nothing_else(api: FastAPI, url: str) -> None:
    async with sending(api, url) as sent:
        for target in ("/things/x", f"{url}/things/x"):
            assert (await sent("go", {"url": target})).structured_content["name"] == "x"
        for target in ("http://localhost:9/things/x", "/docs"):
            assert "continue at" in text_of(await sent("go", {"url": target}))


async def test_a_stream_is_followed_told_of_and_bounded(api: FastAPI, url: str) -> None:
    told: list[str | None] = []

    async def report(progress: float, total: float | None, word: str | None) -> None:
        told.append(word)
        api.state.heard.set()

    identity = {"accept-encoding": "identity"}  # a compressed stream comes in pieces of its own
    async with sending(api, url, headers=identity) as sent:
        assert text_of(await sent("read_lines", report=report)) == "line 0\nline 1\n"
        assert told == ["line 0", "line 1"]
    api.state.ended.clear()
    async with sending(api, url, Settings(stream_seconds=1.5), headers=identity) as sent:
        endless = await sent("read_endless")
        assert text_of(endless).startswith("line 0\n")
        assert "still open after 1.5 seconds" in str(endless.content)
        assert await anyio.to_thread.run_sync(api.state.ended.wait, PATIENCE)


async def test_an_answer_that_is_too_large_is_cut_also_when_it_is_compressed(api: FastAPI, url: str) -> None:
    async with sending(api, url, Settings(max_result_bytes=1000)) as sent:
        result = await sent("send_big", {"body": {"text": "x" * 100_000}})
        assert "larger than 1,000 bytes" in str(result.content)


@pytest.mark.parametrize("version", ERAS)
def test_who_leaves_ends_the_call_where_it_runs(serve: Serve, api: FastAPI, url: str, version: str) -> None:
    api.state.entered.clear()
    api.state.ended.clear()
    mcp = f"{serve(make_host(api, url))}/mcp"
    drop(mcp, version, {"name": "wait_long", "arguments": {}}, lambda: api.state.entered.wait(PATIENCE))
    assert api.state.entered.is_set()
    assert api.state.ended.wait(PATIENCE)


async def test_the_caller_and_the_operator_are_seen_and_nobody_elses_cookies(api: FastAPI, url: str) -> None:
    mine = ((b"authorization", b"Bearer abc"), (b"x-key", b"k"), (b"x-tenant", b"acme"), (b"cookie", b"a=b"))
    settings = Settings(forward_headers=["x-tenant"])
    async with sending(api, url, settings, headers={"x-service": "gateway"}, cookies={"fixed": "yes"}) as sent:
        await sent("log_in")
        assert (await sent("seen", headers=mine)).structured_content == {
            "authorization": "Bearer abc", "x-tenant": "acme", "x-service": "gateway", "cookie": "fixed=yes",
        }  # fmt: skip
        assert (await sent("bearer", headers=mine)).structured_content == "abc"
        keys = await sent("keys", {"x-fine": "f"}, headers=mine, query=(("key", "q"), ("more", "x")))
        assert keys.structured_content == ["k", "q", "f"]


async def test_the_client_keeps_its_own_cookies(api: FastAPI, url: str) -> None:
    async with httpx2.AsyncClient(base_url=url, **OPTIONS) as client:
        Toolway(Remote(api, client=client))
        await client.get("/log-in")
        assert client.cookies["session"]


def test_a_client_that_leads_nowhere_is_refused() -> None:
    with pytest.raises(ConfigurationError, match="base URL"):
        Toolway(Remote(make_api(), client=httpx2.AsyncClient()))


def test_the_application_is_not_started_where_it_does_not_run(serve: Serve) -> None:
    started: list[str] = []

    @asynccontextmanager
    async def lifespan(_: FastAPI) -> AsyncGenerator[None]:
        started.append("here")
        yield

    def make() -> FastAPI:
        api = FastAPI(lifespan=lifespan)
        api.get("/where", operation_id="where")(lambda: "there")
        return api

    url = serve(make())
    started.clear()
    assert Peer(f"{serve(make_host(make(), url))}/mcp").call("where")["structuredContent"] == "there"
    assert started == []
