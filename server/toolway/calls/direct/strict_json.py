"""Whose answers are JSON that any client can read, without a look at them.

Pydantic writes an infinite number as null, unless a model is configured to have ``Infinity``, which is no JSON. To find
that in a large answer takes a fifth of the time in which it is written. Where the types of a response model say that it
cannot be in there, nobody has to look; an instance made past its own types (`model_construct`) is taken at its word.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from toolway._core_schemas import core_schema_of, schemas_in

__all__ = ["is_strict"]

_STRICT = frozenset(
    {
        "bool", "computed-field", "date", "datetime", "decimal", "default", "dict",
        "enum", "float", "frozenset", "int", "list", "literal", "model", "model-field", "model-fields", "none",
        "nullable", "set", "str", "tagged-union", "time", "timedelta", "tuple", "typed-dict", "typed-dict-field",
        "union", "uuid",
    }
)  # fmt: skip
"""Types whose values are written as their schema says. References are none of them: a model in itself has no end."""


def is_strict(field: Any) -> bool:
    """Tell whether Pydantic surely writes the values of a FastAPI response field as strict JSON."""
    schema = core_schema_of(field)
    return schema is not None and not getattr(field, "config", None) and all(map(_is_strict, schemas_in(schema)))


def _is_strict(schema: Mapping[str, Any]) -> bool:
    """Tell whether one schema, without those in it, writes strict JSON.

    Models with members that they do not name, those that leave it to subclasses, and an application's own serializers
    may write anything; so do members of an enum that are no scalars.
    """
    config: Mapping[str, Any] = schema.get("config") or {}
    return (
        schema["type"] in _STRICT
        and "serialization" not in schema
        and "allow" not in {schema.get("extra_behavior"), config.get("extra_fields_behavior")}
        and config.get("ser_json_inf_nan") in {None, "null"}
        and not config.get("polymorphic_serialization")
        and all(isinstance(member.value, (str, int, float)) for member in schema.get("members", ()))
    )
