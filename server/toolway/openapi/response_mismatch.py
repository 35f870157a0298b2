"""Where FastAPI writes another JSON than the document says, which nobody sees before the answer is there."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any, cast

from fastapi.datastructures import DefaultPlaceholder
from fastapi.routing import APIRoute

from toolway._core_schemas import core_schema_of, schemas_in

__all__ = ["explain_mismatch"]

_FIELDS = frozenset({"dataclass-field", "model-field", "typed-dict-field"})
_STATING = ("pydantic_js_functions", "pydantic_js_annotation_functions")
_SERIALIZERS = frozenset({"function-plain", "function-wrap"})
_FRAMEWORKS = ("fastapi.", "starlette.")
_TRIED: tuple[Any, ...] = ({"first_name": [1, None, "b"], "Last": None}, ["a"], "a")


def explain_mismatch(route: Any, *, is_separate: bool) -> str:
    """Say why answers of a route may not be what its document says of them; empty where they are.

    Args:
        route: FastAPI's route, as it is effective with what routers have added.
        is_separate: whether the document has schemas of its own for what comes out, or describes what goes in.
    """
    if _has_own_handler(route):
        return "its route class handles requests itself, and may write another response"
    if not route.response_model_by_alias:
        return "response_model_by_alias=False writes names that the document does not have"
    if not _writes_what_it_gets(route.response_class):
        return "its response class writes something else than it gets"
    schema = core_schema_of(route.response_field) or {}
    if any(map(_is_unsaid, schemas_in(schema))):
        return "a serializer of its model has no return annotation"
    if not is_separate and any(map(_differs_outside, schemas_in(schema))):
        return "separate_input_output_schemas=False describes what its model takes, not what it writes"
    return ""


def _has_own_handler(route: Any) -> bool:
    """Tell whether a route is of a class of the application's own that wraps FastAPI's handler."""
    kind = cast("Any", type(getattr(route, "original_route", route)))
    return kind.get_route_handler is not APIRoute.get_route_handler


def _writes_what_it_gets(response_class: Any) -> bool:
    """Tell whether a response class writes plain values as they are: one of an application's own is tried out."""
    if isinstance(response_class, DefaultPlaceholder) or response_class.__module__.startswith(_FRAMEWORKS):
        return True
    try:
        return all(json.loads(response_class(content=value).body) == value for value in _TRIED)
    except Exception:  # noqa: BLE001 - somebody else's code, which may want more than it got
        return False


def _is_unsaid(schema: Mapping[str, Any]) -> bool:
    """Tell whether an application's own function writes a value, and nobody says what it makes of it."""
    return _has_serializer(schema) and "return_schema" not in schema["serialization"] and not _states_itself(schema)


def _differs_outside(schema: Mapping[str, Any]) -> bool:
    """Tell whether a value goes out under another name than it came in, or as another type."""
    if schema["type"] in _FIELDS:
        return schema.get("validation_alias") != schema.get("serialization_alias")
    return schema["type"] == "json" or _has_serializer(schema)


def _has_serializer(schema: Mapping[str, Any]) -> bool:
    """Tell whether an application's own function writes a value; of Pydantic's, the document knows what they write."""
    serialization = schema.get("serialization", {})
    return serialization.get("type") in _SERIALIZERS and not _is_pydantics(serialization["function"])


def _states_itself(schema: Mapping[str, Any]) -> bool:
    """Tell whether a type says by itself what the document has of it, or `WithJsonSchema` does."""
    metadata: Mapping[str, Any] = schema.get("metadata", {})
    stating = (function for key in _STATING for function in metadata.get(key, ()))
    return any(not _is_pydantics(function) or function.__module__ == "pydantic.json_schema" for function in stating)


def _is_pydantics(function: Any) -> bool:
    return str(getattr(function, "__module__", "")).startswith("pydantic")
