"""Endpoints that write prompts and suggest values, from every transport and in every era."""

from __future__ import annotations

import base64
from collections.abc import AsyncIterator
from typing import Any

import pytest
from fastapi import FastAPI
from fastapi.testclient import TestClient
from mcp import Client, MCPError
from mcp_types import (
    EmbeddedResource,
    ImageContent,
    PromptReference,
    ResourceTemplateReference,
    TextContent,
    TextResourceContents,
)

from tests.protocol.clients import BOTH_ERAS, connect
from tests.protocol.prompting import ORDERS, make_office, suggest_orders
from tests.protocol.test_mounting import asked, running
from toolway import Toolway, agent_prompt, agent_resource
from toolway.errors import ConfigurationError

pytestmark = pytest.mark.anyio

BRIEF = PromptReference(name="brief")
PART = ResourceTemplateReference(uri="orders://{order_id}/{part}{?shape}")


@pytest.fixture(scope="module", params=BOTH_ERAS, ids=" ".join)
async def client(request: pytest.FixtureRequest) -> AsyncIterator[Client]:
    transport, mode = request.param
    async with connect(transport, mode, make_office) as client:
        yield client


async def said(client: Client, name: str, **arguments: str) -> list[tuple[str, str]]:
    """Who says what in a prompt."""
    messages = (await client.get_prompt(name, arguments)).messages
    assert all(isinstance(message.content, TextContent) for message in messages)
    return [(message.role, getattr(message.content, "text", "")) for message in messages]


async def refused(client: Client, name: str, **arguments: str) -> Any:
    with pytest.raises(MCPError) as caught:
        await client.get_prompt(name, arguments)
    return caught.value.error


async def suggested(client: Client, ref: Any, name: str, typed: str, **known: str) -> list[str]:
    return (await client.complete(ref, {"name": name, "value": typed}, known or None)).completion.values


async def test_prompts_are_listed_with_their_arguments(client: Client) -> None:
    prompts = (await client.list_prompts()).prompts
    assert [prompt.name for prompt in prompts] == [
        "brief", "plain", "also_a_tool", "posted", "shown", "wrong", "caller",
    ]  # fmt: skip
    brief, _, _, posted, *_ = prompts
    assert (brief.title, posted.title) == ("Brief a support agent", "Posted")
    assert brief.description == "Brief a support agent\n\nTell an agent whom they talk to."
    arguments = {entry.name: (entry.required, entry.description) for entry in brief.arguments or []}
    assert arguments == {
        "customer": (True, "Who calls."), "mood": (False, ""), "urgent": (False, ""), "calls": (False, ""),
        "order_id": (False, ""),
    }  # fmt: skip


async def test_a_prompt_is_no_tool_unless_it_is_also_marked_as_one(client: Client) -> None:
    names = {tool.name for tool in (await client.list_tools()).tools}
    assert names == {"suggest_customers", "also_a_tool", "get_part"}


async def test_arguments_are_texts_that_become_what_the_endpoint_takes(client: Client) -> None:
    words = await said(client, "brief", customer="Zoë", mood="angry", urgent="true", calls="3", order_id="#W1")
    assert words == [
        ("user", "Zoë is angry, calls 3, urgent True, order #W1"), ("assistant", "How can I help?"),
    ]  # fmt: skip
    assert await said(client, "posted", numbers="[1, 2]", note="1") == [("user", "3 1")]


async def test_a_text_is_what_the_user_says(client: Client) -> None:
    assert await said(client, "plain") == await said(client, "also_a_tool") == [("user", "Say hello.")]


async def test_messages_may_hold_resources_and_pictures(client: Client) -> None:
    page, picture = (await client.get_prompt("shown", {"uri": "shop://page"})).messages
    assert page.content == EmbeddedResource(
        resource=TextResourceContents(uri="shop://page", mime_type="text/plain", text="A page.")
    )
    assert picture.content == ImageContent(data=base64.b64encode(b"\x89PNG").decode(), mime_type="image/png")


async def test_what_is_missing_unknown_or_wrong_is_named(client: Client) -> None:
    for arguments, problem in (
        ({}, "is missing customer"),
        ({"customer": "a", "colour": "red"}, "has no argument 'colour'"),
        ({"customer": "a", "calls": "many"}, "'calls' must be JSON"),
        ({"customer": "a", "mood": "glad"}, "mood"),
    ):
        error = await refused(client, "brief", **arguments)
        assert error.code == -32602
        assert problem in error.message
    assert (await refused(client, "brieff")).code == -32602


async def test_a_refusal_keeps_its_detail_and_a_fault_does_not(client: Client) -> None:
    error = await refused(client, "brief", customer="nobody")
    assert (error.code, error.message) == (-32602, "404 Not Found: There is no such customer")
    assert error.data == {"status": 404, "detail": "There is no such customer"}
    for broken in (await refused(client, "brief", customer="breaks"), await refused(client, "wrong")):
        assert broken.code == -32603
        assert "Reference" in broken.message
        assert "secret" not in str(broken)


