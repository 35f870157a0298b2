"""The sales report as a chart."""

# matplotlib does not annotate its keyword arguments
# pyright: reportUnknownMemberType=false

from __future__ import annotations

import io
from collections.abc import Sequence
from decimal import Decimal
from threading import Lock
from typing import TYPE_CHECKING, Any, NamedTuple

from tools.retail.sales import SalesReport

if TYPE_CHECKING:
    from matplotlib.axes import Axes

__all__ = ["draw_sales"]

_BLUE, _RED = "#3567a8", "#c0564b"
_LONGEST = 28
_one_at_a_time = Lock()  # matplotlib shares fonts between figures without locking


class _Bar(NamedTuple):
    """One bar of a chart, with its labels."""

    name: str
    length: Decimal | int
    figure: str
    color: str


def draw_sales(report: SalesReport) -> bytes:
    """Return a PNG of sales by product and of orders by status; slow, so call it in a thread."""
    from matplotlib.backends.backend_agg import FigureCanvasAgg  # noqa: PLC0415 (slow to import, and only charts need it)
    from matplotlib.figure import Figure  # noqa: PLC0415

    rows = max(len(report.by_product), len(report.by_status), 5)
    with _one_at_a_time:
        figure = Figure(figsize=(11, 1.7 + 0.36 * rows), dpi=100)
        FigureCanvasAgg(figure)
        figure.set_layout_engine("constrained", w_pad=0.15, h_pad=0.1)
        figure.suptitle(
            f"Sales: {_dollars(report.sales)} in {report.orders:,} orders, excluding cancelled ones", fontweight="bold"
        )
        products, statuses = figure.subplots(1, 2, width_ratios=[3, 2])
        _draw_products(products, report, rows)
        _draw_statuses(statuses, report, rows)
        picture = io.BytesIO()
        figure.savefig(picture, format="png")
    return picture.getvalue()


def _draw_products(axes: Axes, report: SalesReport, rows: int) -> None:
    bars = [_Bar(each.name, each.sales, _dollars(each.sales), _BLUE) for each in report.by_product]
    _draw_bars(axes, bars, rows)
    rest = report.other_products
    axes.set_title("Sales by product")
    axes.set_xlabel(
        f"US dollars; {rest.entries} other products: {_dollars(rest.sales)}" if rest.entries else "US dollars"
    )


def _draw_statuses(axes: Axes, report: SalesReport, rows: int) -> None:
    bars = [
        _Bar(each.status, each.orders, f"{each.orders:,}", _RED if each.status == "cancelled" else _BLUE)
        for each in report.by_status
    ]
    _draw_bars(axes, bars, rows)
    axes.set_title("Orders by status")
    axes.set_xlabel("Orders")


def _draw_bars(axes: Axes, bars: Sequence[_Bar], rows: int) -> None:
    """Draw horizontal bars, with the name on the left and the figure on the right."""
    drawn: Any = axes.barh(range(len(bars)), [float(bar.length) for bar in bars], color=[bar.color for bar in bars])
    axes.bar_label(drawn, [bar.figure for bar in bars], padding=4, fontsize=9)
    axes.set_yticks(range(len(bars)), [_short(bar.name) for bar in bars], parse_math=False)
    axes.set_ylim(rows - 0.5, -0.5)  # the same bar height in both halves, the first bar on top
    axes.margins(x=0.2)
    axes.xaxis.set_major_locator(_few_ticks())
    axes.xaxis.set_major_formatter(lambda value, _: f"{value:,.0f}")
    axes.grid(axis="x", alpha=0.3)
    axes.set_axisbelow(True)
    axes.spines[["top", "right"]].set_visible(False)


def _few_ticks() -> Any:
    from matplotlib.ticker import MaxNLocator  # noqa: PLC0415

    return MaxNLocator(nbins=4, integer=True)


def _short(name: str) -> str:
    return name if len(name) <= _LONGEST else f"{name[: _LONGEST - 1]}…"


def _dollars(value: Decimal) -> str:
    return rf"\${value:,.2f}"
