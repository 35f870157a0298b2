"""Telling callers apart, so that nobody uses what belongs to another."""

from __future__ import annotations

import hashlib
import json

from starlette.datastructures import QueryParams
from starlette.requests import Request
from starlette.types import Scope

from toolway.calls import Calls
from toolway.protocol.context import Context

__all__ = ["Principals"]


class Principals:
    """Tells callers apart by all credentials and forwarded headers that any tool sees: the same for every request."""

    def __init__(self, calls: Calls) -> None:
        self._calls = calls
        self._read: object = None
        self._headers: frozenset[bytes] = frozenset()
        self._query: frozenset[str] = frozenset()

    def of_call(self, context: Context) -> str | None:
        """Return what stands for the caller of a call; None for one without credentials, and over stdio."""
        request: object = context.request
        return self.of(request.scope) if isinstance(request, Request) else None

    def of(self, scope: Scope) -> str | None:
        """Return what stands for whoever sent a request; None where it has no credentials."""
        self._refresh()
        headers = [pair for pair in scope["headers"] if pair[0] in self._headers]
        query = [pair for pair in QueryParams(scope["query_string"]).multi_items() if pair[0] in self._query]
        if not headers and not query:
            return None
        known = sorted((name.decode("latin-1"), value.decode("latin-1")) for name, value in headers)
        return hashlib.sha256(json.dumps([known, sorted(query)]).encode()).hexdigest()

    def _refresh(self) -> None:
        tools = self._calls.tools
        if self._read is not tools:
            credentials = [tool.operation.credentials for tool in tools.values()]
            names = (name.lower().encode("latin-1") for entry in credentials for name in entry.headers)
            forwarded = (name for dispatcher in self._calls.dispatchers.values() for name in dispatcher.forwarded)
            self._headers = frozenset((b"authorization", *names, *forwarded))
            self._query = frozenset(name for entry in credentials for name in entry.query)
            self._read = tools
