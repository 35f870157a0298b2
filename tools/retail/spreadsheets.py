"""Reading and writing of CSV for spreadsheets (RFC 4180), safe from formula injection."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable, Iterator, Sequence
from decimal import Decimal
from itertools import zip_longest
from typing import TextIO

from tools.retail.errors import Malformed

__all__ = ["Record", "read_records", "write_rows"]

Record = tuple[int, dict[str, str]]
"""A row number as spreadsheets show it (the header is row 1), and the cells by column."""

_FORMULA = ("=", "+", "-", "@", "\t", "\r", "\n", "＝", "＋", "－", "＠")  # noqa: RUF001 (Excel accepts the full-width ones)
_BYTE_ORDER_MARKS = {b"\xff\xfe": "UTF-16", b"\xfe\xff": "UTF-16"}
_SAVE = "Save it as 'CSV UTF-8 (comma delimited)'."


def write_rows(stream: TextIO, rows: Iterable[Sequence[str | int | Decimal | None]]) -> None:
    """Write rows as CSV; text that a spreadsheet would run as a formula is prefixed with an apostrophe."""
    csv.writer(stream).writerows([_guarded(cell) for cell in row] for row in rows)


def _guarded(cell: str | int | Decimal | None) -> str | int | Decimal | None:
    return f"'{cell}" if isinstance(cell, str) and cell.startswith(_FORMULA) else cell


def read_records(content: bytes, required: Iterable[str]) -> Iterator[Record]:
    """Yield the rows of a CSV file, except empty ones.

    Raises:
        Malformed: the content is not a UTF-8 CSV file with the required columns; the message has the position.
    """
    header: list[str] | None = None
    for number, cells in _rows(_text(content)):
        if header is None:
            header = cells
            _require_columns(header, required)
        elif any(cells):
            _require_width(number, cells, header)
            yield number, dict(zip_longest(header, cells, fillvalue=""))
    if header is None:
        _require_columns([], required)


def _text(content: bytes) -> str:
    encoding = _BYTE_ORDER_MARKS.get(content[:2])
    if encoding:
        raise Malformed(f"The file is encoded in {encoding} instead of UTF-8. {_SAVE}")
    try:
        text = content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = content.count(b"\n", 0, error.start) + 1
        raise Malformed(
            f"The file is not encoded in UTF-8: line {line} has the byte 0x{content[error.start]:02X}. {_SAVE}"
        ) from None
    if "\0" in text:
        raise Malformed(
            "The file contains the NUL character, so it is not text. Send a CSV file, not the spreadsheet itself."
        )
    return text


def _rows(text: str) -> Iterator[tuple[int, list[str]]]:
    reader = csv.reader(io.StringIO(text, newline=""), strict=True)
    number = 0
    try:
        for number, cells in enumerate(reader, 1):
            yield number, [cell.strip() for cell in cells]
    except csv.Error as error:
        raise Malformed(f"The file is not valid CSV from row {number + 1} on: {error}. {_SAVE}") from None


def _require_columns(header: Sequence[str], required: Iterable[str]) -> None:
    hint = ""
    missing = [name for name in required if name not in header]
    if not missing:
        _require_distinct(header)
        return
    if len(header) == 1 and (";" in header[0] or "\t" in header[0]):
        hint = " Its cells are not separated by commas; save it with commas."
    raise Malformed(
        f"The file does not have the columns {', '.join(missing)}; the first row must name its columns.{hint}"
    )


def _require_distinct(header: Sequence[str]) -> None:
    for name in header:
        if header.count(name) > 1:
            raise Malformed(f"The file has more than one column {name!r}; give each column a different name.")


def _require_width(number: int, cells: Sequence[str], header: Sequence[str]) -> None:
    if len(cells) > len(header):
        raise Malformed(
            f"Row {number} has {len(cells)} cells, but there are {len(header)} columns: put text with a comma in it "
            "into quotation marks."
        )
