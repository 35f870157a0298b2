"""Types of values: scalars, dates, numbers, enums, constrained types, in the query and in bodies."""

from __future__ import annotations

from datetime import date, datetime, time, timedelta
from decimal import Decimal
from enum import IntEnum
from typing import Any, Literal
from uuid import UUID

from pydantic import BaseModel

from tests.fidelity.case import Chapter
from tests.fidelity.shared import KEY, Color

__all__ = ["chapter"]

chapter = Chapter("Types of values")
router, case = chapter.router, chapter.case


class Level(IntEnum):
    low = 1
    high = 2


class Moments(BaseModel):
    at: datetime
    day: date
    hour: time
    span: timedelta
    price: Decimal
    key: UUID
    color: Color
    level: Level
    mode: Literal["on", "off"]
    raw: bytes = b""


SCALARS = {
    "whole": 5,
    "part": 0.5,
    "flag": True,
    "at": "2026-07-28T10:00:00+02:00",
    "day": "2026-07-28",
    "span": "PT1H30M",
    "price": "12.30",
    "key": KEY,
    "color": "red",
    "level": 2,
    "mode": "off",
}


MOMENTS = {
    "at": "2026-07-28T10:00:00Z",
    "day": "2026-07-28",
    "hour": "10:00:00",
    "span": "PT1H",
    "price": "0.10",
    "key": KEY,
    "color": "green",
    "level": 1,
    "mode": "on",
    "raw": "abc",
}


@router.get("/scalars")
async def scalars(  # noqa: PLR0917
    whole: int,
    part: float,
    flag: bool,
    at: datetime,
    day: date,
    span: timedelta,
    price: Decimal,
    key: UUID,
    color: Color,
    level: Level,
    mode: Literal["on", "off"] = "on",
) -> Any:
    return [whole, part, flag, at.isoformat(), day, span, str(price), key, color, level, mode]


case("scalars", "scalars", SCALARS, "GET /scalars")


case("wrong scalars", "scalars", dict.fromkeys(SCALARS, "wrong"), "GET /scalars")


case("missing scalars", "scalars", {"whole": 1}, "GET /scalars")


@router.post("/moments")
async def moments(moments: Moments) -> Moments:
    return moments


case("moments", "moments", MOMENTS, "POST /moments")


case("moments, wrong", "moments", {name: [] for name in MOMENTS}, "POST /moments")
