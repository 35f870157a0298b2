"""One HTTP request and its answer, without a network: an ASGI application is called as a server calls it."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from itertools import pairwise
from typing import Any, Literal

from starlette.types import ASGIApp, Message, Scope

__all__ = ["Answer", "Headers", "Request", "request_of", "send"]

Headers = tuple[tuple[bytes, bytes], ...]
Ending = Literal["whole", "leaves", "stalls"]

_PATIENCE_SECONDS = 299
"""Not at the moment of a ping: of two cancellations at once, an old anyio loses the one from outside."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Request:
    """A request, byte for byte."""

    headers: Headers
    body: bytes
    method: str = "POST"
    query: bytes = b""
    cuts: tuple[int, ...] = ()
    """Where the body is cut into the pieces in which it arrives."""
    ending: Ending = "whole"
    """Whether all of the body comes, or its sender leaves after half of it, or falls silent."""

    def header(self, name: bytes) -> bytes | None:
        return next((value for key, value in self.headers if key == name), None)

    def with_header(self, name: bytes, value: bytes | None) -> Headers:
        """Return the headers with one replaced; None takes it away."""
        kept = tuple(pair for pair in self.headers if pair[0] != name)
        return kept if value is None else (*kept, (name, value))

    def arrival(self) -> Iterable[Message]:
        """Yield the body in the pieces that a server passes."""
        edges = [0, *sorted(self.cuts), len(self.body)]
        pieces = [self.body[start:end] for start, end in pairwise(edges)]
        if self.ending != "whole":
            pieces = pieces[: len(pieces) // 2]
        last = len(pieces) - 1
        for number, piece in enumerate(pieces):
            more = number != last or self.ending != "whole"
            yield {"type": "http.request", "body": piece, "more_body": more}

    def __str__(self) -> str:
        lines = [f"{self.method} /mcp{'?' if self.query else ''}{self.query.decode('latin-1')}"]
        lines += [f"{name.decode('latin-1')}: {value.decode('latin-1')!r}" for name, value in self.headers]
        body = self.body if len(self.body) <= 2000 else self.body[:1000] + b" ... " + self.body[-1000:]
        arrival = f"({len(self.body)} bytes, {self.ending}, cut at {self.cuts})" if self.cuts else ""
        return "\n".join((*lines, "", body.decode("utf-8", "backslashreplace"), arrival)).rstrip()


def request_of(message: Any, headers: Mapping[str, str]) -> Request:
    """Write a message as a client writes it."""
    pairs = (("host", "localhost"), *headers.items())
    body = json.dumps(message, separators=(",", ":"), ensure_ascii=False).encode()
    return Request(headers=tuple((name.encode(), value.encode()) for name, value in pairs), body=body)


@dataclass(slots=True)
class Answer:
    """A response."""

    status: int = 0
    headers: list[tuple[bytes, bytes]] = field(default_factory=list[tuple[bytes, bytes]])
    frames: list[bytes] = field(default_factory=list[bytes])
    """The body in the pieces in which it was sent."""
    failure: str = ""
    """How the application ended that did not answer."""

    @property
    def body(self) -> bytes:
        return b"".join(self.frames)

    def header(self, name: bytes) -> str | None:
        return next((value.decode("latin-1") for key, value in self.headers if key == name), None)


async def send(app: ASGIApp, request: Request, *, frames: int | None = None) -> Answer:
    """Call an application, until it returns; its client leaves at the end of the answer, or after so many frames."""
    answer, over = Answer(), asyncio.Event()
    arriving = iter(request.arrival())

    async def receive() -> Message:
        message = next(arriving, None)
        if message is None:
            if request.ending != "leaves":
                await over.wait()
            return {"type": "http.disconnect"}
        return message

    async def take(message: Message) -> None:
        if message["type"] == "http.response.start":
            answer.status = message["status"]
            answer.headers = [(name.lower(), value) for name, value in message.get("headers", ())]
            return
        assert not over.is_set() or frames is not None, "something was sent after the end"
        answer.frames.append(message.get("body", b""))
        if not message.get("more_body", False) or len(answer.frames) == frames:
            over.set()

    try:
        await asyncio.wait_for(app(_scope(request), receive, take), _PATIENCE_SECONDS)
    except Exception as error:  # both lanes must fail in the same way
        answer.failure = type(error).__name__
    return answer


def _scope(request: Request) -> Scope:
    return {
        "type": "http",
        "asgi": {"version": "3.0", "spec_version": "2.4"},
        "http_version": "1.1",
        "method": request.method,
        "scheme": "http",
        "path": "/mcp",
        "raw_path": b"/mcp",
        "query_string": request.query,
        "root_path": "",
        "headers": list(request.headers),
        "client": ("127.0.0.1", 50000),
        "server": ("localhost", 80),
        "state": {},
    }
