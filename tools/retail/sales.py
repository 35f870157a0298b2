"""The sales report: figures over all orders, which the database sums in whole cents."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from decimal import Decimal
from itertools import islice
from typing import Any, cast

from pydantic import Field
from sqlalchemy import Select, func, select
from sqlalchemy.ext.asyncio import AsyncSession

from tools.retail.models import ItemRow, OrderRow, PaymentRow
from tools.retail.schemas import Id, Money, Record, Status, Text

__all__ = ["SalesReport", "report_sales"]


class StatusFigures(Record):
    """The orders in one status."""

    status: Status = Field(description="The status.")
    orders: int = Field(description="How many orders are in it.")
    items: int = Field(description="How many items they contain.")
    value: Money = Field(description="Total price of these items in US dollars, two decimals.")


class ProductSales(Record):
    """Sales of one product."""

    product_id: Id = Field(description="Product id, for get_product_details.")
    name: Text = Field(description="Name of the product type.")
    items: int = Field(description="How many items were sold.")
    sales: Money = Field(description="Their total price in US dollars, two decimals.")


class StateSales(Record):
    """Sales to one state."""

    state: Text = Field(description="State that the orders are sent to, such as 'CO'.")
    items: int = Field(description="How many items were sold.")
    sales: Money = Field(description="Their total price in US dollars, two decimals.")


class Rest(Record):
    """Totals of the entries that a list omits."""

    entries: int = Field(description="How many entries the list omits.")
    items: int = Field(description="How many items were sold in them.")
    sales: Money = Field(description="Their total price in US dollars, two decimals.")


class SalesReport(Record):
    """Sales figures: the items of all orders that were not cancelled, at the prices paid."""

    orders: int = Field(description="How many orders were not cancelled.")
    items: int = Field(description="How many items they contain.")
    sales: Money = Field(description="Total price of these items in US dollars, two decimals.")
    paid: Money = Field(description="All payments of all orders, in US dollars, two decimals.")
    refunded: Money = Field(description="All refunds of all orders so far, in US dollars, two decimals.")
    by_status: list[StatusFigures] = Field(
        description="All orders by status, including cancelled ones; most orders first."
    )
    by_product: list[ProductSales] = Field(description="Sales by product, highest first, as many as requested.")
    other_products: Rest = Field(description="All products that by_product omits.")
    by_state: list[StateSales] = Field(description="Sales by state, highest first, as many as requested.")
    other_states: Rest = Field(description="All states that by_state omits.")


@dataclass
class _Sum:
    """A number of items and their total price."""

    items: int = 0
    value: Decimal = Decimal(0)

    def add(self, row: Any) -> None:
        self.items += row.items
        self.value += row.value


Sums = Mapping[str, _Sum]


async def report_sales(session: AsyncSession, top: int) -> SalesReport:
    """Return the sales report of a snapshot, with the ``top`` products and states."""
    groups = (await session.execute(_items_by_status_state_and_product())).all()
    sold = [row for row in groups if row.status != "cancelled"]
    names = dict(sorted((row.product_id, row.name) for row in sold))
    products, states = _sums(sold, "product_id"), _sums(sold, "state")
    statuses = await _statuses(session, _sums(groups, "status"))
    paid, refunded = await _moved(session)
    return SalesReport(
        orders=sum(each.orders for each in statuses if each.status != "cancelled"),
        items=sum(each.items for each in products.values()),
        sales=sum((each.value for each in products.values()), Decimal(0)),
        paid=paid,
        refunded=refunded,
        by_status=statuses,
        by_product=[
            ProductSales(product_id=key, name=names[key], items=each.items, sales=each.value)
            for key, each in _first(products, top)
        ],
        other_products=_rest(products, top),
        by_state=[StateSales(state=key, items=each.items, sales=each.value) for key, each in _first(states, top)],
        other_states=_rest(states, top),
    )


def _items_by_status_state_and_product() -> Select[*tuple[Any, ...]]:
    """Select all figures in one pass, because a million orders have millions of items."""
    keys = OrderRow.status, OrderRow.state, ItemRow.product_id
    figures = func.count().label("items"), func.sum(ItemRow.price).label("value")
    return (
        select(*keys, func.min(ItemRow.name).label("name"), *figures)
        .join_from(ItemRow, OrderRow, OrderRow.id == ItemRow.order_id)
        .group_by(*keys)
    )


def _sums(groups: Iterable[Any], key: str) -> Sums:
    """Sum groups by one of their columns, highest value first."""
    sums: dict[str, _Sum] = defaultdict(_Sum)
    for row in groups:
        sums[getattr(row, key)].add(row)
    return dict(sorted(sums.items(), key=lambda entry: (-entry[1].value, entry[0])))


def _first(sums: Sums, top: int) -> Iterable[tuple[str, _Sum]]:
    return islice(sums.items(), top)


def _rest(sums: Sums, top: int) -> Rest:
    left = list(islice(sums.values(), top, None))
    items, sales = sum(each.items for each in left), sum((each.value for each in left), Decimal(0))
    return Rest(entries=len(left), items=items, sales=sales)


async def _statuses(session: AsyncSession, sums: Sums) -> list[StatusFigures]:
    """Return the figures of every status in use; an order may have no items."""
    orders = func.count().label("orders")
    rows = await session.execute(
        select(OrderRow.status, orders).group_by(OrderRow.status).order_by(orders.desc(), OrderRow.status)
    )
    figures: list[StatusFigures] = []
    for status, count in rows:
        held = sums.get(status, _Sum())
        figures.append(StatusFigures(status=cast("Status", status), orders=count, items=held.items, value=held.value))
    return figures


async def _moved(session: AsyncSession) -> tuple[Decimal, Decimal]:
    """Return all payments and all refunds."""
    kind = PaymentRow.transaction_type.label("kind")
    rows = await session.execute(select(kind, func.sum(PaymentRow.amount).label("amount")).group_by(kind))
    moved = {row.kind: row.amount for row in rows}
    return moved.get("payment", Decimal(0)), moved.get("refund", Decimal(0))
