"""Query parameters: scalars, lists, null, aliases, constraints, models."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, datetime
from typing import Annotated, Any, Literal
from uuid import UUID

from fastapi import Query
from pydantic import BaseModel, Field, field_validator

from tests.fidelity.case import Chapter
from tests.fidelity.shared import KEY, Color

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


case("hidden parameter", "hidden_parameter", {"shown": "s"}, "GET /hidden-parameter", withheld=["hidden"])


# What is required, what may be null, what is missing.


@router.get("/query/required")
async def query_required(word: str, number: int = Query(...), maybe: int | None = Query()) -> Any:
    """The ellipsis is the older way to say that a parameter is required."""
    return [word, number, maybe]


case(
    "required: given",
    "query_required",
    {"word": "", "number": 0, "maybe": 0},
    "GET /query/required",
    advertised={"word": {"type": "string"}, "number": {"type": "integer"}},
)
case("required: missing", "query_required", {"word": "w"}, "GET /query/required")
case(
    "required: a query has no null",
    "query_required",
    {"word": "w", "number": 1, "maybe": None},
    "GET /query/required",
    params={"word": "w", "number": 1},
    schema_says="cannot tell",
)


@router.get("/query/nothing-is-something")
async def query_default_not_none(limit: int | None = 5, tags: Annotated[list[str] | None, Query()] = ["a"]) -> Any:  # noqa: B006 - as people write it
    return [limit, tags]


case(
    "null: leaves the default",
    "query_default_not_none",
    {"limit": None, "tags": None},
    "GET /query/nothing-is-something",
    params={},
    advertised={"limit": {"default": 5}, "tags": {"default": ["a"]}},
)
case("null: default replaced", "query_default_not_none", {"limit": 1, "tags": ["b"]}, "GET /query/nothing-is-something")
case(
    "null: an empty list is refused, not replaced by the default",
    "query_default_not_none",
    {"tags": []},
    "GET /query/nothing-is-something",
    may_stop_early=True,
    schema_says="no",
)


# Text as it is.


@router.get("/query/text")
async def query_text(text: str, more: Annotated[list[str], Query()] = []) -> list[Any]:  # noqa: B006
    return [text, more]


case("text: what a URL would take apart", "query_text", {"text": "a&b=c#d?e/f+g %20;h"}, "GET /query/text")
case("text: unicode", "query_text", {"text": "żółć 日本 🛒 \u200d", "more": ["é", "e\u0301"]}, "GET /query/text")
case("text: line breaks", "query_text", {"text": "a\r\nb\tc\n"}, "GET /query/text")
case("text: looks like JSON", "query_text", {"text": '{"a": [1]}', "more": ["null", "true", "1"]}, "GET /query/text")
case("text: commas stay", "query_text", {"text": ",", "more": ["a,b", "c", "", " "]}, "GET /query/text")
case("text: looks like another parameter", "query_text", {"text": "x&more=y", "more": []}, "GET /query/text")
case("text: long", "query_text", {"text": "ab " * 1000}, "GET /query/text")
case(
    "text: a number for it",
    "query_text",
    {"text": 5},
    "GET /query/text",
    schema_says="cannot tell",
)


# Unions, tuples, sets.


@router.get("/query/unions")
async def query_unions(
    id: int | str,  # noqa: A002 - as people write it
    when: date | Literal["today", "never"] = "today",
    ids: Annotated[list[int | UUID] | None, Query()] = None,
    flag: bool | int | None = None,
) -> list[Any]:
    return [id, when, ids, flag]


case(
    "unions: the first type",
    "query_unions",
    {"id": 5, "when": "2026-07-28", "ids": [1, KEY, 2], "flag": True},
    "GET /query/unions",
    params={"id": "5", "when": "2026-07-28", "ids": ["1", KEY, "2"], "flag": "true"},
    advertised={"id": {"anyOf": [{"type": "integer"}, {"type": "string"}]}},
)
case("unions: another type", "query_unions", {"id": "five", "when": "never", "flag": 7}, "GET /query/unions")
case("unions: none of them", "query_unions", {"id": "x", "when": "tomorrow", "ids": ["x"]}, "GET /query/unions")


@router.get("/query/collections")
async def query_collections(
    pair: Annotated[tuple[int, str], Query()],
    unique: Annotated[set[int], Query(max_length=3)] = set(),  # noqa: B006
    frozen: Annotated[frozenset[Color], Query()] = frozenset(),
    many: Annotated[tuple[float, ...], Query(min_length=1)] = (0.5,),
    row: Annotated[Sequence[str], Query()] = (),
) -> Any:
    return [pair, sorted(unique), sorted(frozen), many, row]


case(
    "collections: given",
    "query_collections",
    {"pair": [1, "a"], "unique": [3, 1], "frozen": ["red"], "many": [1.5, 2], "row": ["x"]},
    "GET /query/collections",
    advertised={
        "pair": {"prefixItems": [{"type": "integer"}, {"type": "string"}], "minItems": 2, "maxItems": 2},
        "unique": {"uniqueItems": True, "maxItems": 3},
        "frozen": {"items": {"enum": ["red", "green"]}},
        "many": {"minItems": 1},
    },
)
case("collections: too few", "query_collections", {"pair": [1]}, "GET /query/collections")
case(
    "collections: too many",
    "query_collections",
    {"pair": [1, "a"], "unique": [1, 2, 3, 4]},
    "GET /query/collections",
)
case(
    "collections: a set takes the same twice",
    "query_collections",
    {"pair": [1, "a"], "unique": [2, 2]},
    "GET /query/collections",
    schema_says="cannot tell",
)


# What the document says besides.


@router.get("/query/described")
async def query_described(
    made: Annotated[list[str], Query(default_factory=list)],
    old: Annotated[str | None, Query(deprecated=True, description="Use new.", title="The old one")] = None,
    new: Annotated[str, Query(description="What to look for.", examples=["lamp"])] = "-",
) -> list[Any]:
    return [old, new, made]


case(
    "described: given",
    "query_described",
    {"old": "o", "new": "n", "made": ["m"]},
    "GET /query/described",
    advertised={
        "old": {"deprecated": True, "description": "Use new.", "title": "The old one"},
        "new": {"description": "What to look for.", "examples": ["lamp"], "default": "-"},
    },
)
case("described: missing", "query_described", {}, "GET /query/described")


@router.get("/query/alias-of-each-kind")
async def query_alias_kinds(
    a: Annotated[str, Query(alias="the-a", validation_alias="valid-a")] = "-",
    b: Annotated[str, Query(alias="Ünïcode")] = "-",
    c: Annotated[str, Query(alias="class")] = "-",
    d: Annotated[str, Query(alias="@type")] = "-",
    e: Annotated[str, Query(alias="x" * 70)] = "-",
) -> list[str]:
    return [a, b, c, d, e]


case(
    "aliases: names that clients would not take",
    "query_alias_kinds",
    {"n_code": "b", "class": "c", "type": "d", "x" * 64: "e"},
    "GET /query/alias-of-each-kind",
    params={"Ünïcode": "b", "class": "c", "@type": "d", "x" * 70: "e"},
    spellings=[{"Ünïcode": "b", "class": "c", "@type": "d", "x" * 70: "e"}],
)


# A whole model, and one beside ordinary parameters of dependencies.


class Filters(BaseModel):
    order_by: Literal["created", "updated"] = "created"
    page_size: int = Field(20, alias="pageSize", gt=0)
    since: datetime | None = None
    colors: set[Color] = set()

    @field_validator("since")
    @classmethod
    def needs_a_zone(cls, value: datetime | None) -> datetime | None:
        if value is not None and value.tzinfo is None:
            raise ValueError("needs a time zone")
        return value


@router.get("/query/filters")
async def query_filters(filters: Annotated[Filters, Query()]) -> Any:
    return [
        filters.order_by,
        filters.page_size,
        filters.since,
        sorted(filters.colors),
        sorted(filters.model_fields_set),
    ]


case(
    "model: aliases and sets",
    "query_filters",
    {"order_by": "updated", "pageSize": 5, "since": "2026-07-28T10:00:00Z", "colors": ["green"]},
    "GET /query/filters",
    advertised={"pageSize": {"exclusiveMinimum": 0, "default": 20}, "order_by": {"enum": ["created", "updated"]}},
)
case("model: nothing set", "query_filters", {}, "GET /query/filters")
case(
    "model: its validator",
    "query_filters",
    {"since": "2026-07-28T10:00:00"},
    "GET /query/filters",
    schema_says="cannot tell",
)
case("model: unknown argument", "query_model", {"term": "x", "tool": "y"}, "GET /query-model", may_stop_early=True)
case("model: missing", "query_model", {}, "GET /query-model")
