"""The descriptions and schemas of the tools that an agent sees."""

from __future__ import annotations

import re
from typing import Any

import pytest

from tests.tools.desk import Desk, open_desk
from tools.main import create_app
from toolway.mounts import toolway_of

PARAMETERS = {
    "find_user_id_by_email": ["email"],
    "find_user_id_by_name_zip": ["first_name", "last_name", "zip"],
    "get_user_details": ["user_id"],
    "get_order_details": ["order_id"],
    "get_product_details": ["product_id"],
    "get_item_details": ["item_id"],
    "list_all_product_types": [],
    "calculate": ["expression"],
    "transfer_to_human_agents": ["summary"],
    "cancel_pending_order": ["order_id", "reason"],
    "modify_pending_order_address": ["order_id", "address1", "address2", "city", "state", "country", "zip"],
    "modify_pending_order_payment": ["order_id", "payment_method_id"],
    "modify_pending_order_items": ["order_id", "item_ids", "new_item_ids", "payment_method_id"],
    "exchange_delivered_order_items": ["order_id", "item_ids", "new_item_ids", "payment_method_id"],
    "return_delivered_order_items": ["order_id", "item_ids", "payment_method_id"],
    "modify_user_address": ["user_id", "address1", "address2", "city", "state", "country", "zip"],
    "export_orders": ["statuses"],
    "sales_report": ["top", "chart"],
    "import_products": ["file"],
}
OPTIONAL = ["statuses", "top", "chart"]
READING = {name for name in PARAMETERS if name.startswith(("find", "get", "list", "calculate", "sales"))}


@pytest.fixture
async def tools(store_url: str) -> dict[str, Any]:
    async with open_desk(store_url) as desk:
        return dict(toolway_of(desk.app).catalog.tools)


async def test_agents_have_exactly_these_tools_with_flat_arguments(tools: dict[str, Any]) -> None:
    assert {name: list(tool.input_schema["properties"]) for name, tool in tools.items()} == PARAMETERS
    for name, tool in tools.items():
        assert tool.input_schema.get("required", []) == [each for each in PARAMETERS[name] if each not in OPTIONAL]


async def test_operations_for_people_are_endpoints_but_not_tools(tools: dict[str, Any], desk: Desk) -> None:
    operations = {each["operationId"] for path in desk.app.openapi()["paths"].values() for each in path.values()}
    assert operations - tools.keys() == {
        *(
            "list_hand_overs",
            "download_export",
            "read_export",
            "sales_chart",
            "get_return_policy",
            "brief_support_agent",
        ),
        *("suggest_order_ids", "suggest_product_ids", "suggest_user_ids"),
    }
    assert await desk.do("list_hand_overs") == []


async def test_descriptions_are_short_with_a_short_first_sentence(tools: dict[str, Any]) -> None:
    for name, tool in tools.items():
        assert 40 <= len(tool.description) <= 1024, name
        first = re.split(r"(?<=\.)\s", tool.description)[0]
        assert len(first) <= 100, first


async def test_every_argument_is_described(tools: dict[str, Any]) -> None:
    for name, tool in tools.items():
        for argument, schema in tool.input_schema["properties"].items():
            assert len(schema.get("description", "")) >= 15, f"{name}.{argument}"


async def test_annotations_mark_read_only_and_destructive_tools(tools: dict[str, Any]) -> None:
    assert {name for name, tool in tools.items() if tool.annotations.read_only} == READING
    assert tools["cancel_pending_order"].annotations.destructive


def test_every_field_of_a_response_is_described() -> None:
    for name, schema in create_app().openapi()["components"]["schemas"].items():
        if name.startswith(("HTTPValidation", "Validation")):
            continue  # FastAPI's own
        for field, described in schema.get("properties", {}).items():
            assert described.get("description"), f"{name}.{field}"


def test_money_is_a_number_in_every_response() -> None:
    schemas = create_app().openapi()["components"]["schemas"]
    for model, field in [("Variant", "price"), ("Item", "price"), ("Payment", "amount"), ("GiftCard", "balance")]:
        assert schemas[model]["properties"][field]["type"] == "number"
        assert "US dollars" in schemas[model]["properties"][field]["description"]
