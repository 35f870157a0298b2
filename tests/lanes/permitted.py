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

from tests.lanes.comparison import Outcome, differences, is_stream
from tests.lanes.exchange import Request
from tests.protocol.wire import HANDSHAKES

__all__ = ["PERMITTED", "Permitted", "permission"]


@dataclass(frozen=True, slots=True)
class Permitted:
    """A difference by name, the reason for it, and what tells whether it is the whole difference."""

    name: str
    reason: str
    explains: Callable[[Request, Outcome, Outcome], bool]


def _framed(request: Request, fast: Outcome, sdk: Outcome) -> Outcome:
    """The fast lane's outcome with its body as a stream, where that is all that the SDK makes another way."""
    version = request.header(b"mcp-protocol-version")
    handshake = version is None or version.strip(b" \t").decode("latin-1") in HANDSHAKES
    is_json = fast.answer.header(b"content-type") == "application/json"
    if not (handshake and is_json and is_stream(sdk.answer)):
        return fast
    body = b"data: " + fast.answer.body.translate(_BLANKS)
    return replace(fast, answer=replace(fast.answer, headers=sdk.answer.headers, frames=[body]))


def _one_body(request: Request, fast: Outcome, sdk: Outcome) -> bool:
    return not any(differences(_framed(request, fast, sdk), sdk))


def _null(request: Request, fast: Outcome, sdk: Outcome) -> bool:
    return _same_when(_framed(request, fast, sdk), sdk, lambda body: _NULL.sub(b"", body))


def _large_number(request: Request, fast: Outcome, sdk: Outcome) -> bool:
    return _same_when(
        _framed(request, fast, sdk), sdk, lambda body: _NULL.sub(b"", _TOKEN.sub(_without_infinity, body))
    )


def _without_infinity(match: re.Match[bytes]) -> bytes:
    """Write null for a number that Python reads as infinite."""
    token = match.group()
    return b"null" if token[:1] != b'"' and isinf(float(token)) else token


def _unread(_: Request, fast: Outcome, sdk: Outcome) -> bool:
    """Tell whether the fast lane answers with JSON that Python or Pydantic cannot read, and the SDK with an error."""
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
_BLANKS = bytes.maketrans(b"\r\n", b"  ")
_NULL = re.compile(rb',"structuredContent":\s*null\s*(?=[,}])')
_TOKEN = re.compile(rb'"(?:[^"\\]|\\.)*"|(?<!\d)-?\d++(?:\.\d++)?[eE][+-]?\d+')

PERMITTED = (
    Permitted(
        "one body in place of a stream",
        "Over handshake revisions the SDK opens an event stream for every request. A client has to take both "
        "(basic/transports), and one JSON body costs less.",
        _one_body,
    ),
    Permitted(
        "null as structured content",
        "An endpoint's null is the structured content that 2026-07-28 allows; the SDK cannot send it (its models drop "
        "what is None).",
        _null,
    ),
    Permitted(
        "numbers beyond a float",
        "An endpoint's 1e400 stays as it is; the SDK lane has read it as infinite, and sends null, or nothing.",
        _large_number,
    ),
    Permitted(
        "large answers that Python does not read",
        "Nobody counts the levels or digits of an endpoint's JSON over 64 kB, as that would cost as much as the call; "
        "the SDK lane builds it up, and answers with an internal error when Python refuses to.",
        _unread,
    ),
)


def permission(request: Request, fast: Outcome, sdk: Outcome) -> Permitted | None:
    """Return what permits the difference between two outcomes."""
    return next((known for known in PERMITTED if known.explains(request, fast, sdk)), None)
