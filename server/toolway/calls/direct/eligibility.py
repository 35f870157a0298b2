"""The endpoints that can be called without the ASGI stack around them, with the same result.

Route classes, forms and response classes exclude an endpoint, because FastAPI reads or writes those differently.
`support` checks the application.
"""

from __future__ import annotations

import inspect
from collections.abc import Awaitable, Callable, Mapping
from typing import Any, cast

from fastapi import Request, Response, routing
from fastapi.datastructures import DefaultPlaceholder
from fastapi.dependencies import models
from fastapi.responses import JSONResponse
from fastapi.routing import APIRoute
from starlette.convertors import FloatConvertor, IntegerConvertor, PathConvertor, StringConvertor, UUIDConvertor

from toolway.openapi import Operation

__all__ = ["HandlerConfig", "handler_config", "is_injectable", "is_values_only"]

_models: Any = models  # its private functions are covered by fingerprints
_CONVERTORS = (StringConvertor, PathConvertor, IntegerConvertor, FloatConvertor, UUIDConvertor)
_METHODS = frozenset({"GET", "POST", "PUT", "PATCH", "DELETE"})
_WITHOUT_BODY = frozenset({204, 205, 304})
_INJECTED = (
    "dependencies", "header_params", "cookie_params", "request_param_name", "websocket_param_name",
    "http_connection_param_name", "response_param_name", "background_tasks_param_name", "security_scopes_param_name",
)  # fmt: skip
"""Attributes of a dependant that are set if the endpoint needs more than values."""
_EXCLUSIONS = ("include", "exclude", "exclude_unset", "exclude_defaults", "exclude_none")


class HandlerConfig:
    """The values that FastAPI created a route's handler with; later changes to the route do not affect it."""

    def __init__(self, handle: Callable[[Request], Awaitable[Response]], variables: Mapping[str, Any]) -> None:
        self.handle = handle
        """The handler."""
        self.dependant: Any = variables["dependant"]
        self.body_field: Any = variables["body_field"]
        self.takes_body = self.body_field is not None
        self.embeds: bool = variables["embed_body_fields"]
        self.overrides_provider: Any = variables["dependency_overrides_provider"]
        self.is_coroutine: bool = variables["is_coroutine"]
        self.is_form: bool = bool(variables["is_body_form"])
        self.response_field: Any = variables["response_field"]
        self.response_class: Any = variables["response_class"]
        self.status_code: int | None = variables["status_code"]
        self._serialization = {name: variables[f"response_model_{name}"] for name in (*_EXCLUSIONS, "by_alias")}

    def serialization(self, endpoint_ctx: object) -> Mapping[str, Any]:
        """Return the arguments of FastAPI's `serialize_response`; errors refer to `endpoint_ctx`."""
        return {
            "field": self.response_field,
            "is_coroutine": self.is_coroutine,
            "endpoint_ctx": endpoint_ctx,
            "dump_json": self.response_field is not None,
            **self._serialization,
        }


def handler_config(operation: Operation) -> HandlerConfig | None:
    """Return the configuration of an operation's handler; None if FastAPI has not created it."""
    route = operation.route
    if route is None or type(getattr(route, "original_route", route)) is not APIRoute:
        return None
    handler = _closure_variables(route.app, "request_response").get("f")
    variables = _closure_variables(handler, "get_request_handler")
    return HandlerConfig(cast("Any", handler), variables) if variables else None


def _closure_variables(function: Any, factory: str) -> dict[str, Any]:
    """Return the variables of a function that a factory of FastAPI's has created; empty for any other function."""
    is_fastapi = inspect.isfunction(function) and function.__code__.co_filename == routing.__file__
    if not is_fastapi or function.__qualname__ != f"{factory}.<locals>.app":
        return {}
    values = (cell.cell_contents for cell in function.__closure__ or ())
    return dict(zip(function.__code__.co_freevars, values, strict=True))


def is_values_only(operation: Operation, config: HandlerConfig) -> bool:
    """Return whether an endpoint takes only its path, query and JSON body, and FastAPI serializes its response."""
    return (
        _uses_json(operation, config)
        and not any(getattr(config.dependant, name) for name in _INJECTED)
        and not operation.credentials.query  # is not an argument, but part of the MCP request
        and {field.alias for field in config.dependant.path_params} <= set(operation.template.names)
        and _has_convertors(operation, StringConvertor, PathConvertor)
        and config.response_field is not None
        and (config.status_code is None or (config.status_code >= 200 and config.status_code not in _WITHOUT_BODY))
    )


def is_injectable(operation: Operation, config: HandlerConfig) -> bool:
    """Return whether FastAPI can solve all parameters of an endpoint from a request without the router."""
    return _uses_json(operation, config) and _has_convertors(operation, *_CONVERTORS)


def _has_convertors(operation: Operation, *kinds: type) -> bool:
    return all(type(convertor) in kinds for convertor in operation.route.param_convertors.values())


def _uses_json(operation: Operation, config: HandlerConfig) -> bool:
    """Return whether an endpoint reads JSON or no body, and FastAPI responds with JSON."""
    template = operation.template
    return (
        not template.mounts
        and operation.method in _METHODS
        and operation.route.param_convertors.keys() == set(template.names)  # FastAPI and Starlette differ on {item-id}
        and _reads_json(operation, config)
        and _responds_with_json(config)
    )


def _reads_json(operation: Operation, config: HandlerConfig) -> bool:
    if config.body_field is None:
        return True
    if config.is_form or operation.body is None:
        return False
    kind, _, rest = operation.body.media_type.partition("/")
    return kind == "application" and "/" not in rest and (rest == "json" or rest.endswith("+json"))


def _responds_with_json(config: HandlerConfig) -> bool:
    endpoint = config.dependant.call
    return (
        isinstance(config.response_class, DefaultPlaceholder)
        and config.response_class.value is JSONResponse
        and not (_models._is_gen_callable(endpoint) or _models._is_async_gen_callable(endpoint))  # noqa: SLF001
    )
