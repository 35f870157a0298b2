"""Collections: everything nested in everything, tuples, sets, typed dictionaries, dataclasses, generics, defaults."""

from __future__ import annotations

import dataclasses
from collections import deque
from collections.abc import Mapping, Sequence
from typing import Annotated, Any, Generic, NamedTuple, NotRequired, Required, TypeVar
from uuid import UUID

from fastapi import Body
from pydantic import BaseModel, Field, RootModel
from pydantic.dataclasses import dataclass as checked_dataclass
from typing_extensions import TypedDict

from tests.fidelity.case import Chapter
from tests.fidelity.shared import KEY, NOTE, Color, Note, Point

__all__ = ["chapter"]

chapter = Chapter("Collections")
router, case = chapter.router, chapter.case

KeyT = TypeVar("KeyT")
ValueT = TypeVar("ValueT")


# Nested.


class Nest(BaseModel):
    note: Note
    maybe: Note | None = None
    listed: list[Note] = []
    named: dict[str, Note] = {}
    deep: list[dict[str, list[Point | None]]] = []
    self: Nest | None = None


@router.post("/collections/nest")
async def nest(nest: Nest) -> Nest:
    return nest


NEST: dict[str, Any] = {
    "note": NOTE,
    "maybe": None,
    "listed": [NOTE, {"title": "b"}],
    "named": {"é ": NOTE, "": {"title": ""}},
    "deep": [{"a": [{"x": 1}, None]}, {}],
    "self": {"note": NOTE, "self": {"note": NOTE}},
}
case("everything nested", "nest", NEST, "POST /collections/nest")
case(
    "everything nested: wrong deep inside",
    "nest",
    {**NEST, "deep": [{"a": [{"x": "x"}]}], "named": {"k": {}}, "self": {"note": {"title": 1}}},
    "POST /collections/nest",
    blames=["deep[0].a[0].x", "named.k.title", "self.note.title"],
)


# Tuples and sets.


class Spot(NamedTuple):
    x: int
    y: float = 0.5
    label: str | None = None


class Bundle(BaseModel):
    pair: tuple[int, str]
    row: tuple[float, ...] = ()
    spot: Spot = Spot(0)
    unique: set[int] = set()
    frozen: frozenset[Color] = frozenset()
    queue: deque[str] = deque()
    sequence: Sequence[int] = ()
    mapping: Mapping[int, bool] = {}
    keyed: dict[UUID, list[int]] = {}
    colored: dict[Color, int] = {}
    bounded: Annotated[list[int], Field(min_length=1, max_length=3)] = [0]
    nothing: tuple[()] = ()


@router.post("/collections/bundle")
async def bundle(body: Bundle) -> list[Any]:
    return [
        body.pair, body.row, body.spot, sorted(body.unique), sorted(body.frozen), body.queue, body.sequence,
        body.mapping, body.keyed, body.colored, body.bounded, body.nothing,
    ]  # fmt: skip


BUNDLE: dict[str, Any] = {
    "pair": [1, "a"],
    "row": [1, 0.5],
    "spot": [1, 2, None],
    "unique": [2, 1],
    "frozen": ["red"],
    "queue": ["a", "b"],
    "sequence": [3],
    "mapping": {"1": True},
    "keyed": {KEY: [1]},
    "colored": {"green": 1},
    "bounded": [1, 2, 3],
    "nothing": [],
}
case(
    "tuples, sets, mappings",
    "bundle",
    BUNDLE,
    "POST /collections/bundle",
    advertised={
        "pair": {"prefixItems": [{"type": "integer"}, {"type": "string"}], "minItems": 2, "maxItems": 2},
        "unique": {"uniqueItems": True},
        "bounded": {"minItems": 1, "maxItems": 3, "default": [0]},
        "mapping": {"additionalProperties": {"type": "boolean"}},
    },
    needs="fastapi 0.136",
)
case(
    "tuples, sets, mappings: the least", "bundle", {"pair": [0, ""]}, "POST /collections/bundle", needs="fastapi 0.136"
)
case(
    "tuples, sets, mappings: wrong",
    "bundle",
    {"pair": [1], "row": ["x"], "frozen": ["blue"], "bounded": [], "nothing": [1]},
    "POST /collections/bundle",
    blames=["pair[1]", "row[0]", "frozen[0]", "bounded", "nothing"],
)
case(
    "mappings: keys that are none of theirs",
    "bundle",
    {"pair": [1, "a"], "mapping": {"x": True}, "keyed": {"k": [1]}, "colored": {"blue": 1}},
    "POST /collections/bundle",
    schema_says="cannot tell",
    blames=["mapping", "keyed", "colored"],
)
case(
    "a set takes the same twice",
    "bundle",
    {"pair": [1, "a"], "unique": [1, 1]},
    "POST /collections/bundle",
    schema_says="cannot tell",
    needs="fastapi 0.136",
)


@router.post("/collections/spot")
async def spot(spot: Annotated[Spot, Body()]) -> Spot:
    return spot


case("a named tuple as the body", "spot", {"body": [1, 2.5, "l"]}, "POST /collections/spot", json=[1, 2.5, "l"])


