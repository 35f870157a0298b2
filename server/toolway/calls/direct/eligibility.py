"""Which endpoints may be called without the ASGI stack around them, because nobody could tell the difference.

Whatever could show one counts: a route class, a form, and a response class, which FastAPI reads and writes in ways of
their own. `stack` says of which applications that can be asked at all.
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

_models: Any = models  # whose functions are FastAPI's own affair, in releases that were read
_CONVERTORS = (StringConvertor, PathConvertor, IntegerConvertor, FloatConvertor, UUIDConvertor)
_METHODS = frozenset({"GET", "POST", "PUT", "PATCH", "DELETE"})
_WITHOUT_BODY = frozenset({204, 205, 304})
_OTHERWISE_USED = (
    "dependencies", "header_params", "cookie_params", "request_param_name", "websocket_param_name",
    "http_connection_param_name", "response_param_name", "background_tasks_param_name", "security_scopes_param_name",
)  # fmt: skip
"""What else FastAPI may have to do for an endpoint."""
_LEAVING_OUT = ("include", "exclude", "exclude_unset", "exclude_defaults", "exclude_none")


class HandlerConfig:
    """What FastAPI has made the handler of a route with; what is done to the route later changes nothing in it."""

    def __init__(self, handle: Callable[[Request], Awaitable[Response]], enclosed: Mapping[str, Any]) -> None:
        self.handle = handle
        """The handler."""
        self.dependant: Any = enclosed["dependant"]
        self.body_field: Any = enclosed["body_field"]
        self.takes_body = self.body_field is not None
        self.embeds: bool = enclosed["embed_body_fields"]
        self.overrides_provider: Any = enclosed["dependency_overrides_provider"]
        self.is_coroutine: bool = enclosed["is_coroutine"]
        self.is_form: bool = bool(enclosed["is_body_form"])
        self.response_field: Any = enclosed["response_field"]
        self.response_class: Any = enclosed["response_class"]
        self.status_code: int | None = enclosed["status_code"]
        self._writing = {name: enclosed[f"response_model_{name}"] for name in (*_LEAVING_OUT, "by_alias")}

    def writing(self, here: object) -> Mapping[str, Any]:
        """How what the endpoint returns is written; `here` goes into errors."""
        return {
            "field": self.response_field,
            "is_coroutine": self.is_coroutine,
            "endpoint_ctx": here,
            "dump_json": self.response_field is not None,
            **self._writing,
        }


def handler_config(operation: Operation) -> HandlerConfig | None:
    """Return what the handler of an operation's route was made with; None for one that FastAPI has not made."""
    route = operation.route
    if route is None or type(getattr(route, "original_route", route)) is not APIRoute:
        return None
    handler = _enclosed(route.app, "request_response").get("f")
    enclosed = _enclosed(handler, "get_request_handler")
    return HandlerConfig(cast("Any", handler), enclosed) if enclosed else None


def _enclosed(function: Any, maker: str) -> dict[str, Any]:
    """What the function that one of FastAPI's own has made refers to; nothing for another."""
    is_own = inspect.isfunction(function) and function.__code__.co_filename == routing.__file__
    if not is_own or function.__qualname__ != f"{maker}.<locals>.app":
        return {}
    values = (cell.cell_contents for cell in function.__closure__ or ())
    return dict(zip(function.__code__.co_freevars, values, strict=True))


def is_values_only(operation: Operation, made: HandlerConfig) -> bool:
    """Tell whether an endpoint takes nothing but its path, its query and a JSON body, and FastAPI writes its answer."""
    return (
        _is_usual(operation, made)
        and not any(getattr(made.dependant, name) for name in _OTHERWISE_USED)
        and not operation.credentials.query  # which the caller sends, and not an argument
        and {field.alias for field in made.dependant.path_params} <= set(operation.template.names)
        and _converts(operation, StringConvertor, PathConvertor)
        and made.response_field is not None
        and (made.status_code is None or (made.status_code >= 200 and made.status_code not in _WITHOUT_BODY))
    )


def is_injectable(operation: Operation, made: HandlerConfig) -> bool:
    """Tell whether FastAPI's solver finds all that an endpoint takes, in a request that is like any other."""
    return _is_usual(operation, made) and _converts(operation, *_CONVERTORS)


def _converts(operation: Operation, *kinds: type) -> bool:
    return all(type(convertor) in kinds for convertor in operation.route.param_convertors.values())


def _is_usual(operation: Operation, made: HandlerConfig) -> bool:
    """Tell whether an endpoint reads JSON, if anything, and FastAPI answers with it."""
    template = operation.template
    return (
        not template.mounts
        and operation.method in _METHODS
        and operation.route.param_convertors.keys() == set(template.names)  # FastAPI and Starlette differ on {item-id}
        and _reads_json(operation, made)
        and _answers_json(made)
    )


def _reads_json(operation: Operation, made: HandlerConfig) -> bool:
    if made.body_field is None:
        return True
    return not made.is_form and operation.body is not None and _is_json(operation.body.media_type)


def _is_json(media_type: str) -> bool:
    kind, _, rest = media_type.partition("/")
    return kind == "application" and "/" not in rest and (rest == "json" or rest.endswith("+json"))


def _answers_json(made: HandlerConfig) -> bool:
    endpoint = made.dependant.call
    return (
        isinstance(made.response_class, DefaultPlaceholder)
        and made.response_class.value is JSONResponse
        and not (_models._is_gen_callable(endpoint) or _models._is_async_gen_callable(endpoint))  # noqa: SLF001
    )
