"""A file of products, as a shop keeps it in a spreadsheet."""

from __future__ import annotations

import re
from typing import Any

import anyio

from tests.support import ROOT
from tests.tools.desk import Desk, open_desk
from tests.tools.office import HEADER, csv_file, upload
from tests.tools.shop import MUG, MUG_BLACK, MUG_WHITE, PENDING, SHIRT, SHIRT_M, SHIRT_S

LAMP, LAMP_RED, LAMP_BLUE = "1000000009", "2000000091", "2000000092"
NOTHING = {"created": 0, "updated": 0, "unchanged": 0}


async def take_in(desk: Desk, *rows: list[str], header: list[str] = HEADER) -> dict[str, Any]:
    answer = await upload(desk, csv_file(*rows, header=header))
    assert answer.status_code == 200, answer.text
    return answer.json()


async def test_a_new_product_is_imported_with_its_variants(desk: Desk) -> None:
    report = await take_in(
        desk,
        [LAMP, "Lamp", LAMP_RED, "19.90", "true", "red", ""],
        [LAMP, "Lamp", LAMP_BLUE, "21", "FALSE", "blue", "E27"],
        header=[*HEADER, "option:color", "option:socket"],
    )
    assert report == {
        "rows": 2,
        "products": {**NOTHING, "created": 1},
        "variants": {**NOTHING, "created": 2},
        "refused_products": [],
        "refused": [],
        "refused_cells": 0,
    }
    lamp = await desk.do("get_product_details", product_id=LAMP)
    assert lamp == {
        "name": "Lamp",
        "product_id": LAMP,
        "variants": {
            LAMP_RED: {"item_id": LAMP_RED, "options": {"color": "red"}, "available": True, "price": 19.9},
            LAMP_BLUE: {
                "item_id": LAMP_BLUE,
                "options": {"color": "blue", "socket": "E27"},
                "available": False,
                "price": 21.0,
            },
        },
    }


async def test_products_missing_from_the_file_are_kept(desk: Desk) -> None:
    before = await desk.everything()
    report = await take_in(desk, [MUG, "Mug", MUG_WHITE, "8.50", "no"])
    assert report["variants"] == {**NOTHING, "updated": 1}
    assert report["products"] == {**NOTHING, "unchanged": 1}
    before["products"][MUG]["variants"][MUG_WHITE] |= {"price": 8.5, "available": False}
    assert await desk.everything() == before


async def test_an_option_without_a_value_is_removed(desk: Desk) -> None:
    row = [MUG, "Mug", MUG_WHITE, "8.10", "yes"]
    await take_in(desk, [*row, "", "round"], header=[*HEADER, "option:color", "option:shape"])
    assert (await desk.do("get_item_details", item_id=MUG_WHITE))["options"] == {"shape": "round"}


async def test_importing_the_same_file_again_changes_nothing(desk: Desk) -> None:
    rows = [[LAMP, "Lamp", LAMP_RED, "19.90", "true"], [MUG, "Cup", MUG_BLACK, "9.90", "true"]]
    first = await take_in(desk, *rows)
    assert (first["products"]["created"], first["products"]["updated"]) == (1, 1)
    before = await desk.everything()
    again = await take_in(desk, *rows)
    assert again["products"] == again["variants"] == {**NOTHING, "unchanged": 2}
    assert await desk.everything() == before


async def test_orders_keep_the_price_that_was_paid(desk: Desk) -> None:
    before = await desk.do("get_order_details", order_id=PENDING)
    await take_in(desk, [SHIRT, "Blouse", SHIRT_S, "99", "true"])
    assert await desk.do("get_order_details", order_id=PENDING) == before


