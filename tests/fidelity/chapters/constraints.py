"""Query parameters: bounds, validators, and numbers on their way through text."""

from __future__ import annotations

from decimal import Decimal
from typing import Annotated, Any

from fastapi import Query
from jsonschema import Draft202012Validator
from pydantic import AfterValidator, Field, StringConstraints, TypeAdapter

from tests.fidelity.case import Chapter

__all__ = ["chapter"]

chapter = Chapter("Constraints")
router, case = chapter.router, chapter.case


def starting_with_isbn(code: str) -> str:
    """Stand for any check that a schema cannot tell."""
    if not code.startswith("isbn-"):
        raise ValueError("a code starts with isbn-")
    return code


Strip = StringConstraints(strip_whitespace=True)


# Constraints.


@router.get("/query/constraints")
async def query_constraints(
    word: Annotated[str, Query(min_length=2, max_length=4, pattern="^[a-z]+$")],
    above: Annotated[int, Query(gt=0, le=10)] = 1,
    step: Annotated[int, Query(multiple_of=5)] = 5,
    share: Annotated[float, Query(ge=0, lt=1)] = 0,
    words: Annotated[list[Annotated[str, Field(max_length=2)]], Query(max_length=2)] = [],  # noqa: B006
) -> list[Any]:
    return [word, above, step, share, words]


case(
    "constraints: at the edges",
    "query_constraints",
    {"word": "abcd", "above": 10, "step": -5, "share": 0.999, "words": ["ab", "c"]},
    "GET /query/constraints",
    advertised={
        "word": {"minLength": 2, "maxLength": 4, "pattern": "^[a-z]+$"},
        "above": {"exclusiveMinimum": 0, "maximum": 10, "default": 1},
        "share": {"minimum": 0, "exclusiveMaximum": 1},
        "words": {"maxItems": 2, "items": {"maxLength": 2}},
    },
)
BEYOND: dict[str, Any] = {"word": "a", "above": 0, "step": 7, "share": 1, "words": ["abc"]}
for argument, value in BEYOND.items():
    case(
        f"constraints: {argument} beyond",
        "query_constraints",
        {"word": "ab", argument: value},
        "GET /query/constraints",
    )


@router.get("/query/validated")
async def query_validated(
    code: Annotated[str, AfterValidator(starting_with_isbn)], trimmed: Annotated[str, Strip] = "x"
) -> list[str]:
    return [code, trimmed]


case("validator: passed", "query_validated", {"code": "isbn-1", "trimmed": "  y "}, "GET /query/validated")
case("validator: failed", "query_validated", {"code": "x"}, "GET /query/validated", schema_says="cannot tell")


# Numbers as text.


@router.get("/query/numbers")
async def query_numbers(whole: int = 0, part: float = 0, exact: Decimal = Decimal(0), yes: bool = False) -> list[Any]:
    return [whole, part, str(exact), yes]


DECIMAL = Draft202012Validator(TypeAdapter(Decimal).json_schema())

case(
    "numbers: huge",
    "query_numbers",
    {"whole": 2**70, "part": 1e300, "exact": "1e30"},
    "GET /query/numbers",
    schema_says="yes" if DECIMAL.is_valid("1e30") else "no",  # some releases of Pydantic describe no exponent
)
case("numbers: tiny", "query_numbers", {"whole": -1, "part": 5e-324, "exact": 0.1}, "GET /query/numbers")
case("numbers: 1.0 is whole", "query_numbers", {"whole": 1.0, "part": 1}, "GET /query/numbers")
case("numbers: a part of one", "query_numbers", {"whole": 1.5}, "GET /query/numbers")
case(
    "numbers: as text", "query_numbers", {"whole": "5", "part": "0.5"}, "GET /query/numbers", schema_says="cannot tell"
)
case("booleans: as words", "query_numbers", {"yes": "on"}, "GET /query/numbers", schema_says="cannot tell")
case("booleans: true", "query_numbers", {"yes": True}, "GET /query/numbers", params={"yes": "true"})
case(
    "booleans: true for a number",
    "query_numbers",
    {"whole": True},
    "GET /query/numbers",
    params={"whole": "true"},
)
case("numbers: an object for one", "query_numbers", {"whole": {"a": 1}}, "GET /query/numbers", may_stop_early=True)
case(
    "numbers: lists of lists",
    "query_constraints",
    {"word": "ab", "words": [["a"]]},
    "GET /query/constraints",
    may_stop_early=True,
    schema_says="no",
)
