"""Which hosts are served, and which browser pages may call: the defence against DNS rebinding.

https://modelcontextprotocol.io/specification/2026-07-28/basic/transports/streamable-http, "Security Warning"
"""

from __future__ import annotations

from urllib.parse import urlsplit

from toolway.settings import Settings

__all__ = ["host_allowed", "origin_allowed"]


def host_allowed(host: str, settings: Settings) -> bool:
    """Compare a Host header with the allowed ones; an entry without a port fits every port."""
    allowed = settings.allowed_hosts
    host = host.strip().lower()
    return "*" in allowed or host in allowed or (_has_port(host) and _without_port(host) in allowed)


def origin_allowed(origin: str, host: str, settings: Settings) -> bool:
    """Tell whether a page of this origin may call: one that is listed, one of this server, or one of this machine."""
    origin = origin.strip().lower()
    if "*" in settings.allowed_origins or origin in settings.allowed_origins:
        return True
    try:
        parts = urlsplit(origin)
    except ValueError:
        return False
    plain = parts.scheme in {"http", "https"} and origin == f"{parts.scheme}://{parts.netloc}"
    if not plain or "@" in parts.netloc:
        return False
    return parts.netloc == host.strip().lower() or _is_local(parts.netloc, settings)


def _is_local(netloc: str, settings: Settings) -> bool:
    local = {"localhost", "127.0.0.1", "[::1]"}
    name = _without_port(netloc)
    return name in local and name in settings.allowed_hosts


def _has_port(host: str) -> bool:
    name, colon, port = host.rpartition(":")
    return bool(colon and name) and port.isascii() and port.isdigit() and len(port) <= 5


def _without_port(host: str) -> str:
    return host.rpartition(":")[0] if _has_port(host) else host
