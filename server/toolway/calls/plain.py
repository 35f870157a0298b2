"""Calling an endpoint that takes values alone, past everything that such an endpoint never looks at.

Most of what a plain request costs goes there: the request object, exit stacks, headers, the router. FastAPI's own
functions for just the rest are called: the same values come to the same endpoint, and the same bytes come out. What
ends otherwise, ends in the application's own exception handlers, as they were when its stack was built.
"""

from __future__ import annotations

from contextlib import AsyncExitStack
from typing import Any

from fastapi import routing
from fastapi.dependencies import utils
from fastapi.exceptions import RequestValidationError
from pydantic_core import PydanticUndefined
from starlette.datastructures import QueryParams
from starlette.responses import Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from toolway.calls.bind import Parts
from toolway.calls.parameters import Parameters
from toolway.calls.reached import Answered, Reached, handled
from toolway.calls.strictness import is_strict

__all__ = ["PlainEndpoint"]

_FOUND = "toolway.found"
_STACKS = "fastapi_middleware_astack", "fastapi_inner_astack", "fastapi_function_astack"
"""Where middleware finds in a scope afterwards what has been closed by then."""


class PlainEndpoint:
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
        handlers = self._end._exception_handlers, self._end._status_handlers  # noqa: SLF001  # pyright: ignore[reportPrivateUsage]
        self._left = {"starlette.exception_handlers": handlers, **dict.fromkeys(_STACKS, AsyncExitStack())}

    async def answer(self, parts: Parts) -> Answered | ASGIApp:
        """Call the endpoint.

        Returns:
            What it answers; or, where that was a response of its own or an exception, what brings the request to its
            end.
        """
        found = await self._found(parts)
        return found if isinstance(found, Answered) else self._ending(parts, found)

    async def _found(self, parts: Parts) -> Answered | Response | Exception:
        try:
            values = await self._values(parts)
            found = await routing.run_endpoint_function(
                dependant=self._made.dependant, values=values, is_coroutine=self._made.is_coroutine
            )
            if not isinstance(found, Response):
                written: Any = await routing.serialize_response(response_content=found, **self._reached.writing)
                parts.strict = written if self._is_strict else None
                return Answered(self._status, written)
        except Exception as error:  # noqa: BLE001 - the application's code
            found = error
        return found

    async def run(self, parts: Parts, scope: Scope, receive: Receive, send: Send) -> None:
        """Run a request to its end that was made of these parts, and in which is noted that it has reached this."""
        scope.update(self._left)
        found = await self._found(parts)
        if not isinstance(found, Answered):
            return await self._ended(found, scope, receive, send)
        try:
            await found(scope, receive, send)
        except Exception as error:  # noqa: BLE001 - middleware's, which the application's handlers get as any other
            await self._ended(_begun(error), scope, receive, _nowhere)

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
        own = reached.noted(reached.path(parts) or {})

        async def ending(scope: Scope, receive: Receive, send: Send) -> None:
            root_path = reached.app.root_path or scope["root_path"]
            await self._ended(found, {**scope, **own, "root_path": root_path}, receive, send)

        return ending

    async def _ended(self, found: ASGIApp | Exception, scope: Scope, receive: Receive, send: Send) -> None:
        if isinstance(found, Exception):
            self._reached.say_where(found, scope["root_path"])
        scope[_FOUND] = found
        await self._end(scope, receive, send)


async def _end(scope: Scope, receive: Receive, send: Send) -> None:
    """End a request with what its endpoint has found."""
    found: ASGIApp | Exception = scope.pop(_FOUND)
    if isinstance(found, Exception):
        raise found
    await found(scope, receive, send)


def _begun(error: Exception) -> ASGIApp:
    """What has begun to answer, and then failed."""

    async def failing(_: Scope, __: Receive, send: Send) -> None:
        await send({"type": "http.response.start"})
        raise error

    return failing


async def _nowhere(_: Message) -> None: ...
