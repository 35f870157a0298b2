"""Calls of endpoints that need more of a request than values, without the router.

Headers, cookies, dependencies and the request itself are solved as FastAPI solves them, from an ordinary request and
within the usual exit stacks and exception handlers. Only routing is skipped, and parsing a body that was just built.
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
from starlette.middleware.exceptions import ExceptionMiddleware
from starlette.responses import Response
from starlette.types import ASGIApp, Receive, Scope, Send

from toolway.calls.direct.dependency_solver import keeps_default_response, solver_for
from toolway.calls.direct.direct_endpoint import DirectEndpoint, set_body
from toolway.calls.direct.support import exception_handlers
from toolway.calls.reply import JsonReply
from toolway.calls.request.request_builder import RequestValues
from toolway.host.middleware import HANDLER_KEY

__all__ = ["InjectedEndpoint"]

_PARTS_KEY = "toolway.parts"
_routing: Any = routing  # its private functions are covered by fingerprints


class InjectedEndpoint:
    """An endpoint whose parameters are solved from a request."""

    def __init__(self, endpoint: DirectEndpoint) -> None:
        config = endpoint.config
        self._endpoint = endpoint
        self._config = config
        self._solver = solver_for(config.dependant, embeds=config.embeds)
        # A dependency that receives the request can change its scope.
        self._may_change_request = self._solver is None or self._solver.takes_request
        self._has_json_body = config.response_field is not None and is_body_allowed_for_status_code(config.status_code)
        app = endpoint.app
        self._app = ExceptionMiddleware(self._run_with_exit_stack, exception_handlers(app), debug=app.debug)
        self._handle = routing.request_response(cast("Any", self._respond))  # accepts any ASGI app as a response

    async def call(self, parts: RequestValues) -> ASGIApp:
        """Return an ASGI application that responds to a request with these values."""
        path = self._endpoint.path_values(parts)
        if path is None:
            return self._endpoint.app

        async def run(scope: Scope, receive: Receive, send: Send) -> None:
            root_path = self._endpoint.app.root_path or scope["root_path"]
            await self.run(parts, {**scope, **self._endpoint.router_scope(path), "root_path": root_path}, receive, send)

        return run

    async def run(self, parts: RequestValues, scope: Scope, receive: Receive, send: Send) -> None:
        """Respond to a request that was built from `parts`, and whose scope is that of the router."""
        scope[_PARTS_KEY] = parts
        await self._app(scope, receive, send)

    async def _run_with_exit_stack(self, scope: Scope, receive: Receive, send: Send) -> None:
        async with AsyncExitStack() as stack:
            scope["fastapi_middleware_astack"] = stack
            await self._handle(scope, receive, send)

    async def _respond(self, request: Request) -> Response | JsonReply:
        parts: RequestValues = request.scope.pop(_PARTS_KEY)
        if self._config.takes_body and not await _has_body_of(parts, request):
            return await self._config.handle(request)
        if self._may_change_request or HANDLER_KEY in request.scope:
            _ = request.headers, request.query_params, request.cookies  # FastAPI reads them before any dependency runs
        try:
            return await self._call_endpoint(request, parts)
        except ValidationException as error:
            self._endpoint.attach_endpoint_ctx(error, request.scope.get("root_path", ""))
            raise

    async def _call_endpoint(self, request: Request, parts: RequestValues) -> Response | JsonReply:
        solved = await self._solve(request, parts.document if self._config.takes_body else PydanticUndefined)
        result = await routing.run_endpoint_function(
            dependant=self._config.dependant, values=solved.values, is_coroutine=self._config.is_coroutine
        )
        if isinstance(result, Response):
            if result.background is None:
                result.background = solved.background_tasks
            return result
        content: Any = await routing.serialize_response(response_content=result, **self._endpoint.serialization)
        if self._has_json_body and keeps_default_response(solved):
            return self._endpoint.json_reply(parts, content)
        return self._response(content, solved)

    async def _solve(self, request: Request, document: object) -> SolvedDependency:
        overrides = getattr(self._config.overrides_provider, "dependency_overrides", None)
        if self._solver is not None and not overrides:
            solved = await self._solver.solve(request, document)
        else:
            solved = await solve_dependencies(
                request=request,
                dependant=self._config.dependant,
                body=document,
                dependency_overrides_provider=self._config.overrides_provider,
                async_exit_stack=request.scope["fastapi_inner_astack"],
                embed_body_fields=self._config.embeds,
            )
        if solved.errors:
            body = None if document is PydanticUndefined else document
            raise RequestValidationError(solved.errors, body=body, endpoint_ctx=self._endpoint.endpoint_ctx)
        return solved

    def _response(self, content: Any, solved: SolvedDependency) -> Response:
        """Create the response as FastAPI does."""
        config = self._config
        options = _routing._build_response_args(status_code=config.status_code, solved_result=solved)  # noqa: SLF001
        if config.response_field is None:
            response: Response = JSONResponse(content, **options)
        else:
            response = Response(content, media_type="application/json", **options)
        if not is_body_allowed_for_status_code(response.status_code):
            response.body = b""
        response.raw_headers.extend(solved.response.raw_headers)
        return response


async def _has_body_of(parts: RequestValues, request: Request) -> bool:
    """Return whether a request still has the body that was sent, and store that in it; FastAPI parses any other."""
    try:
        body = await request.body()
    except Exception as error:  # noqa: BLE001 - raised by middleware; FastAPI handles it when it reads the body
        vars(request)["body"] = partial(_raise_once, request, error)
        return False
    if body != (parts.body or b"") or request.headers.get("content-type") != parts.media_type:
        return False
    set_body(request, parts)
    return True


async def _raise_once(request: Request, error: Exception) -> bytes:
    del vars(request)["body"]
    raise error
