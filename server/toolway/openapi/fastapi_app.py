"""From a FastAPI application in this process to operations.

The application's OpenAPI document is the contract; its routes only add what a document cannot say: the function behind
an operation, whether a path parameter may hold slashes, and which routes could take a filled path away.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any, cast
from weakref import WeakKeyDictionary

from fastapi import APIRouter, FastAPI
from fastapi import routing as fastapi_routing
from fastapi.dependencies.models import Dependant
from fastapi.openapi.models import APIKey, APIKeyIn
from fastapi.routing import APIRoute
from fastapi.security.base import SecurityBase
from starlette.routing import BaseRoute, Host, Mount, Route

from toolway._shortcut import RouterBypassMiddleware
from toolway.errors import DocumentError
from toolway.markers import EXTENSION, read_marker
from toolway.openapi.model import Api, Body, Credentials, Operation, SkippedOperation
from toolway.openapi.parameter_names import read_dependency_names, read_signature_names
from toolway.openapi.path_template import PathTemplate, RouteIndex, RoutePattern, plain_path
from toolway.openapi.raw_body_detection import may_read_body
from toolway.openapi.reader import read_document
from toolway.openapi.response_mismatch import explain_mismatch

__all__ = [
    "find_path",
    "has_endpoint",
    "has_path",
    "iter_applications",
    "iter_responses",
    "may_inspect_callers",
    "read_application",
]

_LEFT_OUT = (
    "include_in_schema=False keeps it out of the OpenAPI document, though it is marked for agents; take one away"
)
_LEAVING_OUT = ("include", "exclude", "exclude_unset", "exclude_defaults", "exclude_none")
_seen: WeakKeyDictionary[FastAPI, dict[str, Any]] = WeakKeyDictionary()
_LOOKING = frozenset(
    {"starlette.middleware.authentication", "starlette.middleware.base", "starlette.middleware.sessions"}
)
_METHODS_WITH_BODY = frozenset({"POST", "PUT", "PATCH"})


def read_application(app: FastAPI) -> Api:
    """Read the operations of an application and of the FastAPI applications mounted in it.

    The document is what ``app.openapi()`` says of the routes as they are now, overridden or not. When an application
    and one that is mounted in it have the same method and path, the outer one counts, as it does for the router.
    """
    apis = list(_apis(app, prefix="", outer=[], mounts=()))
    operations: dict[tuple[str, str], Operation] = {}
    for api in apis:
        for operation in api.operations:
            operations.setdefault((operation.method, operation.path), operation)
    skipped = tuple(entry for api in apis for entry in api.skipped)
    return dataclasses.replace(apis[0], operations=tuple(operations.values()), skipped=skipped)


def iter_applications(app: FastAPI) -> Iterator[FastAPI]:
    """Yield an application, and those that are mounted in it."""
    yield app
    for leaf in _leaves(app.routes):
        route = _original(leaf)
        if isinstance(route, Mount) and isinstance(inner := _unwrapped(route), FastAPI):
            yield from iter_applications(inner)


def has_path(app: FastAPI | APIRouter, path: str) -> bool:
    """Tell whether a route or a mount of an application or a router stands at exactly this path."""
    return any(getattr(leaf, "path", None) == path for leaf in _leaves(app.routes))


def has_endpoint(app: FastAPI, endpoint: Callable[..., Any]) -> bool:
    """Tell whether a route of the application leads to exactly this function."""
    return any(getattr(leaf, "endpoint", None) is endpoint for leaf in _leaves(app.routes))


def may_inspect_callers(*sites: FastAPI | APIRouter) -> bool:
    """Tell whether something that stands before all paths may look at who asks: a dependency, or middleware.

    Of Starlette's own middleware only that for authentication and sessions does.
    """
    return any(_has_dependencies(site) or _has_middleware(site) for site in sites)


def _has_dependencies(site: FastAPI | APIRouter) -> bool:
    return bool(site.router.dependencies if isinstance(site, FastAPI) else site.dependencies)


def _has_middleware(site: FastAPI | APIRouter) -> bool:
    found = site.user_middleware if isinstance(site, FastAPI) else ()
    modules = {getattr(entry.cls, "__module__", "") for entry in found if entry.cls is not RouterBypassMiddleware}
    return any(not name.startswith("starlette.middleware.") or name in _LOOKING for name in modules)


def find_path(app: FastAPI, endpoint: object) -> str | None:
    """The path at which an application serves an endpoint, through whatever routers; None when it does not."""
    leaves = _leaves(app.routes)
    return next((_path(leaf) for leaf in leaves if getattr(_original(leaf), "endpoint", None) is endpoint), None)


def iter_responses(
    app: FastAPI, dependency: Callable[..., Any]
) -> Iterator[tuple[FastAPI, dict[int | str, dict[str, Any]]]]:
    """Yield the documented responses of every route that has a dependency, to be added to, and the route's application.

    The routes of applications that are mounted in the given one are among them.
    """
    for leaf in _leaves(app.routes):
        route = _original(leaf)
        if isinstance(route, Mount) and isinstance(inner := _unwrapped(route), FastAPI):
            yield from iter_responses(inner, dependency)
        elif isinstance(route, APIRoute) and dependency in _dependencies(leaf.dependant):
            yield app, route.responses
            if leaf.responses is not route.responses:  # of a router: those of both are merged
                yield app, leaf.responses


def _apis(app: FastAPI, prefix: str, outer: list[RoutePattern], mounts: tuple[str, ...]) -> Iterator[Api]:
    """Yield the application's API, then those of its mounts.

    `outer` are routes that come before all of these, `mounts` are the prefixes down to here.
    """
    leaves = list(_leaves(app.routes))
    patterns = [*outer, *(pattern for leaf in leaves for pattern in _patterns(leaf, prefix))]
    yield _read_one(app, prefix, leaves, RouteIndex(patterns, mounts))
    for position, leaf in enumerate(leaves):
        route = _original(leaf)
        if isinstance(route, Mount) and isinstance(inner := _unwrapped(route), FastAPI):
            before = [*outer, *(pattern for earlier in leaves[:position] for pattern in _patterns(earlier, prefix))]
            deeper = prefix + _path(leaf).rstrip("/")
            yield from _apis(inner, deeper, before, (*mounts, deeper))
        elif isinstance(route, Host) and isinstance(route.app, FastAPI):
            yield from (_elsewhere(api, route.host) for api in _apis(route.app, prefix, [], mounts))


def _elsewhere(api: Api, host: str) -> Api:
    """Leave out what stands under a host of its own: a proxy may keep that from those who reach this one."""
    reason = f"it answers only under the host {host!r}; mount a Toolway on that application itself"
    found = (SkippedOperation(operation.method, operation.path, reason) for operation in api.operations)
    return dataclasses.replace(api, operations=(), skipped=(*found, *api.skipped))


def _read_one(app: FastAPI, prefix: str, leaves: list[Any], index: RouteIndex) -> Api:
    routes = _routes_by_operation(leaves)

    def template_for(method: str, path: str, operation_id: str | None) -> PathTemplate:
        template = index.template(method, plain_path(prefix + path), operation_id)
        if template is None:
            raise DocumentError("only a catch-all mount serves this path, as it does any other")
        return template

    api = read_document(_document(app), prefix=prefix, template_for=template_for)
    is_separate = app.separate_input_output_schemas
    operations = (
        _enriched(operation, _route_of(operation, prefix, routes), is_separate=is_separate)
        for operation in api.operations
    )
    sockets = (
        SkippedOperation("WEBSOCKET", prefix + _path(leaf), "a WebSocket has no single answer")
        for leaf in leaves
        if isinstance(_original(leaf), fastapi_routing.APIWebSocketRoute)
    )
    left_out = (SkippedOperation(method, prefix + path, _LEFT_OUT) for method, path in _left_out(routes))
    return dataclasses.replace(api, operations=tuple(operations), skipped=(*api.skipped, *sockets, *left_out))


def _left_out(routes: Mapping[tuple[str, str], Sequence[Any]]) -> Iterator[tuple[str, str]]:
    """Yield what a marker offers to agents, and no document does."""
    for place, leaves in routes.items():
        if not any(leaf.include_in_schema for leaf in leaves) and any(_is_offered(leaf) for leaf in leaves):
            yield place


def _is_offered(leaf: Any) -> bool:
    extra = cast("Mapping[str, object]", leaf.openapi_extra or {})
    note: object = read_marker(leaf.endpoint) or extra.get(EXTENSION)
    return isinstance(note, Mapping) and not cast("Mapping[str, object]", note).get("hide")


def _document(app: FastAPI) -> dict[str, Any]:
    """The application's document; one that an earlier look has left in its cache may know less than there is now."""
    if app.openapi_schema is not None and app.openapi_schema is _seen.get(app):
        app.openapi_schema = None
    is_ours = app.openapi_schema is None  # and not one that the application has put there itself
    document = app.openapi()
    if is_ours and app.openapi_schema is not None:
        _seen[app] = app.openapi_schema
    return document


