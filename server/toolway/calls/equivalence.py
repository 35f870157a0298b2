"""Which endpoints may be called without the ASGI stack around them, because nobody could tell the difference.

Whatever could show one counts: an application's middleware and its handler for server errors, a route class, limits on
bodies, dependencies, and all else that an endpoint may take of a request or write to its response. So does what is not
known here: a release of FastAPI that was not read, or one that somebody has patched.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable, Iterator
from types import ModuleType
from typing import Any

import fastapi
from fastapi import FastAPI, params, routing
from fastapi import applications as fastapi_applications
from fastapi.datastructures import DefaultPlaceholder
from fastapi.dependencies import models
from fastapi.dependencies import utils as solver
from fastapi.responses import JSONResponse
from fastapi.routing import APIRoute
from starlette import _exception_handler as failing
from starlette import applications as starlette_applications
from starlette import routing as starlette_routing
from starlette.convertors import FloatConvertor, IntegerConvertor, PathConvertor, StringConvertor, UUIDConvertor
from starlette.middleware import cors, gzip
from starlette.middleware import exceptions as starlette_exceptions

from toolway._shortcut import ShortCut
from toolway.operations import Operation

__all__ = ["handlers_of", "has_plain_stack", "is_coroutine", "is_plain", "is_read", "is_solved"]

_models: Any = models  # whose functions are FastAPI's own affair, in releases that were read

_RELEASES = ("0.165.0",)
"""Releases of FastAPI that were read for this."""
_HANDLER = "starlette.middleware.exceptions.ExceptionMiddleware"
_STACK = (
    "starlette.middleware.errors.ServerErrorMiddleware",
    "fastapi.telemetry._asgi.ExceptionTelemetryMiddleware",
    "fastapi._body_limit.AppBodyLimitMiddleware",
    _HANDLER,
    "fastapi.middleware.asyncexitstack.AsyncExitStackMiddleware",
)
"""What stands before the router of an application that has no middleware of its own."""
_UNSEEN = ("starlette.middleware.cors.CORSMiddleware", "starlette.middleware.gzip.GZipMiddleware")
"""Middleware that does nothing that anybody could see, unless a request has headers that no call has."""
_ROUTES = frozenset(
    {
        "fastapi.routing.APIRoute",
        "fastapi.routing.APIWebSocketRoute",
        "fastapi.routing._IncludedRouter",
        "starlette.routing.Mount",
        "starlette.routing.Route",
        "starlette.routing.WebSocketRoute",
    }
)
"""Routes that choose a request by its path and method alone."""
_READING = (
    "_get_multidict_value", "_get_param_aliases", "_get_param_model", "_is_json_field",
    "_validate_value_with_model_field",
)  # fmt: skip
"""What FastAPI reads a parameter with."""
_DEPENDING = ("_get_cache_key", "_get_oauth_scopes", "_is_async_gen_callable", "_is_gen_callable")
"""What FastAPI calls dependencies by."""
_HANDLING = (
    "_build_response_args", "_extract_endpoint_context", "get_request_handler", "request_response",
    "run_endpoint_function", "serialize_response",
)  # fmt: skip
"""What FastAPI handles a request with."""
_CONVERTORS = (StringConvertor, PathConvertor, IntegerConvertor, FloatConvertor, UUIDConvertor)
_READ_ON_THE_WAY = frozenset({"accept-encoding", "content-type"})
"""Headers that somebody reads before the endpoint does."""
_METHODS = frozenset({"GET", "POST", "PUT", "PATCH", "DELETE"})
_WITHOUT_BODY = frozenset({204, 205, 304})
_OTHERWISE_USED = (
    "dependencies", "header_params", "cookie_params", "request_param_name", "websocket_param_name",
    "http_connection_param_name", "response_param_name", "background_tasks_param_name", "security_scopes_param_name",
)  # fmt: skip
"""What else FastAPI may have to do for an endpoint."""


def is_read(app: FastAPI) -> bool:
    """Tell whether an application, and the FastAPI below it, work as they are known to."""
    return fastapi.__version__ in _RELEASES and all(_is_own(*part) for part in _parts(app))


def _parts(app: FastAPI) -> Iterator[tuple[Any, ModuleType]]:
    """Everything that is left out or called here, and where it is at home."""
    for name in _HANDLING:
        yield getattr(routing, name), routing
    for name in ("solve_dependencies", "request_params_to_args", "request_body_to_args", "_solve_generator", *_READING):
        yield getattr(solver, name, None), solver
    for name in _DEPENDING:
        yield getattr(models, name, None), models
    yield getattr(routing, "wrap_app_handling_exceptions", None), failing
    yield type(app).__call__, fastapi_applications
    yield starlette_applications.Starlette.__call__, starlette_applications
    yield type(app.router).__call__, starlette_routing
    yield type(app.router).app, routing
    yield starlette_exceptions.ExceptionMiddleware.__call__, starlette_exceptions
    yield cors.CORSMiddleware.__call__, cors
    yield gzip.GZipMiddleware.__call__, gzip
    yield APIRoute.handle, routing
    yield APIRoute.get_route_handler, routing


def _is_own(function: Any, home: ModuleType) -> bool:
    return inspect.isfunction(function) and function.__code__.co_filename == home.__file__


def has_plain_stack(app: FastAPI) -> bool:
    """Tell whether an application that has started passes requests to its endpoints as FastAPI does by itself."""
    *layers, router = _layers(app.middleware_stack)
    kinds = [_kind(layer) for layer in layers if not isinstance(layer, ShortCut)]
    return (
        router is app.router
        and tuple(kind for kind in kinds if kind not in _UNSEEN) == _STACK
        and layers[0].handler is None
        and app.router.middleware_stack == app.router.app
        and all(_kind(route) in _ROUTES for route in app.router.routes)
    )


def handlers_of(app: FastAPI) -> dict[Any, Any]:
    """The exception handlers of an application with a plain stack: what is added once that is built has no effect."""
    middleware: Any = next(layer for layer in _layers(app.middleware_stack) if _kind(layer) == _HANDLER)
    return {**middleware._status_handlers, **middleware._exception_handlers}  # noqa: SLF001


def _layers(stack: Any) -> Iterator[Any]:
    """Yield an application's middleware, from the outermost, and what is behind it all."""
    yield stack
    while isinstance(stack, ShortCut) or _kind(stack) in (*_STACK, *_UNSEEN):
        stack = stack.app
        yield stack