@router.put("/collections/pairs")
async def pairs(pairs: dict[str, tuple[int, int]]) -> dict[str, tuple[int, int]]:
    return pairs


case("an object of tuples", "pairs", {"pairs": {"a": [1, 2]}}, "PUT /collections/pairs", json={"a": [1, 2]})


@router.put("/collections/set")
async def whole_set(numbers: set[int]) -> list[int]:
    return sorted(numbers)


case("a set as the body", "whole_set", {"numbers": [3, 1]}, "PUT /collections/set", json=[3, 1])


# Typed dictionaries.


class Movie(TypedDict):
    title: str
    year: NotRequired[int]


class Partial(TypedDict, total=False):
    name: Required[str]
    movies: list[Movie]
    best: Movie | None


@router.post("/collections/movies")
async def movies(partial: Partial) -> Partial:
    return partial


case(
    "typed dictionaries",
    "movies",
    {"name": "n", "movies": [{"title": "a"}, {"title": "b", "year": 1}], "best": None},
    "POST /collections/movies",
    promised={"type": "object"},
)
case("typed dictionaries: the least", "movies", {"name": "n"}, "POST /collections/movies")
case(
    "typed dictionaries: wrong",
    "movies",
    {"movies": [{"year": "x"}]},
    "POST /collections/movies",
    blames=["name", "movies[0].title", "movies[0].year"],
)


# Dataclasses.


@dataclasses.dataclass
class Part:
    number: int
    tags: list[str] = dataclasses.field(default_factory=list)
    inner: Part | None = None


@checked_dataclass
class Checked:
    size: Annotated[int, Field(gt=0, description="In metres.")]
    part: Part | None = None
    label: str = Field(default="-", max_length=3)


@router.post("/collections/part")
async def part(part: Part) -> Part:
    return part


PART = {"number": 1, "tags": ["a"], "inner": {"number": 2}}
case("a dataclass in a dataclass", "part", PART, "POST /collections/part")
case(
    "a dataclass: wrong", "part", {"number": 1, "inner": {"tags": 5}}, "POST /collections/part", blames=["inner.number"]
)


@router.post("/collections/checked")
async def checked(checked: Checked) -> Checked:
    return checked


case(
    "a checked dataclass",
    "checked",
    {"size": 1, "part": PART, "label": "abc"},
    "POST /collections/checked",
    advertised={"size": {"exclusiveMinimum": 0, "description": "In metres."}, "label": {"maxLength": 3}},
)
case(
    "a checked dataclass: wrong",
    "checked",
    {"size": 0, "label": "abcd"},
    "POST /collections/checked",
    blames=["size", "label"],
)


# Generics and root models.


class Pair(BaseModel, Generic[KeyT, ValueT]):
    key: KeyT
    value: ValueT


class Page(BaseModel, Generic[ValueT]):
    items: list[ValueT]
    total: int


@router.post("/collections/generics")
async def generics(page: Page[Pair[str, Note]], size: int = 1) -> Page[Pair[int, list[Note]]]:
    return Page(items=[Pair(key=size, value=[pair.value]) for pair in page.items], total=page.total)


case(
    "generics of generics, others in and out",
    "generics",
    {"items": [{"key": "k", "value": NOTE}], "total": 1, "size": 7},
    "POST /collections/generics",
    json={"items": [{"key": "k", "value": NOTE}], "total": 1},
    params={"size": 7},
    promised={"properties": {"items": {"items": {"properties": {"key": {"type": "integer"}}}}}},
)


class Tags(RootModel[dict[str, list[str]]]):
    pass


class Tagged(BaseModel):
    tags: Tags
    more: RootModel[list[int]] = RootModel[list[int]]([1])  # a bare RootModel is another type, of which Pydantic warns


@router.post("/collections/tagged")
async def tagged(tagged: Tagged) -> Tagged:
    return tagged


case("root models in a model", "tagged", {"tags": {"a": ["b"]}, "more": [2]}, "POST /collections/tagged")
case("root models in a model: the default", "tagged", {"tags": {}}, "POST /collections/tagged")


@router.post("/collections/tags")
async def whole_tags(tags: Tags) -> Tags:
    return tags


TAGS = {"a": ["b", "c"], "d": []}
case("a root model of an object", "whole_tags", {"body": TAGS}, "POST /collections/tags", json=TAGS)
case(
    "a root model: wrong",
    "whole_tags",
    {"body": {"a": [1]}},
    "POST /collections/tags",
    json={"a": [1]},
    blames=["a[0]"],
)


# Lists of lists.


@router.post("/collections/matrix")
async def matrix(rows: list[list[float]]) -> list[list[float]]:
    return rows


case("a matrix", "matrix", {"rows": [[1, 2.5], [], [-0.0]]}, "POST /collections/matrix", json=[[1, 2.5], [], [-0.0]])
case(
    "a matrix: wrong",
    "matrix",
    {"rows": [[1], ["x"]]},
    "POST /collections/matrix",
    json=[[1], ["x"]],
    blames=["rows[1][0]"],
)
case(
    "a matrix: null",
    "matrix",
    {"rows": None},
    "POST /collections/matrix",
    content=b"null",
    headers={"content-type": "application/json"},
    blames=["rows"],
)
