"""Finding users, orders, products and items."""

from __future__ import annotations

from tests.tools import shop
from tests.tools.desk import Desk, fill_store, open_desk
from tests.tools.places import Place
from tests.tools.shop import ADA, MUG, PENDING, SHIRT, SHIRT_S


async def test_a_user_is_found_by_email_in_any_case(desk: Desk) -> None:
    assert await desk.do("find_user_id_by_email", email="aDa.PARK@eXample.COM") == {"user_id": ADA}


async def test_a_user_is_found_by_name_in_any_case_and_exact_zip(desk: Desk) -> None:
    found = await desk.do("find_user_id_by_name_zip", first_name="ADA", last_name="park", zip="02110")
    assert found == {"user_id": ADA}
    await desk.refuse(404, "find_user_id_by_name_zip", first_name="Ada", last_name="Park", zip="2110")


async def test_an_unknown_email_is_answered_with_another_way_to_find_the_user(desk: Desk) -> None:
    message = await desk.refuse(404, "find_user_id_by_email", email="nobody@example.com")
    assert "'nobody@example.com'" in message
    assert "find_user_id_by_name_zip" in message


async def test_no_user_is_returned_when_two_share_a_name_or_an_email(place: Place) -> None:
    content = shop.small_shop()
    twin = {**content["users"][ADA], "user_id": "ada_park_2", "orders": []}
    content["users"]["ada_park_2"] = twin
    url = await place.new()
    await fill_store(url, content)
    async with open_desk(url) as desk:
        message = await desk.refuse(409, "find_user_id_by_email", email=twin["email"])
        assert "More than one" in message
        await desk.refuse(409, "find_user_id_by_name_zip", first_name="Ada", last_name="Park", zip="02110")


async def test_records_are_returned_complete_and_as_stored(desk: Desk) -> None:
    content = shop.small_shop()
    assert await desk.do("get_user_details", user_id=ADA) == content["users"][ADA]
    assert await desk.do("get_order_details", order_id=PENDING) == content["orders"][PENDING]
    assert await desk.do("get_product_details", product_id=SHIRT) == content["products"][SHIRT]
    assert await desk.do("get_item_details", item_id=SHIRT_S) == content["products"][SHIRT]["variants"][SHIRT_S]


async def test_product_types_are_listed_by_name(desk: Desk) -> None:
    assert list((await desk.do("list_all_product_types")).items()) == [("Mug", MUG), ("Shirt", SHIRT)]


async def test_a_product_id_is_never_an_item_id(desk: Desk) -> None:
    assert "get_product_details" in await desk.refuse(404, "get_item_details", item_id=SHIRT)
    assert "get_item_details" in await desk.refuse(404, "get_product_details", product_id=SHIRT_S)


async def test_unknown_ids_are_not_found_and_the_message_names_the_source_of_ids(desk: Desk) -> None:
    assert "find_user_id_by_email" in await desk.refuse(404, "get_user_details", user_id="nobody_1")
    assert "'#W" in await desk.refuse(404, "get_order_details", order_id="W0000001")
    assert "list_all_product_types" in await desk.refuse(404, "get_product_details", product_id="9")
    assert "get_order_details" in await desk.refuse(404, "get_item_details", item_id="9")


async def test_text_that_no_database_accepts_is_malformed(desk: Desk) -> None:
    await desk.refuse(422, "find_user_id_by_email", email="a\0b")
    await desk.refuse(422, "get_order_details", order_id="#W\0")
    await desk.refuse(422, "transfer_to_human_agents", summary="nul \0 byte")
    await desk.refuse(404, "get_user_details", user_id="'; DROP TABLE users; --")
