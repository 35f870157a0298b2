"""Operations of a FastAPI application in this process.

The application's OpenAPI document is the contract. Its routes add what the document does not contain: the endpoint
function, which path parameters may hold slashes, and which routes could match a filled path first.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any, TypeAlias, cast

from fastapi import FastAPI
from fastapi.dependencies.models import Dependant
from fastapi.openapi.models import APIKey, APIKeyIn
from fastapi.routing import APIRoute, APIWebSocketRoute
from fastapi.security.base import SecurityBase
from starlette.routing import Host, Mount, Route

from toolway.errors import DocumentError
from toolway.markers import EXTENSION, read_marker
from toolway.openapi.operation import Api, Body, Credentials, Operation, SkippedOperation
from toolway.openapi.parameter_names import read_dependency_names, read_signature_names
from toolway.openapi.path_template import PathTemplate, strip_convertors
from toolway.openapi.raw_body_detection import may_read_body
from toolway.openapi.reader import read_document
from toolway.openapi.response_mismatch import explain_mismatch
from toolway.openapi.route_index import RouteIndex, RoutePattern
from toolway.openapi.routes import iter_dependencies, iter_routes, mounted_application, original_route, route_path

__all__ = ["read_application"]

_OMITTING_OPTIONS = ("include", "exclude", "exclude_unset", "exclude_defaults", "exclude_none")
_METHODS_WITH_BODY = frozenset({"POST", "PUT", "PATCH"})

_RoutesByOperation: TypeAlias = dict[tuple[str, str], list[Any]]
"""Routes by method and path."""


class _GeneratedDocument(dict[str, Any]):
    """A document that FastAPI generated, as opposed to one that the application put into its cache itself.

    The application keeps it as its cached document. The next read recognizes it and generates a new one, because
    routes may have been added.
    """


def read_application(app: FastAPI) -> Api:
    """Return the operations of an application and of the FastAPI applications mounted in it.

    The document is the result of ``app.openapi()`` for the current routes, whether the application overrides it or
    not. If an application and a mounted one have the same method and path, the outer one wins, as in the router.
    """
    apis = list(_walk_applications(app, prefix="", outer=[], mounts=()))
    operations: dict[tuple[str, str], Operation] = {}
    for api in apis:
        for operation in api.operations:
            operations.setdefault((operation.method, operation.path), operation)
    skipped = tuple(entry for api in apis for entry in api.skipped)
    return dataclasses.replace(apis[0], operations=tuple(operations.values()), skipped=skipped)


def _walk_applications(app: FastAPI, prefix: str, outer: list[RoutePattern], mounts: tuple[str, ...]) -> Iterator[Api]:
    """Yield the application's API, then those of its mounts.

    `outer` are the routes that the router tries before all of these; `mounts` are the prefixes of the mounts above.
    """
    routes = list(iter_routes(app.routes))
    patterns = [[*_route_patterns(route, prefix)] for route in routes]
    index = RouteIndex([*outer, *(pattern for group in patterns for pattern in group)], mounts)
    yield _read_single(app, prefix, routes, index)
    for position, route in enumerate(routes):
        original = original_route(route)
        if inner := mounted_application(route):
            before = [*outer, *(pattern for group in patterns[:position] for pattern in group)]
            inner_prefix = prefix + route_path(route).rstrip("/")
            yield from _walk_applications(inner, inner_prefix, before, (*mounts, inner_prefix))
        elif isinstance(original, Host) and isinstance(original.app, FastAPI):
            yield from (_skip_host(api, original.host) for api in _walk_applications(original.app, prefix, [], mounts))


def _skip_host(api: Api, host: str) -> Api:
    """Skip all operations of a host: a proxy may keep that host from callers who can reach this one."""
    reason = f"it is served only under the host {host!r}; mount a Toolway on that application itself"
    skipped = (SkippedOperation(operation.method, operation.path, reason) for operation in api.operations)
    return dataclasses.replace(api, operations=(), skipped=(*skipped, *api.skipped))


def _read_single(app: FastAPI, prefix: str, routes: list[Any], index: RouteIndex) -> Api:
    by_operation = _group_by_operation(routes)

    def template_for(method: str, path: str, operation_id: str | None) -> PathTemplate:
        template = index.find_template(method, strip_convertors(prefix + path), operation_id)
        if template is None:
            raise DocumentError("only a catch-all mount serves this path, as it does any other path")
        return template

    api = read_document(_read_openapi(app), prefix=prefix, template_for=template_for)
    operations: list[Operation] = []
    for operation in api.operations:
        route = _find_route(operation, prefix, by_operation)
        is_separate = app.separate_input_output_schemas
        operations.append(operation if route is None else _add_route(operation, route, is_separate=is_separate))
    sockets = (
        SkippedOperation("WEBSOCKET", prefix + route_path(route), "a WebSocket has no single response")
        for route in routes
        if isinstance(original_route(route), APIWebSocketRoute)
    )
    undocumented = _skip_undocumented(by_operation, prefix)
    return dataclasses.replace(api, operations=tuple(operations), skipped=(*api.skipped, *sockets, *undocumented))


def _read_openapi(app: FastAPI) -> dict[str, Any]:
    """Return the application's document, generated anew unless the application put one into the cache itself."""
    if isinstance(app.openapi_schema, _GeneratedDocument):
        app.openapi_schema = None
    is_generated = app.openapi_schema is None
    document = app.openapi()
    if is_generated and app.openapi_schema is not None:
        app.openapi_schema = _GeneratedDocument(app.openapi_schema)
    return document


