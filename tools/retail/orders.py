"""Changes to an order that is not shipped yet: cancel it, change its address or its payment."""

from __future__ import annotations

from collections.abc import Collection

from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.orm import selectinload

from tools.retail.errors import Conflict
from tools.retail.lookup import no_such_order, no_such_user
from tools.retail.models import AddressColumns, OrderRow, PaymentRow, UserRow
from tools.retail.payments import charge, lock_wallet, method_in, refund, require_cover
from tools.retail.records import ADDRESS_FIELDS, order_fields, user_fields
from tools.retail.schemas import Address, CancelReason, Order, User

__all__ = ["cancel", "change_address", "change_payment", "change_user_address", "lock_order", "whole"]

_PARTS = tuple(map(selectinload, (OrderRow.items, OrderRow.payments, OrderRow.fulfillments)))
_USER_PARTS = tuple(map(selectinload, (UserRow.payment_methods, UserRow.orders)))
_PENDING = ("pending", "pending (item modified)")


async def lock_order(session: AsyncSession, order_id: str, statuses: Collection[str], deed: str) -> OrderRow:
    """Return an order that has one of these statuses, locked until the end of the transaction."""
    order = await session.get(OrderRow, order_id, with_for_update=True, options=_PARTS)
    if order is None:
        raise no_such_order(order_id)
    if order.status not in statuses:
        expected = " or ".join(map(repr, statuses))
        raise Conflict(
            f"Order {order_id!r} is {order.status!r}; only an order that is {expected} can {deed}. Nothing was "
            "changed. Call get_order_details to see what is possible now."
        )
    return order


def whole(order: OrderRow) -> Order:
    """Return a locked order as a record."""
    return Order.model_validate(order_fields(order, order.items, order.payments, order.fulfillments))


async def cancel(session: AsyncSession, order_id: str, reason: CancelReason) -> Order:
    """Cancel a pending order and refund every entry of its payment history."""
    order = await lock_order(session, order_id, ["pending"], "be cancelled")
    wallet = await lock_wallet(session, order.user_id)
    for entry in list(order.payments):
        refund(order, entry.payment_method_id, entry.amount, wallet)
    order.status = "cancelled"
    order.cancel_reason = reason
    return whole(order)


async def change_address(session: AsyncSession, order_id: str, address: Address) -> Order:
    """Send a pending order to another address."""
    order = await lock_order(session, order_id, _PENDING, "change its address")
    _move_to(order, address)
    return whole(order)


async def change_user_address(session: AsyncSession, user_id: str, address: Address) -> User:
    """Replace a user's default address."""
    user = await session.get(UserRow, user_id, with_for_update=True, options=_USER_PARTS)
    if user is None:
        raise no_such_user(user_id)
    _move_to(user, address)
    return User.model_validate(user_fields(user, user.payment_methods, user.orders))


def _move_to(row: AddressColumns, address: Address) -> None:
    for name in ADDRESS_FIELDS:
        setattr(row, name, getattr(address, name))


async def change_payment(session: AsyncSession, order_id: str, payment_method_id: str) -> Order:
    """Pay a pending order with another method, and refund the first one."""
    order = await lock_order(session, order_id, _PENDING, "change its payment method")
    paid = _only_payment(order)
    wallet = await lock_wallet(session, order.user_id)
    method = method_in(wallet, payment_method_id)
    if payment_method_id == paid.payment_method_id:
        raise Conflict(
            f"Order {order_id!r} is already paid with {payment_method_id!r}. Ask for another payment method."
        )
    require_cover(method, paid.amount)
    charge(order, method, paid.amount)
    refund(order, paid.payment_method_id, paid.amount, wallet)
    return whole(order)


def _only_payment(order: OrderRow) -> PaymentRow:
    if [entry.transaction_type for entry in order.payments] != ["payment"]:
        raise Conflict(
            f"Order {order.id!r} was already charged or refunded more than once, so its payment cannot be "
            "changed again. Call transfer_to_human_agents if the customer insists."
        )
    return order.payments[0]
