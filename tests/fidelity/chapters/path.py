"""Path parameters: values, conversions, what must not leave its place."""

from __future__ import annotations

from typing import Annotated, Any
from uuid import UUID

from fastapi import Path

from tests.fidelity.case import Chapter
from tests.fidelity.shared import KEY, Color

__all__ = ["chapter"]

chapter = Chapter("Path parameters")
router, case = chapter.router, chapter.case


@router.get("/path/{number}/{color}/{key}")
async def path_values(number: Annotated[int, Path(ge=1)], color: Color, key: UUID) -> Any:
    return [number, color, key]


case("path values", "path_values", {"number": 3, "color": "red", "key": KEY}, f"GET /path/3/red/{KEY}", params={})


case("wrong path values", "path_values", {"number": 0, "color": "blue", "key": "x"}, "GET /path/0/blue/x", params={})


@router.get("/trailing/{name}/")
async def trailing(name: str) -> Any:
    return name


case("slash at the end", "trailing", {"name": "x"}, "GET /trailing/x/", params={})
