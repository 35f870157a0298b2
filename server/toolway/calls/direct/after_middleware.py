"""Calling an endpoint behind its application's middleware, past the router.

The endpoint's request comes through all of the middleware, which may do with it whatever it likes. Where it has not led
it elsewhere, the request is taken on from there to its endpoint; values that have come through as they were sent need
not be read of it again.
"""

from __future__ import annotations

from contextlib import AsyncExitStack
from typing import Any

from starlette.datastructures import Headers
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from toolway._shortcut import Behind
from toolway.calls.direct.direct_endpoint import DirectEndpoint
from toolway.calls.direct.injected import SolvedEndpoint
from toolway.calls.direct.values_only import PlainEndpoint
from toolway.calls.request.request_builder import RequestValues

__all__ = ["AfterMiddlewareEndpoint"]


class AfterMiddlewareEndpoint:
    """One endpoint, as it is reached behind the middleware; `plain` is how, if it takes values alone."""

    def __init__(self, reached: DirectEndpoint, plain: PlainEndpoint | None) -> None:
        self._reached = reached
        self._solved = SolvedEndpoint(reached)
        self._plain = plain

    def taking_on(self, parts: RequestValues, sent: Scope) -> Behind | None:
        """Return what takes a request on that is sent; None where the router has to.

        It does so once, and where the middleware has not led the request elsewhere.
        """
        path = self._reached.path(parts)
        if path is None:
            return None
        site = self._reached.app
        way = sent["method"], sent["path"], site.root_path or sent["root_path"], site
        query = sent["query_string"]
        is_used = False

        async def take_on(app: ASGIApp, scope: Scope, receive: Receive, send: Send) -> None:
            nonlocal is_used
            is_there = way == (scope["method"], scope["path"], scope.get("root_path", ""), scope.get("app"))
            if is_used or not is_there or "fastapi" in scope:
                await app(scope, receive, send)
                return
            is_used = True
            self._note(scope, path)
            if self._plain is None:
                await self._solved.run(parts, scope, receive, send)
                return
            async with AsyncExitStack() as stack:
                scope.update(self._reached.entered(stack))
                first = _BufferedReceive(receive)
                is_same = not self._reached.made.takes_body or await first.carries(parts, scope)
                if is_same and scope.get("query_string") == query and scope.get("path_params") == path:
                    await self._plain.run(parts, scope, receive, send)
                else:
                    await self._solved.run(parts, scope, first.again, send)

        return take_on

    def _note(self, scope: Scope, path: dict[str, Any]) -> None:
        """Note in a request's scope that it has come here; in place, as the router does."""
        noted = self._reached.noted({**scope.get("path_params", {}), **path})
        if "router" in scope:
            del noted["router"]
        scope.update(noted)


class _BufferedReceive:
    """The first message of a request: received to be looked at, and given again to who has to read it anew."""

    def __init__(self, receive: Receive) -> None:
        self._receive = receive
        self._message: Message | None = None
        self._error: Exception | None = None

    async def carries(self, parts: RequestValues, scope: Scope) -> bool:
        """Receive it, and tell whether it is the whole body as it was sent."""
        try:
            message = self._message = await self._receive()
            is_whole = message["type"] == "http.request" and not message.get("more_body", False)
            is_same = message.get("body", b"") == (parts.body or b"")
            return is_whole and is_same and Headers(scope=scope).get("content-type") == parts.media_type
        except Exception as error:  # noqa: BLE001 - middleware's, and FastAPI knows what it means
            self._error = error if self._message is None else None
            return False

    async def again(self) -> Message:
        error, self._error = self._error, None
        if error is not None:
            raise error
        message, self._message = self._message, None
        return await self._receive() if message is None else message
