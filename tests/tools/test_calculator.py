"""Arithmetic: exact, limited, and never code."""

from __future__ import annotations

import operator
from contextlib import suppress
from decimal import ROUND_HALF_EVEN, Decimal
from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.tools.desk import Desk
from tools.retail.calculator import calculate
from tools.retail.errors import Malformed


@pytest.mark.parametrize(
    ("expression", "value"),
    [
        ("3131.1 + 4777.75 + 367.38", 8276.23),
        ("155.33 - 147.05 + 268.77 - 235.13", 41.92),
        ("2 + 3 * 4", 14),
        ("(2 + 3) * 4", 20),
        ("8 / 4 / 2", 1),
        ("8 - 4 - 2", 2),
        ("-(2 - 5)", 3),
        ("--+3", 3),
        ("2 * -3", -6),
        (".5 + 1.", 1.5),
        ("1 / 3 * 3", 1),
        ("0.1 + 0.2", 0.3),
        ("2.675", 2.68),
        ("10 / 4 - 2.5", 0),
        ("  7  ", 7),
        ("007", 7),
    ],
)
def test_an_expression_is_calculated_exactly(expression: str, value: float) -> None:
    assert calculate(expression) == value


@pytest.mark.parametrize(
    "expression",
    [
        *[
            "",
            " ",
            "+",
            "1 +",
            "1 2",
            "(1",
            "1)",
            "()",
            "2 ** 3",
            "7 // 2",
            "1.2.3",
            ".",
            "1e5",
            "a",
            "1,000",
            "1\t+ 1",
        ],
        *["__import__('os')", "\N{ARABIC-INDIC DIGIT ONE}", "\N{FULLWIDTH DIGIT ONE}", "1 \N{MINUS SIGN} 1", "1\n"],
    ],
)
def test_text_that_is_not_arithmetic_is_rejected(expression: str) -> None:
    with pytest.raises(Malformed, match="expression"):
        calculate(expression)


@pytest.mark.parametrize(
    ("expression", "problem"),
    [
        ("1 / 0", "divides by zero"),
        ("1 / (2 - 2)", "divides by zero"),
        ("9" * 16, "beyond"),
        ("*".join(["99999999"] * 3), "beyond"),
        ("(" * 51 + "1" + ")" * 51, "nested"),
        ("-" * 60 + "1", "nested"),
        ("1+" * 250 + "1", "characters"),
    ],
)
def test_an_exceeded_limit_is_named(expression: str, problem: str) -> None:
    with pytest.raises(Malformed, match=problem) as refused:
        calculate(expression)
    assert refused.value.status_code == 422


@given(st.lists(st.tuples(st.sampled_from("+-*/"), st.integers(1, 99_999)), min_size=1, max_size=5))
def test_operators_bind_and_group_as_in_arithmetic(steps: list[tuple[str, int]]) -> None:
    expression = "0" + "".join(f" {sign} {number / 100:.2f}" for sign, number in steps)
    terms = [Fraction(0)]
    for sign, number in steps:
        value = Fraction(number, 100)
        if sign in "+-":
            terms.append(value if sign == "+" else -value)
        else:
            terms[-1] = operator.mul(terms[-1], value) if sign == "*" else terms[-1] / value
    total = sum(terms)
    exact = Decimal(total.numerator) / Decimal(total.denominator)
    assert calculate(expression) == pytest.approx(float(exact.quantize(Decimal("0.01"), ROUND_HALF_EVEN)), abs=0.01)


@given(st.text(alphabet="0123456789+-*/(). ", max_size=60))
def test_any_text_is_either_calculated_or_rejected(expression: str) -> None:
    with suppress(Malformed):
        assert isinstance(calculate(expression), float)


async def test_the_endpoint_calculates_or_rejects(desk: Desk) -> None:
    assert await desk.do("calculate", expression="(54.04 + 41.20) * 2") == {"result": 190.48}
    assert "divides by zero" in await desk.refuse(422, "calculate", expression="1/0")
    await desk.refuse(422, "calculate", expression="1" * 501)
    await desk.refuse(422, "calculate", expression="")
