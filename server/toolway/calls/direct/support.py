"""Whether an application passes requests on to its endpoints as FastAPI does by itself.

Only then may they be called without its stack: middleware and a handler for server errors see every request. Behind the
middleware, only then may they be called without the router: one of its own may choose another route, limits on bodies
may refuse a request. What is not known here counts as well: a release of FastAPI that was not read, or one that
somebody has patched.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from fastapi import FastAPI
from fastapi.routing import APIRoute, APIRouter
from starlette.routing import BaseRoute, Router

from toolway._shortcut import RouterBypassMiddleware
from toolway.calls.direct.fingerprints import changed_functions

__all__ = [
    "ends_in_default_router",
    "handlers_of",
    "has_default_middleware",
    "included_router_scopes",
    "middleware_layers",
    "noted_handlers_of",
    "unsupported_reason",
]

_HANDLER = "starlette.middleware.exceptions.ExceptionMiddleware"
_STACK = (
    "starlette.middleware.errors.ServerErrorMiddleware",
    "fastapi.telemetry._asgi.ExceptionTelemetryMiddleware",
    "fastapi._body_limit.AppBodyLimitMiddleware",
    _HANDLER,
    "fastapi.middleware.asyncexitstack.AsyncExitStackMiddleware",
)
"""What stands before the router of an application that has no middleware of its own."""
_MOST_LAYERS = 100
_UNSEEN = frozenset(
    {"starlette.middleware.cors.CORSMiddleware", "toolway.protocol.http.admission.AdmissionMiddleware"},
)
"""Middleware that changes nothing about the requests of tool calls."""
_ROUTES = frozenset(
    {
        "fastapi.routing.APIWebSocketRoute",
        "starlette.routing.Mount",
        "starlette.routing.Route",
        "starlette.routing.WebSocketRoute",
    }
)
"""Routes that choose a request by its path and method alone, besides FastAPI's."""
_LIMIT = "starlette.middleware.body_limit.RequestBodyLimitMiddleware"
_INCLUDED = "fastapi.routing._IncludedRouter"


def unsupported_reason(app: FastAPI) -> str:
    """Return why no endpoint of an application is called directly; empty if some may be."""
    if type(app).__call__ is not FastAPI.__call__:
        return f"{type(app).__name__} overrides FastAPI.__call__"
    changed = [name.replace(":", ".") for name in changed_functions()]
    if not changed:
        return ""
    others = len(changed) - 1
    differs = f"and {others} other{'s' if others > 1 else ''} differ" if others else "differs"
    return f"{changed[0]} {differs} from the known versions"


def has_default_middleware(app: FastAPI) -> bool:
    """Tell whether an application that has started passes requests to its endpoints as FastAPI does by itself."""
    layers = [layer for layer in middleware_layers(app.middleware_stack) if not _is_unseen(layer)]
    return tuple(map(_kind, layers[:-1])) == _STACK and layers[0].handler is None and _ends_with(app, layers[-1])


def ends_in_default_router(app: FastAPI) -> bool:
    """Tell whether it does so behind its middleware, to which a short cut has been added, and limits no bodies."""
    layers = list(middleware_layers(app.middleware_stack))
    kinds = tuple(map(_kind, layers[:-1]))
    return (
        len(layers) > len(_STACK)
        and isinstance(layers[-4], RouterBypassMiddleware)
        and kinds[-2:] == _STACK[-2:]
        and _LIMIT not in kinds
        and _ends_with(app, layers[-1])
    )


def _ends_with(app: FastAPI, router: object) -> bool:
    return router is app.router and app.router.middleware_stack == app.router.app and _is_usual_router(app.router)


def handlers_of(app: FastAPI) -> dict[Any, Any]:
    """The exception handlers of an application with a plain end: what is added once that is built has no effect."""
    by_kind, by_status = noted_handlers_of(app)
    return {**by_status, **by_kind}


def noted_handlers_of(app: FastAPI) -> tuple[dict[Any, Any], dict[int, Any]]:
    """The same, by exception and by status, as a request finds them in its scope."""
    *_, middleware = (layer for layer in middleware_layers(app.middleware_stack) if _kind(layer) == _HANDLER)
    return middleware._exception_handlers, middleware._status_handlers  # noqa: SLF001


def included_router_scopes(app: FastAPI) -> Mapping[int, Mapping[str, Any]]:
    """Return, by the identity of what FastAPI makes of a route, what it keeps for itself of requests for that."""
    held: dict[int, Mapping[str, Any]] = {}
    is_after = False
    for route in app.router.routes:
        if _kind(route) == _INCLUDED:
            is_after = True
            held.update(_held_within(route))
        elif is_after:  # it has begun to, and found nothing to keep
            held[id(route)] = {}
    return held


def _held_within(included: Any) -> Iterator[tuple[int, Mapping[str, Any]]]:
    for candidate in included.effective_candidates():
        if _kind(candidate) == _INCLUDED:
            yield from _held_within(candidate)
        else:
            yield id(candidate), {"included_router": included, "effective_route_context": candidate}


def middleware_layers(stack: object) -> Iterator[Any]:
    """Yield a middleware stack from the outside to the router, as far as each layer has the next one as its `app`."""
    layer: Any = stack
    for _ in range(_MOST_LAYERS):
        yield layer
        if isinstance(layer, Router) or not hasattr(layer, "app"):
            return
        layer = layer.app


def _is_unseen(layer: object) -> bool:
    return isinstance(layer, RouterBypassMiddleware) or _kind(layer) in _UNSEEN


def _is_usual_router(router: APIRouter) -> bool:
    """Tell whether a router chooses by path and method alone, and so do those that are included in it."""
    kind = type(router)
    return (
        all(getattr(kind, name) is getattr(APIRouter, name) for name in ("__call__", "app", "handle", "matches"))
        and not {"app", "handle", "matches"} & vars(router).keys()
        and not getattr(router, "form_limits", None)
        and all(map(_is_usual_route, router.routes))
    )


def _is_usual_route(route: BaseRoute) -> bool:
    if {"handle", "matches"} & vars(route).keys():
        return False
    if isinstance(route, APIRoute):
        return type(route).matches is APIRoute.matches and type(route).handle is APIRoute.handle
    included: Any = route
    if _kind(route) == _INCLUDED:
        return not getattr(included.include_context, "form_limits", None) and _is_usual_router(included.original_router)
    return _kind(route) in _ROUTES


def _kind(thing: object) -> str:
    return f"{type(thing).__module__}.{type(thing).__qualname__}"