async def test_the_caller_gets_their_own_prompt() -> None:
    app = Toolway(make_office()).mount().app
    async with running(app):
        answer = await asked(app, method="prompts/get", name="caller", headers={"authorization": "Bearer a"})
        assert answer.json()["result"]["messages"][0]["content"]["text"] == "Bearer a"


def test_over_plain_http_a_prompt_is_ordinary_json() -> None:
    client = TestClient(make_office())
    assert client.get("/brief?customer=Zoe").json()[1] == {
        "role": "assistant", "content": {"type": "text", "text": "How can I help?"},
    }  # fmt: skip
    assert client.get("/shown?uri=a:b").json()[1]["content"] == {
        "type": "image", "data": "iVBORw==", "mimeType": "image/png",
    }  # fmt: skip


async def test_the_values_of_an_enumeration_are_suggested(client: Client) -> None:
    assert await suggested(client, BRIEF, "mood", "") == ["calm", "angry", "cautious"]
    assert await suggested(client, BRIEF, "mood", "C") == ["calm", "cautious"]
    assert await suggested(client, BRIEF, "mood", "au") == ["cautious"]
    assert await suggested(client, BRIEF, "urgent", "t") == ["true"]
    assert await suggested(client, PART, "part", "pay") == ["payment"]
    assert await suggested(client, BRIEF, "calls", "1") == await suggested(client, PART, "shape", "x") == []


async def test_an_endpoint_suggests_what_it_knows_a_hundred_at_most(client: Client) -> None:
    completion = (await client.complete(PART, {"name": "order_id", "value": "#W1"})).completion
    assert (completion.values, completion.total, completion.has_more) == (ORDERS[:100], 250, True)
    completion = (await client.complete(BRIEF, {"name": "order_id", "value": "1234"})).completion
    assert (completion.values, completion.total, completion.has_more) == (["#W1234"], 1, False)


async def test_what_is_known_already_reaches_the_endpoint(client: Client) -> None:
    assert await suggested(client, BRIEF, "order_id", "1234", customer="Zoë", mood="calm") == ["#W1234"]
    assert await suggested(client, BRIEF, "order_id", "1234", customer="Max") == []


async def test_what_is_no_value_yet_and_what_is_no_list_suggests_nothing(client: Client) -> None:
    assert await suggested(client, BRIEF, "customer", "Z") == []  # two letters at least
    assert await suggested(client, BRIEF, "customer", "Ma") == []
    assert await suggested(client, BRIEF, "customer", "Zo") == ["Zoë"]


async def test_what_cannot_be_completed_is_a_protocol_error(client: Client) -> None:
    for ref, name, typed in (
        (PromptReference(name="brieff"), "mood", ""),
        (ResourceTemplateReference(uri="nowhere://{id}"), "id", ""),
        (BRIEF, "colour", ""),
        (BRIEF, "order_id", "?"),
    ):
        with pytest.raises(MCPError) as caught:
            await suggested(client, ref, name, typed)
        assert caught.value.error.code == -32602


def posting() -> str:
    """No GET."""
    return ""


def silent() -> list[str]:
    """Takes nothing."""
    return []


@pytest.mark.parametrize(
    ("complete", "problem"),
    [
        ({"colour": suggest_orders}, "'colour'"),
        ({"order_id": test_over_plain_http_a_prompt_is_ordinary_json}, "not an endpoint"),
        ({"order_id": "nothing"}, "not an endpoint"),
        ({"order_id": posting}, "expected a GET operation"),
        ({"order_id": silent}, "it needs a parameter for the typed text"),
        ({"order_id": 7}, "not an endpoint"),
        ("order_id", "expected the resource's complete to be an object"),
    ],
)
async def test_suggestions_that_cannot_be_stop_the_start(complete: Any, problem: str) -> None:
    app = FastAPI()
    app.get("/suggest")(suggest_orders)
    app.get("/silent")(silent)
    app.post("/posting")(posting)

    @app.get("/orders/{order_id}")
    @agent_resource("orders://{order_id}", complete=complete)
    async def get_order(order_id: str) -> str:
        return order_id

    with pytest.raises(ConfigurationError, match="order") as caught:
        Toolway(app).read_catalog()
    assert problem in str(caught.value)


async def test_two_prompts_of_one_name_stop_the_start() -> None:
    app = FastAPI()
    for path in ("/a", "/b"):
        app.add_api_route(path, agent_prompt(name="same")(lambda: "x"))
    with pytest.raises(ConfigurationError, match="'same' is already taken"):
        Toolway(app).read_catalog()


async def test_an_endpoint_that_filters_leave_out_suggests_nothing() -> None:
    catalog = Toolway(make_office(), exclude={"operations": ["suggest_orders"]}).read_catalog()
    assert catalog.prompts["brief"].completions.keys() == {"mood", "urgent", "customer"}
