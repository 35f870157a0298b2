"""Response models whose JSON is always strict, so that it need not be checked.

Pydantic serializes an infinite number as null, unless a model is configured to write ``Infinity``, which is not valid
JSON. To search a large response for it takes a fifth of the time of serializing it. The types of a response model can
rule it out. Instances that bypass their own types (`model_construct`) are trusted.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from toolway.openapi.core_schemas import core_schema_of, schemas_in

__all__ = ["is_strict"]

_STRICT_TYPES = frozenset(
    {
        "bool", "computed-field", "date", "datetime", "decimal", "default", "dict",
        "enum", "float", "frozenset", "int", "list", "literal", "model", "model-field", "model-fields", "none",
        "nullable", "set", "str", "tagged-union", "time", "timedelta", "tuple", "typed-dict", "typed-dict-field",
        "union", "uuid",
    }
)  # fmt: skip
"""Types that are serialized as their schema describes. References are excluded: recursive models have no end."""


def is_strict(field: Any) -> bool:
    """Return whether Pydantic always serializes a FastAPI response field as strict JSON."""
    schema = core_schema_of(field)
    return schema is not None and not getattr(field, "config", None) and all(map(_is_strict, schemas_in(schema)))


def _is_strict(schema: Mapping[str, Any]) -> bool:
    """Return whether one schema, without those nested in it, is serialized as strict JSON.

    Excludes what may be serialized as anything: extra members, subclasses (polymorphic serialization), custom
    serializers, and enum members that are not scalars.
    """
    config: Mapping[str, Any] = schema.get("config") or {}
    return (
        schema["type"] in _STRICT_TYPES
        and "serialization" not in schema
        and "allow" not in {schema.get("extra_behavior"), config.get("extra_fields_behavior")}
        and config.get("ser_json_inf_nan") in {None, "null"}
        and not config.get("polymorphic_serialization")
        and all(isinstance(member.value, (str, int, float)) for member in schema.get("members", ()))
    )
