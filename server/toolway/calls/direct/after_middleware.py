"""Calls of endpoints after the application's middleware, without the router.

The request passes all of the middleware, which may change anything about it. Unless middleware has routed it elsewhere,
it continues at its endpoint. Values that arrive as they were sent are not read from the request again.
"""

from __future__ import annotations

from contextlib import AsyncExitStack
from typing import Any

from starlette.datastructures import Headers
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from toolway.calls.direct.direct_endpoint import DirectEndpoint
from toolway.calls.direct.injected import InjectedEndpoint
from toolway.calls.direct.values_only import ValuesOnlyEndpoint
from toolway.calls.request.request_builder import RequestValues
from toolway.host.middleware import Handler

__all__ = ["AfterMiddlewareEndpoint"]


class AfterMiddlewareEndpoint:
    """An endpoint that is called after the middleware.

    Args:
        endpoint: the endpoint.
        values_only: calls it with the values of a request alone, if it needs nothing else.
    """

    def __init__(self, endpoint: DirectEndpoint, values_only: ValuesOnlyEndpoint | None) -> None:
        self._endpoint = endpoint
        self._injected = InjectedEndpoint(endpoint)
        self._values_only = values_only

    def handler_for(self, parts: RequestValues, sent: Scope) -> Handler | None:
        """Return what handles a request after the middleware; None if the router has to.

        The handler calls the endpoint once, and only if middleware has not routed the request elsewhere.
        """
        path = self._endpoint.path_values(parts)
        if path is None:
            return None
        app = self._endpoint.app
        target = sent["method"], sent["path"], app.root_path or sent["root_path"], app
        query = sent["query_string"]
        is_used = False

        async def handle(default: ASGIApp, scope: Scope, receive: Receive, send: Send) -> None:
            nonlocal is_used
            is_target = target == (scope["method"], scope["path"], scope.get("root_path", ""), scope.get("app"))
            if is_used or not is_target or "fastapi" in scope:
                await default(scope, receive, send)
                return
            is_used = True
            self._enter_router_scope(scope, path)
            if self._values_only is None:
                await self._injected.run(parts, scope, receive, send)
                return
            async with AsyncExitStack() as stack:
                scope.update(self._endpoint.endpoint_scope(stack))
                buffered = _BufferedReceive(receive)
                is_same = not self._endpoint.config.takes_body or await buffered.has_body_of(parts, scope)
                if is_same and scope.get("query_string") == query and scope.get("path_params") == path:
                    await self._values_only.run(parts, scope, receive, send)
                else:
                    await self._injected.run(parts, scope, buffered.receive, send)

        return handle

    def _enter_router_scope(self, scope: Scope, path: dict[str, Any]) -> None:
        """Update a request's scope in place, as the router does."""
        entries = self._endpoint.router_scope({**scope.get("path_params", {}), **path})
        if "router" in scope:
            del entries["router"]
        scope.update(entries)


class _BufferedReceive:
    """An ASGI receive channel that replays its first message after that has been inspected."""

    def __init__(self, receive: Receive) -> None:
        self._receive = receive
        self._message: Message | None = None
        self._error: Exception | None = None

    async def has_body_of(self, parts: RequestValues, scope: Scope) -> bool:
        """Receive the first message, and return whether it is the whole body as it was sent."""
        try:
            message = self._message = await self._receive()
            is_whole = message["type"] == "http.request" and not message.get("more_body", False)
            is_same = message.get("body", b"") == (parts.body or b"")
            return is_whole and is_same and Headers(scope=scope).get("content-type") == parts.media_type
        except Exception as error:  # noqa: BLE001 - raised by middleware; FastAPI handles it when it receives
            self._error = error if self._message is None else None
            return False

    async def receive(self) -> Message:
        error, self._error = self._error, None
        if error is not None:
            raise error
        message, self._message = self._message, None
        return await self._receive() if message is None else message
