"""Values: strict and lax ones, numbers at their edges, text with rules."""

from __future__ import annotations

from datetime import datetime
from decimal import Decimal
from typing import Annotated, Any, Literal
from uuid import UUID

from annotated_types import Len, Predicate
from pydantic import (
    AfterValidator,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    FiniteFloat,
    NegativeInt,
    NonNegativeFloat,
    PositiveInt,
    StrictBool,
    StrictInt,
    StringConstraints,
    conint,
    constr,
)

from tests.fidelity.case import Chapter
from tests.fidelity.shared import KEY

__all__ = ["chapter"]

chapter = Chapter("Values")
router, case = chapter.router, chapter.case


# Strict models take only what JSON itself says.


class Exact(BaseModel):
    model_config = ConfigDict(strict=True)

    number: int
    share: float = 0.0
    flag: bool = False
    text: str = ""
    at: datetime | None = None
    key: UUID | None = None
    pair: tuple[int, str] | None = None


@router.post("/values/exact")
async def exact(body: Exact) -> Exact:
    return body


EXACT = {
    "number": 1, "share": 2, "flag": True, "text": "t", "at": "2026-07-28T10:00:00Z", "key": KEY, "pair": [1, "a"],
}  # fmt: skip
case(
    "strict: only JSON's own types",
    "exact",
    {"number": 1, "share": 0.5, "flag": True, "text": "5"},
    "POST /values/exact",
)
case(
    "strict: numbers as text",
    "exact",
    {"number": "1", "flag": "yes", "text": 5},
    "POST /values/exact",
    blames=["number", "flag"],
)
case("strict: what JSON has no type for", "exact", EXACT, "POST /values/exact", schema_says="cannot tell")


class Lax(BaseModel):
    number: int
    share: float = 0
    flag: bool = False
    text: str = ""
    exactly: StrictInt = 1
    surely: StrictBool = True


@router.post("/values/lax")
async def lax(body: Lax) -> Lax:
    return body


LAX = {"number": "1", "share": "0.5", "flag": "yes"}
case("lax: text for numbers", "lax", LAX, "POST /values/lax", schema_says="cannot tell")
case("lax: 1.0 is whole", "lax", {"number": 1.0, "share": 1, "flag": 1}, "POST /values/lax", schema_says="cannot tell")
case("lax: 1.5 is not", "lax", {"number": 1.5}, "POST /values/lax", blames=["number"])
case(
    "lax: strict members",
    "lax",
    {"number": 1, "exactly": "1", "surely": 1},
    "POST /values/lax",
    blames=["exactly", "surely"],
)
case("lax: a number is no text", "lax", {"number": 1, "text": 5}, "POST /values/lax", blames=["text"])
case("lax: null", "lax", {"number": None, "flag": None}, "POST /values/lax", blames=["number", "flag"])


# Numbers at their edges.


class Numbers(BaseModel):
    whole: int = 0
    share: float = 0
    exact: Decimal = Decimal(0)
    finite: FiniteFloat = 0
    money: Annotated[Decimal, Field(max_digits=6, decimal_places=2, ge=0)] = Decimal(0)
    positive: PositiveInt = 1
    negative: NegativeInt = -1
    least: NonNegativeFloat = 0
    step: Annotated[float, Field(multiple_of=0.5)] = 0
    between: conint(gt=1, lt=5) = 2  # type: ignore[valid-type] # pyright: ignore[reportInvalidTypeForm]


@router.post("/values/numbers")
async def numbers(body: Numbers) -> list[Any]:
    return [body.whole, body.share, str(body.exact), body.finite, body.money, body.positive, body.negative, body.least]


case(
    "numbers: huge",
    "numbers",
    {"whole": 10**40, "share": 1e308, "exact": "1e-30"},
    "POST /values/numbers",
    needs="pydantic 2.14",
)
case("numbers: beyond 53 bits", "numbers", {"whole": 2**53 + 1, "exact": 2**63 + 1}, "POST /values/numbers")
case("numbers: minus zero", "numbers", {"share": -0.0, "exact": "-0.00"}, "POST /values/numbers")
case(
    "numbers: beyond a float",
    "numbers",
    {"exact": "1e400", "share": 5e-324},
    "POST /values/numbers",
    needs="pydantic 2.14",
)
case(
    "numbers: infinite as text",
    "numbers",
    {"share": "inf"},
    "POST /values/numbers",
    schema_says="cannot tell",
)
case(
    "numbers: not finite",
    "numbers",
    {"finite": "nan"},
    "POST /values/numbers",
    blames=["finite"],
)
case("numbers: all digits of money", "numbers", {"money": "1234.56"}, "POST /values/numbers")
case("numbers: money as a number", "numbers", {"money": 0.1}, "POST /values/numbers")
case(
    "numbers: money beyond",
    "numbers",
    {"money": "12345.678"},
    "POST /values/numbers",
    schema_says="cannot tell",
    blames=["money"],
)
WRONG_NUMBERS = {"positive": 0, "negative": 0, "least": -1, "step": 0.3, "between": 5}
for name, value in WRONG_NUMBERS.items():
    case(f"numbers: {name} beyond", "numbers", {name: value}, "POST /values/numbers", blames=[name])


@router.get("/values/huge")
async def huge_answer() -> dict[str, Any]:
    return {"whole": 2**64, "tiny": 5e-324, "third": 1 / 3, "minus": -0.0, "decimal": Decimal("1.10"), "part": 1e22}


case("numbers: in an answer without a model", "huge_answer", {}, "GET /values/huge")


@router.get("/values/infinite")
async def infinite_answer(which: Literal["inf", "-inf", "nan"]) -> dict[str, Any]:
    return {"value": float(which)}


for which in ("inf", "-inf", "nan"):
    case(f"numbers: {which} in an answer", "infinite_answer", {"which": which}, "GET /values/infinite")


# Text.


class Texts(BaseModel):
    short: constr(min_length=1, max_length=3) = "s"  # type: ignore[valid-type] # pyright: ignore[reportInvalidTypeForm]
    stripped: Annotated[str, StringConstraints(strip_whitespace=True, to_upper=True, min_length=1)] = "X"
    code: Annotated[str, Field(pattern=r"^[A-Z]{2}\d+$")] = "AB1"
    listed: Annotated[list[str], Len(1, 2)] = ["a"]
    checked: Annotated[str, AfterValidator(lambda text: text[::-1])] = ""
    split: Annotated[
        list[str], BeforeValidator(lambda value: value.split(",") if isinstance(value, str) else value)
    ] = []
    known: Annotated[str, Predicate(str.isidentifier)] = "x"


@router.post("/values/texts")
async def texts(body: Texts) -> Texts:
    return body


case(
    "text: turned by validators",
    "texts",
    {"short": "日本🛒", "stripped": "  a ", "checked": "abc", "split": ["a", "b"]},
    "POST /values/texts",
    advertised={
        "short": {"minLength": 1, "maxLength": 3},
        "code": {"pattern": r"^[A-Z]{2}\d+$"},
        "listed": {"maxItems": 2},
    },
)
case("text: split by a validator", "texts", {"split": "a,b"}, "POST /values/texts", schema_says="cannot tell")
WRONG_TEXTS: dict[str, Any] = {"short": "", "code": "ab1", "listed": [], "known": "a b"}
for name, value in WRONG_TEXTS.items():
    case(f"text: {name} wrong", "texts", {name: value}, "POST /values/texts", blames=[name], schema_says="cannot tell")
case("text: control characters", "texts", {"checked": "\x00\x1b\x7f\ufeff\u2029"}, "POST /values/texts")
