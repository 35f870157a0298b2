"""Calling an endpoint that may take more of a request than values, past the router.

Headers, cookies, dependencies, the request itself: all of that is found as FastAPI finds it, in a request that is like
any other, within the exit stacks and exception handlers of any other. What is left out is the way there, and to read
what has just been written. The way begins where the caller's own request has come to, or behind the application's
middleware, which the endpoint's request has then come through.
"""

from __future__ import annotations

from contextlib import AsyncExitStack
from functools import partial
from typing import Any

from fastapi import Request, routing
from fastapi.dependencies.utils import SolvedDependency, solve_dependencies
from fastapi.exceptions import RequestValidationError, ValidationException
from fastapi.responses import JSONResponse
from fastapi.utils import is_body_allowed_for_status_code
from pydantic_core import PydanticUndefined
from starlette.responses import Response
from starlette.types import ASGIApp, Receive, Scope, Send

from toolway._shortcut import Behind
from toolway.calls.bind import Parts
from toolway.calls.reached import Reached, handled
from toolway.calls.solver import solver_of
from toolway.calls.strictness import STRICT, is_strict

__all__ = ["SolvedEndpoint"]

_PARTS = "toolway.parts"
_routing: Any = routing  # whose functions are FastAPI's own affair, in releases that were read


class SolvedEndpoint:
    """One endpoint, for which FastAPI solves a request."""

    def __init__(self, reached: Reached) -> None:
        made = reached.made
        self._reached = reached
        self._app = reached.app
        self._made = made
        self._solver = solver_of(made.dependant, embeds=made.embeds)
        # Whoever gets hold of the request may change what it is made of.
        self._looks = self._solver is None or self._solver.takes_request
        self._response = _Strict if is_strict(made.response_field) else Response
        self._run = handled(reached.app, self._enter)
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

    def behind(self, parts: Parts, sent: Scope) -> Behind | None:
        """Return what runs a request to its end behind the application's middleware; None where the router has to.

        It does so once, and where the middleware has not led the request elsewhere.
        """
        path = self._path(parts)
        if path is None:
            return None
        way = sent["method"], sent["path"], self._app.root_path or sent["root_path"], self._app
        unused = [parts]

        async def run(app: ASGIApp, scope: Scope, receive: Receive, send: Send) -> None:
            is_there = way == (scope["method"], scope["path"], scope["root_path"], scope["app"])
            if is_there and unused and "fastapi" not in scope:
                own = self._noted(unused.pop(), {**scope.get("path_params", {}), **path})
                # in place, as the router does
                scope.update({**own, "router": scope.get("router", own["router"])})
                app = self._run
            await app(scope, receive, send)

        return run

    def _path(self, parts: Parts) -> dict[str, Any] | None:
        """The path's values, in its order; None for some that the router has to refuse."""
        try:
            return {name: it.convert(parts.path[name]) for name, it in self._reached.route.param_convertors.items()}
        except ValueError:
            return None

    def _noted(self, parts: Parts, path: dict[str, Any]) -> dict[str, Any]:
        return {**self._reached.noted(path), _PARTS: parts}

    async def _enter(self, scope: Scope, receive: Receive, send: Send) -> None:
        async with AsyncExitStack() as stack:
            scope["fastapi_middleware_astack"] = stack
            await self._handle(scope, receive, send)

    async def _answer(self, request: Request) -> Response:
        parts: Parts = request.scope.pop(_PARTS)
        if self._looks or STRICT not in request.scope:
            _ = request.headers, request.query_params, request.cookies  # which FastAPI has read before any dependency
        if self._made.body_field is not None and not await _has_body(request, parts):
            return await self._made.handle(request)
        try:
            return await self._solved(request, PydanticUndefined if self._made.body_field is None else parts.document)
        except ValidationException as error:
            self._reached.say_where(error, request.scope["root_path"])
            raise

    async def _solved(self, request: Request, document: object) -> Response:
        solved = await self._values(request, document)
        found = await routing.run_endpoint_function(
            dependant=self._made.dependant, values=solved.values, is_coroutine=self._made.is_coroutine
        )
        if isinstance(found, Response):
            if found.background is None:
                found.background = solved.background_tasks
            return found
        return self._written(await routing.serialize_response(response_content=found, **self._reached.writing), solved)

    async def _values(self, request: Request, document: object) -> SolvedDependency:
        overrides = getattr(self._made.overrides_provider, "dependency_overrides", None)
        if self._solver is not None and not overrides:
            solved = await self._solver.solve(request, document)
        else:
            solved = await self._left_to_fastapi(request, document)
        if solved.errors:
            body = None if document is PydanticUndefined else document
            raise RequestValidationError(solved.errors, body=body, endpoint_ctx=self._reached.here)
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


async def _has_body(request: Request, parts: Parts) -> bool:
    """Tell whether a request has the body that was sent, and keep what is in it; FastAPI has to read any other."""
    try:
        body = await request.body()
    except Exception as error:  # noqa: BLE001 - middleware's, and FastAPI knows what it means
        vars(request)["body"] = partial(_failing, error)
        return False
    if body != (parts.body or b"") or request.headers.get("content-type") != parts.media_type:
        return False
    if parts.document is not PydanticUndefined:
        vars(request)["_json"] = parts.document  # as `json()` does, which an endpoint may call, too
    return True


async def _failing(error: Exception) -> bytes:
    raise error


class _Strict(Response):
    """JSON of which is known that it is strict, and that says so where nobody can change it on its way."""

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        start = {"type": "http.response.start", "status": self.status_code, "headers": self.raw_headers}
        await send({**start, STRICT: bool(self.body)} if STRICT in scope else start)
        await send({"type": "http.response.body", "body": self.body})
        if self.background is not None:
            await self.background()
