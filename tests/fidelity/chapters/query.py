"""Query parameters: scalars, lists, null, aliases, constraints, models."""

from __future__ import annotations

from typing import Annotated, Any

from fastapi import Query

from tests.fidelity.case import Chapter

__all__ = ["chapter"]

chapter = Chapter("Query parameters")
router, case = chapter.router, chapter.case


@router.get("/query/optional")
async def query_optional(
    number: int | None = None,
    mixed: str | bool | float = 7,
    several: Annotated[list[int] | None, Query()] = None,
    with_default: str = "d",
) -> Any:
    return [number, mixed, several, with_default]


case(
    "optional: given",
    "query_optional",
    {"number": 1, "mixed": 2, "several": [3, 4], "with_default": "e"},
    "GET /query/optional",
    advertised={"number": {"anyOf": [{"type": "integer"}, {"type": "null"}]}, "with_default": {"default": "d"}},
)
case("optional: missing", "query_optional", {}, "GET /query/optional")
case(
    "optional: null means missing",
    "query_optional",
    {"number": None, "several": None},
    "GET /query/optional",
    params={},
)
case("optional: of another type", "query_optional", {"number": "x"}, "GET /query/optional")
