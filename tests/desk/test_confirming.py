"""The questions that the order desk asks before a change."""

from __future__ import annotations

from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest
from mcp import Client
from mcp_types import ElicitResult

from tests.replay.servers import http_desk
from tests.tools.conftest import make_place
from tests.tools.desk import fill_store, read_store
from tests.tools.shop import ADA, AWAY, CARD, DELIVERED, GIFT, MUG_BLACK, MUG_WHITE, PAYPAL, PENDING, small_shop

pytestmark = pytest.mark.anyio

ITEMS = {"item_ids": [MUG_WHITE], "new_item_ids": [MUG_BLACK], "payment_method_id": CARD}
CHANGES: dict[str, dict[str, Any]] = {
    "modify_pending_order_address": {"order_id": PENDING, **AWAY},
    "modify_pending_order_payment": {"order_id": PENDING, "payment_method_id": PAYPAL},
    "modify_pending_order_items": {"order_id": PENDING, **ITEMS},
    "cancel_pending_order": {"order_id": PENDING, "reason": "no longer needed"},
    "exchange_delivered_order_items": {"order_id": DELIVERED, **ITEMS},
    "return_delivered_order_items": {"order_id": DELIVERED, "item_ids": [MUG_WHITE], "payment_method_id": GIFT},
    "modify_user_address": {"user_id": ADA, **AWAY},
}


class Person:
    """A user who confirms or declines, and records the questions."""

    def __init__(self, *, says: bool) -> None:
        self.says = says
        self.asked: list[str] = []

    async def answer(self, context: Any, params: Any) -> ElicitResult:
        self.asked.append(params.message)
        return ElicitResult(action="accept", content={"ok": self.says})


@asynccontextmanager
async def shop(tmp_path: Path, person: Person | None, **settings: str) -> AsyncGenerator[tuple[Client, str], None]:
    """Connect a client, which can ask the person if there is one, to a desk on the small shop."""
    url = await make_place("sqlite", tmp_path).new()
    await fill_store(url, small_shop())
    callback = {"elicitation_callback": person.answer} if person else {}
    with http_desk(url, **settings) as base:
        async with Client(f"{base}/mcp", mode="2026-07-28", **callback) as client:
            yield client, url


async def test_declining_a_confirmation_changes_nothing(tmp_path: Path) -> None:
    ada = Person(says=False)
    async with shop(tmp_path, ada) as (client, url):
        for name, arguments in CHANGES.items():
            assert (await client.call_tool(name, arguments)).is_error, name
        assert await read_store(url) == small_shop()
    assert len(ada.asked) == len(CHANGES)
    about = dict(zip(CHANGES, ada.asked, strict=True))
    assert about["cancel_pending_order"].startswith(f'Cancel order "{PENDING}" with the reason "no longer needed"? ')
    assert f'for ["{MUG_BLACK}"]' in about["exchange_delivered_order_items"]


async def test_accepting_a_confirmation_makes_the_change_and_reading_needs_none(tmp_path: Path) -> None:
    ada = Person(says=True)
    async with shop(tmp_path, ada) as (client, _):
        assert not (await client.call_tool("get_order_details", {"order_id": PENDING})).is_error
        assert ada.asked == []
        done = await client.call_tool("cancel_pending_order", CHANGES["cancel_pending_order"])
        assert done.structured_content is not None
        assert done.structured_content["status"] == "cancelled"


async def test_a_client_without_elicitation_needs_no_confirmation_unless_configured(tmp_path: Path) -> None:
    async with shop(tmp_path, None) as (client, _):
        assert not (await client.call_tool("modify_user_address", CHANGES["modify_user_address"])).is_error


async def test_confirmation_can_be_switched_off(tmp_path: Path) -> None:
    ada = Person(says=False)
    async with shop(tmp_path, ada, TOOLWAY_CONFIRM="false") as (client, _):
        assert not (await client.call_tool("modify_user_address", CHANGES["modify_user_address"])).is_error
    assert ada.asked == []
