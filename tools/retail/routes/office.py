"""Endpoints of the back office: exports, sales reports and product imports."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated

from anyio import to_thread
from fastapi import APIRouter, File, Header, Path, Query, Request, Response, UploadFile, status
from fastapi.responses import FileResponse
from pydantic import Field

from tools.retail import exports
from tools.retail.charts import draw_sales
from tools.retail.desk import Exports, Store
from tools.retail.errors import NotFound, TooLarge
from tools.retail.parts import count_parts, read_part
from tools.retail.restocking import ImportReport, restock
from tools.retail.routes.common import PathText, problems, text_path
from tools.retail.sales import SalesReport, report_sales
from tools.retail.schemas import Record, Status
from tools.retail.stocklist import LARGEST, read_stock_list
from toolway import Progress, ToolResult, agent_resource, agent_tool
from toolway.content import ImageContent, ResourceLink

__all__ = ["router"]

router = APIRouter()

_CSV = "text/csv; charset=utf-8"

Top = Annotated[int, Query(ge=1, le=25, description="How many products and states to list, highest sales first.")]


class ExportRequest(Record):
    """A selection of orders to export."""

    statuses: list[Status] = Field(
        default=[],
        max_length=10,
        description="Only orders in one of these statuses, such as ['pending']; all if empty.",
    )


class Export(Record):
    """A finished export."""

    export_id: str = Field(description="Id of the export, valid only for the caller who requested it.")
    orders: int = Field(description="How many orders the file contains, one per row, sorted by order id.")
    size: int = Field(description="Size of the file in bytes.")
    download: str = Field(description="Path from which the file can be downloaded.")
    expires_at: datetime = Field(description="When the file expires, in UTC.")


Caller = Annotated[str, Header(alias="Authorization", include_in_schema=False)]


@router.post(
    "/exports",
    operation_id="export_orders",
    status_code=status.HTTP_201_CREATED,
    response_model=Export,
    responses=problems(429),
)
@agent_tool(
    hints={"destructive": False, "idempotent": True},
    task="optional",
    when_to_use="Use this for many orders at once, and get_order_details for a single one.",
)
async def export_orders(
    request: Request,
    store: Store,
    files: Exports,
    progress: Progress,
    wanted: ExportRequest,
    caller: Caller = "",
) -> ToolResult:
    """Export orders as a CSV file with one row per order, and return where to get it.

    The file is UTF-8 with a header, and has status, customer, number of items, totals in US dollars, address and
    cancel reason. It is one snapshot; a million orders take a minute. The caller can get it for a day, as one download
    or as resources in parts that are complete CSV files.
    """
    export_id, path = files.new(caller)
    orders = await exports.export_orders(store, path, wanted.statuses, progress)
    download = request.app.url_path_for("download_export", export_id=export_id)
    size, expires_at = path.stat().st_size, files.expiry(path)
    made = Export(export_id=export_id, orders=orders, size=size, download=download, expires_at=expires_at)
    parts = await to_thread.run_sync(count_parts, path, files.part_bytes)
    links = [_link(export_id, part, parts) for part in range(1, parts + 1)]
    return ToolResult(links, structured=made, status_code=status.HTTP_201_CREATED, headers={"Location": download})


def _link(export_id: str, part: int, parts: int) -> ResourceLink:
    title = f"Orders, part {part} of {parts}" if parts > 1 else "Orders"
    return ResourceLink(
        uri=f"exports://{export_id}/{part}", name=f"orders-{part}.csv", title=title, mime_type="text/csv"
    )


@router.get(
    "/exports/{export_id}",
    operation_id="download_export",
    name="download_export",
    response_class=FileResponse,
    responses={200: {"content": {"text/csv": {}}, "description": "The orders as CSV."}, **problems(404)},
)
@agent_tool(hide=True)
async def download_export(
    files: Exports, export_id: Annotated[PathText, text_path("Id of an export.")], caller: Caller = ""
) -> FileResponse:
    """Download the CSV file of an export that the same caller requested."""
    return FileResponse(files.find(export_id, caller), media_type=_CSV, filename="orders.csv")


@router.get(
    "/exports/{export_id}/parts/{part}",
    operation_id="read_export",
    response_class=Response,
    responses={200: {"content": {"text/csv": {}}, "description": "Some of the orders as CSV."}, **problems(404)},
)
@agent_tool(hide=True)
@agent_resource("exports://{export_id}/{part}", name="export", mime_type="text/csv")
async def read_export(
    files: Exports,
    export_id: Annotated[PathText, text_path("Id of an export.")],
    part: Annotated[int, Path(ge=1, description="Part of the file, counted from 1.")],
    caller: Caller = "",
) -> Response:
    """Read a part of an export that the same caller requested: the header and some of the rows."""
    content = await to_thread.run_sync(read_part, files.find(export_id, caller), part, files.part_bytes)
    if content is None:
        raise NotFound(f"Export {export_id!r} has no part {part}; export_orders links to all of its parts.")
    return Response(content, media_type=_CSV)


@router.get("/sales-report", operation_id="sales_report", response_model=SalesReport)
@agent_tool(
    when_to_use="Use this for questions about the shop's business, not about a single customer.", ui="sales_plot.html"
)
async def sales_report(
    store: Store,
    top: Top = 10,
    chart: Annotated[bool, Query(description="Whether to include a chart; over HTTP it is a separate request.")] = True,
) -> ToolResult:
    """Report sales by status, by product and by state in US dollars, with a chart.

    Sales are the items of all orders that were not cancelled, at the prices paid. Payments and refunds of all orders
    are included.
    """
    async with store.reading() as session:
        report = await report_sales(session, top)
    return ToolResult([await _picture(report)] if chart else [], structured=report)


async def _picture(report: SalesReport) -> ImageContent:
    return ImageContent(data=await to_thread.run_sync(draw_sales, report), mime_type="image/png")


@router.get(
    "/sales-report/chart",
    operation_id="sales_chart",
    response_class=Response,
    responses={200: {"content": {"image/png": {}}, "description": "The chart."}},
)
@agent_tool(hide=True)
async def sales_chart(store: Store, top: Top = 10) -> Response:
    """Draw the sales report: sales by product, and orders by status."""
    async with store.reading() as session:
        report = await report_sales(session, top)
    return Response(await to_thread.run_sync(draw_sales, report), media_type="image/png")


@router.post("/products/imports", operation_id="import_products", responses=problems(413))
@agent_tool(
    hints={"destructive": True, "idempotent": True},
    when_to_use="Use this only for a file from the shop's staff, never at a customer's request.",
    confirm="Import the products and prices of this file into the shop's catalog? They replace existing ones.",
)
async def import_products(
    store: Store,
    file: Annotated[
        UploadFile,
        File(
            description=(
                "CSV in UTF-8, at most 4 MiB and 20,000 rows: product_id, name, item_id, price, available, and a "
                "column such as 'option:color' per option."
            )
        ),
    ],
) -> ImportReport:
    """Create and update products and their variants from a CSV file with one variant per row.

    A product with a refused row is left unchanged; all others are imported together. Variants and options that the
    file does not list are kept. Importing the same file again changes nothing. Returns counts, and each refused cell
    with its row, its column and the expected content.
    """
    content = await file.read(LARGEST + 1)
    if len(content) > LARGEST:
        raise TooLarge(f"The file has more than {LARGEST:,} bytes; send it in parts.")
    stock = await to_thread.run_sync(read_stock_list, content)
    async with store.writing() as session:
        return await restock(session, stock)
