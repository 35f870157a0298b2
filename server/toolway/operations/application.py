"""From a FastAPI application in this process to operations.

The application's OpenAPI document is the contract; its routes only add what a document cannot say: the function behind
an operation, whether a path parameter may hold slashes, and which routes could take a filled path away.
"""

from __future__ import annotations

import dataclasses
import inspect
from collections.abc import Iterator, Sequence
from typing import Any, cast

from fastapi import FastAPI
from fastapi import routing as fastapi_routing
from fastapi.dependencies.models import Dependant
from fastapi.openapi.models import APIKey, APIKeyIn
from fastapi.routing import APIRoute
from fastapi.security.base import SecurityBase
from starlette.requests import Request
from starlette.routing import BaseRoute, Mount, Route

from toolway.errors import DocumentError
from toolway.operations.document import read_document
from toolway.operations.model import Api, Body, Credentials, Operation, Response, Skipped
from toolway.operations.paths import PathTemplate, RouteIndex, RoutePattern, plain_path

__all__ = ["has_path", "read_application"]

_LEAVING_OUT = ("include", "exclude", "exclude_unset", "exclude_defaults", "exclude_none")
_METHODS_WITH_BODY = frozenset({"POST", "PUT", "PATCH", "DELETE"})


def read_application(app: FastAPI) -> Api:
    """Read the operations of an application and of the FastAPI applications mounted in it.

    The document is what ``app.openapi()`` says now, overridden or not. When an application and one that is mounted in
    it have the same method and path, the outer one counts, as it does for the router.
    """
    apis = list(_apis(app, prefix="", outer=[], mount=None))
    operations: dict[tuple[str, str], Operation] = {}
    for api in apis:
        for operation in api.operations:
            operations.setdefault((operation.method, operation.path), operation)
    skipped = tuple(entry for api in apis for entry in api.skipped)
    return dataclasses.replace(apis[0], operations=tuple(operations.values()), skipped=skipped)


def has_path(app: FastAPI, path: str) -> bool:
    """Tell whether a route or a mount of the application stands at exactly this path."""
    return any(getattr(leaf, "path", None) == path for leaf in _leaves(app.routes))


def _apis(app: FastAPI, prefix: str, outer: list[RoutePattern], mount: str | None) -> Iterator[Api]:
    """Yield the application's API, then those of its mounts.

    `outer` are routes that come before all of these, `mount` is the outermost prefix.
    """
    leaves = list(_leaves(app.routes))
    patterns = [*outer, *(pattern for leaf in leaves for pattern in _patterns(leaf, prefix))]
    yield _read_one(app, prefix, leaves, RouteIndex(patterns, mount))
    for position, leaf in enumerate(leaves):
        route = _original(leaf)
        if isinstance(route, Mount) and isinstance(inner := _unwrapped(route), FastAPI):
            before = [*outer, *(pattern for earlier in leaves[:position] for pattern in _patterns(earlier, prefix))]
            deeper = prefix + str(leaf.path).rstrip("/")
            yield from _apis(inner, deeper, before, deeper if mount is None else mount)


def _read_one(app: FastAPI, prefix: str, leaves: list[Any], index: RouteIndex) -> Api:
    routes = _routes_by_operation(leaves)

    def template_for(method: str, path: str, operation_id: str | None) -> PathTemplate:
        template = index.template(method, plain_path(prefix + path), operation_id)
        if template is None:
            raise DocumentError("no route of the application serves this path")
        return template

    api = read_document(app.openapi(), prefix=prefix, template_for=template_for)
    operations = (_enriched(operation, _route_of(operation, prefix, routes)) for operation in api.operations)
    sockets = (
        Skipped("WEBSOCKET", prefix + str(leaf.path), "a WebSocket has no single answer")
        for leaf in leaves
        if isinstance(_original(leaf), fastapi_routing.APIWebSocketRoute)
    )
    return dataclasses.replace(api, operations=tuple(operations), skipped=(*api.skipped, *sockets))


