"""Calling an endpoint that may take more of a request than values, past the router.

Headers, cookies, dependencies, the request itself: all of that is found as FastAPI finds it, in a request that is like
any other, within the exit stacks and exception handlers of any other. What is left out is the way there, and to read
what has just been written.
"""

from __future__ import annotations

from contextlib import AsyncExitStack
from functools import partial
from typing import Any, cast

from fastapi import Request, routing
from fastapi.dependencies.utils import SolvedDependency, solve_dependencies
from fastapi.exceptions import RequestValidationError, ValidationException
from fastapi.responses import JSONResponse
from fastapi.utils import is_body_allowed_for_status_code
from pydantic_core import PydanticUndefined
from starlette.responses import Response
from starlette.types import ASGIApp, Receive, Scope, Send

from toolway._shortcut import HANDLER_KEY
from toolway.calls.direct.dependency_solver import is_untouched, solver_of
from toolway.calls.direct.direct_endpoint import DirectEndpoint, JsonReply, handled, keep_body
from toolway.calls.request.request_builder import RequestValues

__all__ = ["SolvedEndpoint"]

_PARTS = "toolway.parts"
_routing: Any = routing  # whose functions are FastAPI's own affair, in releases that were read


class SolvedEndpoint:
    """One endpoint, for which FastAPI solves a request."""

    def __init__(self, reached: DirectEndpoint) -> None:
        made = reached.made
        self._reached = reached
        self._made = made
        self._solver = solver_of(made.dependant, embeds=made.embeds)
        # Whoever gets hold of the request may change what it is made of.
        self._looks = self._solver is None or self._solver.takes_request
        self._has_plain_end = made.response_field is not None and is_body_allowed_for_status_code(made.status_code)
        self._run = handled(reached.app, self._enter)
        self._handle = routing.request_response(cast("Any", self._answer))  # which runs whatever is an application

    async def answer(self, parts: RequestValues) -> ASGIApp:
        """Return what runs a request to its end that has not been anywhere else."""
        path = self._reached.path(parts)
        if path is None:
            return self._reached.app

        async def run(scope: Scope, receive: Receive, send: Send) -> None:
            root_path = self._reached.app.root_path or scope["root_path"]
            await self.run(parts, {**scope, **self._reached.noted(path), "root_path": root_path}, receive, send)

        return run

    async def run(self, parts: RequestValues, scope: Scope, receive: Receive, send: Send) -> None:
        """Run a request to its end that was made of these parts, and in which is noted that it has reached this."""
        scope[_PARTS] = parts
        await self._run(scope, receive, send)

    async def _enter(self, scope: Scope, receive: Receive, send: Send) -> None:
        async with AsyncExitStack() as stack:
            scope["fastapi_middleware_astack"] = stack
            await self._handle(scope, receive, send)

    async def _answer(self, request: Request) -> Response | JsonReply:
        parts: RequestValues = request.scope.pop(_PARTS)
        if self._made.takes_body and not await _has_body(request, parts):
            return await self._made.handle(request)
        if self._looks or HANDLER_KEY in request.scope:
            _ = request.headers, request.query_params, request.cookies  # which FastAPI has read before any dependency
        try:
            return await self._solved(request, parts)
        except ValidationException as error:
            self._reached.say_where(error, request.scope.get("root_path", ""))
            raise

    async def _solved(self, request: Request, parts: RequestValues) -> Response | JsonReply:
        solved = await self._values(request, parts.document if self._made.takes_body else PydanticUndefined)
        found = await routing.run_endpoint_function(
            dependant=self._made.dependant, values=solved.values, is_coroutine=self._made.is_coroutine
        )
        if isinstance(found, Response):
            if found.background is None:
                found.background = solved.background_tasks
            return found
        content: Any = await routing.serialize_response(response_content=found, **self._reached.writing)
        if self._has_plain_end and is_untouched(solved):
            return self._reached.answered(parts, content)
        return self._written(content, solved)

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
            response = Response(content, media_type="application/json", **options)
        if not is_body_allowed_for_status_code(response.status_code):
            response.body = b""
        response.raw_headers.extend(solved.response.raw_headers)
        return response


async def _has_body(request: Request, parts: RequestValues) -> bool:
    """Tell whether a request has the body that was sent, and keep what is in it; FastAPI has to read any other."""
    try:
        body = await request.body()
    except Exception as error:  # noqa: BLE001 - middleware's, and FastAPI knows what it means
        vars(request)["body"] = partial(_failing, request, error)
        return False
    if body != (parts.body or b"") or request.headers.get("content-type") != parts.media_type:
        return False
    keep_body(request, parts)
    return True


async def _failing(request: Request, error: Exception) -> bytes:
    del vars(request)["body"]  # whoever asks after that receives again
    raise error
