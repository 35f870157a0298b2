"""Alternatives of a union that differ only in detail, merged into one schema that accepts what any of them accepts."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any, cast

from toolway.openapi import Schema

__all__ = ["list_null_type", "merge_alternatives"]

_DEFS = "#/$defs/"
_TEXTS = frozenset({"description", "default", "deprecated", "title"})
_MOST_LEVELS = 8
_MOST_VALUES = 20
_VALUE_KEYWORDS = frozenset({"$ref", "allOf", "anyOf", "const", "enum", "not", "oneOf", "if"})
"""Keywords that also restrict null, unlike those for one type of value."""
_SCALARS = frozenset({"string", "integer", "number", "boolean", "null"})
_ARRAY = frozenset({"type", "items", "minItems", "maxItems"})
_OBJECT = frozenset({"type", "properties", "required", "additionalProperties"})


def merge_alternatives(node: Schema, definitions: Mapping[str, Schema]) -> Schema:
    """Return a schema with fewer alternatives in its ``anyOf``; the same one if no two of them can be merged."""
    variants = node.get("anyOf")
    if not isinstance(variants, list):
        return node
    merged: list[Any] = []
    for variant in cast("list[Any]", variants):
        for index, other in enumerate(merged):
            joined = _join(other, variant, definitions, 0)
            if joined is not None:
                merged[index] = joined
                break
        else:
            merged.append(variant)
    if len(merged) > 1:
        return {**node, "anyOf": merged}
    rest = {key: value for key, value in node.items() if key != "anyOf"}
    (only,) = merged or [{}]
    if not isinstance(only, dict):
        return {**rest, "anyOf": merged}
    if rest.keys() <= _TEXTS:
        return {**cast("Schema", only), **rest}
    return rest if rest.get("type") is not None and only == {"type": rest["type"]} else {**rest, "anyOf": merged}


def list_null_type(node: Schema, _level: int = 0) -> Schema:
    """Write "a string or null" and the like as one schema with two types."""
    variants = node.get("anyOf")
    if not isinstance(variants, list) or node.keys() - _TEXTS != {"anyOf"}:
        return node
    others = [entry for entry in cast("list[Any]", variants) if entry != {"type": "null"}]
    if len(others) != 1 or len(others) == len(cast("list[Any]", variants)) or not isinstance(others[0], dict):
        return node
    other = cast("Schema", others[0])
    is_plain = isinstance(other.get("type"), str) and not other.keys() & _VALUE_KEYWORDS
    return (
        {**other, **{key: node[key] for key in node if key != "anyOf"}, "type": [other["type"], "null"]}
        if is_plain
        else node
    )


def _join(one: Any, other: Any, definitions: Mapping[str, Schema], level: int) -> Schema | None:
    """Return a schema that accepts what either accepts; None if they differ in more than detail."""
    if json.dumps(one) == json.dumps(other):  # True == 1 in Python, but not in JSON
        return one
    if not (isinstance(one, dict) and isinstance(other, dict)) or level > _MOST_LEVELS:
        return None
    one, other = _resolve(cast("Schema", one), definitions), _resolve(cast("Schema", other), definitions)
    kinds = (one.get("type"), other.get("type"))
    if all(isinstance(kind, str) and kind in _SCALARS for kind in kinds) and _is_scalar(one) and _is_scalar(other):
        return _join_scalars(one, other)
    if kinds == ("array", "array") and not (one.keys() | other.keys()) - _ARRAY - _TEXTS:
        return _join_arrays(one, other, definitions, level)
    if kinds == ("object", "object") and not (one.keys() | other.keys()) - _OBJECT - _TEXTS:
        return _join_objects(one, other, definitions, level)
    return None


def _resolve(schema: Schema, definitions: Mapping[str, Schema]) -> Schema:
    if schema.keys() - _TEXTS != {"$ref"}:
        return schema
    return definitions.get(str(schema["$ref"]).removeprefix(_DEFS), schema)


def _is_scalar(schema: Schema) -> bool:
    """Return whether no keyword of a schema holds another schema."""
    return not schema.keys() & {"$ref", "allOf", "anyOf", "properties", "items", "prefixItems"}


def _join_scalars(one: Schema, other: Schema) -> Schema | None:
    kinds = {one["type"], other["type"]}
    if len(kinds) == 2 and kinds != {"integer", "number"}:
        return None
    joined: Schema = {"type": one["type"] if len(kinds) == 1 else "number"}
    values = [*_values(one), *_values(other)]
    if _values(one) and _values(other):
        unique = list({json.dumps(value): value for value in values}.values())
        if len(unique) <= _MOST_VALUES:
            joined["enum"] = unique
    return _with_text(joined, one, other)


def _values(schema: Schema) -> list[Any]:
    return schema["enum"] if "enum" in schema else [schema["const"]] if "const" in schema else []


def _join_arrays(one: Schema, other: Schema, definitions: Mapping[str, Schema], level: int) -> Schema | None:
    joined: Schema = {"type": "array"}
    if "items" in one and "items" in other:
        items = _join(one["items"], other["items"], definitions, level + 1)
        if items is None:
            return None
        joined["items"] = items
    for key, choose in (("minItems", min), ("maxItems", max)):
        if key in one and key in other:
            joined[key] = choose(one[key], other[key])
    return _with_text(joined, one, other)


def _join_objects(one: Schema, other: Schema, definitions: Mapping[str, Schema], level: int) -> Schema | None:
    first: dict[str, Any] = one.get("properties") or {}
    second: dict[str, Any] = other.get("properties") or {}
    extra = one.get("additionalProperties", True)
    if first.keys() != second.keys() or extra != other.get("additionalProperties", True):
        return None
    joined: Schema = {"type": "object"}
    if first:
        joined["properties"] = {}
    for name, schema in first.items():
        entry = _join(schema, second[name], definitions, level + 1)
        if entry is None:
            return None
        joined["properties"][name] = entry
    needed: list[str] = other.get("required") or []
    required = [name for name in cast("list[str]", one.get("required") or []) if name in needed]
    if required:
        joined["required"] = required
    if extra is not True:
        joined["additionalProperties"] = extra
    return _with_text(joined, one, other)


def _with_text(joined: Schema, one: Schema, other: Schema) -> Schema:
    """Add the descriptions of both."""
    texts = [text for schema in (one, other) if isinstance(text := schema.get("description"), str)]
    return {**joined, "description": " Or: ".join(dict.fromkeys(texts))} if texts else joined
