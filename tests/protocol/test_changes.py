"""Who listens is told of changes: in both eras, over HTTP and stdio, and nothing is left of those who left."""

from __future__ import annotations

import json
from collections.abc import Callable
from contextlib import AsyncExitStack
from typing import Any

import anyio
import httpx2
import pytest
from fastapi import FastAPI
from mcp import Client, MCPError
from mcp.client.subscriptions import Subscription
from mcp.server.subscriptions import InMemorySubscriptionBus, ServerEvent
from mcp.shared.subscriptions import PromptsListChanged, ResourcesListChanged, ResourceUpdated, ToolsListChanged
from mcp_types import SubscriptionFilter

from tests import web
from tests.protocol.changing import make_changing, make_changing_server
from tests.protocol.clients import connect
from tests.protocol.dropping import Left, drop
from tests.protocol.listening import listener
from tests.protocol.speaker import Speaker
from tests.protocol.test_mounting import asked, running
from tests.protocol.wire import HANDSHAKES, MODERN
from tests.servers import PATIENCE, serving
from toolway import Changes, Toolway, agent_resource

pytestmark = pytest.mark.anyio

LEGACY = HANDSHAKES[-1]


async def next_of(subscription: Subscription) -> ServerEvent:
    with anyio.fail_after(PATIENCE):
        return await anext(aiter(subscription))


@pytest.mark.parametrize("transport", ["http", "stdio"])
async def test_a_listener_is_told_of_what_it_asked_for_and_of_nothing_else(transport: str) -> None:
    """S1."""
    async with connect(transport, "auto", make_changing) as client:
        orders = ["orders://%23W1", "orders://#W2", "nowhere://", "no uri"]
        async with (
            client.listen(resource_subscriptions=orders) as some,
            client.listen(tools_list_changed=True, prompts_list_changed=True, resources_list_changed=True) as lists,
        ):
            assert some.honored == SubscriptionFilter(resource_subscriptions=orders[:2])
            await client.call_tool("cancel", {"order_id": "%23W3"})
            await client.call_tool("cancel", {"order_id": "%23W1"})
            assert await next_of(some) == ResourceUpdated("orders://%23W1")
            await client.call_tool("send_back", {"order_id": "%23W2"})
            assert await next_of(some) == ResourceUpdated("orders://#W2")
            await client.call_tool("reorder")
            assert [await next_of(lists) for _ in range(3)] == [
                ToolsListChanged(), PromptsListChanged(), ResourcesListChanged(),
            ]  # fmt: skip
            await client.call_tool("grow")
            assert await next_of(lists) == ToolsListChanged()


async def test_what_there_is_not_is_not_promised() -> None:
    def make_bare() -> FastAPI:
        app = FastAPI()
        app.add_api_route("/a", lambda: "a", operation_id="a")
        return app

    async with connect("http", "auto", make_bare) as client:
        everything = {"tools_list_changed": True, "prompts_list_changed": True, "resources_list_changed": True}
        async with client.listen(**everything, resource_subscriptions=["a://b"]) as subscription:
            assert subscription.honored == SubscriptionFilter(tools_list_changed=True)


@pytest.mark.filterwarnings("ignore:resources/.*subscribe is removed")
@pytest.mark.parametrize("transport", ["stateful http", "stdio"])
async def test_a_session_is_told_of_its_resources_and_of_every_list(transport: str) -> None:
    heard, hears = anyio.create_memory_object_stream[Any](100)

    async def hear(message: Any) -> None:
        await heard.send(message)

    async def heard_of(act: Callable[[], Any], *methods: str) -> list[Any]:
        """What is heard after an act, which is repeated: a client over HTTP opens its stream when it likes."""
        found: dict[str, Any] = {}
        with anyio.fail_after(PATIENCE):
            while not found.keys() >= set(methods):
                await act()
                with anyio.move_on_after(1):
                    while not found.keys() >= set(methods):
                        message = await hears.receive()
                        found[message.method] = message
        return [found[method] for method in methods]

    async with heard, hears, connect(transport, "legacy", make_changing, message_handler=hear) as client:
        capabilities = client.server_capabilities
        assert capabilities.resources is not None
        assert (capabilities.resources.subscribe, capabilities.resources.list_changed) == (True, True)
        assert capabilities.tools is not None
        assert capabilities.tools.list_changed is True
        await client.subscribe_resource("orders://#W1")
        await client.subscribe_resource("orders://W2")
        (update,) = await heard_of(
            lambda: client.call_tool("cancel", {"order_id": "%23W1"}), "notifications/resources/updated"
        )
        assert update.params.uri == "orders://#W1"
        await heard_of(
            lambda: client.call_tool("reorder"),
            *(f"notifications/{kind}/list_changed" for kind in ("tools", "prompts")),
        )
        await client.unsubscribe_resource("orders://#W1")
        with pytest.raises(MCPError) as caught:
            await client.subscribe_resource("nowhere://")
        assert caught.value.error.code == -32002


async def test_without_sessions_there_is_nothing_to_subscribe_to() -> None:
    app = make_changing_server()
    async with running(app):
        answer = await asked(app, method="resources/subscribe", version=LEGACY, uri="orders://a")
        assert json.loads(answer.text.partition("data: ")[2] or answer.text)["error"]["code"] == -32601
        assert (await asked(app, method="resources/subscribe", uri="orders://a")).json()["error"]["code"] == -32601


