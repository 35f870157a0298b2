"""Dependencies: functions, classes, yield, overrides, background tasks, state."""

from __future__ import annotations

from collections.abc import AsyncGenerator
from typing import Annotated, Any

from fastapi import Depends, Query

from tests.fidelity.case import Chapter

__all__ = ["chapter"]

chapter = Chapter("Dependencies")
router, case = chapter.router, chapter.case


async def paging(skip: int = 0, limit: Annotated[int, Query(le=100)] = 10) -> dict[str, int]:
    return {"skip": skip, "limit": limit}


class Sorting:
    def __init__(self, by: str = "name", down: bool = False) -> None:
        self.by, self.down = by, down


async def opened() -> AsyncGenerator[list[str]]:
    log = ["opened"]
    try:
        yield log
    finally:
        log.append("closed")


async def both_of_them(
    paging: Annotated[dict[str, int], Depends(paging)], sorting: Annotated[Sorting, Depends()]
) -> list[Any]:
    return [paging, sorting.by, sorting.down]


async def who() -> str:
    return "somebody"


@router.get("/deps/nested")
async def nested(
    chosen: Annotated[list[Any], Depends(both_of_them)], log: Annotated[list[str], Depends(opened)]
) -> Any:
    return [chosen, log]


case(
    "dependencies",
    "nested",
    {"skip": 5, "by": "age", "down": True},
    "GET /deps/nested",
    params={"skip": 5, "by": "age", "down": "true"},
)


case("wrong dependency", "nested", {"limit": 500}, "GET /deps/nested")


@router.get("/deps/overridden")
async def overridden(name: Annotated[str, Depends(who)]) -> Any:
    return name


case("overridden dependency", "overridden", {}, "GET /deps/overridden")
