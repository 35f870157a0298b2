"""Path parameters: values, conversions, what must not leave its place."""

from __future__ import annotations

from datetime import date, datetime
from decimal import Decimal
from enum import IntEnum
from typing import Annotated, Any, Literal
from urllib.parse import quote
from uuid import UUID

from fastapi import Path

from tests.fidelity.case import Chapter
from tests.fidelity.journal import effect
from tests.fidelity.shared import KEY, Color

__all__ = ["chapter"]

chapter = Chapter("Path parameters")
router, case = chapter.router, chapter.case


class Level(IntEnum):
    low = 1
    high = 2


@router.get("/path/{number}/{color}/{key}")
async def path_values(number: Annotated[int, Path(ge=1)], color: Color, key: UUID) -> Any:
    return [number, color, key]


case("path values", "path_values", {"number": 3, "color": "red", "key": KEY}, f"GET /path/3/red/{KEY}", params={})


case("wrong path values", "path_values", {"number": 0, "color": "blue", "key": "x"}, "GET /path/0/blue/x", params={})


@router.get("/trailing/{name}/")
async def trailing(name: str) -> Any:
    return name


case("slash at the end", "trailing", {"name": "x"}, "GET /trailing/x/", params={})


# A value stays one segment, whatever is in it.


@router.get("/path/text/{text}")
async def path_text(text: str) -> list[str]:
    return [text]


case(
    "text: what a URL would take apart",
    "path_text",
    {"text": "50% off? #1"},
    "GET /path/text/50%25%20off%3F%20%231",
    params={},
    advertised={"text": {"type": "string"}},
)
case("text: a fragment", "path_text", {"text": "#W123"}, "GET /path/text/%23W123", params={})
case("text: encoded already", "path_text", {"text": "%2F%20"}, "GET /path/text/%252F%2520", params={})
case("text: marks", "path_text", {"text": "a;b=c,d+e@f:g&h'i!"}, "GET /path/text/a;b=c,d+e@f:g&h'i!", params={})
case("text: unicode", "path_text", {"text": "żółć 日本"}, f"GET /path/text/{quote('żółć 日本')}", params={})
case("text: blanks at the ends", "path_text", {"text": " a "}, "GET /path/text/%20a%20", params={})
case("text: braces", "path_text", {"text": "{text}"}, "GET /path/text/%7Btext%7D", params={})
case("text: dots that lead nowhere", "path_text", {"text": "..."}, "GET /path/text/...", params={})
case("text: a query", "path_text", {"text": "x?admin=1"}, "GET /path/text/x%3Fadmin%3D1", params={})
for text in ("../ping", "..", ".", "", "a/b", "../../journal", "x/../../ping"):
    case(
        f"text: {text!r} leaves its place",
        "path_text",
        {"text": text},
        f"GET /path/text/{quote(text, safe='').replace('.', '%2E')}",
        params={},
        may_stop_early=True,
        schema_says="cannot tell",
    )


@router.get("/path/me/current")
async def path_me() -> list[str]:
    effect("read me")
    return ["me"]


@router.get("/path/me/{name}")
async def path_user(name: str) -> list[str]:
    return [name]


case("fixed before variable: the variable", "path_user", {"name": "ann"}, "GET /path/me/ann", params={})
case("fixed before variable: the fixed", "path_me", {}, "GET /path/me/current")
case(
    "fixed before variable: a value that is the fixed one's path",
    "path_user",
    {"name": "current"},
    "GET /path/me/current",
    params={},
    may_stop_early=True,
    schema_says="cannot tell",
)


@router.get("/path/files/{file_path:path}")
async def path_file(file_path: str, raw: bool = False) -> list[Any]:
    return [file_path, raw]


case(
    "path: several segments",
    "path_file",
    {"file_path": "a/b/ü c.txt", "raw": True},
    "GET /path/files/a/b/%C3%BC%20c.txt",
    params={"raw": "true"},
)
case("path: from the root", "path_file", {"file_path": "/etc/hosts"}, "GET /path/files//etc/hosts", params={})
case("path: nothing", "path_file", {"file_path": ""}, "GET /path/files/", params={})
case("path: marks", "path_file", {"file_path": "a?b#c%d/"}, "GET /path/files/a%3Fb%23c%25d/", params={})
case(
    "path: upwards",
    "path_file",
    {"file_path": "../me/current"},
    "GET /path/files/%2E%2E%2Fme%2Fcurrent",
    params={},
    may_stop_early=True,
    schema_says="cannot tell",
)


