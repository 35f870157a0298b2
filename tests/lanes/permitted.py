"""The differences that there may be, and why."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from dataclasses import dataclass, replace
from math import isinf
from typing import Any

import msgspec
from pydantic_core import from_json

from tests.lanes.comparison import Outcome, differences
from tests.lanes.exchange import Request

__all__ = ["PERMITTED", "Permitted", "permission"]


@dataclass(frozen=True, slots=True)
class Permitted:
    """A permitted difference: its name, its reason, and a function that recognizes it."""

    name: str
    reason: str
    explains: Callable[[Request, Outcome, Outcome], bool]


def _null(_: Request, fast: Outcome, sdk: Outcome) -> bool:
    return _same_when(fast, sdk, lambda body: _NULL.sub(b"", body))


def _large_number(_: Request, fast: Outcome, sdk: Outcome) -> bool:
    return _same_when(fast, sdk, lambda body: _NULL.sub(b"", _TOKEN.sub(_without_infinity, body)))


def _without_infinity(match: re.Match[bytes]) -> bytes:
    """Write null for a number that Python reads as infinite."""
    token = match.group()
    return b"null" if token[:1] != b'"' and isinf(float(token)) else token


def _unread(_: Request, fast: Outcome, sdk: Outcome) -> bool:
    """Return whether the fast lane responds with JSON that Python cannot read, and the SDK with an error."""
    if (
        (fast.seen, fast.done) != (sdk.seen, sdk.done)
        or b'"code":-32603' not in sdk.answer.body
        or len(fast.answer.body) < _LARGE
    ):
        return False
    msgspec.json.decode(fast.answer.body, type=msgspec.Raw)
    return not (_is_read(json.loads, fast.answer.body) and _is_read(from_json, fast.answer.body))


def _is_read(read: Callable[[bytes], Any], body: bytes) -> bool:
    """Newer Pythons go deeper than Pydantic, and Pydantic reads longer numbers than any Python."""
    try:
        read(body)
    except (RecursionError, ValueError):
        return False
    return True


def _same_when(fast: Outcome, sdk: Outcome, changed: Callable[[bytes], bytes]) -> bool:
    answer = replace(fast.answer, frames=[changed(fast.answer.body)])
    return not any(differences(replace(fast, answer=answer), sdk))


_LARGE = 64 * 1024
_NULL = re.compile(rb',"structuredContent":\s*null\s*(?=[,}])')
_TOKEN = re.compile(rb'"(?:[^"\\]|\\.)*"|(?<!\d)-?\d++(?:\.\d++)?[eE][+-]?\d+')

PERMITTED = (
    Permitted(
        "null as structured content",
        "An endpoint's null is the structured content that 2026-07-28 allows; the SDK cannot send it, because "
        "its models omit None.",
        _null,
    ),
    Permitted(
        "numbers beyond a float",
        "An endpoint's 1e400 stays as it is; the SDK lane has read it as infinite, and sends null, or nothing.",
        _large_number,
    ),
    Permitted(
        "large answers that Python does not read",
        "The levels and digits of JSON over 64 kB are not counted, as that would cost as much as the call; "
        "the SDK lane builds it up, and answers with an internal error when Python refuses to.",
        _unread,
    ),
)


def permission(request: Request, fast: Outcome, sdk: Outcome) -> Permitted | None:
    """Return what permits the difference between two outcomes."""
    return next((known for known in PERMITTED if known.explains(request, fast, sdk)), None)
