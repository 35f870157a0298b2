"""Calling an endpoint that takes values alone, past everything that such an endpoint never looks at.

Most of what a plain request costs goes there: the request object, exit stacks, headers, the router. FastAPI's own
functions for just the rest are called: the same values come to the same endpoint, and the same bytes come out. What
ends otherwise, ends in the application's own exception handlers, as they were when its stack was built.
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

from toolway.calls.direct.direct_endpoint import DirectEndpoint, JsonReply, keep_body
from toolway.calls.request.parameters import Parameters
from toolway.calls.request.request_builder import RequestValues

__all__ = ["PlainEndpoint"]

_routing: Any = routing  # whose functions are FastAPI's own affair, in releases that were read


class PlainEndpoint:
    """One endpoint that takes values alone, called as FastAPI calls it."""

    def __init__(self, reached: DirectEndpoint) -> None:
        made = reached.made
        self._reached = reached
        self._made = made
        self._path = Parameters(made.dependant.path_params, "path")
        self._query = Parameters(made.dependant.query_params, "query")

    async def answer(self, parts: RequestValues) -> JsonReply | ASGIApp:
        """Call the endpoint.

        Returns:
            What it answers; or, where that was a response of its own or an exception, what brings a request to its end
            that has not been anywhere else.
        """
        outcome = await self._called(parts)
        if isinstance(outcome, JsonReply):
            return outcome

        async def run(scope: Scope, receive: Receive, send: Send) -> None:
            if self._made.takes_body:
                await receive()
            noted = self._reached.noted(self._reached.path(parts) or {})
            root_path = self._reached.app.root_path or scope["root_path"]
            async with AsyncExitStack() as stack:
                entered = {**scope, **noted, **self._reached.entered(stack), "root_path": root_path}
                await self._end(outcome, parts, entered, receive, send)

        return run

    async def run(self, parts: RequestValues, scope: Scope, receive: Receive, send: Send) -> None:
        """Run a request to its end that was made of these parts, has been received, and has entered the endpoint."""
        outcome = await self._called(parts)
        if not isinstance(outcome, JsonReply):
            await self._end(outcome, parts, scope, receive, send)
            return
        try:
            await outcome(scope, receive, send)
        except Exception as error:  # noqa: BLE001 - middleware's, which the application's handlers get as any other
            await self._end(_begun(error), parts, scope, receive, _nowhere)

    async def _called(self, parts: RequestValues) -> JsonReply | Response | Exception:
        try:
            values = await self._values(parts)
            found = await routing.run_endpoint_function(
                dependant=self._made.dependant, values=values, is_coroutine=self._made.is_coroutine
            )
            if isinstance(found, Response):
                return found
            written: Any = await routing.serialize_response(response_content=found, **self._reached.writing)
        except Exception as error:  # noqa: BLE001 - the application's code
            return error
        return self._reached.answered(parts, written)

    async def _values(self, parts: RequestValues) -> dict[str, Any]:
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

    async def _end(
        self, outcome: ASGIApp | Exception, parts: RequestValues, scope: Scope, receive: Receive, send: Send
    ) -> None:
        """Bring a request to its end, within the handlers around an endpoint, and around the router."""
        request = Request(scope, receive, send)
        if self._made.takes_body:
            keep_body(request, parts)
        if isinstance(outcome, Exception):
            self._reached.say_where(outcome, scope.get("root_path", ""))

        async def ending(scope: Scope, receive: Receive, send: Send) -> None:
            if isinstance(outcome, Exception):
                raise outcome
            await outcome(scope, receive, send)

        handled = _routing.wrap_app_handling_exceptions(ending, request)
        await _routing.wrap_app_handling_exceptions(handled, Request(scope, receive, send))(scope, receive, send)


def _begun(error: Exception) -> ASGIApp:
    """What has begun to answer, and then failed."""

    async def failing(_: Scope, __: Receive, send: Send) -> None:
        await send({"type": "http.response.start"})
        raise error

    return failing


async def _nowhere(_: Message) -> None: ...