async def test_a_product_with_a_rejected_row_is_unchanged_and_the_others_are_imported(desk: Desk) -> None:
    before = await desk.everything()
    report = await take_in(
        desk,
        [SHIRT, "Shirt", SHIRT_S, "21.00", "true"],
        [SHIRT, "Shirt", SHIRT_M, "26,50", "perhaps"],
        ["", "", "", "", ""],
        [MUG, "Mug", MUG_WHITE, "8.50", "true"],
    )
    assert (report["rows"], report["refused_cells"]) == (3, 2)
    assert report["refused_products"] == [SHIRT]
    assert report["variants"] == {**NOTHING, "updated": 1}
    assert [(cell["row"], cell["column"], cell["value"]) for cell in report["refused"]] == [
        (3, "price", "26,50"),
        (3, "available", "perhaps"),
    ]
    assert "with a point" in report["refused"][0]["expected"]
    assert report["refused"][1]["expected"] == "true or false"
    before["products"][MUG]["variants"][MUG_WHITE]["price"] = 8.5
    assert await desk.everything() == before


REFUSED = [
    (["123", "Lamp", LAMP_RED, "1", "true"], "product_id", "ten digits"),
    (["1.0E+09", "Lamp", LAMP_RED, "1", "true"], "product_id", "format the column as text"),
    (["١٢٣٤٥٦٧٨٩٠", "Lamp", LAMP_RED, "1", "true"], "product_id", "ten digits"),
    ([LAMP, "", LAMP_RED, "1", "true"], "name", "the name"),
    ([LAMP, "L" * 201, LAMP_RED, "1", "true"], "name", "200 characters"),
    ([LAMP, "two\nlines", LAMP_RED, "1", "true"], "name", "one line"),
    ([LAMP, "Lamp", "", "1", "true"], "item_id", "ten digits"),
    ([LAMP, "Lamp", LAMP_RED, "-1", "true"], "price", "no sign"),
    ([LAMP, "Lamp", LAMP_RED, "$1", "true"], "price", "currency"),
    ([LAMP, "Lamp", LAMP_RED, "1,000.00", "true"], "price", "thousands"),
    ([LAMP, "Lamp", LAMP_RED, "1.005", "true"], "price", "1299.50"),
    ([LAMP, "Lamp", LAMP_RED, "NaN", "true"], "price", "1299.50"),
    ([LAMP, "Lamp", LAMP_RED, "9999999999", "true"], "price", "1299.50"),
    ([LAMP, "Lamp", LAMP_RED, "1"], "available", "true or false"),
    ([LAMP, "Lamp", SHIRT_S, "1", "true"], "item_id", SHIRT),
    ([LAMP, "Lamp", MUG, "1", "true"], "item_id", "as a product id"),
    ([SHIRT_S, "Lamp", LAMP_RED, "1", "true"], "product_id", "as an item id"),
    ([LAMP, "Mug", LAMP_RED, "1", "true"], "name", MUG),
]


async def test_a_rejected_cell_is_reported_with_the_expected_value(desk: Desk) -> None:
    before = await desk.everything()
    for row, column, expected in REFUSED:
        report = await take_in(desk, row)
        (cell,) = report["refused"]
        assert (cell["row"], cell["column"]) == (2, column)
        assert expected in cell["expected"], cell
        assert report["products"] == report["variants"] == NOTHING
    assert await desk.everything() == before


CONTRADICTIONS = [
    ([LAMP, "Lamp", LAMP_RED, "2", "true"], "item_id", "row 2 has the same one"),
    ([LAMP, "Light", LAMP_BLUE, "2", "true"], "name", "'Lamp', as row 2"),
    (["1000000008", "Lamp", LAMP_BLUE, "2", "true"], "name", f"product {LAMP} has the same one"),
    (["1000000008", "Light", LAMP, "2", "true"], "item_id", "another row has this one as its product id"),
]


async def test_contradictory_rows_are_rejected(desk: Desk) -> None:
    for second, column, expected in CONTRADICTIONS:
        report = await take_in(desk, [LAMP, "Lamp", LAMP_RED, "1", "true"], second)
        (cell,) = report["refused"]
        assert (cell["row"], cell["column"]) == (3, column)
        assert expected in cell["expected"], cell


