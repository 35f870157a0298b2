"""Names of the headers, cookies and query parameters that FastAPI endpoints and their dependencies declare."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, get_args

from fastapi.dependencies.models import Dependant
from fastapi.openapi.models import APIKey, APIKeyIn
from fastapi.security.base import SecurityBase
from pydantic import AliasChoices, BaseModel

__all__ = [
    "NO_PARAMETERS",
    "ParameterNames",
    "read_dependency_names",
    "read_guard_names",
    "read_route_names",
    "read_signature_names",
]


@dataclass(frozen=True, slots=True)
class ParameterNames:
    """Names of parameters by location; names of headers are in lower case."""

    headers: frozenset[str] = frozenset()
    cookies: frozenset[str] = frozenset()
    query: frozenset[str] = frozenset()

    def __or__(self, other: ParameterNames) -> ParameterNames:
        return ParameterNames(
            self.headers | other.headers, self.cookies | other.cookies, self.query | other.query
        )  # fmt: skip


NO_PARAMETERS = ParameterNames()


def read_signature_names(dependant: Dependant) -> ParameterNames:
    """Return what an endpoint declares in its own signature, parameters hidden from the OpenAPI document included."""
    headers = (name for field in dependant.header_params for name in _field_names(field, is_header=True))
    return ParameterNames(
        headers=frozenset(name.lower() for name in headers),
        cookies=frozenset(name for field in dependant.cookie_params for name in _field_names(field)),
        query=frozenset(name for field in dependant.query_params for name in _field_names(field)),
    )


def read_dependency_names(dependant: Dependant) -> ParameterNames:
    """Return what the dependencies of an endpoint declare, those of its dependencies included."""
    found = NO_PARAMETERS
    for inner in dependant.dependencies:
        found |= read_signature_names(inner) | _security_names(inner.call) | read_dependency_names(inner)
    return found


def read_guard_names(scope: Mapping[str, Any]) -> ParameterNames:
    """Return what the dependencies of the route declare that a request has reached, those of its routers included."""
    dependant = _dependant(scope)
    return NO_PARAMETERS if dependant is None else read_dependency_names(dependant)


def read_route_names(scope: Mapping[str, Any]) -> ParameterNames:
    """Return what the route that a request has reached declares, its endpoint and all dependencies together."""
    dependant = _dependant(scope)
    return NO_PARAMETERS if dependant is None else read_signature_names(dependant) | read_dependency_names(dependant)


def _dependant(scope: Mapping[str, Any]) -> Dependant | None:
    context = scope.get("fastapi", {}).get("effective_route_context")  # FastAPI 0.137 and newer
    return getattr(context or scope.get("route"), "dependant", None)


def _security_names(call: object) -> ParameterNames:
    if not isinstance(call, SecurityBase):
        return NO_PARAMETERS
    model = call.model
    if not isinstance(model, APIKey):
        return ParameterNames(headers=frozenset({"authorization"}))
    if model.in_ is APIKeyIn.header:
        return ParameterNames(headers=frozenset({model.name.lower()}))
    name = frozenset({model.name})
    return ParameterNames(cookies=name) if model.in_ is APIKeyIn.cookie else ParameterNames(query=name)


def _field_names(field: Any, *, is_header: bool = False) -> Iterator[str]:
    """Yield the names under which a parameter is sent; a model's fields are parameters of their own."""
    models = list(_models(field.field_info.annotation))
    if not models:
        yield from _aliases(field.field_info) or [field.alias]
    for model in models:
        for name, info in model.model_fields.items():
            yield from _aliases(info) or ({name, name.replace("_", "-")} if is_header else {name})


def _aliases(info: Any) -> list[str]:
    alias: object = info.validation_alias or info.alias
    choices: Iterable[object] = alias.choices if isinstance(alias, AliasChoices) else (alias,)
    return [choice for choice in choices if isinstance(choice, str)]


def _models(annotation: Any) -> Iterator[type[BaseModel]]:
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        yield annotation
    for inner in get_args(annotation):
        yield from _models(inner)
