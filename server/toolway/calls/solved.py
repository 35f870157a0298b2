"""Calling an endpoint that takes more of a request than values, past the router and all that stands before it.

Headers, cookies, dependencies, the request itself: all of that FastAPI's own solver finds, from a request that is like
any other, within the exit stacks and exception handlers of any other. What is left out is the way there, reading the
body that has just been written, and writing headers that nobody reads.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from fastapi import FastAPI, Request, routing
from fastapi.dependencies import utils as solver
from fastapi.exceptions import RequestValidationError, ValidationException
from fastapi.responses import JSONResponse
from fastapi.utils import is_body_allowed_for_status_code
from pydantic_core import PydanticUndefined
from starlette.responses import Response
from starlette.types import ASGIApp, Receive, Scope, Send

from toolway.calls.bind import Parts
from toolway.calls.equivalence import is_coroutine
from toolway.calls.reached import handled, noted, say_where
from toolway.calls.solver import solver_of
from toolway.calls.strictness import STRICT, is_strict
from toolway.operations import Operation

__all__ = ["SolvedEndpoint", "writing"]

_LEAVING_OUT = ("include", "exclude", "exclude_unset", "exclude_defaults", "exclude_none")
_PARTS = "toolway.parts"
_routing: Any = routing  # whose functions are FastAPI's own affair, in releases that were read


class SolvedEndpoint:
    """One endpoint, for which FastAPI solves a request; the route is the effective one, routers included."""

    def __init__(self, app: FastAPI, operation: Operation) -> None:
        route: Any = operation.route
        self._app = app
        self._route = route
        self._method = operation.method
        self._convertors: Mapping[str, Any] = route.param_convertors
        self._here: Any = {"function": getattr(route.endpoint, "__name__", "")}
        self._is_coroutine = is_coroutine(route.endpoint)
        self._solver = solver_of(route.dependant, embeds=route._embed_body_fields)  # noqa: SLF001
        self._writing = writing(route, self._here)
        self._response = _Strict if is_strict(route.response_field) else Response
        self._run = handled(app, routing.request_response(self._answer))

    async def answer(self, parts: Parts) -> ASGIApp:
        """Return what runs the request to its end."""
        path = {name: self._convertors[name].convert(text) for name, text in parts.path.items()}
        own = {**noted(self._app, self._route, path), _PARTS: parts}

        async def run(scope: Scope, receive: Receive, send: Send) -> None:
            await self._run({**scope, **own}, receive, send)

        return run

    async def _answer(self, request: Request) -> Response:
        parts: Parts = request.scope.pop(_PARTS)
        try:
            return await self._solved(request, PydanticUndefined if self._route.body_field is None else parts.document)
        except ValidationException as error:
            if error.endpoint_ctx is self._here:
                say_where(error, self._route, self._method, request.scope["root_path"])
            raise

    async def _solved(self, request: Request, document: object) -> Response:
        if self._route.body_field is not None:
            await request.body()  # as whatever reads it later, too, gets it from there
        solved = await self._values(request, document)
        found = await routing.run_endpoint_function(
            dependant=self._route.dependant, values=solved.values, is_coroutine=self._is_coroutine
        )
        if isinstance(found, Response):
            if found.background is None:
                found.background = solved.background_tasks
            return found
        return self._written(await routing.serialize_response(response_content=found, **self._writing), solved)

    async def _values(self, request: Request, document: object) -> solver.SolvedDependency:
        overrides = getattr(self._route.dependency_overrides_provider, "dependency_overrides", None)
        if self._solver is not None and not overrides:
            solved = await self._solver.solve(request, document)
        else:
            solved = await self._left_to_fastapi(request, document)
        if solved.errors:
            body = None if document is PydanticUndefined else document
            raise RequestValidationError(solved.errors, body=body, endpoint_ctx=self._here)
        return solved

    async def _left_to_fastapi(self, request: Request, document: object) -> solver.SolvedDependency:
        return await solver.solve_dependencies(
            request=request,
            dependant=self._route.dependant,
            body=document,
            dependency_overrides_provider=self._route.dependency_overrides_provider,
            async_exit_stack=request.scope["fastapi_inner_astack"],
            embed_body_fields=self._route._embed_body_fields,  # noqa: SLF001
        )

    def _written(self, content: Any, solved: solver.SolvedDependency) -> Response:
        """Make the response, as FastAPI does."""
        route = self._route
        options = _routing._build_response_args(status_code=route.status_code, solved_result=solved)  # noqa: SLF001
        if route.response_field is None:
            response: Response = JSONResponse(content, **options)
        else:
            response = self._response(content, media_type="application/json", **options)
        if not is_body_allowed_for_status_code(response.status_code):
            response.body = b""
        response.raw_headers.extend(solved.response.raw_headers)
        return response


class _Strict(Response):
    """JSON of which is known that it is strict, and that says so."""

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        start = {"type": "http.response.start", "status": self.status_code, "headers": self.raw_headers}
        await send({**start, STRICT: bool(self.body)})
        await send({"type": "http.response.body", "body": self.body})
        if self.background is not None:
            await self.background()


def writing(route: Any, here: object) -> Mapping[str, Any]:
    """Return how FastAPI writes what an endpoint returns."""
    return {
        "field": route.response_field,
        "is_coroutine": is_coroutine(route.endpoint),
        "endpoint_ctx": here,
        "dump_json": route.response_field is not None,
        "by_alias": route.response_model_by_alias,
        **{name: getattr(route, f"response_model_{name}") for name in _LEAVING_OUT},
    }
