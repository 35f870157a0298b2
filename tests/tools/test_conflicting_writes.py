"""Two agents who act on one order, or on one gift card, at once: one wins, and nothing is half done."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator
from typing import Any

import pytest
from httpx2 import Response

from tests.tools.desk import Desk, fill_store, open_desk
from tests.tools.places import Place
from tests.tools.shop import (
    ADA,
    AWAY,
    CARD,
    DELIVERED,
    GIFT,
    LARGE,
    MODIFIED,
    MUG_BLACK,
    MUG_WHITE,
    PAYPAL,
    PENDING,
    SHIRT_CHEAP,
    SHIRT_M,
    SHIRT_S,
    small_shop,
)
from tools.retail import orders

Call = tuple[str, dict[str, Any]]


@pytest.fixture
async def desks(store_url: str) -> AsyncGenerator[list[Desk], None]:
    """Run two desks on one store, as two processes would."""
    async with open_desk(store_url) as one, open_desk(store_url) as other:
        yield [one, other]


async def at_once(desks: list[Desk], *calls: Call) -> list[Response]:
    """Send all calls at the same time, to one desk and the other in turn."""
    pending = [desks[index % len(desks)].call(name, **arguments) for index, (name, arguments) in enumerate(calls)]
    return await asyncio.gather(*pending)


def statuses(responses: list[Response]) -> list[int]:
    return sorted(response.status_code for response in responses)


CANCEL: Call = ("cancel_pending_order", {"order_id": PENDING, "reason": "no longer needed"})
CHANGE: Call = (
    "modify_pending_order_items",
    {"order_id": PENDING, "item_ids": [SHIRT_S], "new_item_ids": [SHIRT_CHEAP], "payment_method_id": GIFT},
)
RETURN: Call = (
    "return_delivered_order_items",
    {"order_id": DELIVERED, "item_ids": [SHIRT_S], "payment_method_id": PAYPAL},
)
EXCHANGE: Call = (
    "exchange_delivered_order_items",
    {"order_id": DELIVERED, "item_ids": [SHIRT_S], "new_item_ids": [SHIRT_M], "payment_method_id": CARD},
)
PAY: Call = ("modify_pending_order_payment", {"order_id": LARGE, "payment_method_id": GIFT})


@pytest.mark.parametrize("call", [CANCEL, CHANGE, RETURN, EXCHANGE, PAY], ids=lambda call: call[0])
async def test_of_many_equal_writes_exactly_one_wins(desks: list[Desk], store_url: str, call: Call) -> None:
    responses = await at_once(desks, *[call] * 8)
    assert statuses(responses) == [200] + [409] * 7
    winner = next(response for response in responses if response.is_success)
    after = await desks[0].everything()
    assert after["orders"][call[1]["order_id"]] == winner.json()


@pytest.mark.parametrize(("one", "other"), [(CANCEL, CHANGE), (EXCHANGE, RETURN)])
async def test_of_two_conflicting_writes_exactly_one_wins(desks: list[Desk], one: Call, other: Call) -> None:
    responses = await at_once(desks, one, other, one, other)
    assert statuses(responses) == [200, 409, 409, 409]
    winner = next(response for response in responses if response.is_success).json()
    assert (await desks[0].everything())["orders"][winner["order_id"]] == winner


async def test_the_rejected_write_reports_the_current_status_of_the_order(desks: list[Desk]) -> None:
    loser = next(answer for answer in await at_once(desks, CANCEL, CANCEL) if not answer.is_success)
    assert "'cancelled'" in loser.json()["detail"]
    assert "get_order_details" in loser.json()["detail"]


async def test_one_gift_card_never_pays_for_more_than_it_holds(desks: list[Desk]) -> None:
    pay = [
        ("modify_pending_order_payment", {"order_id": order_id, "payment_method_id": GIFT})
        for order_id in (LARGE, MODIFIED)
    ]
    assert statuses(await at_once(desks, *pay)) == [200, 409]
    assert await desks[0].balance(ADA, GIFT) == 1.9


async def test_concurrent_charges_and_refunds_of_a_gift_card_add_up(place: Place) -> None:
    order_ids = [f"#W{number}" for number in range(20)]
    url = await place.new()
    await fill_store(url, shop_with_orders(order_ids))
    async with open_desk(url) as one, open_desk(url) as other:
        change = {"item_ids": [MUG_WHITE], "new_item_ids": [MUG_BLACK], "payment_method_id": GIFT}
        calls: list[Call] = [
            *[
                ("cancel_pending_order", {"order_id": order_id, "reason": "ordered by mistake"})
                for order_id in order_ids[:10]
            ],
            *[("modify_pending_order_items", {"order_id": order_id, **change}) for order_id in order_ids[10:]],
        ]
        assert statuses(await at_once([one, other], *calls)) == [200] * 20
        assert await one.balance(ADA, GIFT) == round(100 + 10 * 8.1 - 10 * 1.8, 2)


async def test_reads_continue_during_writes(desks: list[Desk]) -> None:
    reads = [("get_order_details", {"order_id": PENDING})] * 6
    responses = await at_once(desks, *reads[:3], CANCEL, *reads[3:])
    assert statuses(responses) == [200] * 7
    for seen in responses:  # the status and the history of one moment, never a mixture
        order = seen.json()
        assert (order["status"] == "cancelled") == (len(order["payment_history"]) == 2)


async def test_writes_to_different_orders_and_users_do_not_conflict(desks: list[Desk]) -> None:
    calls = [CANCEL, RETURN, PAY, ("modify_user_address", {"user_id": ADA, **AWAY})]
    assert statuses(await at_once(desks, *calls)) == [200] * 4


async def test_a_write_that_waits_too_long_asks_the_caller_to_retry(store_url: str) -> None:
    async with open_desk(store_url, lock_seconds=0.1) as desk:
        async with desk.store.writing() as session:
            await orders.cancel(session, PENDING, "no longer needed")
            await session.flush()
            answer = await desk.call(CANCEL[0], **CANCEL[1])
            assert answer.status_code == 503
            assert "Try again" in answer.json()["detail"]
            assert (await desk.call("get_order_details", order_id=PENDING)).json()["status"] == "pending"
        await desk.refuse(409, CANCEL[0], **CANCEL[1])


async def test_an_order_desk_opens_during_a_write(store_url: str) -> None:
    async with open_desk(store_url) as busy, busy.store.rewriting(), open_desk(store_url, lock_seconds=0.1) as other:
        assert (await other.do("get_order_details", order_id=PENDING))["status"] == "pending"


def shop_with_orders(order_ids: list[str]) -> dict[str, Any]:
    """Return a shop where one user has many pending orders, all paid with one gift card that holds 100 dollars."""
    content = small_shop()
    user = content["users"][ADA]
    pattern = content["orders"]["#W0000002"]
    user["payment_methods"][GIFT]["balance"] = 100.0
    user["orders"] = order_ids
    kept = {key: order for key, order in content["orders"].items() if order["user_id"] != ADA}
    content["orders"] = kept | {order_id: pattern | {"order_id": order_id} for order_id in order_ids}
    return content
