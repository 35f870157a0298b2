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
    """Names of parameters by location; header names are in lower case."""

    headers: frozenset[str] = frozenset()
    cookies: frozenset[str] = frozenset()
    query: frozenset[str] = frozenset()

    def __or__(self, other: ParameterNames) -> ParameterNames:
        headers, cookies = self.headers | other.headers, self.cookies | other.cookies
        return ParameterNames(headers, cookies, self.query | other.query)


NO_PARAMETERS = ParameterNames()


def read_signature_names(dependant: Dependant) -> ParameterNames:
    """Return the parameters in an endpoint's signature, including those hidden from the OpenAPI document."""
    headers = (name for field in dependant.header_params for name in _iter_field_names(field, is_header=True))
    return ParameterNames(
        headers=frozenset(name.lower() for name in headers),
        cookies=frozenset(name for field in dependant.cookie_params for name in _iter_field_names(field)),
        query=frozenset(name for field in dependant.query_params for name in _iter_field_names(field)),
    )


def read_dependency_names(dependant: Dependant) -> ParameterNames:
    """Return the parameters of an endpoint's dependencies, at any depth."""
    found = NO_PARAMETERS
    for inner in dependant.dependencies:
        found |= read_signature_names(inner) | _read_security_names(inner.call) | read_dependency_names(inner)
    return found


def read_guard_names(scope: Mapping[str, Any]) -> ParameterNames:
    """Return the parameters of all dependencies of a request's route, including those of its routers."""
    dependant = _find_dependant(scope)
    return NO_PARAMETERS if dependant is None else read_dependency_names(dependant)


def read_route_names(scope: Mapping[str, Any]) -> ParameterNames:
    """Return the parameters of a request's route: those of its endpoint and of all dependencies."""
    dependant = _find_dependant(scope)
    return NO_PARAMETERS if dependant is None else read_signature_names(dependant) | read_dependency_names(dependant)


def _find_dependant(scope: Mapping[str, Any]) -> Dependant | None:
    context = scope.get("fastapi", {}).get("effective_route_context")  # FastAPI 0.137 and newer
    return getattr(context or scope.get("route"), "dependant", None)


def _read_security_names(call: object) -> ParameterNames:
    if not isinstance(call, SecurityBase):
        return NO_PARAMETERS
    model = call.model
    if not isinstance(model, APIKey):
        return ParameterNames(headers=frozenset({"authorization"}))
    if model.in_ is APIKeyIn.header:
        return ParameterNames(headers=frozenset({model.name.lower()}))
    name = frozenset({model.name})
    return ParameterNames(cookies=name) if model.in_ is APIKeyIn.cookie else ParameterNames(query=name)


def _iter_field_names(field: Any, *, is_header: bool = False) -> Iterator[str]:
    """Yield the names under which a parameter is sent; each field of a model is a parameter."""
    models = list(_iter_models(field.field_info.annotation))
    if not models:
        yield from _list_aliases(field.field_info) or [field.alias]
    for model in models:
        for name, info in model.model_fields.items():
            yield from _list_aliases(info) or ({name, name.replace("_", "-")} if is_header else {name})


def _list_aliases(info: Any) -> list[str]:
    alias: object = info.validation_alias or info.alias
    choices: Iterable[object] = alias.choices if isinstance(alias, AliasChoices) else (alias,)
    return [choice for choice in choices if isinstance(choice, str)]


def _iter_models(annotation: Any) -> Iterator[type[BaseModel]]:
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        yield annotation
    for inner in get_args(annotation):
        yield from _iter_models(inner)
