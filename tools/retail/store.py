"""Operations on a whole store: export as canonical JSON, hash, import and replace."""

from __future__ import annotations

import hashlib
from collections import defaultdict
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable, Iterator, Sequence
from functools import partial
from itertools import islice
from typing import Any, TextIO

from pydantic import ValidationError
from sqlalchemy import ColumnElement, delete, insert, select
from sqlalchemy.exc import IntegrityError
from sqlalchemy.ext.asyncio import AsyncConnection
from sqlalchemy.orm import InstrumentedAttribute

from tools.retail import jsonstream
from tools.retail.database import Database
from tools.retail.errors import StoreError
from tools.retail.loading import load_orders, load_products, load_users
from tools.retail.models import Base, HandOverRow, OrderRow, ProductRow, UserOrderRow, UserRow, VariantRow
from tools.retail.progress import Progress
from tools.retail.records import Fields, Record, rows_of
from tools.retail.schemas import Order, Product, User

__all__ = ["canonical", "export_store", "import_store", "is_empty", "replace", "state_hash"]

_BATCH = 1000
_TABLES = [table for table in Base.metadata.sorted_tables if table is not HandOverRow.__table__]


async def is_empty(connection: AsyncConnection) -> bool:
    """Return whether the store has neither products nor users, and so no orders."""
    for column in (ProductRow.id, UserRow.id):
        if (await connection.execute(select(column).limit(1))).first():
            return False
    return True


async def canonical(database: Database) -> AsyncIterator[str]:
    """Yield the canonical JSON of a store piece by piece, as one snapshot."""
    async with database.reading() as session:
        sections = [
            ("orders", _entries(partial(load_orders, session), OrderRow.id, "order_id")),
            ("products", _entries(partial(load_products, session), ProductRow.id, "product_id")),
            ("users", _entries(partial(load_users, session), UserRow.id, "user_id")),
        ]
        async for piece in jsonstream.write_entries(sections):
            yield piece


async def _entries(
    load: Callable[[ColumnElement[bool], int], Awaitable[Sequence[Fields]]],
    column: InstrumentedAttribute[str],
    id_field: str,
) -> AsyncIterator[tuple[str, Fields]]:
    last = ""
    while records := await load(column > last, _BATCH):
        for record in records:
            last = record[id_field]
            yield last, record


async def state_hash(database: Database) -> str:
    """Return the SHA-256 of a store's canonical JSON."""
    digest = hashlib.sha256()
    async for piece in canonical(database):
        digest.update(piece.encode())
    return digest.hexdigest()


async def export_store(database: Database, stream: TextIO) -> None:
    """Write the canonical JSON of a store to a stream."""
    async for piece in canonical(database):
        stream.write(piece)


async def import_store(database: Database, stream: TextIO, progress: Progress) -> None:
    """Replace the content of a store with JSON from a stream, in one transaction.

    Raises:
        StoreError: the stream is not a stored order desk, or the database failed; nothing was changed.
    """
    async with database.rewriting() as connection:
        await replace(connection, _records(stream), progress)


async def replace(connection: AsyncConnection, records: Iterable[Record], progress: Progress) -> None:
    """Replace all records of a store; hand-overs are kept."""
    for table in reversed(_TABLES):
        await connection.execute(delete(table))
    try:
        await _fill(connection, records, progress)
    except IntegrityError as error:
        raise StoreError(f"not a stored order desk: two records share an id or a name ({error.orig})") from error
    await _require_consistent(connection)
    progress.finish()


async def _fill(connection: AsyncConnection, records: Iterable[Record], progress: Progress) -> None:
    records = iter(records)
    while batch := list(islice(records, _BATCH)):
        rows = _rows_by_table(batch)
        for table in _TABLES:
            if table.name in rows:
                await connection.execute(insert(table), rows[table.name])
        progress.add(len(batch))


def _rows_by_table(records: Iterable[Record]) -> dict[str, list[Fields]]:
    rows: dict[str, list[Fields]] = defaultdict(list)
    for record in records:
        for table, row in rows_of(record):
            rows[table.__tablename__].append(row)
    return rows


async def _require_consistent(connection: AsyncConnection) -> None:
    """Check references between records at the end, because a file may list records in any order."""
    listed = (UserOrderRow.order_id == OrderRow.id) & (UserOrderRow.user_id == OrderRow.user_id)
    checks = {
        "product {0!r} has the id of an item": select(ProductRow.id).join(VariantRow, VariantRow.id == ProductRow.id),
        "user {0!r} lists the order {1!r}, which does not exist": select(UserOrderRow.user_id, UserOrderRow.order_id)
        .outerjoin(OrderRow, OrderRow.id == UserOrderRow.order_id)
        .where(OrderRow.id.is_(None)),
        "order {0!r} is not in the list of its user {1!r}": select(OrderRow.id, OrderRow.user_id)
        .outerjoin(UserOrderRow, listed)
        .where(UserOrderRow.order_id.is_(None)),
    }
    for problem, query in checks.items():
        found = (await connection.execute(query.limit(1))).first()
        if found:
            raise StoreError(f"not a stored order desk: {problem.format(*found)}")


_SCHEMAS: dict[str, tuple[type[Record], str]] = {
    "products": (Product, "product_id"),
    "users": (User, "user_id"),
    "orders": (Order, "order_id"),
}


def _records(stream: TextIO) -> Iterator[Record]:
    missing = set(_SCHEMAS)
    for section, entries in jsonstream.read_sections(stream):
        if section not in _SCHEMAS:
            raise StoreError(
                f"not a stored order desk: unknown section {section!r}, expected {', '.join(map(repr, _SCHEMAS))}"
            )
        missing.discard(section)
        yield from (_record(section, key, value) for key, value in entries)
    if missing:
        raise StoreError(f"not a stored order desk: {', '.join(map(repr, sorted(missing)))} missing")


def _record(section: str, key: str, value: Any) -> Record:
    schema, id_field = _SCHEMAS[section]
    try:
        record = schema.model_validate(value)
    except ValidationError as error:
        problem = error.errors()[0]
        place = ".".join(map(str, (section, key, *problem["loc"])))
        raise StoreError(f"not a stored order desk: {place}: {problem['msg']}") from None
    _require_key(f"{section}.{key}", key, getattr(record, id_field))
    _require_inner_keys(f"{section}.{key}", record)
    return record


def _require_inner_keys(place: str, record: Record) -> None:
    if isinstance(record, Product):
        for key, variant in record.variants.items():
            _require_key(f"{place}.variants.{key}", key, variant.item_id)
    if isinstance(record, User):
        for key, method in record.payment_methods.items():
            _require_key(f"{place}.payment_methods.{key}", key, method.id)


def _require_key(place: str, key: str, own: str) -> None:
    if key != own:
        raise StoreError(f"not a stored order desk: {place}: has the id {own!r}, expected its key {key!r}")