def _leaves(routes: Sequence[BaseRoute]) -> Iterator[Any]:
    """Yield every route in the router's order, with its effective path; since FastAPI 0.137 routes form a tree."""
    iterate = getattr(fastapi_routing, "iter_route_contexts", iter)
    yield from iterate(routes)


def _original(leaf: Any) -> BaseRoute:
    return getattr(leaf, "original_route", leaf)


def _unwrapped(mount: Mount) -> Any:
    return getattr(mount, "_base_app", mount.app)


def _patterns(leaf: Any, prefix: str) -> Iterator[RoutePattern]:
    route = _original(leaf)
    if isinstance(route, Mount):
        yield RoutePattern(prefix + str(leaf.path).rstrip("/") + "/{path:path}", methods=None, is_mount=True)
    elif isinstance(route, Route):
        methods = frozenset[str](leaf.methods) if leaf.methods else None
        yield RoutePattern(prefix + str(leaf.path), methods, operation_id=_operation_id(leaf))


def _operation_id(leaf: Any) -> str | None:
    """The id under which the document has a route."""
    return getattr(leaf, "operation_id", None) or getattr(leaf, "unique_id", None)


def _routes_by_operation(leaves: list[Any]) -> dict[tuple[str, str], list[Any]]:
    found: dict[tuple[str, str], list[Any]] = {}
    for leaf in leaves:
        if isinstance(_original(leaf), APIRoute):
            for method in cast("set[str]", leaf.methods or ()):
                found.setdefault((method, str(leaf.path_format)), []).append(leaf)
    return found


def _route_of(operation: Operation, prefix: str, routes: dict[tuple[str, str], list[Any]]) -> Any | None:
    """The route that an operation was written from: of several on one path the document has the last."""
    leaves = routes.get((operation.method, operation.path.removeprefix(prefix)), [])
    same = [leaf for leaf in leaves if _operation_id(leaf) == operation.operation_id]
    return same[-1] if same else next(iter(leaves), None)


def _enriched(operation: Operation, leaf: Any | None) -> Operation:
    """Add what only the route knows."""
    if leaf is None:
        return operation
    body = operation.body
    if body is None and operation.method in _METHODS_WITH_BODY and _takes_raw_request(leaf.endpoint):
        body = Body("*/*", {}, required=False, documented=False)
    return dataclasses.replace(
        operation,
        endpoint=leaf.endpoint,
        body=body,
        responses=operation.responses if leaf.response_model_by_alias else _undescribed(operation.responses),
        credentials=_with_keys(operation.credentials, list(_api_keys(leaf.dependant))),
        answers_partly=_answers_partly(leaf),
    )


def _with_keys(documented: Credentials, keys: list[APIKey]) -> Credentials:
    """Add the keys that a document loses: of several under one scheme name (the class, by default) it has the last."""
    return Credentials(
        headers=documented.headers.union(key.name.lower() for key in keys if key.in_ is APIKeyIn.header),
        query=documented.query.union(key.name for key in keys if key.in_ is APIKeyIn.query),
        cookies=documented.cookies.union(key.name for key in keys if key.in_ is APIKeyIn.cookie),
    )


def _api_keys(dependant: Dependant) -> Iterator[APIKey]:
    for inner in dependant.dependencies:
        if isinstance(inner.call, SecurityBase) and isinstance(inner.call.model, APIKey):
            yield inner.call.model
        yield from _api_keys(inner)


def _undescribed(responses: tuple[Response, ...]) -> tuple[Response, ...]:
    """Answers by field names in place of aliases are not what the document describes."""
    return tuple(dataclasses.replace(response, schema={}) for response in responses)


def _answers_partly(leaf: Any) -> bool:
    return any(getattr(leaf, f"response_model_{option}") for option in _LEAVING_OUT)


def _takes_raw_request(endpoint: Any) -> bool:
    """Tell whether an endpoint reads the request itself: then a body may matter that no document describes."""
    try:
        hints = inspect.signature(endpoint, eval_str=True).parameters.values()
    except (NameError, TypeError, ValueError):
        return False
    return any(isinstance(hint.annotation, type) and issubclass(hint.annotation, Request) for hint in hints)