def _kind(thing: object) -> str:
    return f"{type(thing).__module__}.{type(thing).__qualname__}"


def is_plain(operation: Operation) -> bool:
    """Tell whether an endpoint takes nothing but its path, its query and a JSON body, and FastAPI writes its answer."""
    route = operation.route
    return (
        _is_usual(operation)
        and not any(getattr(route.dependant, name) for name in _OTHERWISE_USED)
        and all(type(convertor) in (StringConvertor, PathConvertor) for convertor in route.param_convertors.values())
        and route.response_field is not None
        and (route.status_code is None or (route.status_code >= 200 and route.status_code not in _WITHOUT_BODY))
    )


def is_solved(operation: Operation) -> bool:
    """Tell whether FastAPI's solver finds all that an endpoint takes, in a request that is like any other."""
    return (
        _is_usual(operation)
        and all(type(convertor) in _CONVERTORS for convertor in operation.route.param_convertors.values())
        and not any(
            parameter.location == "header" and parameter.name.lower() in _READ_ON_THE_WAY
            for parameter in operation.parameters
        )
    )


def is_coroutine(endpoint: Callable[..., Any]) -> bool:
    """Tell whether FastAPI awaits an endpoint, and runs it in no thread."""
    return bool(_models._is_coroutine_callable(endpoint))  # noqa: SLF001


def _is_usual(operation: Operation) -> bool:
    """Tell whether an endpoint is one of FastAPI's own making, which reads JSON if anything, and answers with it."""
    route, template = operation.route, operation.template
    return (
        route is not None
        and not template.mounts
        and operation.method in _METHODS
        and _is_handled_as_usual(route)
        and route.param_convertors.keys() == set(template.names)  # FastAPI and Starlette differ on {item-id}
        and _reads_json(route, operation)
        and _answers_json(route)
    )


def _is_handled_as_usual(route: Any) -> bool:
    handler: Any = route.app
    return (
        type(getattr(route, "original_route", route)) is APIRoute
        and inspect.isfunction(handler)
        and handler.__qualname__ == "request_response.<locals>.app"
        and _is_own(handler, routing)
    )


def _reads_json(route: Any, operation: Operation) -> bool:
    if route.body_field is None:
        return True
    is_form = isinstance(route.body_field.field_info, params.Form)
    return not is_form and operation.body is not None and _is_json(operation.body.media_type)


def _is_json(media_type: str) -> bool:
    return media_type == "application/json" or (media_type.startswith("application/") and media_type.endswith("+json"))


def _answers_json(route: Any) -> bool:
    return (
        isinstance(route.response_class, DefaultPlaceholder)
        and route.response_class.value is JSONResponse
        and route.stream_item_field is None
        and not (_models._is_gen_callable(route.endpoint) or _models._is_async_gen_callable(route.endpoint))  # noqa: SLF001
    )
