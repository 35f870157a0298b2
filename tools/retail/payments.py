"""Payments: the payment history of an order, and the balances of gift cards."""

from __future__ import annotations

from decimal import Decimal

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from tools.retail.errors import Conflict, NotFound
from tools.retail.models import OrderRow, PaymentMethodRow, PaymentRow

__all__ = ["Wallet", "charge", "is_gift_card", "lock_wallet", "method_in", "refund", "require_cover"]

Wallet = dict[str, PaymentMethodRow]


async def lock_wallet(session: AsyncSession, user_id: str) -> Wallet:
    """Return a user's payment methods, with their balances locked until the end of the transaction.

    Every writer locks its order first and then these rows by id, so that writers cannot deadlock.
    """
    query = (
        select(PaymentMethodRow)
        .where(PaymentMethodRow.user_id == user_id)
        .order_by(PaymentMethodRow.id)
        .with_for_update()
    )
    return {method.id: method for method in await session.scalars(query)}


def method_in(wallet: Wallet, payment_method_id: str) -> PaymentMethodRow:
    """Return one of the user's payment methods."""
    if payment_method_id not in wallet:
        raise NotFound(
            f"Payment method {payment_method_id!r} is not one of the order's user, who has "
            f"{', '.join(map(repr, wallet)) or 'none'}. Ask which of them to use."
        )
    return wallet[payment_method_id]


def is_gift_card(method: PaymentMethodRow) -> bool:
    """Return whether the method is a gift card, which has a balance."""
    return method.source == "gift_card"


def require_cover(method: PaymentMethodRow, amount: Decimal) -> None:
    """Refuse a gift card whose balance is below the amount; limits of other methods are unknown."""
    if is_gift_card(method) and _balance(method) < amount:
        raise Conflict(
            f"Gift card {method.id!r} holds {_balance(method):.2f} US dollars, but {amount:.2f} are needed. "
            "Ask for another payment method."
        )


def charge(order: OrderRow, method: PaymentMethodRow, amount: Decimal) -> None:
    """Charge the method, and record it in the order's payment history."""
    _record(order, "payment", amount, method.id)
    _move(method, -amount)


def refund(order: OrderRow, payment_method_id: str, amount: Decimal, wallet: Wallet) -> None:
    """Refund the method, and record it in the order's payment history."""
    _record(order, "refund", amount, payment_method_id)
    method = wallet.get(payment_method_id)
    if method is not None:
        _move(method, amount)


def _record(order: OrderRow, kind: str, amount: Decimal, payment_method_id: str) -> None:
    entry = PaymentRow(
        position=len(order.payments), transaction_type=kind, amount=amount, payment_method_id=payment_method_id
    )
    order.payments.append(entry)


def _move(method: PaymentMethodRow, amount: Decimal) -> None:
    if is_gift_card(method):
        method.balance = _balance(method) + amount


def _balance(method: PaymentMethodRow) -> Decimal:
    return method.balance or Decimal(0)
