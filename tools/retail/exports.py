"""Export of orders as CSV, one row per order, from one snapshot and with one batch in memory."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Collection
from pathlib import Path
from typing import Any

from anyio import to_thread
from sqlalchemy import ColumnElement, ScalarSelect, Select, func, select, true

from tools.retail.database import Database
from tools.retail.files import writing
from tools.retail.models import ItemRow, OrderRow, PaymentRow
from tools.retail.spreadsheets import write_rows

__all__ = ["export_orders"]

_BATCH = 1000

Report = Callable[[float, float], Awaitable[None]]
"""Called with the number of orders written so far, and their total."""


async def export_orders(store: Database, path: Path, statuses: Collection[str], report: Report) -> int:
    """Write the orders in these statuses (default: all) to a file, sorted by id, and return their count.

    The file appears under its name only when it is complete.
    """
    chosen = OrderRow.status.in_(statuses) if statuses else true()
    done = 0
    async with store.reading() as session:
        total = await session.scalar(select(func.count()).select_from(OrderRow).where(chosen)) or 0
        rows = await session.stream(_query(chosen))
        with writing(str(path)) as stream:
            write_rows(stream, [tuple(rows.keys())])
            async for batch in rows.partitions(_BATCH):
                await to_thread.run_sync(write_rows, stream, batch)
                done += len(batch)
                await report(done, total)
    return done


def _query(chosen: ColumnElement[bool]) -> Select[*tuple[Any, ...]]:
    address = (getattr(OrderRow, name) for name in ("address1", "address2", "city", "state", "country", "zip"))
    return (
        select(
            OrderRow.id.label("order_id"),
            OrderRow.user_id,
            OrderRow.status,
            _of_order(ItemRow, func.count()).label("items"),
            _of_order(ItemRow, func.sum(ItemRow.price)).label("items_total"),
            _of_order(PaymentRow, func.sum(PaymentRow.amount), PaymentRow.transaction_type == "payment").label("paid"),
            _of_order(PaymentRow, func.sum(PaymentRow.amount), PaymentRow.transaction_type == "refund").label(
                "refunded"
            ),
            *address,
            OrderRow.cancel_reason,
        )
        .where(chosen)
        .order_by(OrderRow.id)
        .execution_options(yield_per=_BATCH)
    )


def _of_order(
    table: type[ItemRow | PaymentRow], figure: ColumnElement[Any], *conditions: ColumnElement[bool]
) -> ScalarSelect[Any]:
    """Return a subquery for a figure over the rows of an order; a sum over no rows is null, an empty CSV cell."""
    return select(figure).select_from(table).where(table.order_id == OrderRow.id, *conditions).scalar_subquery()
