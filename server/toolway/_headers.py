"""Headers that stay with the connection they came over; whatever asks for them, no endpoint gets them."""

from __future__ import annotations

__all__ = ["stays_with_connection"]

# Of the connection (RFC 9110, section 7.6.1), of the message that carried the call, and the browser's own credentials.
_NAMES = frozenset(
    {
        "accept", "accept-encoding", "connection", "cookie", "expect", "host", "keep-alive", "proxy-authenticate",
        "proxy-authorization", "proxy-connection", "te", "trailer", "transfer-encoding", "upgrade",
    }
)  # fmt: skip
_PREFIXES = ("content-", "mcp-")


def stays_with_connection(name: str) -> bool:
    """Tell whether a header, by its name in lower case, is no business of an endpoint that a tool call reaches."""
    return name in _NAMES or name.startswith(_PREFIXES)
