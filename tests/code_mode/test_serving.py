"""Code mode over the protocol: which connections have it, and programs whose user is asked in the middle."""

from __future__ import annotations

import json
import sys
from collections.abc import Mapping
from contextlib import AsyncExitStack
from typing import Any

import httpx2
import pytest
from mcp import Client, StdioServerParameters
from mcp.client.stdio import stdio_client
from mcp.client.streamable_http import streamable_http_client
from mcp_types import ElicitResult

from tests.code_mode.shop import make_shop
from tests.protocol.clients import connect
from tests.protocol.wire import CAPABILITIES_KEY, ERAS, MODERN, Peer, headers_of, message, reply
from tests.servers import PATIENCE, Serve, running
from tests.support import ROOT
from toolway import Settings, Toolway
from toolway.app import engine_of
from toolway.errors import ConfigurationError

WAIT = "from tools import wait_for_others\nawait wait_for_others(calls=2)"
CANCEL = 'from tools import cancel_order\norder = await cancel_order("o3")\norder["total"]'
ALL = Settings(code_tools="all", stateful=True, catalog="code")
KEY = "a key of the server " * 2
by_era = pytest.mark.parametrize("version", ERAS)
by_lane = pytest.mark.parametrize("fast_lane", [True, False], ids=["fast lane", "SDK"])


def names(listed: Mapping[str, Any]) -> list[str]:
    return [tool["name"] for tool in listed["tools"]]


@by_era
@by_lane
def test_a_connection_chooses_its_mode(serve: Serve, version: str, fast_lane: bool) -> None:
    url = serve(Toolway(make_shop(), settings=Settings(fast_lane=fast_lane)).mount().app) + "/mcp"
    by_default, code = Peer(url, version), Peer(f"{url}?catalog=code", version)
    assert "get_order" in names(by_default.ask("tools/list"))
    assert names(code.ask("tools/list")) == ["search_tools", "run_code"]
    assert "get_order" in names(Peer(f"{url}?catalog=list", version).ask("tools/list"))
    result = code.call("run_code", {"code": "1 + 1"})
    assert result["content"] == [{"type": "text", "text": "2"}]
    assert by_default.refusal("tools/call", {"name": "run_code", "arguments": {"code": "1"}})["code"] == -32602


@by_era
@by_lane
def test_a_server_chooses_the_mode_of_connections_that_do_not(serve: Serve, version: str, fast_lane: bool) -> None:
    settings = Settings(fast_lane=fast_lane)
    url = serve(Toolway(make_shop(), catalog="code", settings=settings).mount().app) + "/mcp"
    assert names(Peer(url, version).ask("tools/list")) == ["search_tools", "run_code"]
    assert len(names(Peer(f"{url}?catalog=list", version).ask("tools/list"))) > 5


@by_era
def test_an_unknown_mode_is_refused_with_those_that_exist(serve: Serve, version: str) -> None:
    url = serve(Toolway(make_shop()).mount().app) + "/mcp?catalog=codes"
    message = Peer(url, version).refusal("tools/list")["message"]
    assert message == "Invalid request: the URL asks for catalog='codes'; expected list or search or code"


def test_code_mode_takes_at_most_600_tokens(serve: Serve) -> None:
    url = serve(Toolway(make_shop(), catalog="code").mount().app) + "/mcp"
    tools = Peer(url).ask("tools/list")["tools"]
    assert len(json.dumps(tools, separators=(",", ":"))) / 4 <= 600


@pytest.mark.parametrize(("code_tools", "read_only"), [("read_only", True), ("all", False)])
def test_the_hints_of_run_code_follow_the_tools_that_it_may_call(
    serve: Serve, code_tools: Any, read_only: bool
) -> None:
    url = serve(Toolway(make_shop(), catalog="code", settings=Settings(code_tools=code_tools)).mount().app) + "/mcp"
    _, tool = Peer(url).ask("tools/list")["tools"]
    assert tool["annotations"]["readOnlyHint"] is read_only
    assert tool["annotations"]["destructiveHint"] is not read_only


async def test_code_mode_needs_its_extra(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "pydantic_monty", None)
    with pytest.raises(ConfigurationError, match=r"pip install 'toolway\[code\]'"):
        async with engine_of(Toolway(make_shop(), catalog="code")).run():
            pass


class User:
    """Answers the questions of a client."""

    def __init__(self, *answers: bool) -> None:
        self.asked: list[str] = []
        self._answers = list(answers)

    async def elicit(self, context: Any, params: Any) -> ElicitResult:
        self.asked.append(params.message)
        return ElicitResult(action="accept", content={"ok": self._answers.pop(0)})


def text(result: Any) -> str:
    return result.content[0].text


@pytest.mark.parametrize(
    ("transport", "mode"), [("http", "2026-07-28"), ("stateful http", "auto"), ("stateful http", "legacy")]
)
async def test_the_official_client_confirms_calls_inside_a_program(transport: str, mode: str) -> None:
    user = User(True, False)
    async with connect(transport, mode, make_shop, ALL, elicitation_callback=user.elicit) as client:
        assert text(await client.call_tool("run_code", {"code": CANCEL})) == "4.5"
        declined = await client.call_tool("run_code", {"code": CANCEL})
        assert declined.is_error
        assert "The user declined to answer (confirm)" in text(declined)
    assert user.asked == ['Cancel order "o3"?'] * 2