def _skip_undocumented(
    by_operation: Mapping[tuple[str, str], Sequence[Any]], prefix: str
) -> Iterator[SkippedOperation]:
    """Yield the operations that a marker offers to agents although they are missing from the document."""
    reason = "it has a marker, but include_in_schema=False keeps it out of the OpenAPI document; remove one of the two"
    for (method, path), routes in by_operation.items():
        is_documented = any(route.include_in_schema for route in routes)
        if not is_documented and any(_is_marked(route) for route in routes):
            yield SkippedOperation(method, prefix + path, reason)


def _is_marked(route: Any) -> bool:
    marker: object = read_marker(route.endpoint) or _as_mapping(route.openapi_extra).get(EXTENSION)
    return isinstance(marker, Mapping) and not _as_mapping(cast("object", marker)).get("hide")


def _route_patterns(route: Any, prefix: str) -> Iterator[RoutePattern]:
    original = original_route(route)
    if isinstance(original, Mount):
        yield RoutePattern(prefix + route_path(route).rstrip("/") + "/{path:path}", methods=None, is_mount=True)
    elif isinstance(original, Route):
        methods = frozenset[str](route.methods) if route.methods else None
        yield RoutePattern(prefix + route_path(route), methods, operation_id=_operation_id(route))
    elif isinstance(original, Host):
        yield RoutePattern(prefix + "/{path:path}", methods=None, host=original.host_regex)


def _operation_id(route: Any) -> str | None:
    """Return the operation id that the document gives a route."""
    return getattr(route, "operation_id", None) or getattr(route, "unique_id", None)


def _group_by_operation(routes: list[Any]) -> _RoutesByOperation:
    groups: _RoutesByOperation = {}
    for route in routes:
        if isinstance(original_route(route), APIRoute):
            for method in cast("set[str]", route.methods or ()):
                groups.setdefault((method, str(route.path_format)), []).append(route)
    return groups


def _find_route(operation: Operation, prefix: str, by_operation: _RoutesByOperation) -> Any | None:
    """Return the route that an operation documents: the last one of a path, as in the document."""
    routes = by_operation.get((operation.method, operation.path.removeprefix(prefix)), [])
    same = [route for route in routes if _operation_id(route) == operation.operation_id]
    return same[-1] if same else next(iter(routes), None)


def _add_route(operation: Operation, route: Any, *, is_separate: bool) -> Operation:
    """Return the operation with what only its route knows."""
    body = operation.body
    dependencies = tuple(iter_dependencies(route.dependant))
    if body is None and _may_read_raw_body(operation, route, dependencies):
        body = Body("*/*", {}, required=False, is_documented=False)
    dependency_names = read_dependency_names(route.dependant)
    return dataclasses.replace(
        operation,
        endpoint=route.endpoint,
        route=route,
        body=body,
        credentials=_add_api_keys(operation.credentials, list(_iter_api_keys(route.dependant))),
        may_omit_fields=any(getattr(route, f"response_model_{option}") for option in _OMITTING_OPTIONS),
        schema_mismatch=explain_mismatch(route, is_separate=is_separate),
        dependencies=dependencies,
        declared_names=read_signature_names(route.dependant) | dependency_names,
        dependency_names=dependency_names,
    )


def _add_api_keys(documented: Credentials, keys: list[APIKey]) -> Credentials:
    """Add the keys missing from the document, which has only the last of several schemes with one name."""
    return dataclasses.replace(
        documented,
        headers=documented.headers.union(key.name.lower() for key in keys if key.in_ is APIKeyIn.header),
        query=documented.query.union(key.name for key in keys if key.in_ is APIKeyIn.query),
        cookies=documented.cookies.union(key.name for key in keys if key.in_ is APIKeyIn.cookie),
    )


def _iter_api_keys(dependant: Dependant) -> Iterator[APIKey]:
    for call in iter_dependencies(dependant):
        if isinstance(call, SecurityBase) and isinstance(call.model, APIKey):
            yield call.model


def _may_read_raw_body(operation: Operation, route: Any, dependencies: Sequence[Callable[..., Any]]) -> bool:
    """Return whether the endpoint may read a body that the document does not describe; a marker takes precedence."""
    if operation.method not in _METHODS_WITH_BODY:
        return False
    marked = {**_as_mapping(operation.extension), **_as_mapping(read_marker(route.endpoint))}.get("raw_body")
    return marked if isinstance(marked, bool) else may_read_body(route.endpoint, dependencies)


def _as_mapping(value: object) -> Mapping[str, Any]:
    return cast("Mapping[str, Any]", value) if isinstance(value, Mapping) else {}
