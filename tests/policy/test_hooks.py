"""Hooks: code of the application around every call, in both lanes and in both eras of the protocol."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Callable
from contextlib import asynccontextmanager
from contextvars import ContextVar
from typing import Any

import httpx2
import pytest
from fastapi import BackgroundTasks, FastAPI, HTTPException

from tests import web
from tests.calls.both import both
from tests.protocol.wire import ERAS, headers_of, message, reply
from toolway import Settings, Toolway, agent_prompt, agent_resource, agent_tool
from toolway.calls import CallContext, Outcome
from toolway.catalog import Tool
from toolway.errors import ConfigurationError
from toolway.policy import Call, Caller, Proceed

pytestmark = pytest.mark.parametrize("version", ERAS)
both_lanes = pytest.mark.parametrize("fast_lane", [True, False], ids=["fast lane", "SDK"])

tenant: ContextVar[str] = ContextVar("tenant", default="nobody")


def make_shop() -> FastAPI:
    app = FastAPI(title="Shop")
    app.state.done = asyncio.Event()
    app.state.order = []

    @app.get("/stock/{product}", operation_id="stock")
    async def stock(product: str) -> dict[str, str]:
        app.state.order.append("endpoint")
        return {"product": product, "tenant": tenant.get()}

    @app.get("/staff", operation_id="staff")
    async def staff() -> str:
        return "staff only"

    @app.get("/missing", operation_id="missing")
    async def missing() -> str:
        raise HTTPException(404, "no such product")

    @app.post("/order", operation_id="order")
    async def order(background: BackgroundTasks) -> str:
        background.add_task(app.state.done.wait)
        return "ordered"

    @app.post("/wait", operation_id="wait")
    async def wait() -> str:
        app.state.order.append("endpoint")
        try:
            await asyncio.Event().wait()
        finally:
            app.state.order.append("stopped")
        return "never"

    @app.get("/policy", operation_id="returns")
    @agent_resource("shop://returns")
    async def returns() -> str:
        return "30 days"

    @app.get("/greeting", operation_id="greeting")
    @agent_prompt()
    async def greeting() -> str:
        return "Greet the user"

    @app.delete("/stock", operation_id="clear")
    @agent_tool(confirm="Clear the stock?")
    async def clear() -> str:
        return "cleared"

    return app


class Peer:
    """A client that sends single requests over HTTP in one revision."""

    def __init__(self, client: httpx2.AsyncClient, version: str) -> None:
        self.client = client
        self.version = version

    async def ask(self, method: str, params: dict[str, Any] | None = None, **headers: str) -> dict[str, Any]:
        body = message(self.version, method, params)
        sent = {**headers_of(self.version, body), **headers}
        return reply(await self.client.post("/mcp", json=body, headers=sent))

    async def call(self, name: str, arguments: dict[str, Any] | None = None, **headers: str) -> dict[str, Any]:
        answer = await self.ask("tools/call", {"name": name, "arguments": arguments or {}}, **headers)
        return answer.get("result") or answer["error"]


@asynccontextmanager
async def serving(
    version: str, *hooks: object, fast_lane: bool = True, app: FastAPI | None = None
) -> AsyncGenerator[Peer]:
    app = app or make_shop()
    Toolway(app, hooks=hooks, settings=Settings(_env_file=None, fast_lane=fast_lane)).mount()
    transport = httpx2.ASGITransport(app=app)
    async with (
        app.router.lifespan_context(app),
        web.AsyncClient(transport=transport, base_url="http://localhost") as client,
    ):
        yield Peer(client, version)


class Recorder:
    """A hook that notes what it sees, before and after the call."""

    def __init__(self, name: str, seen: list[Any]) -> None:
        self.name = name
        self.seen = seen

    async def call(self, call: Call, proceed: Proceed) -> Outcome:
        self.seen.append((self.name, call.tool.name, dict(call.arguments)))
        outcome = await proceed()
        self.seen.append((self.name, outcome.status, outcome.is_error))
        return outcome


class StaffOnly:
    """A hook that hides the tool `staff` from everybody without the header `x-staff`."""

    def visible(self, tool: Tool, caller: Caller) -> bool:
        return tool.name not in {"staff", "returns", "greeting"} or caller.headers.get("x-staff") == "yes"


def hook(function: Callable[[Call, Proceed], Any]) -> object:
    """Make a hook of a function."""

    class Hook:
        async def call(self, call: Call, proceed: Proceed) -> Outcome:
            return await function(call, proceed)

    return Hook()


@both_lanes
async def test_hooks_run_around_a_call_the_first_outermost(version: str, fast_lane: bool) -> None:
    seen: list[Any] = []
    async with serving(version, Recorder("outer", seen), Recorder("inner", seen), fast_lane=fast_lane) as peer:
        result = await peer.call("stock", {"product": "tea"})
    assert result["structuredContent"] == {"product": "tea", "tenant": "nobody"}
    assert seen == [
        ("outer", "stock", {"product": "tea"}),
        ("inner", "stock", {"product": "tea"}),
        ("inner", 200, False),
        ("outer", 200, False),
    ]


@both_lanes
async def test_a_hook_sees_the_error_of_an_endpoint(version: str, fast_lane: bool) -> None:
    seen: list[Any] = []
    async with serving(version, Recorder("only", seen), fast_lane=fast_lane) as peer:
        result = await peer.call("missing")
    assert result["isError"]
    assert seen[-1] == ("only", 404, True)


@both_lanes
async def test_a_hook_may_refuse_a_call_before_the_endpoint_runs(version: str, fast_lane: bool) -> None:
    async def refuse(call: Call, proceed: Proceed) -> Outcome:
        raise HTTPException(403, f"{call.tool.name} is not for you")

    app = make_shop()
    async with serving(version, hook(refuse), fast_lane=fast_lane, app=app) as peer:
        result = await peer.call("stock", {"product": "tea"})
    assert result["isError"]
    assert result["content"][0]["text"] == "stock is not for you"
    assert app.state.order == []


@both_lanes
async def test_an_exception_of_a_hook_reaches_the_client_as_a_reference_id(version: str, fast_lane: bool) -> None:
    async def fail(call: Call, proceed: Proceed) -> Outcome:
        raise RuntimeError("the password is secret")

    async with serving(version, hook(fail), fast_lane=fast_lane) as peer:
        result = await peer.call("stock", {"product": "tea"})
    assert result["isError"]
    assert "Reference" in result["content"][0]["text"]
    assert "secret" not in str(result)


@both_lanes
async def test_the_endpoint_has_the_context_variables_of_a_hook(version: str, fast_lane: bool) -> None:
    async def enter(call: Call, proceed: Proceed) -> Outcome:
        tenant.set(call.caller.headers["x-tenant"])
        return await proceed()

    async with serving(version, hook(enter), fast_lane=fast_lane) as peer:
        result = await peer.call("stock", {"product": "tea"}, **{"x-tenant": "acme"})
    assert result["structuredContent"]["tenant"] == "acme"


async def test_the_outcome_is_known_while_background_tasks_still_run(version: str) -> None:
    app = make_shop()
    seen: list[Any] = []
    async with both(app, hooks=[Recorder("only", seen)]) as reached:
        outcome = await reached.calls.call("order", {}, CallContext())
        app.state.done.set()
    assert not outcome.is_error
    assert seen[-1] == ("only", 200, False)


@both_lanes
async def test_a_hook_that_stops_waiting_stops_the_endpoint(version: str, fast_lane: bool) -> None:
    async def give_up(call: Call, proceed: Proceed) -> Outcome:
        running = asyncio.ensure_future(proceed())
        while not app.state.order:
            await asyncio.wait({running}, timeout=0.01)
        running.cancel()
        await asyncio.wait({running})
        raise HTTPException(504, "it took too long")

    app = make_shop()
    async with serving(version, hook(give_up), fast_lane=fast_lane, app=app) as peer:
        result = await peer.call("wait")
    assert result["content"][0]["text"] == "it took too long"
    assert app.state.order == ["endpoint", "stopped"]


@both_lanes
async def test_a_hook_may_not_run_the_endpoint_twice(version: str, fast_lane: bool) -> None:
    async def twice(call: Call, proceed: Proceed) -> Outcome:
        await proceed()
        return await proceed()

    app = make_shop()
    async with serving(version, hook(twice), fast_lane=fast_lane, app=app) as peer:
        result = await peer.call("stock", {"product": "tea"})
    assert result["isError"]
    assert app.state.order == ["endpoint"]


@both_lanes
async def test_resources_and_prompts_pass_the_hooks(version: str, fast_lane: bool) -> None:
    seen: list[Any] = []
    async with serving(version, Recorder("only", seen), fast_lane=fast_lane) as peer:
        await peer.ask("resources/read", {"uri": "shop://returns"})
        await peer.ask("prompts/get", {"name": "greeting"})
    assert [entry[1] for entry in seen[::2]] == ["returns", "greeting"]


@both_lanes
async def test_a_hidden_tool_is_neither_listed_nor_called(version: str, fast_lane: bool) -> None:
    async with serving(version, StaffOnly(), fast_lane=fast_lane) as peer:
        listed = (await peer.ask("tools/list"))["result"]["tools"]
        assert "staff" not in {tool["name"] for tool in listed}
        refused = await peer.call("staff")
        assert refused["code"] == -32602
        assert refused["message"] == "Unknown tool: 'staff'"
        shown = (await peer.ask("tools/list", **{"x-staff": "yes"}))["result"]
        assert "staff" in {tool["name"] for tool in shown["tools"]}
        assert shown.get("cacheScope", "private") == "private"
        assert not (await peer.call("staff", **{"x-staff": "yes"}))["isError"]


@both_lanes
async def test_a_hidden_resource_or_prompt_does_not_exist(version: str, fast_lane: bool) -> None:
    async with serving(version, StaffOnly(), fast_lane=fast_lane) as peer:
        assert (await peer.ask("resources/list"))["result"]["resources"] == []
        assert (await peer.ask("prompts/list"))["result"]["prompts"] == []
        assert "error" in await peer.ask("resources/read", {"uri": "shop://returns"})
        assert "error" in await peer.ask("prompts/get", {"name": "greeting"})
        shown = {"x-staff": "yes"}
        assert len((await peer.ask("resources/list", **shown))["result"]["resources"]) == 1
        assert "result" in await peer.ask("prompts/get", {"name": "greeting"}, **shown)


@both_lanes
async def test_confirmation_runs_inside_the_hooks(version: str, fast_lane: bool) -> None:
    seen: list[Any] = []
    async with serving(version, Recorder("only", seen), fast_lane=fast_lane) as peer:
        await peer.call("clear")
    assert seen == [("only", "clear", {}), ("only", 428, True)]


async def test_a_hook_without_methods_is_refused(version: str) -> None:
    with pytest.raises(ConfigurationError, match="'call' or 'visible'"):
        Toolway(make_shop(), hooks=[object()])


async def test_a_hook_that_is_not_async_is_refused(version: str) -> None:
    class Hook:
        def call(self, call: Call, proceed: Proceed) -> object:
            return None

    with pytest.raises(ConfigurationError, match="async def"):
        Toolway(make_shop(), hooks=[Hook()])


async def test_hooks_of_one_of_several_applications_are_refused(version: str) -> None:
    inner = Toolway(make_shop(), hooks=[StaffOnly()])
    with pytest.raises(ConfigurationError, match="combining Toolway"):
        Toolway({"shop": inner, "other": make_shop()})
