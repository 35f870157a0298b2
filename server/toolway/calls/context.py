"""The context of a tool call: its caller, and the MCP request that carried it.

The dispatcher puts it into the ASGI scope of the request to the application, where FastAPI dependencies find it. A
request without one came over plain HTTP.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Any, TypeAlias

from starlette.requests import HTTPConnection

from toolway.elicitation import QuestionChannel
from toolway.headers import stays_with_connection
from toolway.openapi import NO_PARAMETERS, Operation, ParameterNames
from toolway.settings import Settings

__all__ = ["CONTEXT_KEY", "CallContext", "LogCallback", "ProgressCallback", "context_of"]

CONTEXT_KEY = "toolway"
"""The key of a request's `CallContext` in its ASGI scope."""

ProgressCallback: TypeAlias = Callable[[float, float | None, str | None], Awaitable[None]]
"""Reports progress to the client: the progress, the total, and a message."""

LogCallback: TypeAlias = Callable[[str, Any, str | None], Awaitable[None]]
"""Sends a log message to the client: the level, the message, and the name of the logger."""


@dataclass(slots=True)  # one per call; creating a frozen one takes four times as long
class CallContext:
    """The context of a call besides its arguments; never modified."""

    headers: Sequence[tuple[bytes, bytes]] = ()
    """Headers of the MCP request; names in lower case."""
    query: tuple[tuple[str, str], ...] = ()
    """Query parameters in the URL of the MCP request."""
    client: tuple[str, int] | None = ("127.0.0.1", 0)
    scheme: str | None = None
    """Scheme of the MCP request; None over stdio."""
    host: str = ""
    """Host header of the MCP request, which is an allowed one; empty over stdio."""
    root_path: str = ""
    root_in_path: bool = False
    """Whether the path of the MCP request begins with the root path."""
    site: object = None
    """The application whose whole ASGI stack the MCP request has passed; None if that is unknown."""
    app: object = None
    """The application that received the MCP request; None over stdio."""
    outer: Mapping[str, Any] = field(default_factory=dict[str, Any])
    """`user`, `auth` and `state` of the ASGI scope, as far as a server, an outer application or middleware has set them
    on the MCP request."""
    outer_before_middleware: Mapping[str, Any] | None = None
    """The same before the middleware of `app`; None if it has no middleware."""
    is_task: bool = False
    """Whether the call runs as a task, after the request that started it."""
    stream_seconds: float | None = None
    """How long a streamed response or an accepted job is followed; defaults to the settings."""
    report: ProgressCallback | None = None
    """None if the client has not requested progress."""
    say: LogCallback | None = None
    """None if the client has not requested log messages."""
    asking: QuestionChannel | None = None
    """None if the user cannot be asked."""
    guard: ParameterNames = NO_PARAMETERS
    """The parameters of the dependencies that guard the path of the MCP request."""

    @classmethod
    def local(cls, settings: Settings) -> CallContext:
        """Return the context of a call without HTTP, whose credentials are in the settings."""
        headers = dict(settings.local_headers)
        if settings.authorization is not None:
            headers["authorization"] = settings.authorization
        values = {name: value.get_secret_value().strip() for name, value in headers.items()}
        return cls(
            headers=tuple((name.encode("latin-1"), value.encode("latin-1")) for name, value in values.items() if value),
            query=tuple((name, value.get_secret_value()) for name, value in settings.local_query.items()),
        )

    def forwarded_headers(self, operation: Operation, forwarded: frozenset[bytes]) -> list[tuple[bytes, bytes]]:
        """Return the headers of the MCP request that the endpoint receives: declared ones, and those in `forwarded`."""
        names = _forwarded_names(operation.caller_names.headers, forwarded)
        headers = [
            (name, value.strip(b" \t"))
            for name, value in self.headers
            if name in names and (name, value) != _ANY_LANGUAGE
        ]
        if operation.caller_names.cookies and (cookies := list(self.cookies(operation.caller_names.cookies))):
            headers.append((b"cookie", b"; ".join(pair for _, pair in cookies)))
        return headers

    def cookies(self, names: frozenset[str]) -> Iterator[tuple[str, bytes]]:
        """Yield the cookies of the MCP request with these names, each as its name and the pair as it was sent."""
        for header, value in self.headers:
            if header == b"cookie":
                for pair in value.split(b";"):
                    name = pair.partition(b"=")[0].strip().decode("latin-1")
                    if name in names:
                        yield name, pair.strip()

    def query_credentials(self, operation: Operation) -> Iterable[tuple[str, str]]:
        return (pair for pair in self.query if pair[0] in operation.credentials.query)


_ANY_LANGUAGE = (b"accept-language", b"*")
"""The default of JavaScript's fetch, which is not the user's language."""


@lru_cache(maxsize=256)
def _forwarded_names(declared: frozenset[str], forwarded: frozenset[bytes]) -> frozenset[bytes]:
    names = {b"authorization", *forwarded, *(name.encode("latin-1") for name in declared)}
    return frozenset(name for name in names if not stays_with_connection(name.decode("latin-1")))


def context_of(connection: HTTPConnection) -> CallContext | None:
    """Return the context of the call that a request was sent for; None for a request over plain HTTP."""
    return connection.scope.get(CONTEXT_KEY)