@router.get("/path/between/{first}/and/{second:path}/end")
async def path_between(first: str, second: str) -> list[str]:
    return [first, second]


case("path: between", "path_between", {"first": "a", "second": "b/c"}, "GET /path/between/a/and/b/c/end", params={})


# Several in one segment, and Starlette's own converters.


@router.get("/path/pairs/{left}-{right}.{ending}")
async def path_pair(left: str, right: str, ending: Literal["json", "csv"]) -> list[str]:
    return [left, right, ending]


case(
    "one segment: several",
    "path_pair",
    {"left": "a", "right": "b", "ending": "csv"},
    "GET /path/pairs/a-b.csv",
    params={},
    advertised={"ending": {"enum": ["json", "csv"]}},
)
case(
    "one segment: a value that would be read otherwise",
    "path_pair",
    {"left": "a-b", "right": "c", "ending": "csv"},
    "GET /path/pairs/a-b-c.csv",
    params={},
    may_stop_early=True,
)


@router.get("/path/converted/{whole:int}/{part:float}/{key:uuid}")
async def path_converted(whole: int, part: float, key: UUID) -> list[Any]:
    return [whole, part, key]


case(
    "converters: values",
    "path_converted",
    {"whole": 7, "part": 1.5, "key": KEY},
    f"GET /path/converted/7/1.5/{KEY}",
    params={},
    advertised={"whole": {"type": "integer"}, "part": {"type": "number"}, "key": {"format": "uuid"}},
)
case(
    "converters: what they do not match",
    "path_converted",
    {"whole": -7, "part": 1.5, "key": KEY},
    f"GET /path/converted/-7/1.5/{KEY}",
    params={},
    may_stop_early=True,
)


# Other types.


@router.get("/path/types/{day}/{at}/{price}/{flag}/{mode}/{level}")
async def path_types(
    day: date, at: datetime, price: Decimal, flag: bool, mode: Literal["on", "off"], level: Level
) -> list[Any]:
    return [day, at, str(price), flag, mode, level]


TYPES: dict[str, Any] = {
    "day": "2026-07-28", "at": "2026-07-28T10:00:00+02:00", "price": "1.10", "flag": True, "mode": "on", "level": 2,
}  # fmt: skip
case(
    "types: given",
    "path_types",
    TYPES,
    "GET /path/types/2026-07-28/2026-07-28T10:00:00%2B02:00/1.10/true/on/2",
    params={},
    advertised={
        "day": {"format": "date"},
        "at": {"format": "date-time"},
        "flag": {"type": "boolean"},
        "mode": {"enum": ["on", "off"]},
        "level": {"enum": [1, 2]},
    },
)
case(
    "types: wrong",
    "path_types",
    {**TYPES, "day": "x", "level": 3},
    "GET /path/types/x/2026-07-28T10:00:00%2B02:00/1.10/true/on/3",
    params={},
)


@router.get("/path-bounds/{number}/{word}")
async def path_bounds(
    number: Annotated[float, Path(gt=0, le=10.5, title="The number")],
    word: Annotated[str, Path(min_length=2, max_length=3, pattern="^[a-z]+$", description="A word.")],
) -> list[Any]:
    return [number, word]


case(
    "bounds: inside",
    "path_bounds",
    {"number": 10.5, "word": "abc"},
    "GET /path-bounds/10.5/abc",
    params={},
    advertised={
        "number": {"exclusiveMinimum": 0, "maximum": 10.5},
        "word": {"minLength": 2, "maxLength": 3, "pattern": "^[a-z]+$", "description": "A word."},
    },
)
case("bounds: outside", "path_bounds", {"number": 0, "word": "a"}, "GET /path-bounds/0/a", params={})
case("bounds: huge", "path_bounds", {"number": 2**64, "word": "ab"}, f"GET /path-bounds/{2**64}/ab", params={})


@router.put("/path-aliases/{item-id}")
async def path_alias(item_id: Annotated[str, Path(alias="item-id")]) -> list[str]:
    effect(item_id)
    return [item_id]


case("alias: in the path", "path_alias", {"item-id": "a b"}, "PUT /path-aliases/a%20b", params={})
case(
    "null: no path holds it",
    "path_text",
    {"text": None},
    "GET /path/text/",
    params={},
    may_stop_early=True,
    schema_says="no",
)
case(
    "a list: no path holds it",
    "path_text",
    {"text": ["a"]},
    "GET /path/text/",
    params={},
    may_stop_early=True,
    schema_says="no",
)
