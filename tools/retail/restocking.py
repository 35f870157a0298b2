"""Import of a list of products and variants into the store."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from itertools import islice
from operator import attrgetter
from typing import Any

from pydantic import Field
from sqlalchemy import insert, select, update
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.orm import InstrumentedAttribute

from tools.retail import schemas
from tools.retail.database import lock_tables
from tools.retail.models import Base, ProductRow, VariantRow
from tools.retail.records import Fields
from tools.retail.stocklist import Entry, RefusedCell, StockList

__all__ = ["ImportReport", "restock"]

_BATCH = 1000
_MOST_REPORTED = 100


class Changes(schemas.Record):
    """Counts of records by what happened to them."""

    created: int = Field(description="How many were created.")
    updated: int = Field(description="How many existed and were changed.")
    unchanged: int = Field(description="How many existed and were already the same as in the file.")


class ImportReport(schemas.Record):
    """The result of importing a file of products."""

    rows: int = Field(description="How many rows the file has, without its header and empty rows.")
    products: Changes = Field(description="Counts of the products that were not refused.")
    variants: Changes = Field(description="Counts of their variants.")
    refused_products: list[schemas.Id] = Field(
        description="Ids of products that were left unchanged because one of their rows was refused; at most 100."
    )
    refused: list[RefusedCell] = Field(description="The cells because of which rows were refused; the first 100.")
    refused_cells: int = Field(description="How many cells were refused in total.")


async def restock(session: AsyncSession, stock: StockList) -> ImportReport:
    """Create or update every product that has no refused row; variants that the file does not list stay unchanged."""
    await lock_tables(session, ProductRow, VariantRow)
    await _refuse_conflicts(session, stock)
    accepted = stock.accepted()
    return ImportReport(
        rows=stock.rows,
        products=await _merge_products(session, accepted),
        variants=await _merge_variants(session, [entry for entries in accepted.values() for entry in entries]),
        refused_products=sorted(stock.refused_products)[:_MOST_REPORTED],
        refused=sorted(stock.refused, key=attrgetter("row"))[:_MOST_REPORTED],
        refused_cells=len(stock.refused),
    )


async def _refuse_conflicts(session: AsyncSession, stock: StockList) -> None:
    """Refuse entries whose id or name belongs to another record of the store."""
    entries = [entry for each in stock.accepted().values() for entry in each]
    ids = {entry.product_id for entry in entries} | {entry.item_id for entry in entries}
    variants = await _found(session, VariantRow.id, ids)
    products = await _found(session, ProductRow.id, ids)
    names = await _found(session, ProductRow.name, {entry.name for entry in entries})
    for entry in entries:
        if entry.product_id in variants:
            stock.refuse(entry, "product_id", "a product id; the store has this one as an item id")
        if entry.item_id in products:
            stock.refuse(entry, "item_id", "an item id; the store has this one as a product id")
        owner = variants[entry.item_id].product_id if entry.item_id in variants else entry.product_id
        if owner != entry.product_id:
            stock.refuse(entry, "item_id", f"a unique item id; product {owner} has the same one")
        namesake = names[entry.name].id if entry.name in names else entry.product_id
        if namesake != entry.product_id:
            stock.refuse(entry, "name", f"a unique name; product {namesake} has the same one")


async def _merge_products(session: AsyncSession, accepted: Mapping[str, Sequence[Entry]]) -> Changes:
    old = await _found(session, ProductRow.id, accepted)
    rows = [{"id": product_id, "name": entries[0].name} for product_id, entries in accepted.items()]
    return await _merge(session, ProductRow, rows, old)


async def _merge_variants(session: AsyncSession, entries: Sequence[Entry]) -> Changes:
    old = await _found(session, VariantRow.id, {entry.item_id for entry in entries})
    rows = [
        {
            "id": entry.item_id,
            "product_id": entry.product_id,
            "available": entry.available,
            "price": entry.price,
            "options": _options(old[entry.item_id].options if entry.item_id in old else {}, entry.options),
        }
        for entry in entries
    ]
    return await _merge(session, VariantRow, rows, old)


def _options(old: dict[str, str], given: dict[str, str]) -> dict[str, str]:
    """Merge options; those without a column in the file stay unchanged."""
    return {name: value for name, value in {**old, **given}.items() if value}


async def _merge(session: AsyncSession, table: type[Base], rows: Sequence[Fields], old: Mapping[str, Any]) -> Changes:
    """Insert new rows, and update those that differ from the old ones, which are passed by id."""
    new = [row for row in rows if row["id"] not in old]
    changed = [row for row in rows if row["id"] in old and row != _same_fields(old[row["id"]], row)]
    if new:
        await session.execute(insert(table), new)
    if changed:
        await session.execute(update(table), changed)
    return Changes(created=len(new), updated=len(changed), unchanged=len(rows) - len(new) - len(changed))


def _same_fields(old: Any, row: Fields) -> Fields:
    return {name: getattr(old, name) for name in row}


async def _found(session: AsyncSession, key: InstrumentedAttribute[str], values: Iterable[str]) -> dict[str, Any]:
    """Return the rows whose column has one of the values, by value."""
    table, left, found = key.class_.__table__, iter(values), dict[str, Any]()
    while batch := list(islice(left, _BATCH)):
        for row in await session.execute(select(table).where(key.in_(batch))):
            found[getattr(row, key.key)] = row
    return found
