"""Calling an endpoint behind its application's middleware, past the router.

The endpoint's request comes through all of the middleware, which may do with it whatever it likes. Where it has not led
it elsewhere, the request is taken on from there to its endpoint; values that have come through as they were sent need
not be read of it again.
"""

from __future__ import annotations

from typing import Any

from starlette.datastructures import Headers
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from toolway._shortcut import Behind
from toolway.calls.bind import Parts
from toolway.calls.plain import PlainEndpoint
from toolway.calls.reached import Reached
from toolway.calls.solved import SolvedEndpoint

__all__ = ["EndpointBehind"]


class EndpointBehind:
    """One endpoint, as it is reached behind the middleware; `plain` is how, if it takes values alone."""

    def __init__(self, reached: Reached, plain: PlainEndpoint | None) -> None:
        self._reached = reached
        self._solved = SolvedEndpoint(reached)
        self._plain = plain
        self._takes_body = reached.made.body_field is not None

    def of(self, parts: Parts, sent: Scope) -> Behind | None:
        """Return what takes a request on that is sent; None where the router has to.

        It does so once, and where the middleware has not led the request elsewhere.
        """
        path = self._reached.path(parts)
        if path is None:
            return None
        app = self._reached.app
        way = sent["method"], sent["path"], app.root_path or sent["root_path"], app
        query = sent["query_string"]
        unused = [path]

        async def take_on(app: ASGIApp, scope: Scope, receive: Receive, send: Send) -> None:
            is_there = way == (scope["method"], scope["path"], scope["root_path"], scope["app"])
            if not is_there or not unused or "fastapi" in scope:
                await app(scope, receive, send)
            else:
                self._note(scope, unused.pop())
                await self._run(parts, scope, receive, send, is_asked_alike=scope["query_string"] == query)

        return take_on

    def _note(self, scope: Scope, path: dict[str, Any]) -> None:
        """Note in a request's scope that it has come here; in place, as the router does."""
        router = scope.get("router")
        scope.update(self._reached.noted({**scope.get("path_params", {}), **path}))
        if router is not None:
            scope["router"] = router

    async def _run(self, parts: Parts, scope: Scope, receive: Receive, send: Send, *, is_asked_alike: bool) -> None:
        if self._plain is None or not is_asked_alike:
            await self._solved.run(parts, scope, receive, send)
        elif self._takes_body:
            first = _First(receive)
            way = self._plain if await first.carries(parts, scope) else self._solved
            await way.run(parts, scope, first.receive, send)
        else:
            await self._plain.run(parts, scope, receive, send)


class _First:
    """Looks at the first message of a request, which whoever receives after that gets all the same."""

    def __init__(self, receive: Receive) -> None:
        self._receive = receive
        self._message: Message | None = None
        self._error: Exception | None = None

    async def carries(self, parts: Parts, scope: Scope) -> bool:
        """Tell whether the message is the whole body as it was sent."""
        try:
            message = self._message = await self._receive()
        except Exception as error:  # noqa: BLE001 - middleware's, and FastAPI knows what it means
            self._error = error
            return False
        is_whole = message["type"] == "http.request" and not message.get("more_body", False)
        is_same = message.get("body", b"") == (parts.body or b"")
        return is_whole and is_same and Headers(scope=scope).get("content-type") == parts.media_type

    async def receive(self) -> Message:
        error, self._error = self._error, None
        if error is not None:
            raise error
        message, self._message = self._message, None
        return await self._receive() if message is None else message