def _leaves(routes: Sequence[BaseRoute]) -> Iterator[Any]:
    """Yield every route in the router's order, with its effective path; since FastAPI 0.137 routes form a tree."""
    iterate = getattr(fastapi_routing, "iter_route_contexts", iter)
    yield from iterate(routes)


def _original(leaf: Any) -> BaseRoute:
    return getattr(leaf, "original_route", leaf)


def _path(leaf: Any) -> str:
    """The effective path; of a router's sockets, mounts and plain routes FastAPI 0.137 tells it only further inside."""
    return str(leaf.path or getattr(leaf, "starlette_route", leaf).path)


def _unwrapped(mount: Mount) -> Any:
    return getattr(mount, "_base_app", mount.app)


def _patterns(leaf: Any, prefix: str) -> Iterator[RoutePattern]:
    route = _original(leaf)
    if isinstance(route, Mount):
        yield RoutePattern(prefix + _path(leaf).rstrip("/") + "/{path:path}", methods=None, is_mount=True)
    elif isinstance(route, Route):
        methods = frozenset[str](leaf.methods) if leaf.methods else None
        yield RoutePattern(prefix + _path(leaf), methods, operation_id=_operation_id(leaf))
    elif isinstance(route, Host):
        yield RoutePattern(prefix + "/{path:path}", methods=None, host=route.host_regex)


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


