"""Walk over the core schemas with which Pydantic validates and serializes models."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, cast

__all__ = ["core_schema_of", "schemas_in"]

_VALUES = frozenset({"cls", "config", "default", "default_factory", "expected", "members", "metadata"})
"""Members of a schema that are values, not schemas."""


def core_schema_of(field: Any) -> Mapping[str, Any] | None:
    """Return the core schema of a FastAPI field; None if Pydantic has not built it yet."""
    schema: object = getattr(getattr(field, "_type_adapter", None), "core_schema", None)
    return cast("dict[str, Any]", schema) if isinstance(schema, dict) else None


def schemas_in(schema: Mapping[str, Any]) -> Iterator[Mapping[str, Any]]:
    """Yield a schema and all schemas in it."""
    pending: list[object] = [schema]
    while pending:
        node = pending.pop()
        if isinstance(node, dict):
            members = cast("dict[str, Any]", node)
            is_schema = isinstance(members.get("type"), str)
            if is_schema:
                yield members
            pending += (member for name, member in members.items() if not (is_schema and name in _VALUES))
        elif isinstance(node, (list, tuple)):
            pending += cast("list[object]", node)
