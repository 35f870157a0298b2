"""Whose answers are JSON that any client can read, without a look at them.

Pydantic writes an infinite number as null, unless a model is configured to have ``Infinity``, which is no JSON. To find
that in a large answer takes a fifth of the time in which it is written. Where the types of a response model say that it
cannot be in there, nobody has to look; an instance made past its own types (`model_construct`) is taken at its word.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, cast

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
_VALUES = frozenset({"cls", "config", "default", "default_factory", "expected", "members", "metadata"})
"""What a schema holds besides schemas."""


def is_strict(field: Any) -> bool:
    """Tell whether Pydantic surely writes the values of a FastAPI response field as strict JSON."""
    adapter = getattr(field, "_type_adapter", None)
    if adapter is None or getattr(field, "config", None):
        return False
    schema: object = adapter.core_schema
    return isinstance(schema, dict) and all(map(_is_strict, _schemas(cast("object", schema))))  # or it is not built yet


def _schemas(node: object) -> Iterator[Mapping[str, Any]]:
    """Yield a schema and all schemas in it."""
    if isinstance(node, dict):
        members = cast("dict[str, Any]", node)
        if isinstance(members.get("type"), str):
            yield members
        for name, member in members.items():
            if name not in _VALUES or not isinstance(members.get("type"), str):
                yield from _schemas(member)
    elif isinstance(node, (list, tuple)):
        for member in cast("list[object]", node):
            yield from _schemas(member)


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
