"""What the SDK leaves sharp and toolway rounds off; each test names the edge of the SDK that it is about.

Others stand where they belong: with malformed requests, hosts and origins, sessions, revisions and cancellation.
"""

from __future__ import annotations

import logging
import subprocess
import sys
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from typing import Annotated, Any

import httpx2
import pytest
from fastapi import Body, FastAPI, Query, Request
from fastapi.testclient import TestClient
from mcp.server.context import CallNext
from starlette.routing import Mount, Route

from tests.protocol.apps import make_app, make_server
from tests.protocol.wire import ACCEPT, ERAS, HANDSHAKES, MODERN, Peer, headers_of, message, reply
from tests.servers import START, Serve, serving
from tests.support import ROOT
from toolway import Settings, Toolway
from toolway.app import engine_of
from toolway.errors import ConfigurationError
from toolway.protocol import CatalogServer, Endpoint


@pytest.fixture(scope="module")
def url() -> Iterator[str]:
    with serving(make_server()) as base:
        yield f"{base}/mcp"


@pytest.mark.parametrize("version", ERAS)
@pytest.mark.parametrize("stateful", [False, True], ids=["stateless", "stateful"])
def test_an_exception_beside_the_call_shows_a_reference_that_the_log_knows(
    serve: Serve, caplog: pytest.LogCaptureFixture, version: str, stateful: bool
) -> None:
    """Edge 4: the SDK would send its text to clients of MCP 2024-11-05 to 2025-11-25."""

    async def fail(ctx: Any, call_next: Any) -> Any:
        if ctx.method == "tools/call":
            raise RuntimeError("the secret of the house")
        return await call_next(ctx)

    settings = Settings(stateful=stateful, fast_lane=False)
    toolway, endpoint = Toolway(make_app(), settings=settings), Endpoint(settings)

    @asynccontextmanager
    async def lifespan(_: object) -> AsyncIterator[None]:
        async with engine_of(toolway).run() as running:
            server = CatalogServer(running.catalog, running.server.config)
            server.middleware.append(fail)
            async with endpoint.serving(server, running.calls):
                yield

    app = FastAPI(lifespan=lifespan, routes=[Route("/mcp", endpoint=endpoint)])
    peer = Peer(serve(app) + "/mcp", version)
    session = {}
    if stateful and version != MODERN:
        params = {"protocolVersion": version, "capabilities": {}, "clientInfo": {"name": "t", "version": "1"}}
        session = {"mcp-session-id": peer.send("initialize", params).headers["mcp-session-id"]}
    with caplog.at_level(logging.ERROR, logger="toolway"):
        response = peer.send("tools/call", {"name": "count_things", "arguments": {}}, headers=session)
    error = reply(response)["error"]
    assert error["code"] == -32603
    assert "secret" not in response.text
    reference = error["message"].rpartition(" ")[2]
    [record] = [record for record in caplog.records if record.name.startswith("toolway")]
    assert reference in record.getMessage()
    assert record.exc_info is not None
    assert "the secret of the house" in str(record.exc_info[1])


@pytest.mark.parametrize("version", ERAS)
def test_the_log_has_a_failing_endpoints_exception_under_the_callers_reference(
    url: str, caplog: pytest.LogCaptureFixture, version: str
) -> None:
    """Edge 4."""
    with caplog.at_level(logging.ERROR, logger="toolway"):
        error = Peer(url, version).call("fail")["_meta"]["toolway/error"]
    [record] = [record for record in caplog.records if record.name.startswith("toolway")]
    assert error["reference"] in record.getMessage()
    assert record.exc_info is not None
    assert "the secret of the house" in str(record.exc_info[1])


@pytest.mark.parametrize("version", [None, *HANDSHAKES, MODERN])
def test_a_get_is_refused_at_once_and_opens_no_stream(url: str, version: str | None) -> None:
    """Edge 6: the SDK would send an event stream that never says anything."""
    headers = {"accept": "text/event-stream", **({"mcp-protocol-version": version} if version else {})}
    response = httpx2.get(url, headers=headers, timeout=40)
    assert (response.status_code, response.headers["allow"]) == (405, "POST")


