"""Checks whether an application routes requests to its endpoints as FastAPI does by default.

Only then can endpoints be called without the ASGI stack, because middleware and handlers of server errors see every
request. The same applies to calls after the middleware: the router must be the default one, and the size of bodies
unlimited. FastAPI's own functions must be known (see `fingerprints`).
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from fastapi import FastAPI
from fastapi.routing import APIRoute, APIRouter
from starlette.routing import BaseRoute

from toolway.calls.direct.fingerprints import changed_functions
from toolway.host.middleware import RouterBypassMiddleware, middleware_layers

__all__ = [
    "ends_in_default_router",
    "exception_handlers",
    "has_default_middleware",
    "included_router_scopes",
    "scope_exception_handlers",
    "unsupported_reason",
]

_EXCEPTION_MIDDLEWARE = "starlette.middleware.exceptions.ExceptionMiddleware"
_DEFAULT_MIDDLEWARE = (
    "starlette.middleware.errors.ServerErrorMiddleware",
    "fastapi.telemetry._asgi.ExceptionTelemetryMiddleware",
    "fastapi._body_limit.AppBodyLimitMiddleware",
    _EXCEPTION_MIDDLEWARE,
    "fastapi.middleware.asyncexitstack.AsyncExitStackMiddleware",
)
"""The middleware stack of an application that adds none of its own."""
_TRANSPARENT_MIDDLEWARE = frozenset(
    {"starlette.middleware.cors.CORSMiddleware", "toolway.protocol.http.admission.AdmissionMiddleware"},
)
"""Middleware that does not affect the requests of tool calls."""
_ROUTES = frozenset(
    {
        "fastapi.routing.APIWebSocketRoute",
        "starlette.routing.Mount",
        "starlette.routing.Route",
        "starlette.routing.WebSocketRoute",
    }
)
"""Routes that match by path and method only, besides `APIRoute`."""
_BODY_LIMIT = "starlette.middleware.body_limit.RequestBodyLimitMiddleware"
_INCLUDED_ROUTER = "fastapi.routing._IncludedRouter"


def unsupported_reason(app: FastAPI) -> str:
    """Return why no endpoint of an application can be called directly; empty if some can."""
    if type(app).__call__ is not FastAPI.__call__:
        return f"{type(app).__name__} overrides FastAPI.__call__"
    changed = [name.replace(":", ".") for name in changed_functions()]
    if not changed:
        return ""
    others = len(changed) - 1
    differs = f"and {others} other{'s' if others > 1 else ''} differ" if others else "differs"
    return f"{changed[0]} {differs} from the known versions"


def has_default_middleware(app: FastAPI) -> bool:
    """Return whether the middleware stack of a started application is FastAPI's default, down to the router."""
    layers = [layer for layer in middleware_layers(app.middleware_stack) if not _is_transparent(layer)]
    return (
        tuple(map(_kind, layers[:-1])) == _DEFAULT_MIDDLEWARE
        and layers[0].handler is None
        and _is_default_router(app, layers[-1])
    )


def ends_in_default_router(app: FastAPI) -> bool:
    """Return whether toolway's middleware is the innermost, before the default router, and bodies are unlimited."""
    layers = list(middleware_layers(app.middleware_stack))
    kinds = tuple(map(_kind, layers[:-1]))
    return (
        len(layers) > len(_DEFAULT_MIDDLEWARE)
        and isinstance(layers[-4], RouterBypassMiddleware)
        and kinds[-2:] == _DEFAULT_MIDDLEWARE[-2:]
        and _BODY_LIMIT not in kinds
        and _is_default_router(app, layers[-1])
    )


def _is_default_router(app: FastAPI, router: object) -> bool:
    return (
        router is app.router
        and app.router.middleware_stack == app.router.app
        and _matches_by_path_and_method(app.router)
    )


def exception_handlers(app: FastAPI) -> dict[Any, Any]:
    """Return the exception handlers of an application; those added after its stack was built have no effect."""
    by_class, by_status = scope_exception_handlers(app)
    return {**by_status, **by_class}


def scope_exception_handlers(app: FastAPI) -> tuple[dict[Any, Any], dict[int, Any]]:
    """Return the exception handlers by class and by status code, as they are in the scope of a request."""
    *_, middleware = (
        layer for layer in middleware_layers(app.middleware_stack) if _kind(layer) == _EXCEPTION_MIDDLEWARE
    )
    return middleware._exception_handlers, middleware._status_handlers  # noqa: SLF001


def included_router_scopes(app: FastAPI) -> Mapping[int, Mapping[str, Any]]:
    """Return what FastAPI stores in the scope of requests to a route, by the identity of the effective route."""
    scopes: dict[int, Mapping[str, Any]] = {}
    is_after_included = False
    for route in app.router.routes:
        if _kind(route) == _INCLUDED_ROUTER:
            is_after_included = True
            scopes.update(_scopes_within(route))
        elif is_after_included:  # while it looked into the included router, FastAPI has created an empty entry
            scopes[id(route)] = {}
    return scopes


def _scopes_within(included: Any) -> Iterator[tuple[int, Mapping[str, Any]]]:
    for candidate in included.effective_candidates():
        if _kind(candidate) == _INCLUDED_ROUTER:
            yield from _scopes_within(candidate)
        else:
            yield id(candidate), {"included_router": included, "effective_route_context": candidate}


def _is_transparent(layer: object) -> bool:
    return isinstance(layer, RouterBypassMiddleware) or _kind(layer) in _TRANSPARENT_MIDDLEWARE


def _matches_by_path_and_method(router: APIRouter) -> bool:
    """Return whether a router and those included in it match requests by path and method only."""
    return (
        all(
            getattr(type(router), name) is getattr(APIRouter, name) for name in ("__call__", "app", "handle", "matches")
        )
        and not {"app", "handle", "matches"} & vars(router).keys()
        and not getattr(router, "form_limits", None)
        and all(map(_is_default_route, router.routes))
    )


def _is_default_route(route: BaseRoute) -> bool:
    if {"handle", "matches"} & vars(route).keys():
        return False
    if isinstance(route, APIRoute):
        return type(route).matches is APIRoute.matches and type(route).handle is APIRoute.handle
    included: Any = route
    if _kind(route) == _INCLUDED_ROUTER:
        has_form_limits = getattr(included.include_context, "form_limits", None)
        return not has_form_limits and _matches_by_path_and_method(included.original_router)
    return _kind(route) in _ROUTES


def _kind(value: object) -> str:
    return f"{type(value).__module__}.{type(value).__qualname__}"
