"""Calling an endpoint without the ASGI stack around it.

Most of what a plain request costs goes to what a plain endpoint never looks at: the request object, exit stacks,
headers, the router. Where nobody could tell the difference (`equivalence`), FastAPI's own functions for just the rest
are called: the same values come to the same endpoint, and the same bytes come out. What ends otherwise, ends in the
application's own exception handlers, as they were when its stack was built.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, NamedTuple, TypeAlias, cast

from fastapi import FastAPI, routing
from fastapi.dependencies import utils
from fastapi.exceptions import RequestValidationError, ValidationException
from pydantic_core import PydanticUndefined
from starlette.datastructures import QueryParams
from starlette.responses import Response
from starlette.types import ASGIApp, Receive, Scope, Send

from toolway.calls.bind import Parts
from toolway.calls.equivalence import Made, is_plain, is_solved, made_with
from toolway.calls.parameters import Parameters
from toolway.calls.reached import handled, noted, say_where
from toolway.calls.solved import SolvedEndpoint
from toolway.calls.stack import has_plain_stack, included_in, is_read
from toolway.calls.strictness import is_strict
from toolway.operations import Operation

__all__ = ["Answered", "DirectPath", "Endpoint"]


class Answered(NamedTuple):
    """What an endpoint answered, as FastAPI writes it."""

    status: int
    body: bytes
    is_strict: bool
    """Whether this surely is strict JSON."""


_UNKNOWN = None, None
_FOUND = "toolway.found"


class DirectPath:
    """The endpoints of one application that may be called without its ASGI stack."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app if isinstance(app, FastAPI) and is_read(app) else None
        self._stack: object = None
        self._is_plain = False
        self._including: Mapping[int, Any] = {}
        self._known: dict[tuple[str, str], tuple[Operation, _Called | None]] = {}

    def endpoint(self, operation: Operation, site: object) -> _Called | None:
        """Return what an operation calls, or None where the call has to go through the stack.

        Args:
            operation: what is called.
            site: the application whose stack the caller's own request has just come through, untraced; None where it
                has not.
        """
        app = self._app
        if app is None or site is not app:
            return None
        if app.middleware_stack is not self._stack:
            self._known, self._stack, self._is_plain = {}, app.middleware_stack, has_plain_stack(app)
            self._including = included_in(app.routes)
        key = operation.method, operation.path
        known, endpoint = self._known.get(key, _UNKNOWN)
        if known is not operation:  # the catalogue has been read again
            endpoint = self._found(app, operation) if self._is_plain else None
            self._known[key] = operation, endpoint
        return endpoint

    def _found(self, app: FastAPI, operation: Operation) -> _Called | None:
        made = made_with(operation)
        if made is None:
            return None
        context = getattr(operation.route, "_effective_route", None)
        including = self._including.get(id(context))
        if is_plain(operation, made):
            return Endpoint(app, operation, made, including)
        return SolvedEndpoint(app, operation, made, including) if is_solved(operation, made) else None


class Endpoint:
    """One endpoint that takes values alone, called as FastAPI calls it; the operation's route is the effective one."""

    def __init__(self, app: FastAPI, operation: Operation, made: Made, including: Any) -> None:
        self._app = app
        self._route: Any = operation.route
        self._including = including
        self._method = operation.method
        self._made = made
        # By which errors that come up here are known again; where that is, is read for them alone. FastAPI would not
        # keep an empty one.
        self._here: Any = {"function": getattr(made.dependant.call, "__name__", "")}
        self._writing = made.writing(self._here)
        self._path = Parameters(made.dependant.path_params, "path")
        self._query = Parameters(made.dependant.query_params, "query")
        self._status: int = made.status_code or 200
        self._is_strict = is_strict(made.response_field)
        self._end = handled(app, handled(app, _end))  # around an endpoint, and around the router

    async def answer(self, parts: Parts) -> Answered | ASGIApp:
        """Call the endpoint.

        Returns:
            What it answers; or, where that was a response of its own or an exception, what brings the request to its
            end.
        """
        try:
            values = await self._values(parts)
            found = await routing.run_endpoint_function(
                dependant=self._made.dependant, values=values, is_coroutine=self._made.is_coroutine
            )
            if not isinstance(found, Response):
                written = await routing.serialize_response(response_content=found, **self._writing)
                return Answered(self._status, cast("bytes", written), self._is_strict)
        except Exception as error:  # noqa: BLE001 - the application's code
            found = error
        return self._ending(parts, found)

    async def _values(self, parts: Parts) -> dict[str, Any]:
        """The endpoint's arguments, as FastAPI reads them from a request."""
        dependant = self._made.dependant
        values, wrong = self._path.read(parts.path)
        if dependant.query_params:
            texts = dict(parts.query) if self._query.is_simple else QueryParams(list(parts.query))
            found, more = self._query.read(texts)  # of several values under one name the last counts
            values |= found
            wrong += more
        if dependant.body_params:
            found, more = await utils.request_body_to_args(
                body_fields=dependant.body_params,
                received_body=parts.document,
                embed_body_fields=self._made.embeds,
            )
            values |= found
            wrong += more
        if wrong:
            body = None if parts.document is PydanticUndefined else parts.document
            raise RequestValidationError(wrong, body=body, endpoint_ctx=self._here)
        return values

    def _ending(self, parts: Parts, found: Response | Exception) -> ASGIApp:
        own = noted(self._app, self._route, self._including)
        path = {name: parts.path[name] for name in self._route.param_convertors}

        async def ending(scope: Scope, receive: Receive, send: Send) -> None:
            scope = {**scope, **own, "path_params": path, _FOUND: found}
            if isinstance(found, ValidationException) and found.endpoint_ctx is self._here:
                say_where(found, self._made.dependant, self._method, scope["root_path"])
            await self._end(scope, receive, send)

        return ending


_Called: TypeAlias = Endpoint | SolvedEndpoint


async def _end(scope: Scope, receive: Receive, send: Send) -> None:
    """End a request with what its endpoint has found."""
    found: Response | Exception = scope.pop(_FOUND)
    if isinstance(found, Exception):
        raise found
    await found(scope, receive, send)
