"""Models: unions, recursion, generics, aliases, extra fields, computed fields."""

from __future__ import annotations

from decimal import Decimal
from typing import Annotated, Any, Generic, Literal, TypeVar

from pydantic import BaseModel, ConfigDict, Field, computed_field, model_validator
from pydantic.alias_generators import to_camel

from tests.fidelity.case import Chapter
from tests.fidelity.shared import NOTE, Note, Point

__all__ = ["chapter"]

chapter = Chapter("Models")
router, case = chapter.router, chapter.case


ItemT = TypeVar("ItemT")


class Strict(BaseModel, extra="forbid"):
    name: str = "x"


class Open(BaseModel, extra="allow"):
    name: str = "x"


class Tree(BaseModel):
    name: str
    children: list[Tree] = []


class Husband(BaseModel):
    name: str
    wife: Wife | None = None


class Wife(BaseModel):
    name: str
    husband: Husband | None = None


class Cat(BaseModel):
    kind: Literal["cat"]
    lives: int = 9


class Dog(BaseModel):
    kind: Literal["dog"]
    tricks: list[str] = []


Pet = Annotated[Cat | Dog, Field(discriminator="kind")]


class Owner(BaseModel):
    name: str
    pet: Pet
    others: dict[str, Pet] = {}


class Camel(BaseModel):
    model_config = ConfigDict(alias_generator=to_camel, populate_by_name=True)

    first_name: str
    shoe_size: int | None = None


class Rectangle(BaseModel):
    width: Decimal
    height: Decimal

    @computed_field
    @property
    def area(self) -> Decimal:
        return self.width * self.height


class Page(BaseModel, Generic[ItemT]):
    items: list[ItemT]
    next: str | None = None


class Range(BaseModel):
    low: int
    high: int

    @model_validator(mode="after")
    def in_order(self) -> Range:
        if self.low > self.high:
            raise ValueError("low must not be above high")
        return self


class Odd(BaseModel):
    """Properties whose names mean something in JSON Schema, or are no names."""

    title: str
    default: int = 0
    ref: str = Field("r", alias="$ref")
    filter_name: str = Field("f", alias="filter[name]")
    id_: str = Field("i", alias="_id")


TREE = {"name": "a", "children": [{"name": "b", "children": [{"name": "c", "children": []}]}]}


COUPLE = {"name": "a", "wife": {"name": "b", "husband": {"name": "a", "wife": None}}}


ODD = {"title": "t", "default": 1, "$ref": "r", "filter[name]": "n", "_id": "x"}


CAT, DOG = {"kind": "cat", "lives": 7}, {"kind": "dog", "tricks": ["sit"]}


@router.post("/pet")
async def pet(pet: Pet) -> Any:
    return pet


case("discriminated", "pet", {"pet": DOG}, "POST /pet", json=DOG)


case("discriminated, unknown", "pet", {"pet": {"kind": "fish"}}, "POST /pet", json={"kind": "fish"})


@router.post("/union")
async def union(value: Note | Point | int) -> Any:
    return {"value": value}


case("union", "union", {"value": 5}, "POST /union", json=5)


case("union, object", "union", {"value": {"x": 5}}, "POST /union", json={"x": 5})


@router.post("/owner")
async def owner(owner: Owner) -> Owner:
    return owner


case("nested union", "owner", {"name": "o", "pet": CAT, "others": {"a": DOG}}, "POST /owner")


@router.post("/strict")
async def strict(body: Strict) -> Any:
    return body


case("forbidding more", "strict", {"name": "n"}, "POST /strict")


case(
    "forbidding more: an unknown argument",
    "strict",
    {"name": "n", "nmae": "x"},
    "POST /strict",
    may_stop_early=True,
    blames=["nmae"],
)


@router.post("/open")
async def open_body(body: Open) -> Any:
    return body


case("allowing more", "open_body", {"name": "n", "more": [1], "null": None}, "POST /open")


@router.post("/tree")
async def tree(tree: Tree) -> Tree:
    return tree


case("recursive", "tree", TREE, "POST /tree")


case("recursive, wrong", "tree", {"name": "a", "children": [{"name": "b", "children": [{}]}]}, "POST /tree")


@router.post("/couple")
async def couple(husband: Husband) -> Husband:
    return husband


case("mutually recursive", "couple", COUPLE, "POST /couple")


@router.post("/camel", response_model_by_alias=True)
async def camel(camel: Camel) -> Camel:
    return camel


case("camel case", "camel", {"firstName": "f", "shoeSize": None}, "POST /camel")


@router.post("/rectangle")
async def rectangle(rectangle: Rectangle) -> Rectangle:
    return rectangle


case("computed", "rectangle", {"width": "1.10", "height": "2"}, "POST /rectangle")


@router.post("/page")
async def page(notes: Page[Note]) -> Page[Note]:
    return notes


case("generic", "page", {"items": [NOTE], "next": None}, "POST /page")


@router.post("/point")
async def point(point: Point) -> Point:
    return point


case("dataclass", "point", {"x": 1, "y": 2}, "POST /point")


@router.post("/range")
async def range_(body: Range) -> Any:
    return body


@router.post("/odd")
async def odd(body: Odd) -> Any:
    return body


case(
    "odd members",
    "odd",
    {"title": "t", "default": 1, "ref": "r", "filter_name": "n", "_id": "x"},
    "POST /odd",
    json=ODD,
)
