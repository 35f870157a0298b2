"""The shortest request that still shows a difference."""

from __future__ import annotations

import json
from collections.abc import Awaitable, Callable, Iterator
from dataclasses import replace
from typing import Any, cast

from tests.lanes.exchange import Request

__all__ = ["shrunk"]


async def shrunk(request: Request, differs: Callable[[Request], Awaitable[bool]]) -> Request:
    """Reduce a request as long as `differs` returns true for it."""
    smaller: Request | None = request
    while smaller is not None:
        request, smaller = smaller, None
        for candidate in _smaller(request):
            if await differs(candidate):
                smaller = candidate
                break
    return request


def _smaller(request: Request) -> Iterator[Request]:
    if request.cuts and request.ending == "whole":
        yield replace(request, cuts=())
    if request.query:
        yield replace(request, query=b"")
    for place in range(len(request.headers)):
        yield replace(request, headers=request.headers[:place] + request.headers[place + 1 :])
    for body in _smaller_bodies(request.body):
        if len(body) < len(request.body):
            yield replace(request, body=body)


def _smaller_bodies(body: bytes) -> Iterator[bytes]:
    yield body.strip()
    try:
        message = json.loads(body)
    except (ValueError, RecursionError):
        yield from _shorter(body)
        return
    for less in _less(message):
        yield json.dumps(less, separators=(",", ":")).encode()
    if len(body) < 300:
        yield from _shorter(body)


def _less(value: Any) -> Iterator[Any]:
    """Yield the JSON with one thing left out, or smaller, anywhere in it."""
    if isinstance(value, dict):
        members = cast("dict[str, Any]", value)
        for name, inner in members.items():
            yield {key: entry for key, entry in members.items() if key != name}
            yield from ({**members, name: less} for less in _less(inner))
    elif isinstance(value, list):
        entries = cast("list[Any]", value)
        yield from (entries[:place] + entries[place + 1 :] for place in range(min(len(entries), 20)))
    elif isinstance(value, str) and len(value) > 1:
        yield value[: len(value) // 2]
        yield value[len(value) // 2 :]


def _shorter(body: bytes) -> Iterator[bytes]:
    size = max(1, len(body) // 8)
    for start in range(0, len(body), size):
        yield body[:start] + body[start + size :]
