"""Models on their way in and out: aliases of each kind, computed fields, what is left out, transformed, promised."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime
from decimal import Decimal
from typing import Annotated, Any, Literal

from fastapi import Body
from fastapi.responses import JSONResponse
from pydantic import (
    AliasChoices,
    AliasPath,
    BaseModel,
    ConfigDict,
    Field,
    PrivateAttr,
    RootModel,
    SerializeAsAny,
    computed_field,
    field_serializer,
    field_validator,
    model_serializer,
    model_validator,
)
from pydantic.alias_generators import to_camel, to_pascal

from tests.fidelity.case import Chapter
from tests.fidelity.journal import effect
from tests.fidelity.shared import Note

__all__ = ["chapter"]

chapter = Chapter("In and out")
router, case = chapter.router, chapter.case


# Aliases.


class Aliased(BaseModel):
    model_config = ConfigDict(populate_by_name=True)

    both: int = Field(1, alias="theBoth")
    inward: int = Field(2, validation_alias="in-ward")
    outward: int = Field(3, serialization_alias="out-ward")
    different: int = Field(4, validation_alias="comesAs", serialization_alias="goesAs")


@router.post("/out/aliased")
async def aliased(body: Aliased) -> Aliased:
    return body


case(
    "aliases: of each kind",
    "aliased",
    {"theBoth": 5, "in-ward": 6, "outward": 7, "comesAs": 8},
    "POST /out/aliased",
    advertised={"theBoth": {"default": 1}, "in-ward": {"default": 2}, "comesAs": {"default": 4}},
    promised={"properties": {"theBoth": {"type": "integer"}, "out-ward": {}, "goesAs": {}}},
)
case(
    "aliases: wrong",
    "aliased",
    {"theBoth": "x", "in-ward": "x", "comesAs": "x"},
    "POST /out/aliased",
    blames=["theBoth", "in-ward", "comesAs"],
)


@router.post("/out/by-name", response_model_by_alias=False)
async def by_name(body: Aliased) -> Aliased:
    return body


case("aliases: the answer by name", "by_name", {"theBoth": 5, "comesAs": 8}, "POST /out/by-name")


class Pascal(BaseModel):
    model_config = ConfigDict(alias_generator=to_pascal)

    order_id: int
    sub_parts: list[Camel] = []


class Camel(BaseModel):
    model_config = ConfigDict(alias_generator=to_camel, populate_by_name=True, serialize_by_alias=True)

    part_id: int
    unit_price: Decimal = Decimal("1.5")


@router.post("/out/pascal")
async def pascal(body: Pascal, query_too: bool = False) -> dict[str, Any]:
    return {"order": body, "parts": body.sub_parts, "dumped": body.model_dump(mode="json"), "query": query_too}


case(
    "aliases: made by a generator, nested",
    "pascal",
    {"OrderId": 1, "SubParts": [{"partId": 2}, {"partId": 3, "unitPrice": "2.50"}]},
    "POST /out/pascal",
)
case(
    "aliases: made by a generator, wrong",
    "pascal",
    {"SubParts": [{"unitPrice": 1}]},
    "POST /out/pascal",
    blames=["OrderId", "SubParts[0].partId"],
)


class Choosing(BaseModel):
    name: str = Field(validation_alias=AliasChoices("name", "title"))
    city: str = Field("-", validation_alias=AliasPath("address", "city"))


@router.post("/out/choosing")
async def choosing(body: Annotated[Choosing, Body()]) -> Choosing:
    return body


case("aliases: the first of several", "choosing", {"name": "n"}, "POST /out/choosing")


# What is only in the answer, or only in the request.


class Account(BaseModel):
    name: str
    password: str = Field(exclude=True, default="pw")
    created: datetime = datetime(2026, 7, 28, tzinfo=UTC)
    _hidden: int = PrivateAttr(5)

    @computed_field(description="How long the name is.")  # type: ignore[prop-decorator]
    @property
    def length(self) -> int:
        return len(self.name) + self._hidden

    @computed_field(alias="upperName")  # type: ignore[prop-decorator]
    @property
    def upper(self) -> str:
        return self.name.upper()

    @field_serializer("created")
    def only_the_day(self, value: datetime) -> str:
        return value.date().isoformat()


@router.post("/out/account", status_code=201)
async def account(body: Account) -> Account:
    effect(["password", body.password])
    return body


case(
    "computed, excluded and serialised by hand",
    "account",
    {"name": "ann", "password": "s3"},
    "POST /out/account",
    promised={"properties": {"length": {"type": "integer", "description": "How long the name is."}, "upperName": {}}},
)
case(
    "computed fields are no arguments",
    "account",
    {"name": "ann"},
    "POST /out/account",
    withheld=["length", "upperName", "upper"],
)


class AccountIn(BaseModel):
    name: str
    password: str


class AccountOut(BaseModel):
    name: str


@router.post("/out/narrowed", response_model=AccountOut)
async def narrowed(body: AccountIn) -> Any:
    return body


case(
    "an answer of a narrower model",
    "narrowed",
    {"name": "n", "password": "p"},
    "POST /out/narrowed",
    promised={"required": ["name"]},
)


@router.get("/out/narrowed-list")
async def narrowed_list() -> list[AccountOut]:
    accounts: Any = [AccountIn(name="a", password="secret"), AccountIn(name="b", password="secret")]
    return accounts


class Base(BaseModel):
    id: int = 1


class Derived(Base):
    more: str = "m"


class Holder(BaseModel):
    plain: Base
    whole: SerializeAsAny[Base]


@router.get("/out/derived")
async def derived(kind: str = "holder") -> Holder:
    return Holder(plain=Derived(), whole=Derived())


case("a derived model where its base stands", "derived", {}, "GET /out/derived")


# What is left out of an answer.


class Sparse(BaseModel):
    name: str = "n"
    nick: str | None = None
    inner: Note | None = None
    numbers: list[int] = []


Kind = Literal["empty", "set", "nested"]


def sparse(kind: Kind) -> Sparse:
    kinds = {"empty": Sparse(), "set": Sparse(nick="x", numbers=[1]), "nested": Sparse(inner=Note(title="t", note="n"))}
    return kinds[kind]


@router.get("/out/unset/{kind}", response_model=Sparse, response_model_exclude_unset=True)
async def without_unset_nested(kind: Kind) -> Any:
    return sparse(kind)


@router.get("/out/some/{kind}", response_model=list[Sparse], response_model_include={"name", "inner"})
async def some_of_a_list(kind: Kind) -> Any:
    return [sparse(kind)]


@router.get("/out/less/{kind}", response_model=Sparse, response_model_exclude={"inner": {"note"}, "numbers": True})
async def less_of_nested(kind: Kind) -> Any:
    return sparse(kind)


@router.get("/out/none/{kind}", response_model=dict[str, Sparse], response_model_exclude_none=True)
async def no_null_in_a_mapping(kind: Kind) -> Any:
    return {"a": sparse(kind)}


for kind in ("empty", "set", "nested"):
    for tool, where in {
        "without_unset_nested": "unset",
        "some_of_a_list": "some",
        "less_of_nested": "less",
        "no_null_in_a_mapping": "none",
    }.items():
        case(f"left out: {where}, {kind}", tool, {"kind": kind}, f"GET /out/{where}/{kind}", params={})
case("left out: members of a list", "narrowed_list", {}, "GET /out/narrowed-list")


# Models that turn what they get or give.


class Turning(BaseModel):
    start: int
    end: int
    label: str | None = None

    @model_validator(mode="before")
    @classmethod
    def from_short(cls, value: Any) -> Any:
        """Takes ``{"range": "1-5"}`` too, which its schema does not say."""
        if isinstance(value, dict) and isinstance(value.get("range"), str) and "-" in value["range"]:
            start, end = value["range"].split("-", 1)
            return {"start": start, "end": end, "label": value.get("label")}
        return value

    @field_validator("label", mode="before")
    @classmethod
    def joined(cls, value: Any) -> Any:
        return "/".join(map(str, value)) if isinstance(value, list) else value

    @model_validator(mode="after")
    def in_order(self) -> Turning:
        if self.start > self.end:
            raise ValueError("the start is behind the end")
        return self


@router.post("/out/turning")
async def turning(body: Turning) -> Turning:
    return body


case("validators: as the schema says", "turning", {"start": 1, "end": 5}, "POST /out/turning")
case(
    "validators: of the whole model", "turning", {"start": 5, "end": 1}, "POST /out/turning", schema_says="cannot tell"
)
case(
    "validators: a form that the schema does not name",
    "turning",
    {"start": 1, "end": 2, "label": ["a", "b"]},
    "POST /out/turning",
    schema_says="cannot tell",
)


class Short(BaseModel):
    year: int
    month: int

    @model_serializer
    def as_text(self) -> str:
        return f"{self.year}-{self.month:02}"


class Wrapped(BaseModel):
    short: Short
    note: str | None = None

    @model_serializer(mode="wrap")
    def without_nothing(self, handler: Any) -> dict[str, Any]:
        return {key: value for key, value in handler(self).items() if value is not None}


@router.post("/out/short")
async def short(body: Wrapped) -> Wrapped:
    return body


@router.get("/out/short-only")
async def short_only() -> Short:
    return Short(year=2026, month=7)


case("serializers: of a whole model", "short", {"short": {"year": 2026, "month": 7}}, "POST /out/short")
case("serializers: an object that goes out as text", "short_only", {}, "GET /out/short-only")


# Root models, generators and others as answers.


@router.get("/out/root")
async def root_answer() -> RootModel[dict[str, list[int]]]:
    return RootModel[dict[str, list[int]]]({"a": [1]})


@router.get("/out/root-scalar")
async def root_scalar() -> RootModel[int | None]:
    return RootModel[int | None](None)


@router.get("/out/iterated", response_model=list[Note])
def iterated() -> Iterator[dict[str, Any]] | Any:
    return ({"title": title} for title in ("a", "b"))


@router.get("/out/tuple")
async def tuple_answer() -> tuple[int, str, Note | None]:
    return (1, "a", None)


@router.get("/out/set")
async def set_answer() -> frozenset[int]:
    return frozenset({3})


@router.get("/out/mapping")
async def mapping_answer() -> dict[int, dict[str, Decimal]]:
    return {1: {"a": Decimal("1.10")}}


@router.get("/out/anything", response_model=Any)
async def any_answer(kind: Literal["number", "text", "list", "null", "object"] = "number") -> Any:
    return {"number": 1, "text": "t", "list": [1], "null": None, "object": {"a": 1}}[kind]


case("an answer: a root model of an object", "root_answer", {}, "GET /out/root", promised={"type": "object"})
case("an answer: a root model of null", "root_scalar", {}, "GET /out/root-scalar")
case("an answer: a generator", "iterated", {}, "GET /out/iterated")
case("an answer: a tuple", "tuple_answer", {}, "GET /out/tuple")
case("an answer: a set", "set_answer", {}, "GET /out/set")
case("an answer: numbers as keys", "mapping_answer", {}, "GET /out/mapping")
for kind in ("number", "text", "list", "null", "object"):
    case(f"an answer: anything, {kind}", "any_answer", {"kind": kind}, "GET /out/anything")


class Tree(BaseModel):
    name: str
    children: list[Tree] = []
    parent_name: str | None = Field(None, alias="parent")

    @computed_field  # type: ignore[prop-decorator]
    @property
    def size(self) -> int:
        return 1 + sum(child.size for child in self.children)


@router.post("/out/tree")
async def computed_tree(body: Tree) -> Tree:
    return body


case(
    "a recursive model that differs in and out",
    "computed_tree",
    {"name": "a", "children": [{"name": "b", "parent": "a", "children": [{"name": "c"}]}]},
    "POST /out/tree",
)


# Several documented answers.


@router.post("/out/documented", responses={
    201: {"model": Note, "description": "Made."},
    202: {"content": {"application/json": {"example": {"job": 1}}}},
    409: {"model": AccountOut},
}, response_model=Note)  # fmt: skip
async def documented_many(code: Literal["200", "201", "202", "409"]) -> Any:
    return JSONResponse({"title": "t", "job": code, "name": "n"}, int(code))


for code in ("200", "201", "202", "409"):
    case(
        f"several documented answers: {code}",
        "documented_many",
        {"code": code},
        "POST /out/documented",
        params={"code": code},
    )
