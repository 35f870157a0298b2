"""Where two answers differ."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from tests.lanes.exchange import Answer

__all__ = ["HEADERS", "Outcome", "differences", "is_stream", "messages"]

HEADERS = (b"content-type", b"allow", b"www-authenticate", b"retry-after", b"connection", b"location")
"""The headers that a client acts on."""

_SESSION = b"mcp-session-id"  # made by chance
_STREAM = "text/event-stream"
_BOUNDARY = re.compile(rb"boundary=[0-9a-f]{32}")
_REFERENCE = re.compile(r'(Reference: |"reference":\s?")[0-9a-f]{12}\b')


@dataclass(frozen=True, slots=True)
class Outcome:
    """The result of a request: the response, and what reached the endpoints."""

    answer: Answer
    seen: list[Any]
    """The requests that reached them."""
    done: Sequence[str] = ()
    """The calls that the endpoints recorded."""


def differences(fast: Outcome, sdk: Outcome) -> Iterator[str]:
    """Yield what the fast lane did otherwise, in words."""
    for what, mine, its in (
        ("failure", fast.answer.failure, sdk.answer.failure),
        ("status", fast.answer.status, sdk.answer.status),
        ("a session", fast.answer.header(_SESSION) is None, sdk.answer.header(_SESSION) is None),
        *((f"header {name.decode()}", fast.answer.header(name), sdk.answer.header(name)) for name in HEADERS),
        ("messages", messages(fast.answer), messages(sdk.answer)),
        ("done by endpoints", fast.done, sdk.done),
        ("requests to endpoints", _unbounded(fast.seen), _unbounded(sdk.seen)),
    ):
        if mine != its:
            yield f"{what}: {_shown(mine)} where the SDK has {_shown(its)}"


def is_stream(answer: Answer) -> bool:
    """Return whether a response is an event stream."""
    return (answer.header(b"content-type") or "").startswith(_STREAM)


def messages(answer: Answer) -> list[str]:
    """Return an answer's messages in order, in a form that distinguishes 1, 1.0 and true; references are left out."""
    return [_plain(text) for text in _texts(answer)]


def _texts(answer: Answer) -> list[str]:
    text = answer.body.decode()
    if not is_stream(answer):
        return [text] if text else []
    events = [event for event in re.split(r"\r\n\r\n|\n\n", text) if event]
    return ["\n".join(_data(event)) for event in events if not event.startswith(":")]


def _data(event: str) -> Iterator[str]:
    """Yield an event's lines of data; only these three line breaks count (WHATWG HTML, section 9.2.6)."""
    for line in re.split(r"\r\n|\n|\r", event):
        if line.startswith("data:"):
            yield line.removeprefix("data:").removeprefix(" ")
        else:
            assert line == "event: message", f"an unexpected line in an event: {line!r}"


def _plain(text: str) -> str:
    text = _REFERENCE.sub(r"\1...", text)
    try:
        return json.dumps(json.loads(text), sort_keys=True, ensure_ascii=False)
    except (ValueError, RecursionError):  # longer or deeper than this reader takes
        return text


def _unbounded(seen: list[Any]) -> list[Any]:
    """Leave out the boundaries between the parts of a form, which are made by chance."""
    return [{**one, "headers": [(name, _BOUNDARY.sub(b"", value)) for name, value in one["headers"]]} for one in seen]


def _shown(value: Any) -> str:
    text = value if isinstance(value, str) else repr(value)
    return text if len(text) <= 1500 else f"{text[:1000]} ... {text[-400:]}"
