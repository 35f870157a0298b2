"""Canceling orders, and changing their address and payment method."""

from __future__ import annotations

import pytest

from tests.tools.desk import Desk
from tests.tools.shop import (
    ADA,
    AWAY,
    CANCELLED,
    CARD,
    DELIVERED,
    GIFT,
    HOME,
    LARGE,
    MODIFIED,
    OMARS_PAYPAL,
    PAID_BY_GIFT,
    PAYPAL,
    PENDING,
    PROCESSED,
)

NO_LONGER = "no longer needed"


def entry(kind: str, amount: float, method: str) -> dict[str, object]:
    return {"transaction_type": kind, "amount": amount, "payment_method_id": method}


async def test_canceling_a_pending_order_refunds_every_payment(desk: Desk) -> None:
    order = await desk.do("cancel_pending_order", order_id=PENDING, reason=NO_LONGER)
    assert order["status"] == "cancelled"
    assert order["cancel_reason"] == NO_LONGER
    assert order["payment_history"] == [entry("payment", 48.1, CARD), entry("refund", 48.1, CARD)]
    assert await desk.do("get_order_details", order_id=PENDING) == order


async def test_a_refund_to_a_gift_card_is_immediate(desk: Desk) -> None:
    await desk.do("cancel_pending_order", order_id=PAID_BY_GIFT, reason="ordered by mistake")
    assert await desk.balance(ADA, GIFT) == 18.1


async def test_every_entry_of_the_history_is_refunded_in_order(desk: Desk) -> None:
    await desk.do("modify_pending_order_payment", order_id=LARGE, payment_method_id=PAYPAL)
    order = await desk.do("cancel_pending_order", order_id=LARGE, reason=NO_LONGER)
    assert order["payment_history"] == [
        entry("payment", 8.1, CARD),
        entry("payment", 8.1, PAYPAL),
        entry("refund", 8.1, CARD),
        entry("refund", 8.1, CARD),
        entry("refund", 8.1, PAYPAL),
        entry("refund", 8.1, CARD),
    ]


@pytest.mark.parametrize("order_id", [DELIVERED, PROCESSED, CANCELLED, MODIFIED])
async def test_only_a_pending_order_can_be_canceled(desk: Desk, order_id: str) -> None:
    message = await desk.refuse(409, "cancel_pending_order", order_id=order_id, reason=NO_LONGER)
    assert "'pending'" in message
    assert "get_order_details" in message


async def test_only_the_two_reasons_are_accepted(desk: Desk) -> None:
    message = await desk.refuse(422, "cancel_pending_order", order_id=PENDING, reason="changed my mind")
    assert "ordered by mistake" in message


async def test_an_unknown_order_cannot_be_changed(desk: Desk) -> None:
    await desk.refuse(404, "cancel_pending_order", order_id="#W9", reason=NO_LONGER)
    await desk.refuse(404, "modify_pending_order_address", order_id="#W9", **AWAY)
    await desk.refuse(404, "modify_pending_order_payment", order_id="#W9", payment_method_id=CARD)
    await desk.refuse(404, "modify_user_address", user_id="nobody_1", **AWAY)


@pytest.mark.parametrize("order_id", [PENDING, MODIFIED])
async def test_changing_the_address_of_a_pending_order_changes_nothing_else(desk: Desk, order_id: str) -> None:
    before = await desk.everything()
    assert (await desk.do("modify_pending_order_address", order_id=order_id, **AWAY))["address"] == AWAY
    before["orders"][order_id]["address"] = AWAY
    assert await desk.everything() == before


@pytest.mark.parametrize("order_id", [DELIVERED, PROCESSED, CANCELLED])
async def test_other_orders_keep_their_address(desk: Desk, order_id: str) -> None:
    await desk.refuse(409, "modify_pending_order_address", order_id=order_id, **AWAY)


async def test_an_address_must_be_complete(desk: Desk) -> None:
    incomplete = {key: value for key, value in AWAY.items() if key != "city"}
    assert "city" in await desk.refuse(422, "modify_user_address", user_id=ADA, **incomplete)


async def test_a_users_default_address_is_replaced_and_orders_keep_theirs(desk: Desk) -> None:
    assert (await desk.do("modify_user_address", user_id=ADA, **AWAY))["address"] == AWAY
    assert (await desk.do("get_order_details", order_id=PENDING))["address"] == HOME
    found = await desk.do("find_user_id_by_name_zip", first_name="Ada", last_name="Park", zip=AWAY["zip"])
    assert found == {"user_id": ADA}


@pytest.mark.parametrize("order_id", [MODIFIED, LARGE])
async def test_changing_the_payment_method_charges_it_and_refunds_the_first(desk: Desk, order_id: str) -> None:
    order = await desk.do("modify_pending_order_payment", order_id=order_id, payment_method_id=PAYPAL)
    assert order["payment_history"] == [
        entry("payment", 8.1, CARD),
        entry("payment", 8.1, PAYPAL),
        entry("refund", 8.1, CARD),
    ]
    assert order["status"] == ("pending (item modified)" if order_id == MODIFIED else "pending")


async def test_gift_card_balances_change_immediately(desk: Desk) -> None:
    await desk.do("modify_pending_order_payment", order_id=LARGE, payment_method_id=GIFT)
    assert await desk.balance(ADA, GIFT) == 1.9
    await desk.do("modify_pending_order_payment", order_id=PAID_BY_GIFT, payment_method_id=CARD)
    assert await desk.balance(ADA, GIFT) == 10.0


async def test_a_gift_card_must_cover_the_amount(desk: Desk) -> None:
    message = await desk.refuse(409, "modify_pending_order_payment", order_id=PENDING, payment_method_id=GIFT)
    assert "10.00" in message
    assert "48.10" in message


async def test_the_payment_method_must_belong_to_the_user_and_differ_from_the_first(desk: Desk) -> None:
    message = await desk.refuse(404, "modify_pending_order_payment", order_id=PENDING, payment_method_id=OMARS_PAYPAL)
    assert repr(PAYPAL) in message
    await desk.refuse(409, "modify_pending_order_payment", order_id=PENDING, payment_method_id=CARD)


async def test_a_payment_can_be_changed_only_once(desk: Desk) -> None:
    await desk.do("modify_pending_order_payment", order_id=LARGE, payment_method_id=PAYPAL)
    await desk.refuse(409, "modify_pending_order_payment", order_id=LARGE, payment_method_id=CARD)
    await desk.refuse(409, "modify_pending_order_payment", order_id=DELIVERED, payment_method_id=CARD)
