"""Who calls, and over what."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterable, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any, TypeAlias

from toolway._headers import stays_with_connection
from toolway.asking import Asking
from toolway.operations import Operation
from toolway.settings import Settings

__all__ = ["CallContext", "Report", "Say"]

Report: TypeAlias = Callable[[float, float | None, str | None], Awaitable[None]]
"""Tells the caller of progress: how far, of how much, and a word."""

Say: TypeAlias = Callable[[str, Any, str | None], Awaitable[None]]
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
    """Of the connection; None takes the one of the setting `base_url`."""
    root_path: str = ""
    keeps_root: bool = False
    """Whether the request that carried the call has the root path before its own path, too."""
    site: object = None
    """The application through whose whole stack that request came; None where nothing can be said of it."""
    is_task: bool = False
    """Whether the call runs as a task, after the request that started it."""
    stream_seconds: float | None = None
    """How long a streamed answer, or accepted work, is followed; None takes the settings."""
    report: Report | None = None
    """None where the caller did not ask to be told of progress."""
    say: Say | None = None
    """None where the caller did not ask for messages."""
    asking: Asking | None = None
    """None where nobody can be asked."""

    @classmethod
    def local(cls, settings: Settings) -> CallContext:
        """A call that comes without HTTP: the settings say who calls."""
        value = settings.authorization.get_secret_value().strip().encode("latin-1") if settings.authorization else b""
        return cls(headers=((b"authorization", value),)) if value else cls()

    def passed(self, operation: Operation, forwarded: frozenset[bytes]) -> list[tuple[bytes, bytes]]:
        """The headers that go through to the endpoint: the caller's identity, and what the operator forwards."""
        wanted = _passing(operation.credentials.headers, forwarded)
        return [(name, value.strip(b" \t")) for name, value in self.headers if name in wanted]

    def query_credentials(self, operation: Operation) -> Iterable[tuple[str, str]]:
        return (pair for pair in self.query if pair[0] in operation.credentials.query)


@lru_cache(maxsize=256)
def _passing(declared: frozenset[str], forwarded: frozenset[bytes]) -> frozenset[bytes]:
    """The names of the headers that go through, where an operation declares some as its credentials."""
    wanted = {b"authorization", *forwarded, *(name.encode("latin-1") for name in declared)}
    return frozenset(name for name in wanted if not stays_with_connection(name.decode("latin-1")))
