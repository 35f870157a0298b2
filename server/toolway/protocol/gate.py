"""What is checked of an HTTP request before its message is read."""

from __future__ import annotations

from collections.abc import Mapping

import anyio
from starlette.types import Receive

from toolway.protocol.origin import host_allowed, origin_allowed
from toolway.protocol.refusal import Refusal
from toolway.settings import Settings

__all__ = ["check_address", "check_media_types", "check_method", "read_body"]

_CLOSE = (b"connection", b"close")  # what is left of the request will not be read
_ANSWERS = (("application/json", "application/*"), ("text/event-stream", "text/*"))


def check_address(headers: Mapping[bytes, str], settings: Settings) -> None:
    """Refuse hosts that are not served, and pages of foreign origins."""
    host = headers.get(b"host", "")
    if not host_allowed(host, settings):
        raise Refusal(421, f"The host {host!r} is not served here; allow it with TOOLWAY_ALLOWED_HOSTS")
    origin = headers.get(b"origin", "")
    if origin and not origin_allowed(origin, host, settings):
        raise Refusal(403, f"Pages of {origin!r} may not call; allow it with TOOLWAY_ALLOWED_ORIGINS")


def check_method(method: str, *, stateful: bool) -> None:
    """Refuse what nobody serves; without sessions, GET would open a stream on which nothing ever comes."""
    methods = ("POST", "GET", "DELETE") if stateful else ("POST",)
    if method not in methods:
        allow = (b"allow", ", ".join(methods).encode())
        raise Refusal(405, f"Expected {' or '.join(methods)}, got {method}", allow)


def check_media_types(headers: Mapping[bytes, str]) -> None:
    """Refuse a POST that does not carry JSON, or whose sender cannot read both kinds of answers."""
    content_type = headers.get(b"content-type", "")
    if content_type.partition(";")[0].strip().lower() != "application/json":
        raise Refusal(415, f"Expected Content-Type application/json, got {content_type!r}")
    accept = headers.get(b"accept", "")
    kinds = {entry.partition(";")[0].strip().lower() for entry in accept.split(",")}
    if "*/*" not in kinds and not all(kinds.intersection(names) for names in _ANSWERS):
        raise Refusal(406, f"Expected Accept: application/json, text/event-stream, got {accept!r}")


async def read_body(receive: Receive, settings: Settings) -> bytes:
    """Read the whole body; servers have no deadline of their own for a slow one."""
    parts: list[bytes] = []
    size, more = 0, True
    with anyio.move_on_after(settings.body_seconds) as deadline:
        while more:
            message = await receive()
            if message["type"] == "http.disconnect":
                raise Refusal(400, "The client left while sending its request")
            parts.append(message.get("body", b""))
            size += len(parts[-1])
            if size > settings.max_body_bytes:
                raise Refusal(413, f"The request is larger than {settings.max_body_bytes:,} bytes", _CLOSE)
            more = message.get("more_body", False)
    if deadline.cancelled_caught:
        raise Refusal(408, f"The request did not arrive within {settings.body_seconds:g} seconds", _CLOSE)
    return b"".join(parts)
