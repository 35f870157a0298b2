"""The parts of an endpoint that is called directly: its parameters, its ASGI scope, and the context of its errors."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from contextlib import AsyncExitStack
from functools import cached_property
from typing import Any

from fastapi import FastAPI, Request, routing
from fastapi.dependencies import utils
from fastapi.exceptions import ValidationException
from pydantic_core import PydanticUndefined

from toolway.calls.direct.eligibility import HandlerConfig
from toolway.calls.direct.strict_json import is_strict
from toolway.calls.direct.support import scope_exception_handlers
from toolway.calls.reply import JsonReply
from toolway.calls.request.request_builder import RequestValues
from toolway.openapi import Operation

__all__ = ["DirectEndpoint", "Parameters", "set_body"]

_EXIT_STACKS = "fastapi_middleware_astack", "fastapi_inner_astack", "fastapi_function_astack"
_CONTEXT = ("function", "file", "line", "path")
_routing: Any = routing  # the private functions of both are covered by fingerprints
_utils: Any = utils


class DirectEndpoint:
    """One endpoint, with the entries that FastAPI adds to the scope of its requests.

    Args:
        app: its application.
        operation: its operation; the route is the effective one, with the prefixes of included routers.
        config: the configuration of its handler.
        router_scope: what FastAPI stores in the scope about the included router (see `included_router_scopes`).
    """

    def __init__(
        self, app: FastAPI, operation: Operation, config: HandlerConfig, router_scope: Mapping[str, Any] | None
    ) -> None:
        self.app = app
        route: Any = operation.route
        self.config = config
        # A placeholder by which errors of this endpoint are recognized: to read the endpoint's source takes time, and
        # is only needed for an error. It has an entry because FastAPI discards an empty context.
        self.endpoint_ctx: Any = {"function": getattr(config.dependant.call, "__name__", "")}
        self.serialization = config.serialization(self.endpoint_ctx)
        self._method = operation.method
        self._router_scope = router_scope
        self._status: int = config.status_code or 200
        self._exception_handlers = scope_exception_handlers(app)
        self._convertors = list(route.param_convertors.items())
        self._scope = {
            "app": app,
            "router": app.router,
            "route": getattr(route, "original_route", route),
            "endpoint": route.endpoint,
        }

    @cached_property
    def _is_strict(self) -> bool:
        """Whether its responses are always strict JSON; determined at the first response to keep startup fast."""
        return is_strict(self.config.response_field)

    def path_values(self, parts: RequestValues) -> dict[str, Any] | None:
        """Return the values of the path in its order; None if the router rejects one."""
        try:
            return {name: convertor.convert(parts.path[name]) for name, convertor in self._convertors}
        except ValueError:
            return None

    def router_scope(self, path: Mapping[str, Any]) -> dict[str, Any]:
        """Return what the application and its router add to the scope of a request with these path values."""
        entries = {**self._scope, "path_params": path}
        return entries if self._router_scope is None else {**entries, "fastapi": {**self._router_scope}}

    def endpoint_scope(self, stack: AsyncExitStack) -> dict[str, Any]:
        """Return what else is in the scope while the endpoint runs; `stack` serves as each of FastAPI's exit stacks."""
        return {**dict.fromkeys(_EXIT_STACKS, stack), "starlette.exception_handlers": self._exception_handlers}

    def json_reply(self, parts: RequestValues, content: bytes) -> JsonReply:
        """Return serialized content as a response, and record in `parts` whether it is strict JSON."""
        parts.strict = content if self._is_strict else None
        return JsonReply(self._status, content)

    def attach_endpoint_ctx(self, error: Exception, root_path: str) -> None:
        """Add to a validation error of FastAPI's where the endpoint is defined."""
        if not isinstance(error, ValidationException) or error.endpoint_ctx is not self.endpoint_ctx:
            return
        dependant = self.config.dependant
        context: Any = {**_routing._extract_endpoint_context(dependant.call)}  # noqa: SLF001
        if dependant.path:
            context["path"] = f"{self._method} {root_path.rstrip('/')}{dependant.path}"
        error.endpoint_ctx = context
        for name in _CONTEXT:
            setattr(error, f"endpoint_{name}", context.get(name))


def set_body(request: Request, parts: RequestValues) -> None:
    """Store the body in a request, as if it had been read."""
    vars(request)["_body"] = parts.body or b""
    if parts.document is not PydanticUndefined:
        vars(request)["_json"] = parts.document


class Parameters:
    """The parameters of one location.

    Most are single values under a single name. FastAPI determines that anew for each request, which takes as long as
    the rest.

    Args:
        fields: FastAPI's fields of the parameters.
        location: the location as it appears in errors: ``path``, ``query``, ``header`` or ``cookie``.
    """

    def __init__(self, fields: Sequence[Any], location: str) -> None:
        names = [(field, _single_name(field)) for field in fields]
        self._fields = fields
        self._location = location
        self._named = [(field, name) for field, name in names if name is not None]
        self.is_simple = len(self._named) == len(fields)
        """Whether each parameter is read from one text under one name."""

    def read(self, received: Mapping[str, Any]) -> tuple[dict[str, Any], list[Any]]:
        """Return the values by the endpoint's own parameter names, and the validation errors."""
        if not self.is_simple:
            return utils.request_params_to_args(self._fields, received)
        values: dict[str, Any] = {}
        errors: list[Any] = []
        for field, name in self._named:
            value, found = _utils._validate_value_with_model_field(  # noqa: SLF001
                field=field, value=received.get(name, PydanticUndefined), values=values, loc=(self._location, name)
            )
            if found:
                errors += found
            else:
                values[field.name] = value
        return values, errors


def _single_name(field: Any) -> str | None:
    """Return the only name under which a single value is sent; None for other fields."""
    is_single = not (
        _utils._is_json_field(field)  # noqa: SLF001
        or _utils._get_param_model(field) is not None  # noqa: SLF001
        or _utils.field_annotation_is_sequence(field.field_info.annotation)
    )
    names = _utils._get_param_aliases(field)  # noqa: SLF001
    return names[0][1] if is_single and len(names) == 1 else None