async def test_files_are_read_in_the_formats_that_spreadsheets_save(desk: Desk) -> None:
    text = f'name, item_id ,price,available,product_id\n"Lamp, ""big"" 電灯",{LAMP_RED},1,1,{LAMP}'
    answer = await upload(desk, text.encode("utf-8-sig"))
    assert answer.json()["products"]["created"] == 1
    assert (await desk.do("get_product_details", product_id=LAMP))["name"] == 'Lamp, "big" 電灯'


ROW = f"{LAMP},Lamp,{LAMP_RED},1,true"


UNREADABLE = [
    (b"", "does not have the columns product_id"),
    (b"\n\n", "does not have the columns product_id"),
    (b"a,b\n1,2\n", "does not have the columns product_id, name, item_id, price, available"),
    (b"product_id;name;item_id;price;available\n", "save it with commas"),
    (",".join(HEADER).encode(), "no rows"),
    (f"{','.join(HEADER)},color\n{ROW},red".encode(), "column 'color'; expected .*'option:color'"),
    (f"{','.join(HEADER)},option:\n{ROW},red".encode(), "column 'option:'"),
    (f"{','.join(HEADER)},name\n{ROW},Lamp".encode(), "more than one column 'name'"),
    (f"{','.join(HEADER)}\n{ROW},extra".encode(), "Row 2 has 6 cells, but there are 5 columns"),
    (f"{','.join(HEADER)}\n{ROW}\n".encode("utf-16"), "in UTF-16 instead of UTF-8"),
    (f"{','.join(HEADER)}\n{ROW}\n".replace("Lamp", "Lämp").encode("cp1252"), "line 2 has the byte 0xE4"),
    (f"{','.join(HEADER)}\n{ROW}\0\n".encode(), "NUL"),
    (f'{",".join(HEADER)}\n{ROW}\n"{ROW}'.encode(), "not valid CSV from row 3 on"),
    (b"PK\x03\x04\x14\x00\x00\x00", "NUL"),
]


async def test_an_unreadable_file_is_rejected_with_a_fix(desk: Desk) -> None:
    before = await desk.everything()
    for content, message in UNREADABLE:
        answer = await upload(desk, content)
        assert answer.status_code == 422, answer.text
        assert re.search(message, answer.json()["detail"]), answer.json()
    assert await desk.everything() == before


async def test_the_file_in_the_guide_is_imported(desk: Desk) -> None:
    guide = (ROOT / "docs" / "demo-application.md").read_text("utf-8")
    (block,) = re.findall(r"```csv\n(.*?)```", guide, re.DOTALL)
    assert (await upload(desk, block.encode())).json()["products"] == {**NOTHING, "created": 1}
    shirt = await desk.do("get_item_details", item_id="9612497925")
    assert (shirt["price"], shirt["options"]) == (50.88, {"color": "blue"})


async def test_a_large_file_is_rejected(desk: Desk) -> None:
    head = ",".join(HEADER).encode() + b"\n"
    assert (await upload(desk, head + b"x" * 4 * 1024 * 1024)).status_code == 413
    answer = await upload(desk, head + f"{ROW}\n".encode() * 20_001)
    assert answer.status_code == 413
    assert "20,000 rows" in answer.json()["detail"]


async def test_a_long_list_of_rejections_is_truncated_with_a_count(desk: Desk) -> None:
    report = await take_in(desk, *([LAMP, "Lamp", LAMP_RED, "-", "true"] for _ in range(150)))
    assert (len(report["refused"]), report["refused_cells"]) == (100, 150)


async def test_concurrent_imports_run_one_after_the_other(store_url: str) -> None:
    async with open_desk(store_url) as desk:
        answers: list[int] = []

        async def send(price: str) -> None:
            row = [LAMP, "Lamp", LAMP_RED, price, "true"]
            answers.append((await upload(desk, csv_file(row))).status_code)

        async with anyio.create_task_group() as tasks:
            for price in ("1", "2", "3", "4"):
                tasks.start_soon(send, price)
        assert answers == [200] * 4
        assert (await desk.do("get_item_details", item_id=LAMP_RED))["price"] in {1, 2, 3, 4}
