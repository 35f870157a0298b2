"""Loading of whole records: rows, and their related rows with one query per table."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from typing import Any

from sqlalchemy import ColumnElement, select
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.orm import InstrumentedAttribute

from tools.retail import models
from tools.retail.models import Base, OrderRow, ProductRow, UserRow, VariantRow
from tools.retail.records import Fields, order_fields, product_fields, user_fields

__all__ = ["load_orders", "load_products", "load_users"]

Parts = dict[str, list[Any]]


async def load_products(session: AsyncSession, where: ColumnElement[bool], limit: int = 1) -> list[Fields]:
    """Return the fields of products, by id, with their variants."""
    rows = await _rows(session, ProductRow, where, limit)
    variants = await _parts(session, VariantRow.product_id, rows)
    return [product_fields(row, variants[row.id]) for row in rows]


async def load_users(session: AsyncSession, where: ColumnElement[bool], limit: int = 1) -> list[Fields]:
    """Return the fields of users, by id, with their payment methods and the ids of their orders."""
    rows = await _rows(session, UserRow, where, limit)
    methods = await _parts(session, models.PaymentMethodRow.user_id, rows)
    orders = await _parts(session, models.UserOrderRow.user_id, rows)
    return [user_fields(row, methods[row.id], orders[row.id]) for row in rows]


async def load_orders(session: AsyncSession, where: ColumnElement[bool], limit: int = 1) -> list[Fields]:
    """Return the fields of orders, by id, with their items, payments and shipments."""
    rows = await _rows(session, OrderRow, where, limit)
    items = await _parts(session, models.ItemRow.order_id, rows)
    payments = await _parts(session, models.PaymentRow.order_id, rows)
    fulfillments = await _parts(session, models.FulfillmentRow.order_id, rows)
    return [order_fields(row, items[row.id], payments[row.id], fulfillments[row.id]) for row in rows]


async def _rows(session: AsyncSession, table: type[Base], where: ColumnElement[bool], limit: int) -> Sequence[Any]:
    columns = table.__table__
    return (await session.execute(select(columns).where(where).order_by(columns.c.id).limit(limit))).all()


async def _parts(session: AsyncSession, owner: InstrumentedAttribute[str], owners: Sequence[Any]) -> Parts:
    """Return related rows by owner id, for owners with consecutive ids."""
    parts: Parts = defaultdict(list)
    if owners:
        table = owner.class_.__table__
        of_these = (owner >= owners[0].id) & (owner <= owners[-1].id)  # BETWEEN does not accept collated parameters
        for row in await session.execute(select(table).where(of_these).order_by(*table.primary_key)):
            parts[getattr(row, owner.key)].append(row)
    return parts
