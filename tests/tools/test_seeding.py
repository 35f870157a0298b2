"""Made-up stores: the same for the same numbers, consistent, and only where they are wanted."""

from __future__ import annotations

import asyncio
import os
import sys
from pathlib import Path
from random import Random

import pytest

from tests.support import ROOT
from tests.tools import shop
from tests.tools.desk import open_desk, read_store
from tests.tools.places import Place
from tests.tools.test_storing import run
from tools.retail.schemas import Order, Product, User
from tools.retail.seed import Size, seed_records

START = """
import asyncio
from tools.main import create_app

async def start():
    app = create_app()
    async with app.router.lifespan_context(app):
        pass

asyncio.run(start())
"""


async def test_the_same_numbers_make_the_same_store(place: Place) -> None:
    one, other = await place.new(), await place.new()
    size = ["--customers", "40", "--orders", "90"]
    assert run("seed", *size, url=one).returncode == 0
    assert run("seed", url=other).returncode == 0
    assert run("seed", *size, url=other).returncode == 0  # replaces what was there
    store = await read_store(one)
    assert store == await read_store(other)
    assert (len(store["users"]), len(store["orders"])) == (40, 90)


async def test_a_store_that_is_not_empty_is_kept_on_request(store_url: str) -> None:
    result = run("seed", "--if-empty", url=store_url)
    assert result.returncode == 0
    assert "nothing was changed" in result.stderr
    assert await read_store(store_url) == shop.small_shop()


async def test_an_empty_store_is_filled_on_request(place: Place) -> None:
    url = await place.new()
    assert run("seed", "--if-empty", "--customers", "3", "--orders", "5", url=url).returncode == 0
    assert len((await read_store(url))["orders"]) == 5


@pytest.mark.parametrize("size", [Size(1, 1), Size(1, 1000), Size(1000, 1), Size(7, 23), Size(500, 1000)], ids=str)
def test_every_size_has_exactly_its_customers_and_orders(size: Size) -> None:
    records = list(seed_records(size))
    users = {record.user_id: record for record in records if isinstance(record, User)}
    orders = {record.order_id: record for record in records if isinstance(record, Order)}
    assert (len(users), len(orders)) == (size.customers, size.orders)
    assert sum(len(user.orders) for user in users.values()) == size.orders
    assert all(order_id in orders for user in users.values() for order_id in user.orders)


def test_the_totals_of_sample_orders_add_up() -> None:
    records = list(seed_records(Size()))
    variants = {key: each for record in records if isinstance(record, Product) for key, each in record.variants.items()}
    users = {record.user_id: record for record in records if isinstance(record, User)}
    assert len({user.email for user in users.values()}) == len(users)
    statuses: set[str] = set()
    for order in (record for record in records if isinstance(record, Order)):
        statuses.add(order.status)
        first = order.payment_history[0]
        assert first.amount == sum(item.price for item in order.items)
        assert first.payment_method_id in users[order.user_id].payment_methods
        assert all(variants[item.item_id].price == item.price for item in order.items)
        assert bool(order.fulfillments) == (order.status in {"processed", "delivered"})
    assert statuses == {"pending", "processed", "delivered", "cancelled"}


def test_a_sample_store_is_generated_record_by_record() -> None:
    records = seed_records(Size(500_000, 1_000_000))
    assert isinstance(next(records), Product)
    records.close()


async def test_an_order_desk_fills_an_empty_store_only_if_configured(place: Place) -> None:
    async with open_desk(await place.new()) as desk:
        assert await desk.do("list_all_product_types") == {}
    async with open_desk(await place.new(), seed_empty_store=True) as desk:
        store = await desk.everything()
        assert (len(store["users"]), len(store["orders"])) == (500, 1000)


async def test_a_filled_store_is_served_unchanged(store_url: str) -> None:
    async with open_desk(store_url, seed_empty_store=True) as desk:
        assert await desk.everything() == shop.small_shop()


async def test_processes_that_start_together_create_one_store(place: Place, tmp_path: Path) -> None:
    url = await place.new()
    environment = {
        **os.environ,
        "RETAIL_DATABASE_URL": url,
        "RETAIL_SEED_EMPTY_STORE": "true",
        "PYTHONPATH": str(ROOT),
    }
    processes = [
        await asyncio.create_subprocess_exec(
            *(sys.executable, "-c", START), cwd=tmp_path, env=environment, stdout=-1, stderr=-1
        )
        for _ in range(4)
    ]
    endings = await asyncio.gather(*(process.communicate() for process in processes))
    assert [process.returncode for process in processes] == [0] * 4, endings
    assert [output for output, _ in endings] == [b""] * 4  # stdout may carry the protocol of a stdio server
    assert sum(b"seeding" in errors for _, errors in endings) == 1
    assert len((await read_store(url))["orders"]) == 1000


async def test_sample_customers_can_be_looked_up(place: Place) -> None:
    async with open_desk(await place.new(), seed_empty_store=True) as desk:
        store = await desk.everything()
        user = Random(0).choice([user for user in store["users"].values() if user["orders"]])
        assert await desk.do("find_user_id_by_email", email=user["email"].upper()) == {"user_id": user["user_id"]}
        for order_id in user["orders"]:
            assert await desk.do("get_order_details", order_id=order_id) == store["orders"][order_id]
