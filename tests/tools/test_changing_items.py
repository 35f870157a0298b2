"""Changing items of a pending order, exchanging and returning those of a delivered one."""

from __future__ import annotations

from typing import Any

import pytest

from tests.tools.desk import Desk
from tests.tools.shop import (
    ADA,
    CARD,
    DELIVERED,
    GIFT,
    MODIFIED,
    MUG_BLACK,
    MUG_WHITE,
    OMARS_PAYPAL,
    PAYPAL,
    PENDING,
    SHIRT_CHEAP,
    SHIRT_GONE,
    SHIRT_M,
    SHIRT_S,
)

CHANGE, EXCHANGE, RETURN = (
    "modify_pending_order_items",
    "exchange_delivered_order_items",
    "return_delivered_order_items",
)
EACH = pytest.mark.parametrize(("name", "order_id"), [(CHANGE, PENDING), (EXCHANGE, DELIVERED)])


def swap(order_id: str, old: list[str], new: list[str], method: str = CARD) -> dict[str, Any]:
    return {"order_id": order_id, "item_ids": old, "new_item_ids": new, "payment_method_id": method}


def items(order: dict[str, Any]) -> list[tuple[str, float, str]]:
    return [(item["item_id"], item["price"], *item["options"].values()) for item in order["items"]]


async def test_a_changed_item_has_the_id_price_and_options_of_its_new_variant(desk: Desk) -> None:
    order = await desk.do(CHANGE, **swap(PENDING, [SHIRT_S], [SHIRT_M]))
    assert items(order) == [(SHIRT_M, 25.5, "M"), (MUG_WHITE, 8.1, "white"), (SHIRT_S, 20.0, "S")]
    assert order["status"] == "pending (item modified)"
    assert order["payment_history"][-1] == {
        "transaction_type": "payment",
        "amount": 5.5,
        "payment_method_id": CARD,
    }
    assert await desk.do("get_order_details", order_id=PENDING) == order


async def test_each_of_two_equal_items_gets_its_own_variant(desk: Desk) -> None:
    order = await desk.do(CHANGE, **swap(PENDING, [SHIRT_S, SHIRT_S], [SHIRT_M, SHIRT_CHEAP]))
    assert items(order) == [(SHIRT_M, 25.5, "M"), (MUG_WHITE, 8.1, "white"), (SHIRT_CHEAP, 12.25, "XS")]
    assert order["payment_history"][-1]["transaction_type"] == "refund"
    assert order["payment_history"][-1]["amount"] == 2.25


async def test_a_cheaper_variant_refunds_the_gift_card_and_a_more_expensive_one_charges_it(desk: Desk) -> None:
    await desk.do(CHANGE, **swap(PENDING, [SHIRT_S], [SHIRT_CHEAP], GIFT))
    assert await desk.balance(ADA, GIFT) == 17.75


async def test_a_more_expensive_variant_is_charged_to_the_gift_card(desk: Desk) -> None:
    await desk.do(CHANGE, **swap(PENDING, [SHIRT_S], [SHIRT_M], GIFT))
    assert await desk.balance(ADA, GIFT) == 4.5


async def test_an_exchange_is_recorded_in_sorted_order_and_charges_nothing(desk: Desk) -> None:
    before = await desk.do("get_order_details", order_id=DELIVERED)
    order = await desk.do(EXCHANGE, **swap(DELIVERED, [SHIRT_M, MUG_WHITE], [SHIRT_CHEAP, MUG_BLACK]))
    assert order == {
        **before,
        "status": "exchange requested",
        "exchange_items": [SHIRT_M, MUG_WHITE],
        "exchange_new_items": [SHIRT_CHEAP, MUG_BLACK],
        "exchange_payment_method_id": CARD,
        "exchange_price_difference": -11.45,
    }


async def test_the_lists_of_an_exchange_are_sorted_independently(desk: Desk) -> None:
    order = await desk.do(EXCHANGE, **swap(DELIVERED, [MUG_WHITE, SHIRT_S], [MUG_BLACK, SHIRT_M]))
    assert order["exchange_items"] == [SHIRT_S, MUG_WHITE]
    assert order["exchange_new_items"] == [SHIRT_M, MUG_BLACK]


