"""Who calls, and over what."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterable
from dataclasses import dataclass
from typing import TypeAlias

from toolway.operations import Operation
from toolway.settings import Settings

__all__ = ["CallContext", "Report"]

Report: TypeAlias = Callable[[float, float | None, str | None], Awaitable[None]]
"""Tells the caller of progress: how far, of how much, and a word."""


@dataclass(frozen=True, slots=True)
class CallContext:
    """What a call brings with it besides its arguments."""

    headers: tuple[tuple[bytes, bytes], ...] = ()
    """Headers of the request that carried the call; names in lower case."""
    query: tuple[tuple[str, str], ...] = ()
    """Query of the address that the call was sent to."""
    client: tuple[str, int] | None = ("127.0.0.1", 0)
    scheme: str | None = None
    """None takes the one of the setting `base_url`."""
    root_path: str = ""
    report: Report | None = None

    @classmethod
    def local(cls, settings: Settings) -> CallContext:
        """A call that comes without HTTP: the settings say who calls."""
        if settings.authorization is None:
            return cls()
        return cls(headers=((b"authorization", settings.authorization.get_secret_value().encode("latin-1")),))

    def credentials(self, operation: Operation) -> Iterable[tuple[bytes, bytes]]:
        """The headers that go through to the endpoint: the caller's identity, and nothing else of the connection."""
        wanted = {b"authorization", *(name.encode("latin-1") for name in operation.credentials.headers)}
        return (header for header in self.headers if header[0] in wanted and not _is_withheld(header[0]))

    def query_credentials(self, operation: Operation) -> Iterable[tuple[str, str]]:
        return (pair for pair in self.query if pair[0] in operation.credentials.query)


# An operation may declare any header as its security; these stay with the connection all the same.
_WITHHELD = frozenset(
    {
        b"connection", b"content-encoding", b"content-length", b"content-type", b"cookie", b"expect", b"host",
        b"keep-alive", b"proxy-authenticate", b"proxy-authorization", b"te", b"trailer", b"transfer-encoding",
        b"upgrade",
    }
)  # fmt: skip


def _is_withheld(name: bytes) -> bool:
    return name in _WITHHELD or name.startswith(b"mcp-")
