"""What is checked of an HTTP request before its message is read."""

from __future__ import annotations

import logging
import time
from functools import lru_cache, partial

from starlette.types import Receive

from toolway.protocol.http.jsonrpc import Headers
from toolway.protocol.http.rejection import HTTPRejection
from toolway.protocol.http.timers import Timeout, Timers
from toolway.protocol.http.transport_security import host_allowed, origin_allowed
from toolway.settings import Settings

logger = logging.getLogger("toolway.protocol")

__all__ = ["RequestChecks", "read_body"]

_CLOSE = (b"connection", b"close")  # what is left of the request will not be read
_ANSWERS = (("application/json", "application/*"), ("text/event-stream", "text/*"))
_REMEMBERED = 64
_WITH_SESSION = ("POST", "GET", "DELETE")
_WITHOUT_SESSION = ("POST",)
_LOG_SECONDS = 10
"""The shortest time between two log lines about refused hosts and origins."""


class RequestChecks:
    """Checks the headers of a request; those of a client stay the same, so what was right once is remembered."""

    def __init__(self, settings: Settings) -> None:
        self._check_address = lru_cache(maxsize=_REMEMBERED)(partial(_check_address, settings))
        self._always_has_sessions = bool(settings.stateful)
        self._next_log = 0.0
        self._unlogged = 0
        """Refused requests since the last log line."""

    def check(self, method: str, headers: Headers, *, has_session: bool = False) -> None:
        """Refuse hosts that are not served, pages of foreign origins, and methods and media types that nobody reads.

        Without sessions, GET would open a stream on which nothing ever comes.
        """
        try:
            self._check_address(headers.get(b"host", b""), headers.get(b"origin", b""))
        except HTTPRejection as refusal:
            self._log(refusal)
            raise
        methods = _WITH_SESSION if has_session or self._always_has_sessions else _WITHOUT_SESSION
        if method not in methods:
            allow = (b"allow", ", ".join(methods).encode())
            raise HTTPRejection(405, f"Expected {' or '.join(methods)}, got {method}", allow)
        if method == "POST":
            _check_media_types(headers.get(b"content-type", b""), headers.get(b"accept", b""))

    def _log(self, refusal: HTTPRejection) -> None:
        """Log a refused host or origin, which the operator may have forgotten to allow; not for each request."""
        now = time.monotonic()
        self._unlogged += 1
        if now < self._next_log:
            return
        more = f" ({self._unlogged:,} requests were refused since the last such line)" if self._unlogged > 1 else ""
        logger.warning("refused a request: %.300s%s", refusal, more)
        self._next_log, self._unlogged = now + _LOG_SECONDS, 0


def _check_address(settings: Settings, host_header: bytes, origin_header: bytes) -> None:
    host, origin = _text(host_header), _text(origin_header)
    if not host_allowed(host, settings):
        raise HTTPRejection(421, f"The host {host!r} is not served here; allow it with TOOLWAY_ALLOWED_HOSTS")
    if origin and not origin_allowed(origin, host, settings):
        raise HTTPRejection(403, f"Pages of {origin!r} may not call; allow it with TOOLWAY_ALLOWED_ORIGINS")


@lru_cache(maxsize=_REMEMBERED)
def _check_media_types(content_type: bytes, accept: bytes) -> None:
    """Refuse a POST that does not carry JSON, or whose sender cannot read both kinds of answers."""
    if _text(content_type).partition(";")[0].strip(" \t").lower() != "application/json":
        raise HTTPRejection(415, f"Expected Content-Type application/json, got {_text(content_type)!r}")
    if not _takes_both(_text(accept)):
        raise HTTPRejection(406, f"Expected Accept: application/json, text/event-stream, got {_text(accept)!r}")


def _takes_both(accept: str) -> bool:
    kinds = {entry.partition(";")[0].strip().lower() for entry in accept.split(",")}
    return "*/*" in kinds or all(kinds.intersection(names) for names in _ANSWERS)


def _text(value: bytes) -> str:
    return value.strip(b" \t").decode("latin-1")


async def read_body(receive: Receive, settings: Settings, timers: Timers) -> bytes:
    """Read the whole body; servers have no deadline of their own for a slow one."""
    try:
        with Timeout(timers, settings.body_seconds):
            return await _whole(receive, settings.max_body_bytes)
    except TimeoutError:
        text = f"The request did not arrive within {settings.body_seconds:g} seconds"
        raise HTTPRejection(408, text, _CLOSE) from None


async def _whole(receive: Receive, most: int) -> bytes:
    parts: list[bytes] = []
    size, more = 0, True
    while more:
        message = await receive()
        if message["type"] == "http.disconnect":
            raise HTTPRejection(400, "The client left while sending its request")
        parts.append(message.get("body", b""))
        size += len(parts[-1])
        if size > most:
            text = f"The request is larger than {most:,} bytes; allow more with TOOLWAY_MAX_BODY_BYTES"
            raise HTTPRejection(413, text, _CLOSE)
        more = message.get("more_body", False)
    return b"".join(parts)
