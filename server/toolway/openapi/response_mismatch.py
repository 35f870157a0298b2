"""Detection of responses whose JSON differs from the schema in the OpenAPI document."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any, cast

from fastapi.datastructures import DefaultPlaceholder
from fastapi.routing import APIRoute

from toolway.openapi.core_schemas import core_schema_of, schemas_in

__all__ = ["explain_mismatch"]

_FIELDS = frozenset({"dataclass-field", "model-field", "typed-dict-field"})
_SCHEMA_HOOKS = ("pydantic_js_functions", "pydantic_js_annotation_functions")
_SERIALIZERS = frozenset({"function-plain", "function-wrap"})
_FRAMEWORKS = ("fastapi.", "starlette.")
_SAMPLES: tuple[Any, ...] = ({"first_name": [1, None, "b"], "Last": None}, ["a"], "a")


def explain_mismatch(route: Any, *, is_separate: bool) -> str:
    """Return why the responses of a route may not match their documented schema, or an empty string if they match.

    Args:
        route: FastAPI's effective route, with everything that its routers add.
        is_separate: whether the document has separate schemas for input and output.
    """
    route_class = cast("Any", type(getattr(route, "original_route", route)))
    if route_class.get_route_handler is not APIRoute.get_route_handler:
        return "its route class overrides get_route_handler and may write a different response"
    if not route.response_model_by_alias:
        return "response_model_by_alias=False writes field names that are missing from the OpenAPI document"
    if not _preserves_json(route.response_class):
        return "its response class changes the content that it is given"
    schema = core_schema_of(route.response_field) or {}
    if any(map(_is_undocumented, schemas_in(schema))):
        return "a serializer of its model has no return annotation"
    if not is_separate and any(map(_differs_from_input, schemas_in(schema))):
        return "separate_input_output_schemas=False documents the input of its model, which differs from its output"
    return ""


def _preserves_json(response_class: Any) -> bool:
    """Return whether a response class writes JSON values unchanged; custom classes are tried with samples."""
    if isinstance(response_class, DefaultPlaceholder) or response_class.__module__.startswith(_FRAMEWORKS):
        return True
    try:
        return all(json.loads(response_class(content=value).body) == value for value in _SAMPLES)
    except Exception:  # noqa: BLE001 - code of the application, which may need more than the content
        return False


def _is_undocumented(schema: Mapping[str, Any]) -> bool:
    """Return whether a custom serializer writes a value without declaring what it returns."""
    return _has_serializer(schema) and "return_schema" not in schema["serialization"] and not _has_custom_schema(schema)


def _differs_from_input(schema: Mapping[str, Any]) -> bool:
    """Return whether a value is written under another name, or as another type, than it is read."""
    if schema["type"] in _FIELDS:
        return schema.get("validation_alias") != schema.get("serialization_alias")
    return schema["type"] == "json" or _has_serializer(schema)


def _has_serializer(schema: Mapping[str, Any]) -> bool:
    """Return whether a custom serializer writes a value; Pydantic documents the output of its own serializers."""
    serialization = schema.get("serialization", {})
    return serialization.get("type") in _SERIALIZERS and not _belongs_to_pydantic(serialization["function"])


def _has_custom_schema(schema: Mapping[str, Any]) -> bool:
    """Return whether a type defines its own JSON schema, for example with `WithJsonSchema`."""
    metadata: Mapping[str, Any] = schema.get("metadata", {})
    hooks = (function for key in _SCHEMA_HOOKS for function in metadata.get(key, ()))
    return any(
        not _belongs_to_pydantic(function) or function.__module__ == "pydantic.json_schema" for function in hooks
    )


def _belongs_to_pydantic(function: Any) -> bool:
    return str(getattr(function, "__module__", "")).startswith("pydantic")
