"""An application's response to the request of a tool call, before it is parsed."""

from __future__ import annotations

import zlib
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from typing import NamedTuple, TypeAlias

from starlette.types import Receive, Scope, Send

__all__ = ["JsonReply", "Reply", "TakeReply", "decode_body"]

_GZIP_OR_ZLIB = zlib.MAX_WBITS | 32
_ENCODINGS = frozenset({"gzip", "x-gzip", "deflate"})


@dataclass(slots=True)
class Reply:
    """The application's response, as far as it was received."""

    status: int = 0
    """0 if the application returned or raised without a response."""
    headers: list[tuple[bytes, bytes]] = field(default_factory=list[tuple[bytes, bytes]])
    body: bytes = b""
    cut: str = ""
    """Why the response was truncated; empty for a whole one."""
    exception: BaseException | None = None
    is_broken: bool = False
    """Whether the application failed after a part of its response was sent."""
    is_strict: bool = False
    """Whether the body is known to be strict JSON (see `calls.direct.strict_json`)."""
    is_remote: bool = False
    """Whether it comes from a remote API, whose server errors are shown as its HTTP clients see them."""

    def header(self, name: bytes) -> str:
        for key, value in self.headers:
            if key == name or key.lower() == name:
                return value.decode("latin-1")
        return ""


TakeReply: TypeAlias = Callable[[Reply], Awaitable[None]]


class JsonReply(NamedTuple):
    """A JSON response that an endpoint has returned and FastAPI has serialized; can be sent as an ASGI application."""

    status: int
    body: bytes

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Send the same messages as a `starlette.responses.Response`, without the cost of creating one."""
        length = str(len(self.body)).encode("latin-1")
        headers = [(b"content-length", length), (b"content-type", b"application/json")]
        await send({"type": "http.response.start", "status": self.status, "headers": headers})
        await send({"type": "http.response.body", "body": self.body})


def decode_body(body: bytes, encodings: str, max_bytes: int) -> bytes | None:
    """Return a body without its encodings (RFC 9110, section 8.4), truncated to one byte more than `max_bytes`.

    toolway does not ask for encodings, but an application may use one anyway. None if an encoding is unknown or the
    body is not encoded that way.
    """
    for encoding in reversed(encodings.lower().split(",")):
        if encoding.strip() not in _ENCODINGS:
            return None
        try:
            body = zlib.decompressobj(_GZIP_OR_ZLIB).decompress(body, max_bytes + 1)
        except zlib.error:
            return None
    return body
