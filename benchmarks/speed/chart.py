"""The measurement as a bar chart, with a logarithmic scale because some servers need seventy times as long."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from html import escape

__all__ = ["bars"]

_WIDTH, _LEFT, _BAR, _GAP = 860, 330, 16, 6
_TICKS = (1, 2, 5, 10, 20, 50, 100)


def bars(title: str, groups: Mapping[str, Sequence[tuple[str, float]]]) -> str:
    """Draw groups of bars as SVG; every value is a ratio, and 1 is the plain HTTP call."""
    highest = max(value for rows in groups.values() for _, value in rows)
    top = next((tick for tick in _TICKS if tick >= highest), _TICKS[-1])
    parts, y = [_text(16, 26, title, size=16)], 50
    for name, rows in groups.items():
        parts.append(_text(16, y + 12, name, size=13, weight="bold"))
        y += 22
        for label, value in rows:
            parts += [
                _text(_LEFT - 8, y + 12, label, anchor="end"),
                _bar(y, value, top, ours=label.startswith("toolway")),
            ]
            parts.append(_text(_x(value, top) + 6, y + 12, f"{value:.2f}x" if value < 10 else f"{value:.0f}x"))
            y += _BAR + _GAP
        y += 10
    parts += [_tick(tick, top, y) for tick in _TICKS if tick <= top]
    return _svg(y + 30, parts)


def _x(value: float, top: float) -> float:
    low = math.log(0.5)
    share = (math.log(max(value, 0.5)) - low) / (math.log(top) - low)
    return _LEFT + share * (_WIDTH - _LEFT - 70)


def _bar(y: int, value: float, top: float, *, ours: bool) -> str:
    colour = "#0b7a75" if ours else "#9aa5b1"
    width = _x(value, top) - _LEFT
    return f'<rect x="{_LEFT}" y="{y}" width="{width:.1f}" height="{_BAR}" fill="{colour}"/>'


def _tick(tick: int, top: float, bottom: int) -> str:
    x = _x(tick, top)
    line = f'<line x1="{x:.1f}" y1="44" x2="{x:.1f}" y2="{bottom}" stroke="#555" stroke-opacity="0.25"/>'
    return line + _text(x, bottom + 16, f"{tick}x", anchor="middle")


def _text(x: float, y: float, text: str, *, size: int = 12, anchor: str = "start", weight: str = "normal") -> str:
    style = f'font-size="{size}" text-anchor="{anchor}" font-weight="{weight}"'
    return f'<text x="{x:.1f}" y="{y}" {style}>{escape(text)}</text>'


def _svg(height: int, parts: Sequence[str]) -> str:
    head = f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {_WIDTH} {height}" font-family="sans-serif">'
    return "\n".join((head, f'<rect width="{_WIDTH}" height="{height}" fill="#fff"/>', *parts, "</svg>")) + "\n"
