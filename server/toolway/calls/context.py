"""Who calls, and over what."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Any, TypeAlias

from toolway.elicitation import QuestionChannel
from toolway.headers import stays_with_connection
from toolway.openapi import Operation
from toolway.settings import Settings

__all__ = ["CallContext", "LogCallback", "Report"]

Report: TypeAlias = Callable[[float, float | None, str | None], Awaitable[None]]
"""Tells the caller of progress: how far, of how much, and a word."""

LogCallback: TypeAlias = Callable[[str, Any, str | None], Awaitable[None]]
"""Sends the caller a message for its log: how serious, what, and of which logger."""


@dataclass(slots=True)  # one for each call, and to freeze it takes four times as long
class CallContext:
    """What a call brings with it besides its arguments; never changed."""

    headers: Sequence[tuple[bytes, bytes]] = ()
    """Headers of the request that carried the call; names in lower case."""
    query: tuple[tuple[str, str], ...] = ()
    """Query of the address that the call was sent to."""
    client: tuple[str, int] | None = ("127.0.0.1", 0)
    scheme: str | None = None
    """Of the connection; None over stdio."""
    host: str = ""
    """The Host header of the MCP request, which has passed its check; empty over stdio."""
    root_path: str = ""
    root_in_path: bool = False
    """Whether the request that carried the call has the root path before its own path, too."""
    site: object = None
    """The application through whose whole stack that request came; None where nothing can be said of it."""
    app: object = None
    """The application that received that request; None where none did."""
    outer: Mapping[str, Any] = field(default_factory=dict[str, Any])
    """What a server, an outer application or middleware has set on that request: `user`, `auth` and `state` of its
    ASGI scope, where it has them."""
    outer_before_middleware: Mapping[str, Any] | None = None
    """The same before the middleware of `app`; None where that has none."""
    is_task: bool = False
    """Whether the call runs as a task, after the request that started it."""
    stream_seconds: float | None = None
    """How long a streamed answer, or accepted work, is followed; None takes the settings."""
    report: Report | None = None
    """None where the caller did not ask to be told of progress."""
    say: LogCallback | None = None
    """None where the caller did not ask for messages."""
    asking: QuestionChannel | None = None
    """None where nobody can be asked."""

    @classmethod
    def local(cls, settings: Settings) -> CallContext:
        """Make the context of a call without HTTP, whose credentials are in the settings."""
        headers = dict(settings.local_headers)
        if settings.authorization is not None:
            headers["authorization"] = settings.authorization
        values = {name: value.get_secret_value().strip() for name, value in headers.items()}
        return cls(
            headers=tuple((name.encode("latin-1"), value.encode("latin-1")) for name, value in values.items() if value),
            query=tuple((name, value.get_secret_value()) for name, value in settings.local_query.items()),
        )

    def passed(self, operation: Operation, forwarded: frozenset[bytes]) -> list[tuple[bytes, bytes]]:
        """Return the headers of the MCP request that the endpoint gets: declared and forwarded ones."""
        wanted = _passing(operation.caller_names.headers, forwarded)
        headers = [
            (name, value.strip(b" \t"))
            for name, value in self.headers
            if name in wanted and (name, value) != _ANY_LANGUAGE
        ]
        if operation.caller_names.cookies and (cookies := list(self.cookies(operation.caller_names.cookies))):
            headers.append((b"cookie", b"; ".join(pair for _, pair in cookies)))
        return headers

    def cookies(self, names: frozenset[str]) -> Iterator[tuple[str, bytes]]:
        """Yield those cookies of the MCP request that have one of these names, each as its name and as it was sent."""
        for header, value in self.headers:
            if header == b"cookie":
                for pair in value.split(b";"):
                    name = pair.partition(b"=")[0].strip().decode("latin-1")
                    if name in names:
                        yield name, pair.strip()

    def query_credentials(self, operation: Operation) -> Iterable[tuple[str, str]]:
        return (pair for pair in self.query if pair[0] in operation.credentials.query)


_ANY_LANGUAGE = (b"accept-language", b"*")
"""What JavaScript's fetch sends unless told otherwise; it says nothing of the caller."""


@lru_cache(maxsize=256)
def _passing(declared: frozenset[str], forwarded: frozenset[bytes]) -> frozenset[bytes]:
    """Return the names of the headers that reach an operation which declares some of them."""
    wanted = {b"authorization", *forwarded, *(name.encode("latin-1") for name in declared)}
    return frozenset(name for name in wanted if not stays_with_connection(name.decode("latin-1")))