@pytest.mark.parametrize("version", ERAS)
def test_a_call_does_not_walk_the_catalogue(serve: Serve, version: str) -> None:
    """Edge 9: without care the SDK, where a call is left to it, lists all tools for each."""
    app = FastAPI()
    for number in range(200):
        add_numbered(app, number)
    toolway, seen = Toolway(app, settings=Settings(fast_lane=False)), []

    async def record(ctx: Any, call_next: CallNext) -> Any:
        seen.append(ctx.method)
        return await call_next(ctx)

    peer = Peer(serve(toolway.mount().app) + "/mcp", version)
    assert engine_of(toolway).running is not None
    engine_of(toolway).running.server.middleware.append(record)
    for name in ("get_7", "get_199"):
        arguments = {"count": 3, "region": "north"}
        headers = {"mcp-param-region": "north"} if version == MODERN else {}
        assert peer.call(name, arguments, headers=headers)["content"][0]["text"] == '["north",3]'
    assert seen == ["tools/call", "tools/call"]


def add_numbered(app: FastAPI, number: int) -> None:
    @app.get(f"/{number}", operation_id=f"get_{number}")
    async def get(count: int, region: Annotated[str, Query(json_schema_extra={"x-mcp-header": "Region"})]) -> list[Any]:
        return [region, count]


MISMATCHES = {
    "another value": {"mcp-param-region": "south"},
    "other capitals": {"mcp-param-region": "North"},
    "no header": {},
    "base64 of another value": {"mcp-param-region": "=?base64?c291dGg=?="},
    "broken base64": {"mcp-param-region": "=?base64?bm9y?dGg=?="},
}


@pytest.mark.parametrize("headers", MISMATCHES.values(), ids=MISMATCHES.keys())
def test_a_declared_header_that_contradicts_its_argument_is_a_mismatch(url: str, headers: dict[str, str]) -> None:
    """H5."""
    params = {"name": "list_rows", "arguments": {"region": "north"}}
    response = Peer(url).send("tools/call", params, headers=headers)
    assert (response.status_code, reply(response)["error"]["code"], reply(response)["id"]) == (400, -32020, 1)


@pytest.mark.parametrize("value", ["north", "=?base64?bm9ydGg=?=", "  north  "])
def test_a_declared_header_that_repeats_its_argument_is_fine(url: str, value: str) -> None:
    """H5."""
    params = {"name": "list_rows", "arguments": {"region": "north"}}
    body = message(MODERN, "tools/call", params)
    headers = {**headers_of(MODERN, body), "mcp-param-region": value.strip()}
    assert reply(Peer(url).post(body, headers))["result"]["structuredContent"] == ["north"]


def test_older_clients_send_no_declared_headers(url: str) -> None:
    assert Peer(url, HANDSHAKES[-1]).call("list_rows", {"region": "north"})["isError"] is False


def test_a_header_declared_where_clients_would_drop_the_tool_fails_the_start() -> None:
    """T9: on an argument that may be null, the schema has no single type."""
    app = FastAPI()

    @app.get("/rows", operation_id="list_rows")
    async def list_rows(region: Annotated[str | None, Query(json_schema_extra={"x-mcp-header": "R"})] = None) -> None:
        pass

    Toolway(app).mount()
    with pytest.raises(ConfigurationError, match=r"tool 'list_rows'.*x-mcp-header"), TestClient(app):
        pass


def test_data_that_only_looks_like_a_declared_header_declares_none(serve: Serve) -> None:
    """A default value or a property of that name is no annotation."""
    app = FastAPI()

    @app.post("/rows", operation_id="keep")
    async def keep(value: Annotated[dict[str, Any], Body(embed=True)] = {"x-mcp-header": "R"}) -> None:  # noqa: B006
        pass

    @app.get("/named", operation_id="named")
    async def named(name: Annotated[str, Query(alias="x-mcp-header")]) -> str:
        return name

    peer = Peer(serve(Toolway(app).mount().app) + "/mcp")
    assert peer.call("named", {"x-mcp-header": "north"})["structuredContent"] == "north"


