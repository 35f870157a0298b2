"""How an endpoint reaches the call that it serves.

The dispatcher leaves the call's context in the ASGI scope. FastAPI dependencies find it there through whatever
middleware; where it is missing, the request came over plain HTTP.
"""

from __future__ import annotations

from starlette.requests import HTTPConnection

from toolway.calls.context import CallContext

__all__ = ["CONTEXT_KEY", "context_of"]

CONTEXT_KEY = "toolway"
"""Its place in the scope."""


def context_of(connection: HTTPConnection) -> CallContext | None:
    """Return the context of the call that a request was made for; None for a request over plain HTTP."""
    return connection.scope.get(CONTEXT_KEY)