async def test_an_exchange_may_keep_the_same_item_but_a_change_may_not(desk: Desk) -> None:
    await desk.refuse(422, CHANGE, **swap(PENDING, [SHIRT_S], [SHIRT_S]))
    order = await desk.do(EXCHANGE, **swap(DELIVERED, [SHIRT_S], [SHIRT_S]))
    assert order["exchange_price_difference"] == 0


@EACH
async def test_lists_of_unequal_length_are_malformed(desk: Desk, name: str, order_id: str) -> None:
    assert "position by position" in await desk.refuse(422, name, **swap(order_id, [SHIRT_S], [SHIRT_M, SHIRT_M]))
    await desk.refuse(422, name, **swap(order_id, [], []))


@EACH
async def test_an_item_may_be_listed_only_as_often_as_the_order_contains_it(
    desk: Desk, name: str, order_id: str
) -> None:
    message = await desk.refuse(422, name, **swap(order_id, [SHIRT_S] * 3, [SHIRT_M] * 3))
    assert "3 times" in message
    await desk.refuse(422, name, **swap(order_id, [MUG_BLACK], [MUG_WHITE]))


@EACH
async def test_a_new_item_is_an_available_variant_of_the_same_product(desk: Desk, name: str, order_id: str) -> None:
    assert "not available" in await desk.refuse(409, name, **swap(order_id, [SHIRT_S], [SHIRT_GONE]))
    assert "another product" in await desk.refuse(422, name, **swap(order_id, [SHIRT_S], [MUG_BLACK]))
    assert "not found" in await desk.refuse(404, name, **swap(order_id, [SHIRT_S], ["9999999999"]))


@EACH
async def test_a_gift_card_must_cover_the_price_difference(desk: Desk, name: str, order_id: str) -> None:
    await desk.do(CHANGE, **swap("#W0000002", [MUG_WHITE], [MUG_BLACK], GIFT))  # leaves 8.20
    await desk.do("modify_pending_order_payment", order_id="#W0000008", payment_method_id=GIFT)  # leaves 0.10
    assert "0.10" in await desk.refuse(409, name, **swap(order_id, [SHIRT_S], [SHIRT_M], GIFT))


@EACH
async def test_the_payment_method_must_belong_to_the_user(desk: Desk, name: str, order_id: str) -> None:
    await desk.refuse(404, name, **swap(order_id, [SHIRT_S], [SHIRT_M], OMARS_PAYPAL))


async def test_the_status_of_an_order_determines_the_allowed_operations(desk: Desk) -> None:
    await desk.refuse(409, CHANGE, **swap(DELIVERED, [SHIRT_S], [SHIRT_M]))
    await desk.refuse(409, CHANGE, **swap(MODIFIED, [MUG_WHITE], [MUG_BLACK]))
    await desk.refuse(409, EXCHANGE, **swap(PENDING, [SHIRT_S], [SHIRT_M]))
    await desk.refuse(409, RETURN, order_id=PENDING, item_ids=[SHIRT_S], payment_method_id=CARD)


@pytest.mark.parametrize("method", [PAYPAL, GIFT])
async def test_a_return_is_recorded_and_refunds_nothing_yet(desk: Desk, method: str) -> None:
    before = await desk.everything()
    order = await desk.do(RETURN, order_id=DELIVERED, item_ids=[MUG_WHITE, SHIRT_S], payment_method_id=method)
    before["orders"][DELIVERED] |= {
        "status": "return requested",
        "return_items": [SHIRT_S, MUG_WHITE],
        "return_payment_method_id": method,
    }
    assert await desk.everything() == before
    assert order == before["orders"][DELIVERED]


async def test_a_refund_goes_to_the_first_method_or_a_gift_card_only(desk: Desk) -> None:
    message = await desk.refuse(409, RETURN, order_id=DELIVERED, item_ids=[SHIRT_S], payment_method_id=CARD)
    assert repr(PAYPAL) in message
    await desk.refuse(404, RETURN, order_id=DELIVERED, item_ids=[SHIRT_S], payment_method_id=OMARS_PAYPAL)
    await desk.refuse(422, RETURN, order_id=DELIVERED, item_ids=[MUG_WHITE] * 2, payment_method_id=PAYPAL)
