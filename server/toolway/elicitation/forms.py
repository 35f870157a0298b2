"""Pydantic models as forms: the flat schemas in which a user can be asked.

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

__all__ = ["form_schema"]

_COMMON = ("type", "title", "description", "default")
_KEYWORDS: Mapping[str, tuple[str, ...]] = {
    "string": ("minLength", "maxLength", "format", "enum", "enumNames", "oneOf"),
    "integer": ("minimum", "maximum"),
    "number": ("minimum", "maximum"),
    "boolean": (),
    "array": ("items", "minItems", "maxItems"),
}
_FORMATS = frozenset({"date", "date-time", "email", "uri"})


class _Flat(GenerateJsonSchema):
    """A form has no null: what is optional is left out."""

    def nullable_schema(self, schema: core_schema.NullableSchema) -> JsonSchemaValue:
        return self.generate_inner(schema["schema"])


@lru_cache(maxsize=256)
def form_schema(model: type[BaseModel]) -> dict[str, Any]:
    """Return a model's schema as a form.

    What a form cannot say of a field (a pattern, say) is left out; the answer is held against the model all the same.

    Raises:
        ConfigurationError: the model has a field that no form can have.
    """
    schema = model.model_json_schema(schema_generator=_Flat)
    shared: dict[str, Any] = schema.get("$defs", {})
    if "properties" not in schema and (schema.get("type") != "object" or model.model_fields):
        raise ConfigurationError(f"{model.__name__}: expected a model with fields, as a form has them")
    fields = {name: _field(model, name, entry, shared) for name, entry in schema.get("properties", {}).items()}
    form = {"type": "object", "properties": fields}
    return {**form, "required": schema["required"]} if schema.get("required") else form


def _field(model: type[BaseModel], name: str, schema: dict[str, Any], shared: dict[str, Any]) -> dict[str, Any]:
    schema = _inlined(schema, shared)
    kind: str = schema.get("type", "")
    if kind not in _KEYWORDS or (kind == "array" and not _is_choice(schema.get("items", {}), shared)):
        raise ConfigurationError(
            f"{model.__name__}.{name}: a user is asked in a flat form; expected text, a number, true or false, or a "
            f"choice of texts (Literal, an Enum of texts, or a list of either), found {schema!r}"
        )
    field = _titled({key: schema[key] for key in (*_COMMON, *_KEYWORDS[kind]) if schema.get(key) is not None})
    if field.get("format", "date") not in _FORMATS:
        del field["format"]
    if "items" in field:
        items = _inlined(field["items"], shared)
        field["items"] = _titled({key: items[key] for key in ("type", "enum", "anyOf") if key in items})
    return field


def _titled(choice: dict[str, Any]) -> dict[str, Any]:
    """Leave out the bare values of a choice that has titles: a form lists either."""
    has_titles = "oneOf" in choice or "anyOf" in choice
    return {key: value for key, value in choice.items() if key != "enum" or not has_titles}


def _inlined(schema: dict[str, Any], shared: dict[str, Any]) -> dict[str, Any]:
    """Put what a reference leads to in its place, and one constant as a choice of one."""
    reference = schema.get("$ref")
    if reference is not None:
        found: dict[str, Any] = shared[reference.rpartition("/")[2]]
        schema = {**found, **{key: value for key, value in schema.items() if key != "$ref"}}
    return {**schema, "enum": [schema["const"]]} if "const" in schema else schema


def _is_choice(items: dict[str, Any], shared: dict[str, Any]) -> bool:
    items = _inlined(items, shared)
    return ("enum" in items and items.get("type") == "string") or "anyOf" in items
