"""Telling callers apart, so that no caller can use what belongs to another."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping
from typing import cast

from pydantic import BaseModel
from starlette.datastructures import QueryParams
from starlette.requests import Request
from starlette.types import Scope

from toolway.calls import CallContext, Invoker, Runner
from toolway.headers import differs_per_request, stays_with_connection
from toolway.openapi import NO_PARAMETERS, Operation, ParameterNames, read_guard_names
from toolway.protocol.context import Context
from toolway.protocol.http.outer_scope import outer_scope

__all__ = ["Identity", "Principals", "guard_of", "identity_of", "keep_guard"]

_GUARD = "toolway.guard"
_USER_NAMES = ("identity", "id", "sub", "username", "email", "display_name")


def keep_guard(scope: Scope) -> Scope:
    """Return the scope of an MCP request with what the dependencies declare that guard the path of MCP.

    It is read when these have run, as FastAPI forgets the route that a request came through.
    """
    if "route" not in scope and "fastapi" not in scope:  # it came past the router, so nothing guards its path
        return scope
    names = read_guard_names(scope)
    return scope if names == NO_PARAMETERS else {**scope, _GUARD: names}


class Identity(BaseModel):
    """The parts of a request that tell callers apart."""

    headers: list[str] = []
    query: list[str] = []
    cookies: list[str] = []
    user: bool = False
    """Whether the user counts that a server or middleware has set on the request."""

    def read(self, call: CallContext) -> bytes:
        """Return the values of these parts; empty where the request has none of them."""
        names = {name.encode("latin-1") for name in self.headers}
        headers = [(name, value.strip(b" \t")) for name, value in call.headers if name in names]
        query = [(_escaped(key), _escaped(value)) for key, value in call.query if key in self.query]
        cookies = [(b"cookie", pair) for _, pair in call.cookies(frozenset(self.cookies))]
        user = [(b"user", _escaped(key))] if self.user and (key := _user_key(call.outer.get("user"))) else []
        found = (*sorted(headers), *sorted(query), *sorted(cookies), *user)
        return b"\n".join(key + b"\0" + value for key, value in found)


def identity_of(operations: Iterable[Operation], runners: Iterable[Runner], guard: ParameterNames) -> Identity:
    """Return what tells callers apart: all that operations and a guard take from them."""
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


def guard_of(request: object) -> ParameterNames:
    """Return what the dependencies declare that guard the path of an MCP request; nothing over stdio."""
    return request.scope.get(_GUARD, NO_PARAMETERS) if isinstance(request, Request) else NO_PARAMETERS


class Principals:
    """Tells callers apart by what any tool, or a guard, takes from them: the same parts for every request."""

    def __init__(self, calls: Invoker) -> None:
        self._calls = calls
        self._read: object = None
        self._identities: dict[ParameterNames, Identity] = {}

    def of_call(self, context: Context) -> str | None:
        """Return an id of the caller; None for one without credentials, and over stdio."""
        request: object = context.request
        return self.of(request.scope) if isinstance(request, Request) else None

    def of(self, scope: Scope) -> str | None:
        """Return an id of the caller who sent a request; None where nothing in it tells callers apart."""
        query = tuple(QueryParams(scope["query_string"]).multi_items())
        call = CallContext(headers=scope["headers"], query=query, outer=outer_scope(scope))
        found = self._identity(scope.get(_GUARD, NO_PARAMETERS)).read(call)
        return hashlib.sha256(found).hexdigest() if found else None

    def _identity(self, guard: ParameterNames) -> Identity:
        tools = self._calls.tools
        if self._read is not tools:
            self._identities, self._read = {}, tools
        if guard not in self._identities:
            operations = (tool.operation for tool in tools.values())
            self._identities[guard] = identity_of(operations, self._calls.runners.values(), guard)
        return self._identities[guard]


def _user_key(user: object) -> str:
    """Return what identifies a user; an object of an unknown kind is equal to itself alone."""
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


def _escaped(text: str) -> bytes:
    """Encode a value so that it does not run into the next one."""
    return text.replace("\0", "%00").replace("\n", "%0A").encode("utf-8", "surrogatepass")