def test_over_stdio_frames_carry_the_id_of_their_subscription() -> None:
    """S1; two at once share one channel."""
    with Speaker(make_changing, MODERN) as speaker:
        listen = {"notifications": {"resourceSubscriptions": ["orders://a"]}}
        first, second = speaker.say("subscriptions/listen", listen), speaker.say("subscriptions/listen", listen)
        acknowledged = [speaker.hear() for _ in range(2)]
        assert {frame["method"] for frame in acknowledged} == {"notifications/subscriptions/acknowledged"}
        speaker.say("tools/call", {"name": "cancel", "arguments": {"order_id": "a"}})
        frames = [speaker.hear() for _ in range(3)]
        updates = [frame["params"] for frame in frames if frame.get("method") == "notifications/resources/updated"]
        ids = {params["_meta"]["io.modelcontextprotocol/subscriptionId"] for params in updates}
        assert ids == {first, second}
        speaker.write(
            json.dumps({"jsonrpc": "2.0", "method": "notifications/cancelled", "params": {"requestId": first}}).encode()
        )
        assert speaker.ask("tools/call", {"name": "cancel", "arguments": {"order_id": "a"}})
        speaker.stop()


async def test_plain_http_tells_listeners_as_well_and_so_does_an_application_that_is_mounted() -> None:
    app, inner = make_changing(), FastAPI()

    @inner.post("/touch", operation_id="touch")
    async def touch(changed: Changes) -> None:
        changed("orders://inner")

    app.mount("/inner", inner)
    toolway = Toolway(app).mount()
    with serving(app) as base:
        async with (
            Client(f"{base}/mcp") as client,
            client.listen(resource_subscriptions=["orders://a", "orders://inner"]) as subscription,
        ):
            web.post(f"{base}/orders/a/cancel")
            assert await next_of(subscription) == ResourceUpdated("orders://a")
            web.post(f"{base}/inner/touch")
            assert await next_of(subscription) == ResourceUpdated("orders://inner")
            toolway.changed("orders://a")
            assert await next_of(subscription) == ResourceUpdated("orders://a")


async def test_without_anybody_who_serves_them_changes_go_nowhere() -> None:
    app = make_changing()
    async with httpx2.AsyncClient(transport=httpx2.ASGITransport(app=app), base_url="http://localhost") as client:
        assert (await client.post("/orders/a/cancel")).json() == "cancelled"
    Toolway(app).changed("orders://a")


async def test_a_bus_of_ones_own_carries_changes_between_servers() -> None:
    bus = InMemorySubscriptionBus()
    first, second = make_changing(), make_changing()
    toolway = Toolway(first, bus=bus).mount()
    Toolway(second, bus=bus).mount()
    async with running(first):
        with serving(second) as base:
            async with Client(f"{base}/mcp") as client, client.listen(tools_list_changed=True) as subscription:
                await client.call_tool("reorder")
                assert await next_of(subscription) == ToolsListChanged()
            assert toolway.catalog.tools


async def test_a_refresh_tells_of_the_lists_that_differ() -> None:
    app = make_changing()
    toolway = Toolway(app).mount()
    async with running(app), listener(app, toolsListChanged=True, resourcesListChanged=True) as heard:
        toolway.refresh()
        app.add_api_route("/new", agent_resource("new://thing")(lambda: "x"), operation_id="new")
        toolway.refresh()
        methods = {frame["method"] for frame in await heard.frames(2)}
        assert methods == {"notifications/tools/list_changed", "notifications/resources/list_changed"}


async def test_of_changes_that_nobody_reads_one_of_each_is_kept() -> None:
    app = make_changing()
    toolway = Toolway(app).mount()
    async with running(app), listener(app, resourceSubscriptions=["orders://a", "orders://b"]) as heard:
        heard.pause()
        for _ in range(3000):
            toolway.changed("orders://a")
            toolway.changed("orders://b")
        await anyio.wait_all_tasks_blocked()
        heard.resume()
        toolway.changed("orders://b")
        frames = [await heard.frames(1) for _ in range(3)]
        assert {frame["params"]["uri"] for (frame,) in frames} == {"orders://a", "orders://b"}
        await anyio.wait_all_tasks_blocked()
        assert len(heard.said) <= 3  # those that were on their way when the reader paused


async def test_streams_end_with_a_result_when_the_server_does() -> None:
    """S1: a graceful end."""
    app = make_changing_server()
    async with AsyncExitStack() as server:
        await server.enter_async_context(running(app))
        async with listener(app, toolsListChanged=True) as heard:
            await server.aclose()
            (end,) = await heard.rest()
    assert (end["id"], end["result"]["resultType"]) == (1, "complete")
    assert end["result"]["_meta"]["io.modelcontextprotocol/subscriptionId"] == 1


async def test_more_streams_than_allowed_and_too_many_resources_are_refused() -> None:
    app = make_changing_server(max_subscriptions=2)
    async with running(app):
        async with listener(app, toolsListChanged=True), listener(app, toolsListChanged=True):
            refused = await asked(app, method="subscriptions/listen", notifications={"toolsListChanged": True})
            assert "Subscription limit (2) reached" in refused.json()["error"]["message"]
        many = {"resourceSubscriptions": [f"orders://{number}" for number in range(1001)]}
        refused = await asked(app, method="subscriptions/listen", notifications=many)
        assert refused.json()["error"]["code"] == -32602
        async with listener(app, toolsListChanged=True):
            pass  # there is room again


async def test_nothing_is_left_of_subscriptions_that_were_dropped() -> None:
    """`python -m tests.protocol.dropping` does it ten thousand times."""
    app = make_changing_server()
    async with running(app):
        await drop(app, 100)
        before = Left.now()
        await drop(app, 300)
        after = Left.now()
        assert after.tasks == before.tasks
        assert after.objects - before.objects < 300
