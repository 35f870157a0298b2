"""Exact evaluation of arithmetic expressions.

sum     := product (("+" | "-") product)*
product := factor (("*" | "/") factor)*
factor  := ("+" | "-") factor | "(" sum ")" | number
"""

from __future__ import annotations

import re
from collections.abc import Callable
from fractions import Fraction

from tools.retail.errors import Malformed

__all__ = ["calculate"]

_LONGEST = 500
_DEEPEST = 50
_LARGEST = 10**15
_TOKEN = re.compile(r" *([0-9]+\.?[0-9]*|\.[0-9]+|[-+*/()])")
_ALLOWED = "only digits, + - * / ( ) . and spaces"


def calculate(expression: str) -> float:
    """Return the value of an expression, rounded to two decimals (a tie goes to the even digit)."""
    if len(expression) > _LONGEST:
        raise Malformed(f"The expression has {len(expression)} characters; split it into parts of at most {_LONGEST}.")
    return float(round(_Parser(_tokens(expression)).value(), 2))


def _tokens(expression: str) -> list[str]:
    text, tokens, position = expression.rstrip(" "), list[str](), 0
    while position < len(text):
        match = _TOKEN.match(text, position)
        if match is None:
            unread = text[position:].lstrip(" ")
            raise Malformed(f"The expression is not valid from {unread[:20]!r} on: it may contain {_ALLOWED}.")
        tokens.append(match[1])
        position = match.end()
    return tokens


class _Parser:
    """A recursive-descent parser that evaluates while it reads."""

    def __init__(self, tokens: list[str]) -> None:
        self._tokens = tokens
        self._next = 0
        self._depth = 0

    def value(self) -> Fraction:
        value = self._sum()
        if self._peek():
            raise Malformed(f"The expression has {self._peek()!r} where an operator (+ - * /) was expected.")
        return value

    def _sum(self) -> Fraction:
        return self._chain(self._product, {"+": Fraction.__add__, "-": Fraction.__sub__})

    def _product(self) -> Fraction:
        return self._chain(self._factor, {"*": Fraction.__mul__, "/": _divide})

    def _chain(
        self, operand: Callable[[], Fraction], operators: dict[str, Callable[[Fraction, Fraction], Fraction]]
    ) -> Fraction:
        value = operand()
        while operator := operators.get(self._peek()):
            self._take()
            value = _bounded(operator(value, operand()))
        return value

    def _factor(self) -> Fraction:
        first = self._take()
        if first in {"+", "-"}:
            value = self._deeper(self._factor)
            return -value if first == "-" else value
        if first == "(":
            return self._closed(self._deeper(self._sum))
        if not first or first in "*/)":
            raise Malformed(f"The expression has {first or 'its end'!r} where a number or '(' was expected.")
        return _bounded(Fraction(first))

    def _deeper(self, part: Callable[[], Fraction]) -> Fraction:
        self._depth += 1
        if self._depth > _DEEPEST:
            raise Malformed(f"The expression is nested more than {_DEEPEST} levels deep; split it into parts.")
        value = part()
        self._depth -= 1
        return value

    def _closed(self, value: Fraction) -> Fraction:
        if self._take() != ")":
            raise Malformed("The expression has a '(' without its ')'.")
        return value

    def _peek(self) -> str:
        return self._tokens[self._next] if self._next < len(self._tokens) else ""

    def _take(self) -> str:
        token = self._peek()
        self._next += 1
        return token


def _divide(dividend: Fraction, divisor: Fraction) -> Fraction:
    if divisor == 0:
        raise Malformed("The expression divides by zero; change the divisor.")
    return dividend / divisor


def _bounded(value: Fraction) -> Fraction:
    if abs(value) > _LARGEST:
        raise Malformed(f"The expression goes beyond {_LARGEST:,}; use smaller numbers.")
    return value
