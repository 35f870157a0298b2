"""Headers that stay with the connection they came over; whatever asks for them, no endpoint gets them."""

from __future__ import annotations

__all__ = ["differs_per_request", "stays_with_connection"]

# Of the connection (RFC 9110, section 7.6.1), of the message that carried the call, and the browser's own credentials.
_NAMES = frozenset(
    {
        "accept", "accept-encoding", "connection", "cookie", "expect", "host", "keep-alive", "proxy-authenticate",
        "proxy-authorization", "proxy-connection", "te", "trailer", "transfer-encoding", "upgrade",
    }
)  # fmt: skip
_PREFIXES = ("content-", "mcp-")

# A client sets these anew for each request, so they cannot tell one caller from another.
_PER_REQUEST = frozenset(
    {
        "b3", "baggage", "idempotency-key", "if-match", "if-modified-since", "if-none-match", "if-range",
        "if-unmodified-since", "range", "request-id", "sentry-trace", "traceparent", "tracestate", "x-amzn-trace-id",
        "x-cloud-trace-context", "x-correlation-id", "x-request-id",
    }
)  # fmt: skip
_PER_REQUEST_PREFIXES = ("x-b3-", "x-datadog-")


def stays_with_connection(name: str) -> bool:
    """Tell whether a header, by its name in lower case, is no business of an endpoint that a tool call reaches."""
    return name in _NAMES or name.startswith(_PREFIXES)


def differs_per_request(name: str) -> bool:
    """Tell whether a header, by its name in lower case, identifies a request instead of its caller."""
    return name in _PER_REQUEST or name.startswith(_PER_REQUEST_PREFIXES)
