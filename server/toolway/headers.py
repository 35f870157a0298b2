"""The kinds of HTTP headers that decide what reaches an endpoint; all names are in lower case."""

from __future__ import annotations

__all__ = [
    "CLIENT_HEADERS",
    "differs_per_request",
    "is_asserted_by_proxy",
    "is_connection_header",
    "is_set_by_http_client",
    "stays_with_connection",
]

CLIENT_HEADERS = frozenset({"referer", "user-agent"})
"""Headers that every MCP client sends; they are not forwarded to a remote API."""

# Headers of the connection (RFC 9110, section 7.6.1), of the MCP message, and the browser's own credentials.
_CONNECTION = frozenset(
    {
        "accept", "accept-encoding", "connection", "cookie", "expect", "host", "keep-alive", "proxy-authenticate",
        "proxy-authorization", "proxy-connection", "te", "trailer", "transfer-encoding", "upgrade",
    }
)  # fmt: skip
_CONNECTION_PREFIXES = ("content-", "mcp-")
_TOOLWAY_PREFIX = "toolway-"  # answers to questions over plain HTTP, which a tool call must not set
_SET_BY_HTTP_CLIENT = frozenset({"accept", "content-length", "content-type", "host"})

# A client sets these for each request, so they do not identify a caller.
_PER_REQUEST = frozenset(
    {
        "b3", "baggage", "idempotency-key", "if-match", "if-modified-since", "if-none-match", "if-range",
        "if-unmodified-since", "range", "request-id", "sentry-trace", "traceparent", "tracestate", "x-amzn-trace-id",
        "x-cloud-trace-context", "x-correlation-id", "x-request-id",
    }
)  # fmt: skip
_PER_REQUEST_PREFIXES = ("x-b3-", "x-datadog-")

# Endpoints trust these, because only a proxy, a gateway or a browser sets them.
_ASSERTED = frozenset(
    {
        "authorization", "cf-connecting-ip", "forwarded", "origin", "remote-user", "set-cookie", "true-client-ip",
        "via", "x-client-ip", "x-cluster-client-ip", "x-real-ip",
    }
)  # fmt: skip
_ASSERTED_PREFIXES = (
    "cf-access-", "sec-", "ssl-client-", "tailscale-", "x-amzn-oidc-", "x-auth-request-", "x-authentik-",
    "x-client-cert", "x-forwarded-", "x-goog-", "x-ms-client-principal", "x-ms-token-", "x-remote-", "x-ssl-client-",
)  # fmt: skip
_IDENTITY_WORDS = ("user", "email", "e-mail", "tenant", "role", "group", "account")


def stays_with_connection(name: str) -> bool:
    """Return whether a header belongs to the MCP request itself, so that it never reaches an endpoint."""
    return name in _CONNECTION or name.startswith(_CONNECTION_PREFIXES)


def is_connection_header(name: str) -> bool:
    """Return whether neither the caller nor an argument can set a header of the endpoint's request."""
    return stays_with_connection(name) or name.startswith(_TOOLWAY_PREFIX)


def is_set_by_http_client(name: str) -> bool:
    """Return whether every request to an endpoint has this header anyway."""
    return name in _SET_BY_HTTP_CLIENT


def differs_per_request(name: str) -> bool:
    """Return whether a header identifies a request instead of its caller."""
    return name in _PER_REQUEST or name.startswith(_PER_REQUEST_PREFIXES)


def is_asserted_by_proxy(name: str) -> bool:
    """Return whether endpoints trust a header or cookie of this name because only a proxy or a browser sets it."""
    name = name.replace("_", "-")
    if name in CLIENT_HEADERS:
        return False
    is_listed = name in _ASSERTED or name.startswith(_ASSERTED_PREFIXES)
    return is_listed or any(word in name for word in _IDENTITY_WORDS)
