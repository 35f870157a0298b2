"""Files for the back office, and the responses of its endpoints."""

from __future__ import annotations

import csv
import io
from typing import Any

from httpx2 import Response

from tests.tools.desk import Desk

__all__ = ["HEADER", "csv_file", "export", "upload"]

HEADER = ["product_id", "name", "item_id", "price", "available"]


def csv_file(*rows: list[str], header: list[str] = HEADER) -> bytes:
    """Write a CSV file as a spreadsheet does."""
    text = io.StringIO()
    csv.writer(text).writerows([header, *rows])
    return text.getvalue().encode()


async def upload(desk: Desk, content: bytes) -> Response:
    """Send a file to import_products."""
    return await desk.client.post("/retail/products/imports", files={"file": ("products.csv", content, "text/csv")})


async def export(desk: Desk, **wanted: Any) -> list[dict[str, str]]:
    """Export orders, download the file, and read it as RFC 4180 has it."""
    made = await desk.do("export_orders", **wanted)
    file = await desk.client.get(made["download"])
    assert file.is_success, file.text
    assert len(file.content) == made["size"]
    rows = list(csv.DictReader(io.StringIO(file.content.decode("utf-8"), newline=""), strict=True))
    assert len(rows) == made["orders"]
    return rows
