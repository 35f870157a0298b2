"""Calling an endpoint without the ASGI stack around it.

Most of what a plain request costs goes to what a plain endpoint never looks at: the request object, exit stacks,
headers, the router. Where nobody could tell the difference (`equivalence`), FastAPI's own functions for just the rest
are called: the same values come to the same endpoint, and the same bytes come out. What ends otherwise, ends in the
application's own exception handlers, as they were when its stack was built.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple, cast

from fastapi import FastAPI, routing
from fastapi.dependencies import utils as solver
from fastapi.exceptions import RequestValidationError, ValidationException
from pydantic_core import PydanticUndefined
from starlette.datastructures import QueryParams
from starlette.middleware.exceptions import ExceptionMiddleware
from starlette.responses import Response
from starlette.types import ASGIApp, Receive, Scope, Send

from toolway.calls.bind import Parts
from toolway.calls.equivalence import handlers_of, has_plain_stack, is_coroutine, is_plain, is_read
from toolway.calls.strictness import is_strict
from toolway.operations import Operation

__all__ = ["Answered", "DirectPath", "Endpoint"]


class Answered(NamedTuple):
    """What an endpoint answered, as FastAPI writes it."""

    status: int
    body: bytes
    is_strict: bool
    """Whether this surely is strict JSON."""


_LEAVING_OUT = ("include", "exclude", "exclude_unset", "exclude_defaults", "exclude_none")
_CONTEXT = ("function", "file", "line", "path")
_UNKNOWN = None, None
_FOUND = "toolway.found"
_solver: Any = solver  # whose functions are FastAPI's own affair, in releases that were read
_routing: Any = routing  # the same


class DirectPath:
    """The endpoints of one application that may be called without its ASGI stack."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app if isinstance(app, FastAPI) and is_read(app) else None
        self._stack: object = None
        self._is_plain = False
        self._known: dict[tuple[str, str], tuple[Operation, Endpoint | None]] = {}

    def endpoint(self, operation: Operation, site: object) -> Endpoint | None:
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
        key = operation.method, operation.path
        known, endpoint = self._known.get(key, _UNKNOWN)
        if known is not operation:  # the catalogue has been read again
            endpoint = Endpoint(app, operation) if self._is_plain and is_plain(operation) else None
            self._known[key] = operation, endpoint
        return endpoint


