"""What FastAPI has done for a request by the time that it reaches its endpoint, and does when that has failed."""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import AsyncExitStack
from functools import cached_property
from typing import Any, NamedTuple

from fastapi import FastAPI, Request, routing
from fastapi.exceptions import ValidationException
from pydantic_core import PydanticUndefined
from starlette.middleware.exceptions import ExceptionMiddleware
from starlette.types import ASGIApp, Receive, Scope, Send

from toolway.calls.direct.eligibility import HandlerConfig
from toolway.calls.direct.strict_json import is_strict
from toolway.calls.direct.support import handlers_of, noted_handlers_of
from toolway.calls.request.request_builder import RequestValues
from toolway.openapi import Operation

__all__ = ["DirectEndpoint", "JsonReply", "handled", "keep_body"]

_STACKS = "fastapi_middleware_astack", "fastapi_inner_astack", "fastapi_function_astack"
_CONTEXT = ("function", "file", "line", "path")
_routing: Any = routing  # whose functions are FastAPI's own affair, in releases that were read


class JsonReply(NamedTuple):
    """What an endpoint has answered, and FastAPI has written."""

    status: int
    body: bytes

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Send it in the very messages in which a response does, for which one need not be made."""
        length = str(len(self.body)).encode("latin-1")
        headers = [(b"content-length", length), (b"content-type", b"application/json")]
        await send({"type": "http.response.start", "status": self.status, "headers": headers})
        await send({"type": "http.response.body", "body": self.body})


class DirectEndpoint:
    """One endpoint, and what FastAPI says of requests that have reached it.

    Args:
        app: its application.
        operation: what it does; the route is the effective one, routers included.
        made: what its handler was made with.
        held: what FastAPI keeps for itself of a request, if it keeps anything (see `held_by`).
    """

    def __init__(self, app: FastAPI, operation: Operation, made: HandlerConfig, held: Mapping[str, Any] | None) -> None:
        self.app = app
        route: Any = operation.route
        self.made = made
        # By which errors that come up here are known again; where that is, is read for them alone. FastAPI would not
        # keep an empty one.
        self.here: Any = {"function": getattr(made.dependant.call, "__name__", "")}
        self.writing = made.writing(self.here)
        self._method = operation.method
        self._held = held
        self._status: int = made.status_code or 200
        self._handlers = noted_handlers_of(app)
        self._convertors = list(route.param_convertors.items())
        self._noted = {
            "app": app,
            "router": app.router,
            "route": getattr(route, "original_route", route),
            "endpoint": route.endpoint,
        }

    @cached_property
    def _is_strict(self) -> bool:
        """Whether its answers surely are strict JSON; found out at the first, as a thousand would delay the start."""
        return is_strict(self.made.response_field)

    def path(self, parts: RequestValues) -> dict[str, Any] | None:
        """The path's values, in its order; None for some that the router has to refuse."""
        try:
            return {name: convertor.convert(parts.path[name]) for name, convertor in self._convertors}
        except ValueError:
            return None

    def noted(self, path: Mapping[str, Any]) -> dict[str, Any]:
        """Return what the application and its router note of a request that is for this, with the path's values."""
        own = {**self._noted, "path_params": path}
        return own if self._held is None else {**own, "fastapi": {**self._held}}

    def entered(self, stack: AsyncExitStack) -> dict[str, Any]:
        """Return what else is in a request's scope while its endpoint runs; `stack` stands for all of FastAPI's."""
        return {**dict.fromkeys(_STACKS, stack), "starlette.exception_handlers": self._handlers}

    def answered(self, parts: RequestValues, written: bytes) -> JsonReply:
        """Answer with what FastAPI has written, and note whether that surely is strict JSON."""
        parts.strict = written if self._is_strict else None
        return JsonReply(self._status, written)

    def say_where(self, error: Exception, root_path: str) -> None:
        """Say of an error of FastAPI's own that it came up here; to read the endpoint's source takes a while."""
        if not isinstance(error, ValidationException) or error.endpoint_ctx is not self.here:
            return
        dependant = self.made.dependant
        context: Any = {**_routing._extract_endpoint_context(dependant.call)}  # noqa: SLF001
        if dependant.path:
            context["path"] = f"{self._method} {root_path.rstrip('/')}{dependant.path}"
        error.endpoint_ctx = context
        for name in _CONTEXT:
            setattr(error, f"endpoint_{name}", context.get(name))


def handled(app: FastAPI, inner: ASGIApp) -> ASGIApp:
    """Put the application's exception handlers around what answers a request."""
    return ExceptionMiddleware(inner, handlers_of(app), debug=app.debug)


def keep_body(request: Request, parts: RequestValues) -> None:
    """Have a request know its body, as one whose body has been read does."""
    vars(request)["_body"] = parts.body or b""
    if parts.document is not PydanticUndefined:
        vars(request)["_json"] = parts.document
