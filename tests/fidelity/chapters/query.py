"""Query parameters: scalars, lists, null, aliases, constraints, models."""

from __future__ import annotations

from typing import Annotated, Any

from fastapi import Query
from pydantic import BaseModel, Field

from tests.fidelity.case import Chapter
from tests.fidelity.shared import Color

__all__ = ["chapter"]

chapter = Chapter("Query parameters")
router, case = chapter.router, chapter.case


class Search(BaseModel, extra="forbid"):
    term: str
    limit: int = Field(10, ge=1, le=100)
    tags: list[str] = []


@router.get("/optional")
async def optional(
    number: int | None = None,
    mixed: str | bool | float = 7,
    several: Annotated[list[int] | None, Query()] = None,
    with_default: str = "d",
) -> Any:
    return [number, mixed, several, with_default]


case("optional, given", "optional", {"number": 1, "mixed": 2, "several": [3, 4], "with_default": "e"}, "GET /optional")


case("optional, missing", "optional", {}, "GET /optional")


case(
    "optional, null",
    "optional",
    dict.fromkeys(["number", "mixed", "several", "with_default"]),
    "GET /optional",
    params={},
    schema_says="no",
)


case("optional, empty text", "optional", {"with_default": ""}, "GET /optional")


case("union in the query", "optional", {"mixed": "abc"}, "GET /optional")


@router.get("/lists")
async def lists(
    numbers: Annotated[list[int], Query()],
    colors: Annotated[set[Color], Query()] = set(),  # noqa: B006 - as people write it
) -> Any:
    return [numbers, sorted(colors)]


case("lists", "lists", {"numbers": [1, 2], "colors": ["red", "green"]}, "GET /lists")


case("a scalar for a list", "lists", {"numbers": 1}, "GET /lists", schema_says="no")


case("wrong entry of a list", "lists", {"numbers": [1, "x"]}, "GET /lists")


@router.get("/aliases")
async def aliases(item: Annotated[str, Query(alias="item-query")], source: Annotated[str, Query(alias="from")]) -> Any:
    return [item, source]


case("aliases", "aliases", {"item-query": "a", "from": "b"}, "GET /aliases")


@router.get("/odd-names")
async def odd_names(
    by_name: Annotated[str, Query(alias="filter[name]")] = "-",
    by_size: Annotated[str, Query(alias="filter[size]")] = "-",
    dollar: Annotated[str, Query(alias="$top")] = "-",
) -> Any:
    return [by_name, by_size, dollar]


case(
    "odd names",
    "odd_names",
    {"filter_name": "a", "filter_size": "b", "top": "c"},
    "GET /odd-names",
    params={"filter[name]": "a", "filter[size]": "b", "$top": "c"},
)


@router.get("/query-model")
async def query_model(search: Annotated[Search, Query()]) -> Any:
    return search


case("query model", "query_model", {"term": "x", "limit": 5, "tags": ["a", "b"]}, "GET /query-model")


case("wrong query model", "query_model", {"limit": 500}, "GET /query-model")


@router.get("/hidden-parameter")
async def hidden_parameter(shown: str, hidden: Annotated[str, Query(include_in_schema=False)] = "h") -> Any:
    return [shown, hidden]


case("hidden parameter", "hidden_parameter", {"shown": "s"}, "GET /hidden-parameter")
