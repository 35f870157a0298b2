"""Benchmark of operations on a small and on a large store."""

from __future__ import annotations

import tempfile
import time
from collections.abc import Awaitable, Callable, Sequence
from pathlib import Path
from random import Random
from statistics import median
from urllib.parse import quote

from fastapi import FastAPI
from httpx2 import ASGITransport, AsyncClient, Response
from sqlalchemy import select
from sqlalchemy.orm import InstrumentedAttribute

from tools.retail.database import Database
from tools.retail.desk import open_store
from tools.retail.models import OrderRow, UserRow
from tools.retail.progress import Progress
from tools.retail.routes import router
from tools.retail.seed import Size, seed_records
from tools.retail.settings import RetailSettings
from tools.retail.store import replace

__all__ = ["measure"]

_SMALL = 1000
_WARM_UP = 20

Call = Callable[[str], Awaitable[Response]]
Medians = dict[str, float]


async def measure(orders: int, calls: int) -> str:
    """Return a table of median times on a store of 1,000 orders and on one of ``orders``.

    Both stores are temporary; the calls go through the HTTP application in this process.
    """
    with tempfile.TemporaryDirectory() as folder:
        small = await _medians(Path(folder) / "small.db", _SMALL, calls)
        large = await _medians(Path(folder) / "large.db", orders, calls)
    head = f"{'operation':<24}{f'{_SMALL:,} orders':>18}{f'{orders:,} orders':>20}{'ratio':>8}"
    rows = [
        f"{name:<24}{small[name]:>15.2f} ms{large[name]:>17.2f} ms{large[name] / small[name]:>8.2f}" for name in small
    ]
    return "\n".join([head, *rows])


async def _medians(path: Path, orders: int, calls: int) -> Medians:
    """Return the median milliseconds of each operation on a new store."""
    async with open_store(RetailSettings(database_url=f"sqlite:///{path}")) as store:
        async with store.rewriting() as connection:
            size = Size(customers=orders // 2, orders=orders)
            await replace(connection, seed_records(size), Progress(f"seeding {orders:,} orders"))
        return await _time_operations(store, calls + _WARM_UP)


async def _time_operations(store: Database, count: int) -> Medians:
    app = FastAPI()
    app.include_router(router)
    app.state.retail_store = store
    emails = await _some(store, UserRow.email, count)
    pending = await _some(store, OrderRow.id, count, status="pending")
    async with AsyncClient(transport=ASGITransport(app), base_url="http://desk/retail") as client:

        def find(email: str) -> Awaitable[Response]:
            return client.get("/users/by-email", params={"email": email})

        def look(order_id: str) -> Awaitable[Response]:
            return client.get(f"/orders/{quote(order_id)}")

        def cancel(order_id: str) -> Awaitable[Response]:
            reason = {"reason": "no longer needed"}
            return client.post(f"/orders/{quote(order_id)}/cancellation", json=reason)

        return {
            "find_user_id_by_email": await _median(find, emails),
            "get_order_details": await _median(look, pending),
            "cancel_pending_order": await _median(cancel, pending),
        }


async def _some(store: Database, column: InstrumentedAttribute[str], count: int, **conditions: str) -> Sequence[str]:
    """Return a reproducible sample of values from a column."""
    async with store.reading() as session:
        values = (await session.scalars(select(column).filter_by(**conditions).order_by(column))).all()
    return Random(0).sample(values, min(count, len(values)))  # noqa: S311 (no secret)


async def _median(call: Call, arguments: Sequence[str]) -> float:
    times: list[float] = []
    for argument in arguments:
        started = time.perf_counter()
        response = await call(argument)
        times.append((time.perf_counter() - started) * 1000)
        response.raise_for_status()
    return median(times[_WARM_UP:])
