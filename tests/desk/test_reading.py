"""The resources, prompts and suggestions of the order desk."""

from __future__ import annotations

import json
from collections.abc import AsyncGenerator
from pathlib import Path

import pytest
from mcp import Client, MCPError
from mcp_types import PromptReference, ResourceTemplateReference, TextContent, TextResourceContents

from tests.replay.servers import connected
from tests.tools.conftest import make_place
from tests.tools.desk import fill_store
from tests.tools.shop import ADA, MUG, OMAR, PENDING, SHIRT, small_shop

pytestmark = pytest.mark.anyio

ORDER = ResourceTemplateReference(uri="orders://{order_id}")
PRODUCT = ResourceTemplateReference(uri="products://{product_id}")
BRIEFING = PromptReference(name="brief_support_agent")


@pytest.fixture(scope="module", params=["2026-07-28", "2025-11-25"])
async def client(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> AsyncGenerator[Client, None]:
    """A client of a desk on the small shop."""
    folder: Path = tmp_path_factory.mktemp("shop")
    url = await make_place("sqlite", folder).new()
    await fill_store(url, small_shop())
    async with connected("http", request.param, url) as client:
        yield client


async def read(client: Client, uri: str) -> str:
    (contents,) = (await client.read_resource(uri)).contents
    assert isinstance(contents, TextResourceContents)
    return contents.text


async def suggested(
    client: Client, ref: PromptReference | ResourceTemplateReference, name: str, typed: str
) -> list[str]:
    return (await client.complete(ref, {"name": name, "value": typed})).completion.values


async def test_orders_products_and_the_return_policy_are_resources(client: Client) -> None:
    assert [entry.uri for entry in (await client.list_resources()).resources] == ["policy://returns"]
    templates = (await client.list_resource_templates()).resource_templates
    assert {entry.uri_template for entry in templates} == {
        "orders://{order_id}",
        "products://{product_id}",
        "exports://{export_id}/{part}",
        "toolway://tools/{name}",
    }
    assert json.loads(await read(client, f"orders://{PENDING.replace('#', '%23')}"))["order_id"] == PENDING
    assert json.loads(await read(client, f"products://{MUG}"))["name"] == "Mug"
    assert "Exchange items" in await read(client, "policy://returns")


async def test_a_missing_record_is_not_found_and_the_message_has_a_fix(client: Client) -> None:
    with pytest.raises(MCPError, match="get_user_details"):
        await client.read_resource("orders://%23W9999999")


async def test_ids_are_suggested_from_partial_input(client: Client) -> None:
    for typed in (PENDING, PENDING[:-1], "W000000", "w000000", "000000", ""):
        assert PENDING in await suggested(client, ORDER, "order_id", typed)
    assert await suggested(client, ORDER, "order_id", "#W9") == []
    assert await suggested(client, PRODUCT, "product_id", "sHi") == [SHIRT]
    assert await suggested(client, PRODUCT, "product_id", "1000") == [MUG, SHIRT]
    assert await suggested(client, BRIEFING, "user_id", "Ada") == [ADA]


async def test_the_briefing_contains_the_rules_and_the_customer(client: Client) -> None:
    (prompt,) = (await client.list_prompts()).prompts
    assert [(entry.name, entry.required) for entry in prompt.arguments or []] == [("user_id", False)]
    policy = await read(client, "policy://returns")
    for arguments, customer in (({}, ""), ({"user_id": OMAR}, '"Omar Silva", user id omar_silva_1002')):
        (message,) = (await client.get_prompt("brief_support_agent", arguments)).messages
        assert isinstance(message.content, TextContent)
        assert policy in message.content.text
        assert customer in message.content.text
    with pytest.raises(MCPError, match="find_user_id_by_email"):
        await client.get_prompt("brief_support_agent", {"user_id": "nobody"})


async def test_an_export_is_read_by_its_uri(client: Client) -> None:
    made = (await client.call_tool("export_orders", {"statuses": ["pending"]})).structured_content
    assert made is not None
    assert (await read(client, f"exports://{made['export_id']}/1")).count("\r\n") == 1 + made["orders"]
    for uri in ("exports://unknown/1", f"exports://{made['export_id']}/2"):
        with pytest.raises(MCPError, match="export_orders"):
            await client.read_resource(uri)
