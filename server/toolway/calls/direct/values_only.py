"""Calls of endpoints that take only values, without anything that such endpoints cannot see.

Most of the cost of a simple request is the request object, exit stacks, headers, and the router. The rest is done by
FastAPI's own functions, so that the endpoint receives the same values and its response has the same bytes. An exception
goes through the application's exception handlers, as they were when its middleware stack was built.
"""

from __future__ import annotations

from contextlib import AsyncExitStack
from typing import Any

from fastapi import Request, routing
from fastapi.dependencies import utils
from fastapi.exceptions import RequestValidationError
from pydantic_core import PydanticUndefined
from starlette.datastructures import QueryParams
from starlette.responses import Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from toolway.calls.direct.direct_endpoint import DirectEndpoint, Parameters, set_body
from toolway.calls.reply import JsonReply
from toolway.calls.request.request_builder import RequestValues

__all__ = ["ValuesOnlyEndpoint"]

_routing: Any = routing  # its private functions are covered by fingerprints


class ValuesOnlyEndpoint:
    """An endpoint that is called with the values of a request alone."""

    def __init__(self, endpoint: DirectEndpoint) -> None:
        config = endpoint.config
        self._endpoint = endpoint
        self._config = config
        self._path = Parameters(config.dependant.path_params, "path")
        self._query = Parameters(config.dependant.query_params, "query")

    async def call(self, parts: RequestValues) -> JsonReply | ASGIApp:
        """Call the endpoint.

        Returns:
            The serialized response. If the endpoint returned a response of its own or raised an exception, an ASGI
            application that ends the request with that.
        """
        outcome = await self._call(parts)
        if isinstance(outcome, JsonReply):
            return outcome

        async def run(scope: Scope, receive: Receive, send: Send) -> None:
            if self._config.takes_body:
                await receive()
            router_scope = self._endpoint.router_scope(self._endpoint.path_values(parts) or {})
            root_path = self._endpoint.app.root_path or scope["root_path"]
            async with AsyncExitStack() as stack:
                entered = {**scope, **router_scope, **self._endpoint.endpoint_scope(stack), "root_path": root_path}
                await self._finish(outcome, parts, entered, receive, send)

        return run

    async def run(self, parts: RequestValues, scope: Scope, receive: Receive, send: Send) -> None:
        """Respond to a request that was built from `parts`, was received, and whose scope is that of the endpoint."""
        outcome = await self._call(parts)
        if not isinstance(outcome, JsonReply):
            await self._finish(outcome, parts, scope, receive, send)
            return
        try:
            await outcome(scope, receive, send)
        except Exception as error:  # noqa: BLE001 - raised by middleware; exception handlers receive it like any other
            await self._finish(_started_and_failed(error), parts, scope, receive, _discard)

    async def _call(self, parts: RequestValues) -> JsonReply | Response | Exception:
        try:
            values = await self._values(parts)
            result = await routing.run_endpoint_function(
                dependant=self._config.dependant, values=values, is_coroutine=self._config.is_coroutine
            )
            if isinstance(result, Response):
                return result
            content: Any = await routing.serialize_response(response_content=result, **self._endpoint.serialization)
        except Exception as error:  # noqa: BLE001 - the application's code
            return error
        return self._endpoint.json_reply(parts, content)

    async def _values(self, parts: RequestValues) -> dict[str, Any]:
        """Return the endpoint's arguments, validated as FastAPI validates them."""
        dependant = self._config.dependant
        values, errors = self._path.read(parts.path)
        if dependant.query_params:
            # Of several values under one name, the last one counts in both.
            received = dict(parts.query) if self._query.is_simple else QueryParams(list(parts.query))
            found, more = self._query.read(received)
            values |= found
            errors += more
        if dependant.body_params:
            found, more = await utils.request_body_to_args(
                body_fields=dependant.body_params,
                received_body=parts.document,
                embed_body_fields=self._config.embeds,
            )
            values |= found
            errors += more
        if errors:
            body = None if parts.document is PydanticUndefined else parts.document
            raise RequestValidationError(errors, body=body, endpoint_ctx=self._endpoint.endpoint_ctx)
        return values

    async def _finish(
        self, outcome: ASGIApp | Exception, parts: RequestValues, scope: Scope, receive: Receive, send: Send
    ) -> None:
        """End a request within the exception handlers around the endpoint and around the router."""
        request = Request(scope, receive, send)
        if self._config.takes_body:
            set_body(request, parts)
        if isinstance(outcome, Exception):
            self._endpoint.attach_endpoint_ctx(outcome, scope.get("root_path", ""))

        async def respond(scope: Scope, receive: Receive, send: Send) -> None:
            if isinstance(outcome, Exception):
                raise outcome
            await outcome(scope, receive, send)

        handled = _routing.wrap_app_handling_exceptions(respond, request)
        await _routing.wrap_app_handling_exceptions(handled, Request(scope, receive, send))(scope, receive, send)


def _started_and_failed(error: Exception) -> ASGIApp:
    """Return an application that fails after it has started its response."""

    async def app(_: Scope, __: Receive, send: Send) -> None:
        await send({"type": "http.response.start"})
        raise error

    return app


async def _discard(_: Message) -> None: ...
