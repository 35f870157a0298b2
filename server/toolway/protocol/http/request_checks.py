"""Checks of an HTTP request before its message is parsed.

Hosts and origins are checked against DNS rebinding:
https://modelcontextprotocol.io/specification/2026-07-28/basic/transports/streamable-http, "Security Warning"
"""

from __future__ import annotations

import logging
import time
from functools import lru_cache, partial
from urllib.parse import urlsplit

from starlette.types import Receive

from toolway.protocol.http.jsonrpc import Headers, HTTPRejection
from toolway.protocol.http.timeouts import Timers, wait_for
from toolway.settings import Settings

logger = logging.getLogger("toolway.protocol")

__all__ = ["RequestChecks", "is_allowed_host", "is_allowed_origin", "read_body"]

_CLOSE = (b"connection", b"close")  # the rest of the request will not be read
_RESPONSE_TYPES = (("application/json", "application/*"), ("text/event-stream", "text/*"))
_CACHE_SIZE = 64
_WITH_SESSION = ("POST", "GET", "DELETE")
_WITHOUT_SESSION = ("POST",)
_LOG_SECONDS = 10
"""The minimum time between two log lines about rejected hosts and origins."""


class RequestChecks:
    """Checks the method and headers of requests, with a cache, as the headers of a client stay the same."""

    def __init__(self, settings: Settings) -> None:
        self._check_address = lru_cache(maxsize=_CACHE_SIZE)(partial(_check_address, settings))
        self._always_has_sessions = bool(settings.stateful)
        self._next_log = 0.0
        self._unlogged = 0
        """Rejected requests since the last log line."""

    def check(self, method: str, headers: Headers, *, has_session: bool = False) -> None:
        """Check the host, the origin, the method and the media types.

        Without sessions only POST is allowed, as a GET would open a stream without any events.

        Raises:
            HTTPRejection: a check failed.
        """
        try:
            self._check_address(headers.get(b"host", b""), headers.get(b"origin", b""))
        except HTTPRejection as rejection:
            self._log(rejection)
            raise
        methods = _WITH_SESSION if has_session or self._always_has_sessions else _WITHOUT_SESSION
        if method not in methods:
            allow = (b"allow", ", ".join(methods).encode())
            raise HTTPRejection(405, f"Expected the HTTP method {' or '.join(methods)}, got {method}", allow)
        if method == "POST":
            _check_media_types(headers.get(b"content-type", b""), headers.get(b"accept", b""))

    def _log(self, rejection: HTTPRejection) -> None:
        """Log a rejected host or origin, which the operator may have forgotten to allow, at a limited rate."""
        now = time.monotonic()
        self._unlogged += 1
        if now < self._next_log:
            return
        more = f" ({self._unlogged:,} requests were rejected since the last such line)" if self._unlogged > 1 else ""
        logger.warning("rejected a request: %.300s%s", rejection, more)
        self._next_log, self._unlogged = now + _LOG_SECONDS, 0


def _check_address(settings: Settings, host_header: bytes, origin_header: bytes) -> None:
    host, origin = _text(host_header), _text(origin_header)
    if not is_allowed_host(host, settings):
        raise HTTPRejection(421, f"Host {host!r} is not allowed. Add it to TOOLWAY_ALLOWED_HOSTS.")
    if origin and not is_allowed_origin(origin, host, settings):
        raise HTTPRejection(403, f"Origin {origin!r} is not allowed. Add it to TOOLWAY_ALLOWED_ORIGINS.")


def is_allowed_host(host: str, settings: Settings) -> bool:
    """Return whether a Host header matches the setting; an allowed host without a port matches every port."""
    allowed = settings.allowed_hosts
    host = host.strip().lower()
    return "*" in allowed or host in allowed or (_has_port(host) and _without_port(host) in allowed)


def is_allowed_origin(origin: str, host: str, settings: Settings) -> bool:
    """Return whether pages of an origin may call: those in the setting, of this server, and of this machine."""
    origin = origin.strip().lower()
    if "*" in settings.allowed_origins or origin in settings.allowed_origins:
        return True
    try:
        parts = urlsplit(origin)
    except ValueError:
        return False
    is_plain = parts.scheme in {"http", "https"} and origin == f"{parts.scheme}://{parts.netloc}"
    if not is_plain or "@" in parts.netloc:
        return False
    name = _without_port(parts.netloc)
    is_local = name in {"localhost", "127.0.0.1", "[::1]"} and name in settings.allowed_hosts
    return is_local or parts.netloc == host.strip().lower()


def _has_port(host: str) -> bool:
    name, colon, port = host.rpartition(":")
    return bool(colon and name) and port.isascii() and port.isdigit() and len(port) <= 5


def _without_port(host: str) -> str:
    return host.rpartition(":")[0] if _has_port(host) else host


@lru_cache(maxsize=_CACHE_SIZE)
def _check_media_types(content_type: bytes, accept: bytes) -> None:
    """Check that a POST contains JSON, and that its client accepts both JSON and event streams."""
    if _text(content_type).partition(";")[0].strip(" \t").lower() != "application/json":
        raise HTTPRejection(415, f"Expected Content-Type: application/json, got {_text(content_type)!r}")
    accepted = {entry.partition(";")[0].strip().lower() for entry in _text(accept).split(",")}
    if "*/*" not in accepted and not all(accepted.intersection(names) for names in _RESPONSE_TYPES):
        raise HTTPRejection(406, f"Expected Accept: application/json, text/event-stream, got {_text(accept)!r}")


def _text(value: bytes) -> str:
    return value.strip(b" \t").decode("latin-1")


async def read_body(receive: Receive, settings: Settings, timers: Timers) -> bytes:
    """Read the whole body within the limits of the settings; servers have no timeout for a slow client.

    Raises:
        HTTPRejection: the client was too slow (408), the body is too large (413), or the client disconnected.
    """
    parts: list[bytes] = []
    try:
        await wait_for(_collect(receive, settings.max_body_bytes, parts), timers, settings.body_seconds)
    except TimeoutError:
        text = f"The request was not received within {settings.body_seconds:g} seconds"
        raise HTTPRejection(408, text, _CLOSE) from None
    return parts[0] if len(parts) == 1 else b"".join(parts)


async def _collect(receive: Receive, limit: int, parts: list[bytes]) -> None:
    size, more = 0, True
    while more:
        message = await receive()
        if message["type"] == "http.disconnect":
            raise HTTPRejection(400, "The client disconnected while sending its request")
        body: bytes = message.get("body", b"")
        parts.append(body)
        size += len(body)
        if size > limit:
            text = f"The request is larger than {limit:,} bytes. Set TOOLWAY_MAX_BODY_BYTES to allow larger ones."
            raise HTTPRejection(413, text, _CLOSE)
        more = message.get("more_body", False)
