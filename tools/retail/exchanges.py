"""Replacing and returning items: change a pending order, exchange or return a delivered one."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from decimal import Decimal

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from tools.retail.errors import Conflict, Malformed, NotFound
from tools.retail.models import ItemRow, OrderRow, VariantRow
from tools.retail.orders import lock_order, whole
from tools.retail.payments import charge, is_gift_card, lock_wallet, method_in, refund, require_cover
from tools.retail.schemas import ItemReplacement, ItemReturn, Order

__all__ = ["change_items", "request_exchange", "request_return"]

Swap = tuple[ItemRow, VariantRow]


async def change_items(session: AsyncSession, order_id: str, wanted: ItemReplacement) -> Order:
    """Change items of a pending order to other variants, and settle the price difference at once."""
    order = await lock_order(session, order_id, ["pending"], "have its items changed")
    wallet = await lock_wallet(session, order.user_id)
    swaps = await _swaps(session, order, wanted)
    for item, variant in swaps:
        _require_other(item, variant)
    difference = _difference(swaps)
    method = method_in(wallet, wanted.payment_method_id)
    require_cover(method, difference)
    if difference > 0:
        charge(order, method, difference)
    else:
        refund(order, method.id, -difference, wallet)
    for item, variant in swaps:
        _become(item, variant)
    order.status = "pending (item modified)"
    return whole(order)


async def request_exchange(session: AsyncSession, order_id: str, wanted: ItemReplacement) -> Order:
    """Record an exchange of delivered items; nothing is charged yet."""
    order = await lock_order(session, order_id, ["delivered"], "have items exchanged")
    wallet = await lock_wallet(session, order.user_id)
    difference = _difference(await _swaps(session, order, wanted))
    require_cover(method_in(wallet, wanted.payment_method_id), difference)
    order.status = "exchange requested"
    order.exchange_items = sorted(wanted.item_ids)
    order.exchange_new_items = sorted(wanted.new_item_ids)
    order.exchange_payment_method_id = wanted.payment_method_id
    order.exchange_price_difference = difference
    return whole(order)


async def request_return(session: AsyncSession, order_id: str, wanted: ItemReturn) -> Order:
    """Record a return of delivered items; nothing is refunded yet."""
    order = await lock_order(session, order_id, ["delivered"], "have items returned")
    method = method_in(await lock_wallet(session, order.user_id), wanted.payment_method_id)
    first = order.payments[0].payment_method_id if order.payments else None
    if not is_gift_card(method) and method.id != first:
        raise Conflict(
            f"The refund cannot go to {method.id!r}: it goes to the order's first payment method {first!r} or to a "
            "gift card of the user. Ask which of them to use."
        )
    _pick(order, wanted.item_ids)
    order.status = "return requested"
    order.return_items = sorted(wanted.item_ids)
    order.return_payment_method_id = method.id
    return whole(order)


async def _swaps(session: AsyncSession, order: OrderRow, wanted: ItemReplacement) -> list[Swap]:
    """Pair each item of the order with its new variant."""
    if len(wanted.item_ids) != len(wanted.new_item_ids):
        raise Malformed(
            f"item_ids names {len(wanted.item_ids)} items, but new_item_ids {len(wanted.new_item_ids)}: give one new "
            "item id for each item id, position by position."
        )
    items = _pick(order, wanted.item_ids)
    variants = await _variants(session, wanted.new_item_ids)
    swaps = list(zip(items, variants, strict=True))
    for item, variant in swaps:
        _require_orderable(item, variant)
    return swaps


def _pick(order: OrderRow, item_ids: Sequence[str]) -> list[ItemRow]:
    """Return the order's items with these ids, each item at most once."""
    held = Counter(item.item_id for item in order.items)
    for item_id, count in Counter(item_ids).items():
        if count > held[item_id]:
            raise Malformed(
                f"item_ids names {item_id!r} {count} times, but order {order.id!r} holds it {held[item_id]} times. "
                "Call get_order_details for the order's item ids."
            )
    left = list(order.items)
    return [_take(left, item_id) for item_id in item_ids]


def _take(items: list[ItemRow], item_id: str) -> ItemRow:
    position = next(index for index, item in enumerate(items) if item.item_id == item_id)
    return items.pop(position)


async def _variants(session: AsyncSession, item_ids: Sequence[str]) -> list[VariantRow]:
    rows = await session.scalars(select(VariantRow).where(VariantRow.id.in_(set(item_ids))))
    known = {row.id: row for row in rows}
    for item_id in item_ids:
        if item_id not in known:
            raise NotFound(
                f"New item {item_id!r} not found. Call get_product_details with the product id of the old item for "
                "the item ids of its variants."
            )
    return [known[item_id] for item_id in item_ids]


def _require_orderable(item: ItemRow, variant: VariantRow) -> None:
    if variant.product_id != item.product_id:
        raise Malformed(
            f"New item {variant.id!r} is another product than {item.item_id!r}: choose a variant of product "
            f"{item.product_id!r} ({item.name}) from get_product_details."
        )
    if not variant.available:
        raise Conflict(
            f"New item {variant.id!r} is not available now. Call get_product_details with {item.product_id!r} for "
            "variants that are."
        )


def _require_other(item: ItemRow, variant: VariantRow) -> None:
    if variant.id == item.item_id:
        raise Malformed(
            f"New item {variant.id!r} is the item that the order already holds. Leave it out, or choose another "
            "variant from get_product_details."
        )


def _difference(swaps: Sequence[Swap]) -> Decimal:
    return sum((variant.price - item.price for item, variant in swaps), Decimal(0))


def _become(item: ItemRow, variant: VariantRow) -> None:
    item.item_id = variant.id
    item.price = variant.price
    item.options = variant.options
