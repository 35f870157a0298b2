"""Calling an endpoint without the ASGI stack around it.

Most of what a plain request costs goes to what a plain endpoint never looks at: the request object, exit stacks,
headers, the router. Where nobody could tell the difference (`equivalence`), FastAPI's own functions for just the rest
are called: the same values come to the same endpoint, and the same bytes come out. What ends otherwise, ends in the
application's own exception handlers, as they were when its stack was built.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, NamedTuple, TypeAlias, TypeVar, cast

from fastapi import FastAPI, routing
from fastapi.dependencies import utils
from fastapi.exceptions import RequestValidationError
from pydantic_core import PydanticUndefined
from starlette.datastructures import QueryParams
from starlette.responses import Response
from starlette.types import ASGIApp, Receive, Scope, Send

from toolway.calls.bind import Parts
from toolway.calls.equivalence import Made, is_plain, is_solved, made_with
from toolway.calls.parameters import Parameters
from toolway.calls.reached import Reached, handled
from toolway.calls.solved import SolvedEndpoint
from toolway.calls.stack import has_plain_end, has_plain_stack, held_by, is_read
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
_Called = TypeVar("_Called")
_Known: TypeAlias = dict[tuple[str, str], tuple[Operation, _Called | None]]
"""What is known of operations, by method and path."""


class DirectPath:
    """The endpoints of one application that may be called without its ASGI stack, or without what ends it."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app if isinstance(app, FastAPI) and is_read(app) else None
        self._stack: object = None
        self._is_plain = self._has_plain_end = False
        self._held: Mapping[int, Mapping[str, Any]] = {}
        self._known: _Known[Endpoint | SolvedEndpoint] = {}
        self._known_behind: _Known[SolvedEndpoint] = {}

    def endpoint(self, operation: Operation, site: object) -> Endpoint | SolvedEndpoint | None:
        """Return what an operation calls, or None where the call has to go through the stack.

        Args:
            operation: what is called.
            site: the application whose stack the caller's own request has just come through, untraced; None where it
                has not.
        """
        app = self._app
        if app is None or site is not app:
            return None
        self._look_at(app)
        return _kept(self._known, operation, self._found) if self._is_plain else None

    def behind(self, operation: Operation) -> SolvedEndpoint | None:
        """Return what an operation calls behind the application's middleware, or None where the router finds that."""
        if self._app is None:
            return None
        self._look_at(self._app)
        return _kept(self._known_behind, operation, self._solved) if self._has_plain_end else None

    def _look_at(self, app: FastAPI) -> None:
        if app.middleware_stack is not self._stack:
            self._known, self._known_behind, self._stack = {}, {}, app.middleware_stack
            self._is_plain, self._has_plain_end = has_plain_stack(app), has_plain_end(app)
            self._held = held_by(app)

    def _found(self, operation: Operation) -> Endpoint | SolvedEndpoint | None:
        made = made_with(operation)
        if self._app is not None and made is not None and is_plain(operation, made):
            return Endpoint(self._reached(self._app, operation, made))
        return self._solved(operation)

    def _solved(self, operation: Operation) -> SolvedEndpoint | None:
        made = made_with(operation)
        if self._app is None or made is None or not is_solved(operation, made):
            return None
        return SolvedEndpoint(self._reached(self._app, operation, made))

    def _reached(self, app: FastAPI, operation: Operation, made: Made) -> Reached:
        held = self._held.get(id(getattr(operation.route, "_effective_route", operation.route)))
        return Reached(app, operation, made, held)


def _kept(known: _Known[_Called], operation: Operation, find: Callable[[Operation], _Called | None]) -> _Called | None:
    key = operation.method, operation.path
    last, endpoint = known.get(key, _UNKNOWN)
    if last is not operation:  # the catalogue has been read again
        endpoint = find(operation)
        known[key] = operation, endpoint
    return endpoint


class Endpoint:
    """One endpoint that takes values alone, called as FastAPI calls it."""

    def __init__(self, reached: Reached) -> None:
        made = reached.made
        self._reached = reached
        self._made = made
        self._path = Parameters(made.dependant.path_params, "path")
        self._query = Parameters(made.dependant.query_params, "query")
        self._status: int = made.status_code or 200
        self._is_strict = is_strict(made.response_field)
        self._end = handled(reached.app, handled(reached.app, _end))  # around an endpoint, and around the router

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
                written = await routing.serialize_response(response_content=found, **self._reached.writing)
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
            raise RequestValidationError(wrong, body=body, endpoint_ctx=self._reached.here)
        return values

    def _ending(self, parts: Parts, found: Response | Exception) -> ASGIApp:
        reached = self._reached
        own = reached.noted({name: parts.path[name] for name in reached.route.param_convertors})

        async def ending(scope: Scope, receive: Receive, send: Send) -> None:
            root_path = reached.app.root_path or scope["root_path"]
            if isinstance(found, Exception):
                reached.say_where(found, root_path)
            await self._end({**scope, **own, "root_path": root_path, _FOUND: found}, receive, send)

        return ending


async def _end(scope: Scope, receive: Receive, send: Send) -> None:
    """End a request with what its endpoint has found."""
    found: Response | Exception = scope.pop(_FOUND)
    if isinstance(found, Exception):
        raise found
    await found(scope, receive, send)