class Endpoint:
    """One endpoint, called as FastAPI calls it; the operation's route is the effective one, routers included."""

    def __init__(self, app: FastAPI, operation: Operation) -> None:
        route: Any = operation.route
        self._app = app
        self._route = route
        self._method = operation.method
        self._dependant = route.dependant
        self._is_coroutine: bool = is_coroutine(route.endpoint)
        # By which errors that come up here are known again; where that is, is read for them alone. FastAPI would not
        # keep an empty one.
        self._here: Any = {"function": getattr(route.endpoint, "__name__", "")}
        self._writing: Mapping[str, Any] = {
            "field": route.response_field,
            "is_coroutine": self._is_coroutine,
            "endpoint_ctx": self._here,
            "dump_json": True,
            "by_alias": route.response_model_by_alias,
            **{name: getattr(route, f"response_model_{name}") for name in _LEAVING_OUT},
        }
        self._path = _Parameters(route.dependant.path_params, "path")
        self._query = _Parameters(route.dependant.query_params, "query")
        self._status: int = route.status_code or 200
        self._is_strict = is_strict(route.response_field)
        self._end: ASGIApp = _end
        for _ in range(2):  # around an endpoint, and around the router
            self._end = ExceptionMiddleware(self._end, handlers_of(app), debug=app.debug)

    async def answer(self, parts: Parts) -> Answered | ASGIApp:
        """Call the endpoint.

        Returns:
            What it answers; or, where that was a response of its own or an exception, what brings the request to its
            end.
        """
        try:
            values = await self._values(parts)
            found = await routing.run_endpoint_function(
                dependant=self._dependant, values=values, is_coroutine=self._is_coroutine
            )
            if not isinstance(found, Response):
                written = await routing.serialize_response(response_content=found, **self._writing)
                return Answered(self._status, cast("bytes", written), self._is_strict)
        except Exception as error:  # noqa: BLE001 - the application's code
            found = error
        return self._ending(parts, found)

    async def _values(self, parts: Parts) -> dict[str, Any]:
        """The endpoint's arguments, as FastAPI reads them from a request."""
        dependant = self._dependant
        values, wrong = self._path.read(parts.path)
        if dependant.query_params:
            found, more = self._query.read(parts.query)
            values |= found
            wrong += more
        if dependant.body_params:
            found, more = await solver.request_body_to_args(
                body_fields=dependant.body_params,
                received_body=parts.document,
                embed_body_fields=self._route._embed_body_fields,  # noqa: SLF001
            )
            values |= found
            wrong += more
        if wrong:
            body = None if parts.document is PydanticUndefined else parts.document
            raise RequestValidationError(wrong, body=body, endpoint_ctx=self._here)
        return values

    def _ending(self, parts: Parts, found: Response | Exception) -> ASGIApp:
        app, route = self._app, self._route
        own = {
            "app": app,
            "router": app.router,
            "route": getattr(route, "original_route", route),
            "endpoint": route.endpoint,
            "path_params": dict(parts.path),
            _FOUND: found,
        }

        async def ending(scope: Scope, receive: Receive, send: Send) -> None:
            if isinstance(found, ValidationException) and found.endpoint_ctx is self._here:
                self._say_where(found, scope["root_path"])
            await self._end({**scope, **own}, receive, send)

        return ending

    def _say_where(self, error: Any, root_path: str) -> None:
        """Say of an error of FastAPI's own at which endpoint it came up; to read its source takes a while."""
        error.endpoint_ctx = {**_routing._extract_endpoint_context(self._route.endpoint)}  # noqa: SLF001
        if self._dependant.path:
            error.endpoint_ctx["path"] = f"{self._method} {root_path.rstrip('/')}{self._dependant.path}"
        for name in _CONTEXT:
            setattr(error, f"endpoint_{name}", error.endpoint_ctx.get(name))


async def _end(scope: Scope, receive: Receive, send: Send) -> None:
    """End a request with what its endpoint has found."""
    found: Response | Exception = scope.pop(_FOUND)
    if isinstance(found, Exception):
        raise found
    await found(scope, receive, send)


class _Parameters:
    """The parameters of one place.

    Most are single values under a single name. To find that out anew in each request takes FastAPI as long as the rest.
    """

    def __init__(self, fields: Sequence[Any], place: str) -> None:
        names = [(field, _only_name(field)) for field in fields]
        self._fields = fields
        self._place = place
        self._named = [(field, name) for field, name in names if name is not None]
        self._is_simple = len(self._named) == len(fields)

    def read(self, received: Mapping[str, str] | Sequence[tuple[str, str]]) -> tuple[dict[str, Any], list[Any]]:
        """Return the values by the endpoint's own names, and what is wrong with others."""
        if not self._is_simple:
            texts = received if isinstance(received, Mapping) else QueryParams(list(received))
            return solver.request_params_to_args(self._fields, texts)
        texts = dict(received)  # of several values under one name the last counts
        values: dict[str, Any] = {}
        wrong: list[Any] = []
        for field, name in self._named:
            value, errors = _solver._validate_value_with_model_field(  # noqa: SLF001
                field=field, value=texts.get(name, PydanticUndefined), values=values, loc=(self._place, name)
            )
            if errors:
                wrong += errors
            else:
                values[field.name] = value
        return values, wrong


def _only_name(field: Any) -> str | None:
    """The one name under which a single value is sent."""
    is_single = not (
        _solver._is_json_field(field)  # noqa: SLF001
        or _solver._get_param_model(field) is not None  # noqa: SLF001
        or _solver.field_annotation_is_sequence(field.field_info.annotation)
    )
    names = _solver._get_param_aliases(field)  # noqa: SLF001
    return names[0][1] if is_single and len(names) == 1 else None
