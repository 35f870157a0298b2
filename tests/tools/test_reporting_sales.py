"""Figures and a picture of what was sold."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

from tests.tools.desk import Desk, fill_store, open_desk
from tests.tools.places import Place
from tests.tools.shop import DELIVERED, MUG, SHIRT, small_shop
from tools.retail.schemas import Order


def orders_of(everything: dict[str, Any]) -> list[Order]:
    return [Order.model_validate(order) for order in everything["orders"].values()]


async def test_canceled_orders_do_not_count_as_sales(desk: Desk) -> None:
    orders = orders_of(await desk.everything())
    kept = [order for order in orders if order.status != "cancelled"]
    items = [item for order in kept for item in order.items]
    report = await desk.do("sales_report")
    assert (report["orders"], report["items"]) == (len(kept), len(items)) == (7, 12)
    assert report["sales"] == float(sum(item.price for item in items)) == 164.0
    assert report["paid"] == 173.9
    assert report["refunded"] == 0


async def test_products_and_states_are_sorted_by_sales(desk: Desk) -> None:
    report = await desk.do("sales_report")
    assert report["by_product"] == [
        {"product_id": SHIRT, "name": "Shirt", "items": 5, "sales": 105.5},
        {"product_id": MUG, "name": "Mug", "items": 7, "sales": 58.5},
    ]
    assert report["by_state"] == [{"state": "MA", "items": 12, "sales": 164.0}]
    nothing = {"entries": 0, "items": 0, "sales": 0.0}
    assert report["other_products"] == report["other_states"] == nothing


async def test_entries_beyond_the_limit_are_added_up(desk: Desk) -> None:
    report = await desk.do("sales_report", top=1)
    assert [entry["product_id"] for entry in report["by_product"]] == [SHIRT]
    assert report["other_products"] == {"entries": 1, "items": 7, "sales": 58.5}
    for top in (0, 26):
        await desk.refuse(422, "sales_report", top=top)


async def test_every_status_has_its_figures(desk: Desk) -> None:
    await desk.do(
        "return_delivered_order_items", order_id=DELIVERED, item_ids=["2000000001"], payment_method_id="paypal_1"
    )
    report = await desk.do("sales_report")
    assert report["by_status"][0] == {"status": "pending", "orders": 4, "items": 7, "value": 92.4}
    assert {entry["status"]: entry["orders"] for entry in report["by_status"]} == {
        "pending": 4,
        "cancelled": 1,
        "pending (item modified)": 1,
        "processed": 1,
        "return requested": 1,
    }


async def test_cents_are_added_up_exactly(place: Place) -> None:
    """As floats, ten times ten cents and a large sum would be off."""
    shop = small_shop()
    order = shop["orders"][DELIVERED]
    order["items"] = [{**order["items"][0], "price": price} for price in [0.1] * 10 + [9_999_999_999.99]]
    shop["orders"] = {DELIVERED: order}
    for user in shop["users"].values():
        user["orders"] = [DELIVERED] if user["user_id"] == order["user_id"] else []
    url = await place.new()
    await fill_store(url, shop)
    async with open_desk(url) as desk:
        answer = (await desk.call("sales_report")).text
    assert f'"sales":{Decimal("10000000000.99")}' in answer


async def test_a_store_without_orders_has_no_sales(place: Place) -> None:
    url = await place.new()
    await fill_store(url, {"products": {}, "users": {}, "orders": {}})
    async with open_desk(url) as desk:
        report = await desk.do("sales_report")
        chart = await desk.client.get("/retail/sales-report/chart")
    assert (report["orders"], report["sales"], report["paid"], report["by_product"]) == (0, 0, 0, [])
    assert chart.content.startswith(b"\x89PNG")


async def test_the_chart_is_an_image_for_any_product_names(place: Place) -> None:
    shop = small_shop()
    names = {SHIRT: "$x_{2}$ for 5$", MUG: "T" * 200}
    for order in shop["orders"].values():
        for item in order["items"]:
            item["name"] = names[item["product_id"]]
    url = await place.new()
    await fill_store(url, shop)
    async with open_desk(url) as desk:
        chart = await desk.client.get("/retail/sales-report/chart", params={"top": 5})
    assert chart.headers["content-type"] == "image/png"
    assert chart.content.startswith(b"\x89PNG")
    assert 10_000 < len(chart.content) < 200_000