def _enriched(operation: Operation, leaf: Any | None, *, is_separate: bool) -> Operation:
    """Add what only the route knows."""
    if leaf is None:
        return operation
    body = operation.body
    dependencies = tuple(_dependencies(leaf.dependant))
    if body is None and _has_raw_body(operation, leaf, dependencies):
        body = Body("*/*", {}, required=False, is_documented=False)
    return dataclasses.replace(
        operation,
        endpoint=leaf.endpoint,
        route=leaf,
        body=body,
        credentials=_with_keys(operation.credentials, list(_api_keys(leaf.dependant))),
        may_omit_fields=_may_omit_fields(leaf),
        schema_mismatch=explain_mismatch(leaf, is_separate=is_separate),
        dependencies=dependencies,
        declared_names=read_signature_names(leaf.dependant) | read_dependency_names(leaf.dependant),
        dependency_names=read_dependency_names(leaf.dependant),
    )


def _with_keys(documented: Credentials, keys: list[APIKey]) -> Credentials:
    """Add the keys that a document loses: of several under one scheme name (the class, by default) it has the last."""
    return dataclasses.replace(
        documented,
        headers=documented.headers.union(key.name.lower() for key in keys if key.in_ is APIKeyIn.header),
        query=documented.query.union(key.name for key in keys if key.in_ is APIKeyIn.query),
        cookies=documented.cookies.union(key.name for key in keys if key.in_ is APIKeyIn.cookie),
    )


def _dependencies(dependant: Dependant) -> Iterator[Callable[..., Any]]:
    for inner in dependant.dependencies:
        if inner.call is not None:
            yield inner.call
        yield from _dependencies(inner)


def _api_keys(dependant: Dependant) -> Iterator[APIKey]:
    for inner in dependant.dependencies:
        if isinstance(inner.call, SecurityBase) and isinstance(inner.call.model, APIKey):
            yield inner.call.model
        yield from _api_keys(inner)


def _may_omit_fields(leaf: Any) -> bool:
    return any(getattr(leaf, f"response_model_{option}") for option in _LEAVING_OUT)


def _has_raw_body(operation: Operation, leaf: Any, dependencies: Sequence[Callable[..., Any]]) -> bool:
    """Return whether a body may matter that the OpenAPI document does not describe; a marker decides."""
    if operation.method not in _METHODS_WITH_BODY:
        return False
    marked = {**_mapping(operation.extension), **_mapping(read_marker(leaf.endpoint))}.get("raw_body")
    return marked if isinstance(marked, bool) else may_read_body(leaf.endpoint, dependencies)


def _mapping(note: object) -> Mapping[str, Any]:
    return cast("Mapping[str, Any]", note) if isinstance(note, Mapping) else {}