async def test_the_official_client_confirms_calls_over_stdio() -> None:
    user = User(True)
    arguments = ["-m", "toolway", "stdio", "tests.code_mode.shop:make_code_server()"]
    server = stdio_client(StdioServerParameters(command=sys.executable, args=arguments, cwd=ROOT))
    async with Client(server, mode="legacy", elicitation_callback=user.elicit) as client:
        assert text(await client.call_tool("run_code", {"code": CANCEL})) == "4.5"
    assert user.asked == ['Cancel order "o3"?']


async def test_clients_receive_the_progress_of_a_program() -> None:
    messages: list[str | None] = []

    async def receive(progress: float, total: float | None, message: str | None) -> None:
        messages.append(message)

    async with connect("http", "2026-07-28", make_shop, ALL) as client:
        code = "from tools import export\nawait export()"
        await client.call_tool("run_code", {"code": code}, progress_callback=receive)
    assert messages == ["export: half", "export"]


def test_a_client_that_disconnects_stops_the_program_and_its_calls(serve: Serve) -> None:
    app = make_shop()
    url = serve(Toolway(app, settings=ALL).mount().app) + "/mcp"
    body = message(MODERN, "tools/call", {"name": "run_code", "arguments": {"code": WAIT}})
    with pytest.raises(httpx2.ReadTimeout):
        httpx2.post(url, json=body, headers=headers_of(MODERN, body), timeout=1)
    assert app.state.stopped.wait(PATIENCE)


async def test_a_program_continues_in_another_worker() -> None:
    """The client opens a connection per request, so that any of the two workers gets it."""
    code = 'from tools import cancel_order, process\nfirst = await process()\nawait cancel_order("o3")\n'
    code += "[first, await process()]"
    user = User(*[True] * 200)
    command = [sys.executable, "-m", "toolway", "serve", "tests.code_mode.shop:make_code_server()", "--port", "0"]
    with running([*command, "--workers", "2"], ready="Ctrl+C") as server:
        url = server.url("MCP endpoint") + "/mcp"
        async with AsyncExitStack() as stack:
            limits = httpx2.Limits(max_keepalive_connections=0)
            http = await stack.enter_async_context(httpx2.AsyncClient(limits=limits, timeout=40))
            transport = streamable_http_client(url, http_client=http)
            client = await stack.enter_async_context(
                Client(transport, mode="2026-07-28", elicitation_callback=user.elicit)
            )
            processes: set[tuple[int, int]] = set()
            while not any(first != second for first, second in processes):
                result = await client.call_tool("run_code", {"code": code})
                assert not result.is_error, text(result)
                processes.add(tuple(json.loads(text(result))))
    assert user.asked[0] == 'Cancel order "o3"?'


ABLE = {"elicitation": {}}


def run(peer: Peer, code: str, headers: Mapping[str, str] | None = None, **more: Any) -> httpx2.Response:
    params = {"name": "run_code", "arguments": {"code": code}, "_meta": {CAPABILITIES_KEY: ABLE}, **more}
    return peer.send("tools/call", params, headers=headers)


def answers_to(response: httpx2.Response) -> dict[str, Any]:
    asked = reply(response)["result"]["inputRequests"]
    return {key: {"action": "accept", "content": {"ok": True}} for key in asked}


def test_the_state_of_a_program_is_bound_to_its_code_and_its_caller_and_used_once(serve: Serve) -> None:
    app = make_shop()
    url = serve(Toolway(app, settings=ALL).mount().app) + "/mcp"
    peer = Peer(url, MODERN)
    ann, bob = {"authorization": "Bearer ann"}, {"authorization": "Bearer bob"}
    asked = run(peer, CANCEL, ann)
    state, given = reply(asked)["result"]["requestState"], answers_to(asked)
    assert len(state) < 10_000

    def refused(response: httpx2.Response) -> bool:
        return reply(response).get("error", {}).get("data") == {"reason": "invalid_request_state"}

    assert refused(run(peer, CANCEL.replace("o3", "o4"), ann, inputResponses=given, requestState=state))
    assert refused(run(peer, CANCEL, bob, inputResponses=given, requestState=state))
    assert refused(run(peer, CANCEL, ann, inputResponses=given, requestState=state[:-8] + "AAAAAAAA"))
    assert app.state.effects == []
    answered = run(peer, CANCEL, ann, inputResponses=given, requestState=state)
    assert reply(answered)["result"]["content"][0]["text"] == "4.5"
    assert refused(run(peer, CANCEL, ann, inputResponses=given, requestState=state))
    assert app.state.effects == ["cancel o3"]


@by_era
def test_a_search_in_code_mode_shows_what_a_program_needs(serve: Serve, version: str) -> None:
    peer = Peer(serve(Toolway(make_shop(), catalog="code").mount().app) + "/mcp", version)
    found = json.loads(peer.call("search_tools", {"query": "get one order", "limit": 6})["content"][0]["text"])
    by_name = {tool["name"]: tool for tool in found["tools"]}
    assert by_name["get_order"]["signature"].startswith("async def get_order(order_id: str) -> ")
    assert "total: float" in by_name["get_order"]["signature"]
    assert [tool.get("signature") is not None for tool in found["tools"]] == [True] * 5 + [False] * (len(by_name) - 5)
    assert "describe_tools" not in found["hint"]
