"""Unions: discriminated by a field or a function, nested, smart and left to right, and literals of several types."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from fastapi import Body, Path, Query
from pydantic import BaseModel, Discriminator, Field, RootModel, Tag

from tests.fidelity.case import Chapter
from tests.fidelity.shared import Color, Note, Point

__all__ = ["chapter"]

chapter = Chapter("Unions")
router, case = chapter.router, chapter.case


# Discriminators in discriminators.


class BlackCat(BaseModel):
    kind: Literal["cat"]
    color: Literal["black"]
    bad_luck: bool = True


class WhiteCat(BaseModel):
    kind: Literal["cat"]
    color: Literal["white"]
    name: str


class Ball(BaseModel):
    shape: Literal["ball"]
    radius: float


class Bone(BaseModel):
    shape: Literal["bone", "stick"]


class Dog(BaseModel):
    kind: Literal["dog", "wolf"]
    barks: int = Field(ge=0)
    toy: Annotated[Ball | Bone, Field(discriminator="shape")] | None = None


def family(value: Any) -> str | None:
    """A function, because FastAPI cannot describe a field's discriminator directly in another's."""
    kind = value.get("kind") if isinstance(value, dict) else getattr(value, "kind", None)
    return {"cat": "cat", "dog": "dog", "wolf": "dog"}.get(str(kind))


Cat = Annotated[BlackCat | WhiteCat, Field(discriminator="color")]
Pet = Annotated[Annotated[Cat, Tag("cat")] | Annotated[Dog, Tag("dog")], Discriminator(family)]


class Home(BaseModel):
    pet: Pet
    guests: list[Pet] = []
    rooms: dict[str, Pet | None] = {}


@router.post("/unions/home")
async def union_home(home: Home) -> Home:
    return home


BLACK, WHITE = {"kind": "cat", "color": "black"}, {"kind": "cat", "color": "white", "name": "w"}
WOLF = {"kind": "wolf", "barks": 3, "toy": {"shape": "ball", "radius": 1.5}}
case("nested discriminators: cat", "union_home", {"pet": WHITE}, "POST /unions/home")
case("nested discriminators: wolf", "union_home", {"pet": WOLF}, "POST /unions/home")
case(
    "nested discriminators: in lists and objects",
    "union_home",
    {"pet": BLACK, "guests": [WOLF, WHITE], "rooms": {"a": BLACK, "b": None}},
    "POST /unions/home",
)
case(
    "nested discriminators: an unknown one inside",
    "union_home",
    {"pet": WOLF, "guests": [WHITE, {"kind": "cat", "color": "red"}]},
    "POST /unions/home",
    blames=["guests[1]"],
)
case(
    "nested discriminators: wrong behind them",
    "union_home",
    {"pet": {"kind": "dog", "barks": -1}, "rooms": {"a": {"kind": "cat", "color": "white"}}},
    "POST /unions/home",
    blames=["pet", "barks", "rooms.a", "name"],
)
case("nested discriminators: none", "union_home", {"pet": {"color": "black"}}, "POST /unions/home", blames=["pet"])


@router.put("/unions/pet")
async def union_pet(pet: Annotated[Pet, Body()]) -> Pet:
    return pet


case("nested discriminators: the whole body", "union_pet", {"pet": WHITE}, "PUT /unions/pet", json=WHITE)


@router.put("/unions/optional-pet")
async def union_optional_pet(pet: Annotated[Pet | None, Body()] = None) -> Pet | None:
    return pet


case("optional discriminated: given", "union_optional_pet", {"pet": WOLF}, "PUT /unions/optional-pet", json=WOLF)
case("optional discriminated: missing", "union_optional_pet", {}, "PUT /unions/optional-pet", params={})


@router.put("/unions/pets")
async def union_pets(pets: list[Pet], dry: bool = False) -> list[Any]:
    return [pets, dry]


case(
    "a list of discriminated ones, beside a query",
    "union_pets",
    {"pets": [BLACK, WOLF], "dry": True},
    "PUT /unions/pets",
    json=[BLACK, WOLF],
    params={"dry": "true"},
)


class AnyPet(RootModel[Pet]):
    pass


@router.put("/unions/root-pet")
async def union_root_pet(pet: AnyPet) -> AnyPet:
    return pet


case("a root model of a discriminated union", "union_root_pet", {"body": WOLF}, "PUT /unions/root-pet", json=WOLF)


# Discriminators that are functions.


def kind_of(value: Any) -> str | None:
    if isinstance(value, str):
        return "name"
    if isinstance(value, dict):
        return "many" if "items" in value else "one"
    return {One: "one", Many: "many"}.get(type(value))


class One(BaseModel):
    item: str


class Many(BaseModel):
    items: list[str]


Order = Annotated[
    Annotated[One, Tag("one")] | Annotated[Many, Tag("many")] | Annotated[str, Tag("name")], Discriminator(kind_of)
]


class Orders(BaseModel):
    orders: list[Order]


@router.post("/unions/orders")
async def union_orders(body: Orders) -> Orders:
    return body


case(
    "told apart by a function",
    "union_orders",
    {"orders": [{"item": "a"}, {"items": ["b", "c"]}, "d"]},
    "POST /unions/orders",
)
case(
    "told apart by a function: none of them",
    "union_orders",
    {"orders": [5]},
    "POST /unions/orders",
    blames=["orders[0]"],
)
case(
    "told apart by a function: wrong behind it",
    "union_orders",
    {"orders": [{"items": [1]}]},
    "POST /unions/orders",
    blames=["orders[0]", "items[0]"],
)


# Which of several types a value is.


class Values(BaseModel):
    smart: int | str | float | bool | None = None
    ordered: Annotated[float | int | str, Field(union_mode="left_to_right")] = 0
    listed: list[int] | list[str] | dict[str, int] = []
    model: Point | Note | None = None
    literal: Literal["auto", 1, True] | Color | None = "auto"


@router.post("/unions/values")
async def union_values(values: Values) -> list[Any]:
    return [[type(value).__name__, value] for _, value in values]


for title, values in {
    "a whole number": {"smart": 1, "ordered": 1, "listed": [1]},
    "a number of another type": {"smart": 1.5, "ordered": "1"},
    "a text that looks like a number": {"smart": "1", "listed": ["1"]},
    "true": {"smart": True, "ordered": 1},
    "null": {"smart": None, "model": None, "literal": None},
    "an object": {"listed": {"a": 1}, "model": {"title": "t", "count": 2}},
    "a literal": {"literal": 1, "model": {"x": 1}},
    "an enum": {"literal": "red"},
}.items():
    case(f"values: {title}", "union_values", values, "POST /unions/values")
case(
    "values: none of them",
    "union_values",
    {"smart": [], "listed": "x", "model": {"z": 1}, "literal": "other"},
    "POST /unions/values",
    blames=["smart", "listed", "model", "literal"],
)


@router.get("/unions/literals")
async def union_literals(
    mode: Literal["on", "off"] | None = None,
    several: Annotated[list[Literal["a", "b"]], Query()] = [],  # noqa: B006 - as people write it
    only: Literal["fixed"] = "fixed",
) -> list[Any]:
    return [mode, several, only]


case(
    "literals in the query",
    "union_literals",
    {"mode": "on", "several": ["b", "a"]},
    "GET /unions/literals",
    advertised={"several": {"items": {"enum": ["a", "b"]}}, "only": {"const": "fixed"}},
)
case(
    "literals in the query: wrong",
    "union_literals",
    {"mode": "half", "several": ["a", "c"], "only": "other"},
    "GET /unions/literals",
    blames=["mode", "several[1]", "only"],
)


# Several models, several bodies.


@router.post("/unions/both")
async def union_both(first: One | Many, second: Annotated[Pet | int, Body()]) -> list[Any]:
    return [first, second]


case("two unions as bodies", "union_both", {"first": {"items": ["a"]}, "second": WOLF}, "POST /unions/both")
case("two unions as bodies: a scalar", "union_both", {"first": {"item": "a"}, "second": 5}, "POST /unions/both")
case(
    "two unions as bodies: wrong",
    "union_both",
    {"first": {"other": 1}, "second": {"kind": "cat"}},
    "POST /unions/both",
    blames=["first", "second"],
)


# As answers.


@router.get("/unions/answers/{number}")
async def union_answers(number: Annotated[int, Path(ge=0, le=4)]) -> One | Many | list[Point] | str | None:
    return [One(item="a"), Many(items=["b"]), [Point(x=1)], "text", None][number]


for number, title in enumerate(["one model", "another model", "a list", "a text", "null"]):
    case(f"an answer that is {title}", "union_answers", {"number": number}, f"GET /unions/answers/{number}", params={})


@router.get("/unions/pet-answer")
async def union_pet_answer(kind: str) -> Annotated[WhiteCat | Dog, Field(discriminator="kind")]:
    return WhiteCat(kind="cat", color="white", name="w") if kind == "cat" else Dog(kind="dog", barks=2)


for kind in ("cat", "dog"):
    case(f"an answer discriminated: {kind}", "union_pet_answer", {"kind": kind}, "GET /unions/pet-answer")