QUIET = """
import logging, sys, warnings
from fastapi.testclient import TestClient
from tests.protocol.apps import make_server
from tests.protocol.wire import headers_of, message

with TestClient(make_server(), base_url="http://localhost") as client:
    for version in ("2026-07-28", "2025-11-25"):
        for name in ("count_things", "fail"):
            body = message(version, "tools/call", {"name": name})
            assert client.post("/mcp", json=body, headers=headers_of(version, body)).status_code == 200
print("handlers:", logging.getLogger().handlers, logging.getLogger("toolway").handlers)
print("level:", logging.getLogger().level == logging.WARNING, logging.getLogger("toolway").level)
print("rich:", "rich" in sys.modules)
"""


def test_serving_configures_no_logging_and_loads_no_rich_text() -> None:
    """Edge 21: one failing call would block everybody for most of a second."""
    command = [sys.executable, "-c", QUIET]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=START, check=False)
    assert done.stdout.splitlines() == ["handlers: [] []", "level: True 0", "rich: False"], done.stderr


def test_a_post_is_answered_where_it_was_sent(url: str) -> None:
    """Edge 35: a mounted application would redirect to the path with a slash."""
    response = Peer(url).send("tools/list")
    assert (response.status_code, response.history) == (200, [])


def test_a_mount_that_takes_every_path_does_not_take_this_one(serve: Serve) -> None:
    """Edge 35."""

    async def everything(scope: Any, receive: Any, send: Any) -> None:
        raise AssertionError("nothing may arrive here")

    app = make_app(routes=[Mount("/", app=everything)])
    Toolway(app).mount()
    assert Peer(serve(app) + "/mcp").send("tools/list").status_code == 200


def test_the_applications_lifespan_runs_once_per_start_and_its_state_reaches_endpoints() -> None:
    """Edges 18 and 35: an application may be started several times in one process."""
    events: list[str] = []

    @asynccontextmanager
    async def lifespan(app: FastAPI) -> AsyncIterator[dict[str, str]]:
        events.append("start")
        yield {"who": f"start {len(events)}"}
        events.append("stop")

    app = FastAPI(lifespan=lifespan)

    @app.get("/who", operation_id="who")
    async def who(request: Request) -> str:
        return request.state.who

    Toolway(app).mount()
    for version in (MODERN, HANDSHAKES[-1]):
        events.clear()
        with TestClient(app, base_url="http://localhost") as client:
            body = message(version, "tools/call", {"name": "who"})
            text = client.post("/mcp", json=body, headers=headers_of(version, body)).text
            assert '\\"start 1\\"' in text
            assert events == ["start"]
        assert events == ["start", "stop"]


def test_an_application_that_is_not_running_says_so(serve: Serve) -> None:
    """Edge 35."""
    response = Peer(serve(make_server(), lifespan="off") + "/mcp").send("tools/list")
    assert response.status_code == 503
    assert reply(response)["error"]["message"].startswith("MCP is not running")


@pytest.mark.parametrize("accept", [ACCEPT, "*/*", "application/*, text/*", "text/event-stream;q=0.5,application/json"])
@pytest.mark.parametrize("version", ERAS)
def test_a_client_may_accept_both_kinds_of_answers_in_any_words(url: str, version: str, accept: str) -> None:
    """Edge 16."""
    assert Peer(url, version).send("tools/list", headers={"accept": accept}).status_code == 200


@pytest.mark.parametrize("version", ERAS)
def test_the_content_type_may_name_its_charset(url: str, version: str) -> None:
    headers = {"content-type": "Application/JSON; charset=utf-8"}
    assert Peer(url, version).send("tools/list", headers=headers).status_code == 200


@pytest.mark.parametrize("version", ERAS)
def test_what_a_caller_makes_up_is_not_repeated_at_length(url: str, version: str) -> None:
    peer, long = Peer(url, version), "x" * (1_000_000 if version != MODERN else 10_000)
    for params in ({"name": long}, {"name": "count_things", "arguments": {long: 1}}):
        assert len(peer.send("tools/call", params).text) < 1000
    assert len(peer.send("tools/list", {"cursor": long}).text) < 1000
