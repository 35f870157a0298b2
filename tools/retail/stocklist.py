"""A list of products and variants from a spreadsheet, validated cell by cell."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any

from pydantic import Field

from tools.retail import schemas
from tools.retail.errors import Malformed, TooLarge
from tools.retail.spreadsheets import read_records

__all__ = ["COLUMNS", "LARGEST", "Entry", "RefusedCell", "StockList", "read_stock_list"]

COLUMNS = ("product_id", "name", "item_id", "price", "available")
_OPTION = "option:"
LARGEST = 4 * 1024 * 1024
_MOST_ROWS = 20_000
_LONGEST = 200

_OPTION_COLUMN = re.compile(rf"{_OPTION}\S.*")
_ID = re.compile(r"[0-9]{10}")
_PRICE = re.compile(r"[0-9]{1,9}(\.[0-9]{1,2})?")
_YES_OR_NO = {"true": True, "yes": True, "1": True, "false": False, "no": False, "0": False}


class RefusedCell(schemas.Record):
    """A cell because of which a row was refused."""

    row: int = Field(description="Number of the row as spreadsheets show it; the header is row 1.")
    column: str = Field(description="Name of the column.")
    value: str = Field(description="Content of the cell, its first 100 characters.")
    expected: str = Field(description="Expected content.")


class CellError(ValueError):
    """An invalid cell; the message is the expected content."""


@dataclass(frozen=True)
class Entry:
    """One row: a variant of a product; an empty option removes that option from the variant."""

    row: int
    product_id: str
    name: str
    item_id: str
    price: Decimal
    available: bool
    options: dict[str, str]


@dataclass
class StockList:
    """The rows of a file: valid entries by product, and refused cells.

    A product with any refused row is left out, so that no product is changed in part.
    """

    rows: int = 0
    products: dict[str, list[Entry]] = field(default_factory=dict[str, list[Entry]])
    refused: list[RefusedCell] = field(default_factory=list[RefusedCell])
    refused_products: set[str] = field(default_factory=set[str])

    def accepted(self) -> dict[str, list[Entry]]:
        """Return the entries of the products that were not refused."""
        return {key: entries for key, entries in self.products.items() if key not in self.refused_products}

    def refuse(self, entry: Entry, column: str, expected: str) -> None:
        """Refuse an entry and its product."""
        self._note(entry.row, column, getattr(entry, column), expected)
        self.refused_products.add(entry.product_id)

    def add(self, row: int, cells: dict[str, str]) -> None:
        """Read a row."""
        self.rows += 1
        product_id = cells["product_id"]
        values, wrong = _values(cells)
        for column, expected in wrong.items():
            self._note(row, column, cells[column], expected)
        if "product_id" in wrong:
            return
        entries = self.products.setdefault(product_id, [])
        if wrong:
            self.refused_products.add(product_id)
        else:
            fixed = {name: values.pop(name) for name in COLUMNS}
            entries.append(Entry(row, **fixed, options={name.removeprefix(_OPTION): values[name] for name in values}))

    def _note(self, row: int, column: str, value: str, expected: str) -> None:
        self.refused.append(RefusedCell(row=row, column=column, value=value[:100], expected=expected))


def read_stock_list(content: bytes) -> StockList:
    """Read a CSV file with one variant per row.

    Raises:
        Malformed: the file is not a valid list; the message has the reason.
        TooLarge: the file has too many rows.
    """
    stock = StockList()
    for row, cells in read_records(content, COLUMNS):
        if not stock.rows:
            _require_known(cells)
        if stock.rows == _MOST_ROWS:
            raise TooLarge(f"The file has more than {_MOST_ROWS:,} rows; send it in parts.")
        stock.add(row, cells)
    if not stock.rows:
        raise Malformed("The file has no rows below its header; give one row per variant.")
    _require_agreement(stock)
    return stock


def _require_known(columns: Iterable[str]) -> None:
    for name in columns:
        if name not in COLUMNS and not _OPTION_COLUMN.fullmatch(name):
            raise Malformed(
                f"The file has a column {name!r}; expected {', '.join(COLUMNS)}, and one column such as "
                f"'{_OPTION}color' for each option."
            )


def _values(cells: dict[str, str]) -> tuple[dict[str, Any], dict[str, str]]:
    """Return the valid values of a row by column, and the expected content of its invalid cells."""
    values, wrong = dict[str, Any](), dict[str, str]()
    for column, cell in cells.items():
        try:
            values[column] = _READERS.get(column, _read_option)(cell)
        except CellError as error:
            wrong[column] = str(error)
    return values, wrong


def _read_id(cell: str) -> str:
    if not _ID.fullmatch(cell):
        raise CellError("an id of ten digits such as 9523456873; format the column as text")
    return cell


def _read_name(cell: str) -> str:
    if not cell:
        raise CellError("the name of the product type, such as T-Shirt")
    return _read_option(cell)


def _read_option(cell: str) -> str:
    if len(cell) > _LONGEST or not cell.isprintable():
        raise CellError(f"one line of at most {_LONGEST} characters")
    return cell


def _read_price(cell: str) -> Decimal:
    if not _PRICE.fullmatch(cell):
        raise CellError("a price in US dollars such as 1299.50, with a point and no sign, currency or thousands")
    return Decimal(cell)


def _read_yes_or_no(cell: str) -> bool:
    if cell.lower() not in _YES_OR_NO:
        raise CellError("true or false")
    return _YES_OR_NO[cell.lower()]


_READERS: dict[str, Callable[[str], Any]] = {
    "product_id": _read_id,
    "name": _read_name,
    "item_id": _read_id,
    "price": _read_price,
    "available": _read_yes_or_no,
}


def _require_agreement(stock: StockList) -> None:
    """Refuse rows that contradict earlier rows."""
    items, names = dict[str, int](), dict[str, str]()
    for product_id, entries in stock.products.items():
        for entry in entries:
            first = entries[0]
            earlier = items.setdefault(entry.item_id, entry.row)
            if earlier != entry.row:
                stock.refuse(entry, "item_id", f"a unique item id; row {earlier} has the same one")
            if entry.item_id in stock.products:
                stock.refuse(entry, "item_id", "an item id; another row has this one as its product id")
            if entry.name != first.name:
                stock.refuse(entry, "name", f"{first.name!r}, as row {first.row} calls this product")
            if names.setdefault(entry.name, product_id) != product_id:
                stock.refuse(entry, "name", f"a unique name; product {names[entry.name]} has the same one")
