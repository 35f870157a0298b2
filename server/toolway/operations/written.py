"""Where FastAPI writes another JSON than the document says, which nobody sees before the answer is there."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from fastapi.datastructures import DefaultPlaceholder

from toolway._core_schemas import core_schema_of, schemas_in

__all__ = ["difference"]

_SERIALIZERS = frozenset({"function-plain", "function-wrap"})
_FRAMEWORKS = ("fastapi.", "starlette.")
_TRIED: tuple[Any, ...] = ({"first_name": [1, None, "b"], "Last": None}, ["a"], "a")


def difference(route: Any, *, is_separate: bool) -> str:
    """Say why answers of a route may not be what its document says of them; empty where they are.

    Args:
        route: FastAPI's route, as it is effective with what routers have added.
        is_separate: whether the document has schemas of its own for what comes out, or describes what goes in.
    """
    if not route.response_model_by_alias:
        return "response_model_by_alias=False writes names that the document does not have"
    if not _writes_what_it_gets(route.response_class):
        return "its response class writes something else than it gets"
    schema = core_schema_of(route.response_field) or {}
    if any(_is_unsaid(found.get("serialization", {})) for found in schemas_in(schema)):
        return "a serializer of its model has no return annotation"
    if not is_separate and any(map(_differs_outside, schemas_in(schema))):
        return "separate_input_output_schemas=False describes what its model takes, not what it writes"
    return ""


def _writes_what_it_gets(response_class: Any) -> bool:
    """Tell whether a response class writes plain values as they are: one of an application's own is tried out."""
    if isinstance(response_class, DefaultPlaceholder) or response_class.__module__.startswith(
        ("fastapi.", "starlette.")
    ):
        return True
    try:
        return all(json.loads(response_class(content=value).body) == value for value in _TRIED)
    except Exception:  # noqa: BLE001 - somebody else's code, which may want more than it got
        return False


def _is_unsaid(serialization: Mapping[str, Any]) -> bool:
    return serialization.get("type") in _SERIALIZERS and "return_schema" not in serialization and _is_own(serialization)


def _is_own(serialization: Mapping[str, Any]) -> bool:
    """Tell whether a serializer is an application's own; of Pydantic's, the document knows what they write."""
    return not str(getattr(serialization["function"], "__module__", "")).startswith("pydantic")


def _differs_outside(schema: Mapping[str, Any]) -> bool:
    """Tell whether a value goes out under another name than it came in, or as another type."""
    taken, serialization = schema.get("validation_alias"), schema.get("serialization", {})
    is_renamed = schema["type"] == "model-field" and taken != schema.get("serialization_alias")
    return is_renamed or (serialization.get("type") in _SERIALIZERS and _is_own(serialization))
