"""Calling an endpoint that takes more of a request than values, past the router and all that stands before it.

Headers, cookies, dependencies, the request itself: all of that FastAPI's own solver finds, from a request that is like
any other, within the exit stacks and exception handlers of any other. What is left out is the way there, reading the
body that has just been written, and writing headers that nobody reads.
"""

from __future__ import annotations

from contextlib import AsyncExitStack
from typing import Any

from fastapi import FastAPI, HTTPException, Request, routing
from fastapi.dependencies.utils import SolvedDependency, solve_dependencies
from fastapi.exceptions import RequestValidationError, ValidationException
from fastapi.responses import JSONResponse
from fastapi.utils import is_body_allowed_for_status_code
from pydantic_core import PydanticUndefined
from starlette.responses import Response
from starlette.types import ASGIApp, Receive, Scope, Send

from toolway._shortcut import Behind
from toolway.calls.bind import Parts
from toolway.calls.equivalence import Made
from toolway.calls.reached import handled, noted, say_where
from toolway.calls.solver import solver_of
from toolway.calls.strictness import STRICT, is_strict
from toolway.operations import Operation

__all__ = ["SolvedEndpoint"]

_PARTS = "toolway.parts"
_routing: Any = routing  # whose functions are FastAPI's own affair, in releases that were read


class SolvedEndpoint:
    """One endpoint, for which FastAPI solves a request; the route is the effective one, routers included."""

    def __init__(self, app: FastAPI, operation: Operation, made: Made, including: Any) -> None:
        self._app = app
        self._route: Any = operation.route
        self._including = including
        self._method = operation.method
        self._made = made
        self._here: Any = {"function": getattr(made.dependant.call, "__name__", "")}
        self._solver = solver_of(made.dependant, embeds=made.embeds)
        self._writing = made.writing(self._here)
        self._response = _Strict if is_strict(made.response_field) else Response
        self._run = handled(app, self._enter)
        self._handle = routing.request_response(self._answer)

    async def answer(self, parts: Parts) -> ASGIApp:
        """Return what runs a request to its end that has not been anywhere else."""
        path = self._path(parts)
        if path is None:
            return self._app

        async def run(scope: Scope, receive: Receive, send: Send) -> None:
            root_path = self._app.root_path or scope["root_path"]
            await self._run({**scope, **self._noted(parts, path), "root_path": root_path, STRICT: True}, receive, send)

        return run

    def behind(self, parts: Parts, sent: Scope) -> Behind:
        """Return what runs a request to its end behind the application's middleware, unless that led it elsewhere."""
        path = self._path(parts)
        way = sent["method"], sent["path"], self._app.root_path or sent["root_path"], self._app

        async def run(app: ASGIApp, scope: Scope, receive: Receive, send: Send) -> None:
            if path is not None and way == (scope["method"], scope["path"], scope["root_path"], scope["app"]):
                scope.update(
                    self._noted(parts, {**scope.get("path_params", {}), **path})
                )  # in place, as the router does
                app = self._run
            await app(scope, receive, send)

        return run

    def _path(self, parts: Parts) -> dict[str, Any] | None:
        """The path's values, in its order; None for some that the router has to refuse."""
        try:
            return {name: it.convert(parts.path[name]) for name, it in self._route.param_convertors.items()}
        except ValueError:
            return None

    def _noted(self, parts: Parts, path: dict[str, Any]) -> dict[str, Any]:
        return {**noted(self._app, self._route, self._including), "path_params": path, _PARTS: parts}

    async def _enter(self, scope: Scope, receive: Receive, send: Send) -> None:
        async with AsyncExitStack() as stack:
            scope["fastapi_middleware_astack"] = stack
            await self._handle(scope, receive, send)

    async def _answer(self, request: Request) -> Response:
        parts: Parts = request.scope.pop(_PARTS)
        if not await self._is_as_sent(request, parts):
            return await self._made.handle(request)
        try:
            return await self._solved(request, PydanticUndefined if self._made.body_field is None else parts.document)
        except ValidationException as error:
            if error.endpoint_ctx is self._here:
                say_where(error, self._made.dependant, self._method, request.scope["root_path"])
            raise

    async def _is_as_sent(self, request: Request, parts: Parts) -> bool:
        """Read the body, if FastAPI would, and tell whether it is still what it was."""
        if self._made.body_field is None:
            return True
        try:
            is_same = await request.body() == (parts.body or b"")
        except HTTPException:
            raise
        except Exception as error:  # of middleware, which FastAPI takes for an error of the body
            raise HTTPException(400, "There was an error parsing the body") from error
        if is_same and parts.document is not PydanticUndefined:
            vars(request)["_json"] = parts.document  # as `json()` does, which an endpoint may call, too
        return is_same and request.headers.get("content-type") == parts.media_type

    async def _solved(self, request: Request, document: object) -> Response:
        solved = await self._values(request, document)
        found = await routing.run_endpoint_function(
            dependant=self._made.dependant, values=solved.values, is_coroutine=self._made.is_coroutine
        )
        if isinstance(found, Response):
            if found.background is None:
                found.background = solved.background_tasks
            return found
        return self._written(await routing.serialize_response(response_content=found, **self._writing), solved)

    async def _values(self, request: Request, document: object) -> SolvedDependency:
        overrides = getattr(self._made.overrides_provider, "dependency_overrides", None)
        if self._solver is not None and not overrides:
            solved = await self._solver.solve(request, document)
        else:
            solved = await self._left_to_fastapi(request, document)
        if solved.errors:
            body = None if document is PydanticUndefined else document
            raise RequestValidationError(solved.errors, body=body, endpoint_ctx=self._here)
        return solved

    async def _left_to_fastapi(self, request: Request, document: object) -> SolvedDependency:
        return await solve_dependencies(
            request=request,
            dependant=self._made.dependant,
            body=document,
            dependency_overrides_provider=self._made.overrides_provider,
            async_exit_stack=request.scope["fastapi_inner_astack"],
            embed_body_fields=self._made.embeds,
        )

    def _written(self, content: Any, solved: SolvedDependency) -> Response:
        """Make the response, as FastAPI does."""
        made = self._made
        options = _routing._build_response_args(status_code=made.status_code, solved_result=solved)  # noqa: SLF001
        if made.response_field is None:
            response: Response = JSONResponse(content, **options)
        else:
            response = self._response(content, media_type="application/json", **options)
        if not is_body_allowed_for_status_code(response.status_code):
            response.body = b""
        response.raw_headers.extend(solved.response.raw_headers)
        return response


class _Strict(Response):
    """JSON of which is known that it is strict, and that says so where nobody can change it on its way."""

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        start = {"type": "http.response.start", "status": self.status_code, "headers": self.raw_headers}
        await send({**start, STRICT: bool(self.body)} if STRICT in scope else start)
        await send({"type": "http.response.body", "body": self.body})
        if self.background is not None:
            await self.background()
