"""Pydantic models as forms, the flat schemas in which MCP clients can ask their users.

https://modelcontextprotocol.io/specification/2026-07-28/client/elicitation (requested schema)
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import lru_cache
from typing import Any

from pydantic import BaseModel
from pydantic.json_schema import GenerateJsonSchema, JsonSchemaValue
from pydantic_core import core_schema

from toolway.errors import ConfigurationError

__all__ = ["build_form_schema"]

_COMMON = ("type", "title", "description", "default")
_KEYWORDS: Mapping[str, tuple[str, ...]] = {
    "string": ("minLength", "maxLength", "format", "enum", "enumNames", "oneOf"),
    "integer": ("minimum", "maximum"),
    "number": ("minimum", "maximum"),
    "boolean": (),
    "array": ("items", "minItems", "maxItems"),
}
_FORMATS = frozenset({"date", "date-time", "email", "uri"})


class _FormSchemaGenerator(GenerateJsonSchema):
    """Generates schemas without null, which forms do not have: optional fields are left out instead."""

    def nullable_schema(self, schema: core_schema.NullableSchema) -> JsonSchemaValue:
        return self.generate_inner(schema["schema"])


@lru_cache(maxsize=256)
def build_form_schema(model: type[BaseModel]) -> dict[str, Any]:
    """Return a model's schema as a form.

    Constraints that a form cannot express, such as a pattern, are left out; answers are still validated against the
    model.

    Raises:
        ConfigurationError: the model has a field that a form cannot have.
    """
    schema = model.model_json_schema(schema_generator=_FormSchemaGenerator)
    shared: dict[str, Any] = schema.get("$defs", {})
    if "properties" not in schema and (schema.get("type") != "object" or model.model_fields):
        raise ConfigurationError(f"{model.__name__}: expected a Pydantic model with fields")
    fields = {name: _convert_field(model, name, entry, shared) for name, entry in schema.get("properties", {}).items()}
    form = {"type": "object", "properties": fields}
    return {**form, "required": schema["required"]} if schema.get("required") else form


def _convert_field(model: type[BaseModel], name: str, schema: dict[str, Any], shared: dict[str, Any]) -> dict[str, Any]:
    schema = _resolve_reference(schema, shared)
    kind: str = schema.get("type", "")
    if kind not in _KEYWORDS or (kind == "array" and not _is_choice(schema.get("items", {}), shared)):
        raise ConfigurationError(
            f"{model.__name__}.{name}: a form field must be a string, a number, a boolean, or a choice of strings "
            f"(a Literal, an Enum, or a list of either); found the schema {schema!r}"
        )
    field = _drop_untitled_choices(
        {key: schema[key] for key in (*_COMMON, *_KEYWORDS[kind]) if schema.get(key) is not None}
    )
    if field.get("format", "date") not in _FORMATS:
        del field["format"]
    if "items" in field:
        items = _resolve_reference(field["items"], shared)
        field["items"] = _drop_untitled_choices({key: items[key] for key in ("type", "enum", "anyOf") if key in items})
    return field


def _drop_untitled_choices(choice: dict[str, Any]) -> dict[str, Any]:
    """Return a field without ``enum`` if its choices have titles: a form has one of the two lists."""
    has_titles = "oneOf" in choice or "anyOf" in choice
    return {key: value for key, value in choice.items() if key != "enum" or not has_titles}


def _resolve_reference(schema: dict[str, Any], shared: dict[str, Any]) -> dict[str, Any]:
    """Return a schema with its reference replaced by the definition, and a constant by a choice of one value."""
    reference = schema.get("$ref")
    if reference is not None:
        found: dict[str, Any] = shared[reference.rpartition("/")[2]]
        schema = {**found, **{key: value for key, value in schema.items() if key != "$ref"}}
    return {**schema, "enum": [schema["const"]]} if "const" in schema else schema


def _is_choice(items: dict[str, Any], shared: dict[str, Any]) -> bool:
    items = _resolve_reference(items, shared)
    return ("enum" in items and items.get("type") == "string") or "anyOf" in items
