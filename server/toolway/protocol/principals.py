"""Identities of callers, so that sessions, tasks and request states are bound to the caller who created them."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping
from typing import cast

from pydantic import BaseModel
from starlette.requests import Request
from starlette.types import Scope

from toolway.calls import CallContext, Invoker, Runner
from toolway.headers import differs_per_request, stays_with_connection
from toolway.openapi import NO_PARAMETERS, Operation, ParameterNames, read_guard_names
from toolway.protocol.http.request_scope import GUARD_KEY, http_context
from toolway.protocol.requests import RequestContext

__all__ = ["Identity", "Principals", "guard_parameters", "identity_for", "keep_guard_parameters"]

_USER_NAMES = ("identity", "id", "sub", "username", "email", "display_name")


def keep_guard_parameters(scope: Scope) -> Scope:
    """Return the scope of an MCP request with the parameters of the dependencies that guard its path.

    The scope has the route only while FastAPI handles the request.
    """
    names = read_guard_names(scope)
    return scope if names == NO_PARAMETERS else {**scope, GUARD_KEY: names}


class Identity(BaseModel):
    """The parts of a request that identify its caller."""

    headers: list[str] = []
    query: list[str] = []
    cookies: list[str] = []
    user: bool = False
    """Whether `scope["user"]`, as set by a server or middleware, is one of them."""

    def read(self, call: CallContext) -> bytes:
        """Return the values of these parts; empty if the request has none of them."""
        names = {name.encode("latin-1") for name in self.headers}
        headers = [(name, value.strip(b" \t")) for name, value in call.headers if name in names]
        query = [(_escape(key), _escape(value)) for key, value in call.query if key in self.query]
        cookies = [(b"cookie", pair) for _, pair in call.cookies(frozenset(self.cookies))]
        user = [(b"user", _escape(key))] if self.user and (key := _user_key(call.outer.get("user"))) else []
        found = (*sorted(headers), *sorted(query), *sorted(cookies), *user)
        return b"\n".join(key + b"\0" + value for key, value in found)


def identity_for(operations: Iterable[Operation], runners: Iterable[Runner], guard: ParameterNames) -> Identity:
    """Return the parts of a request that operations and a guard read from the caller."""
    names = guard
    for operation in operations:
        names |= operation.caller_names
    forwarded = (name.decode("latin-1") for runner in runners for name in runner.forwarded)
    headers = {"authorization", *names.headers, *forwarded}
    return Identity(
        headers=sorted(name for name in headers if not stays_with_connection(name) and not differs_per_request(name)),
        query=sorted(names.query),
        cookies=sorted(names.cookies),
        user=True,
    )


def guard_parameters(request: object) -> ParameterNames:
    """Return the parameters of the dependencies that guard the path of an MCP request; empty over stdio."""
    return request.scope.get(GUARD_KEY, NO_PARAMETERS) if isinstance(request, Request) else NO_PARAMETERS


class Principals:
    """Identifies callers by everything that any tool or guard reads from them, the same parts for every request."""

    def __init__(self, calls: Invoker) -> None:
        self._calls = calls
        self._tools: object = None
        self._identities: dict[ParameterNames, Identity] = {}

    def for_context(self, context: RequestContext) -> str | None:
        """Return the id of the caller; None for a caller without credentials, and over stdio."""
        request: object = context.request
        return self.for_scope(request.scope) if isinstance(request, Request) else None

    def for_scope(self, scope: Scope) -> str | None:
        """Return the id of the caller of a request; None if nothing in it identifies a caller."""
        return self.for_call(http_context(scope, None))

    def for_call(self, call: CallContext) -> str | None:
        """Return the id of the caller of a tool; None if nothing in its request identifies a caller."""
        found = self._identity(call.guard).read(call)
        return hashlib.sha256(found).hexdigest() if found else None

    def _identity(self, guard: ParameterNames) -> Identity:
        tools = self._calls.tools
        if self._tools is not tools:
            self._identities, self._tools = {}, tools
        if guard not in self._identities:
            operations = (tool.operation for tool in tools.values())
            self._identities[guard] = identity_for(operations, self._calls.runners.values(), guard)
        return self._identities[guard]


def _user_key(user: object) -> str:
    """Return a text that identifies a user; for an object of an unknown type, its `repr`."""
    if user is None or not getattr(user, "is_authenticated", True):
        return ""
    if isinstance(user, str):
        return user
    for name in _USER_NAMES:
        value = _member(user, name)
        if value is not None and value != "":
            return f"{name}={value}"
    return repr(user)


def _member(user: object, name: str) -> object:
    if isinstance(user, Mapping):
        return cast("Mapping[str, object]", user).get(name)
    try:
        return getattr(user, name, None)
    except NotImplementedError:  # Starlette's BaseUser, where a subclass has only another name for it
        return None


def _escape(text: str) -> bytes:
    """Encode a value without the separators that are used between values."""
    return text.replace("\0", "%00").replace("\n", "%0A").encode("utf-8", "surrogatepass")
