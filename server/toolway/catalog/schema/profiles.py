"""Schemas for clients that accept only a part of JSON Schema.

`to_portable` avoids what clients and model APIs are known to reject or to drop: references, lists of types, ``oneOf``,
tuples, unions at the root. `to_strict` also meets the rules of OpenAI's strict mode
(https://platform.openai.com/docs/guides/structured-outputs): each property required, and no object open.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any, cast

from toolway.catalog.schema.lean import name_properties, widen
from toolway.catalog.schema.traversal import rewrite_schema
from toolway.openapi import Schema

__all__ = ["to_portable", "to_strict"]

_DEFS = "#/$defs/"
_UNIONS = ("anyOf", "oneOf", "allOf")
_TEXTS = frozenset({"default", "deprecated", "description", "title"})
_PORTABLE_LEVELS = 6
"""The levels of references that are inlined; deeper objects only name their properties."""
_STRICT_LEVELS = 8
"""OpenAI accepts ten levels, of which lists and unions take some."""


def to_portable(schema: Schema) -> Schema:
    """Return a schema without references, with one type for each schema, that accepts at least the same values.

    A schema that contains itself is inlined to six levels.
    """
    definitions: Mapping[str, Schema] = schema.get("$defs", {})
    inlined = _inline({key: value for key, value in schema.items() if key != "$defs"}, definitions, 0)
    return _merge_root(rewrite_schema(inlined, _make_portable))


def _inline(node: Schema, definitions: Mapping[str, Schema], level: int) -> Schema:
    """Return a schema with its references replaced by what they refer to."""

    def inline(inner: Schema, _name: str | None) -> Schema:
        target = definitions.get(str(inner.get("$ref", "")).removeprefix(_DEFS))
        if target is None:
            return inner
        rest = {key: value for key, value in inner.items() if key != "$ref"}
        if level >= _PORTABLE_LEVELS:
            kept = {key: target[key] for key in ("type", "description") if key in target}
            return {**name_properties(target, definitions, kept), **rest}
        definition = _inline(target, definitions, level + 1)
        return {**definition, **rest} if rest.keys() <= _TEXTS else {**rest, "allOf": [definition]}

    return rewrite_schema(node, inline)


def _make_portable(node: Schema, _name: str | None) -> Schema:
    node = widen(node)
    for key in ("$schema", "discriminator", "title", "propertyNames"):
        node.pop(key, None)
    if node.pop("patternProperties", None) is not None:
        node.pop("additionalProperties", None)  # it would otherwise apply to the properties that matched
    for key in ("properties", "dependentSchemas"):
        if isinstance(node.get(key), dict):
            entries = cast("dict[str, Schema | bool]", node[key]).items()
            node[key] = {name: {} if entry is True else entry for name, entry in entries}
    if "const" in node:
        node["enum"] = [node.pop("const")]
    if "enum" in node and "type" not in node:
        _add_type(node)
    if "prefixItems" in node:
        _replace_tuple(node)
    if node.get("type") == "array" and not isinstance(node.get("items"), dict):
        node["items"] = {}
    return _split_types(node) if isinstance(node.get("type"), list) else node


def _add_type(node: Schema) -> None:
    names = {"str": "string", "bool": "boolean", "int": "integer", "float": "number"}
    kinds = {type(value).__name__ for value in cast("list[Any]", node["enum"])}
    if len(kinds) == 1 and (kind := names.get(kinds.pop())):
        node["type"] = kind


def _replace_tuple(node: Schema) -> None:
    prefix = cast("list[Schema | bool]", node.pop("prefixItems"))
    is_closed = node.get("items") is False or node.get("maxItems", len(prefix) + 1) <= len(prefix)
    if node.get("items") is False:
        node["maxItems"] = min(len(prefix), node.get("maxItems", len(prefix)))
    known = [entry for entry in prefix if isinstance(entry, dict)]
    node["items"] = {"anyOf": known} if is_closed and len(known) == len(prefix) else {}


def _split_types(node: Schema) -> Schema:
    texts = {key: value for key, value in node.items() if key in _TEXTS}
    rest = {key: value for key, value in node.items() if key not in texts}
    return {**texts, "anyOf": [_restrict(rest, kind) for kind in cast("list[str]", node["type"])]}


def _restrict(node: Schema, kind: str) -> Schema:
    """Return the alternative of a schema for values of one type."""
    return {"type": "null"} if kind == "null" and "enum" not in node else {**node, "type": kind}


def _merge_root(schema: Schema) -> Schema:
    """Return a schema whose root is not a union: each variant's properties are optional, unless all require them."""
    if not any(key in schema for key in _UNIONS):
        return schema
    root = {key: value for key, value in schema.items() if key not in _UNIONS}
    for key in _UNIONS:
        variants: list[Schema] = [
            entry for entry in cast("list[Any]", schema.get(key) or []) if isinstance(entry, dict)
        ]
        if variants:
            root = _merge_variants(root, variants, needs_all=key == "allOf")
    return {"type": "object", **root}


def _merge_variants(root: Schema, variants: list[Schema], *, needs_all: bool) -> Schema:
    properties: dict[str, Any] = dict(root.get("properties") or {})
    names = dict.fromkeys(name for variant in variants for name in variant.get("properties") or ())
    for name in names:
        found = [variant["properties"][name] for variant in variants if name in (variant.get("properties") or ())]
        is_restricted = needs_all or len(found) == len(variants)
        union: Schema = found[0] if len(found) == 1 or needs_all else {"anyOf": found}
        properties.setdefault(name, union if is_restricted else {})
    required: set[str] = set(root.get("required") or ())
    each = [set(cast("list[str]", variant.get("required") or ())) for variant in variants]
    required |= set[str]().union(*each) if needs_all else set[str].intersection(*each)
    merged = {**root, "properties": properties, "required": [name for name in properties if name in required]}
    if not needs_all and any(name not in (root.get("properties") or ()) for name in names):
        notes = [", ".join(variant.get("required") or variant.get("properties") or ()) for variant in variants]
        note = f"Needs one of: {'; or '.join(filter(None, notes))}."
        merged["description"] = f"{root.get('description', '')} {note}".strip()
    merged.pop("additionalProperties", None)
    return merged


def to_strict(schema: Schema) -> Schema:
    """Return a schema of arguments in which each property is required, and null stands for one that is left out.

    An object whose properties are not known is JSON text. Extra properties cannot be sent.
    """
    return _close_object(to_portable(schema), 0)


def _close_object(schema: Schema, level: int) -> Schema:
    properties = cast("dict[str, Any]", schema.get("properties") or {})
    required = cast("list[str]", schema.get("required") or [])
    closed = {name: _close(entry, level + 1) for name, entry in properties.items()}
    return {
        "type": "object",
        **({"description": schema["description"]} if "description" in schema else {}),
        "properties": {name: entry if name in required else _accept_null(entry) for name, entry in closed.items()},
        "required": list(properties),
        "additionalProperties": False,
    }


def _close(node: Any, level: int) -> Schema:
    """Return a schema with the keywords of strict mode only."""
    schema = cast("Schema", node) if isinstance(node, dict) else {}
    for part in cast("list[Schema]", schema.get("allOf") or []):
        schema = {**_merge_variants(schema, [part], needs_all=True), "type": part.get("type", "object")}
    texts = _describe_default(schema)
    if isinstance(schema.get("anyOf"), list):
        return {**texts, "anyOf": [_close(entry, level) for entry in cast("list[Any]", schema["anyOf"])]}
    kind = schema.get("type")
    if kind == "object":
        is_known = bool(schema.get("properties")) and level < _STRICT_LEVELS
        return _close_object({**schema, **texts}, level) if is_known else _as_json_text(texts)
    if kind == "array":
        return {**texts, "type": "array", "items": _close(schema.get("items"), level + 1)}
    if kind is None and "enum" not in schema:
        return {**texts, "anyOf": [{"type": name} for name in ("string", "number", "boolean")]}
    return {**texts, **{key: schema[key] for key in ("type", "enum") if key in schema}}


def _describe_default(schema: Schema) -> Schema:
    """Return the description of a schema, with its default, which strict mode has no keyword for."""
    default = f"Default: {json.dumps(schema['default'], ensure_ascii=False)}." if "default" in schema else ""
    text = " ".join(filter(None, (schema.get("description"), default)))
    return {"description": text} if text else {}


def _accept_null(schema: Schema) -> Schema:
    null: Schema = {"type": "null"}
    if "anyOf" in schema:
        return schema if null in schema["anyOf"] else {**schema, "anyOf": [*schema["anyOf"], null]}
    texts = {"description": schema["description"]} if "description" in schema else {}
    return {**texts, "anyOf": [{key: value for key, value in schema.items() if key != "description"}, null]}


def _as_json_text(texts: Schema) -> Schema:
    return {"type": "string", "description": f"{texts.get('description', '')} As JSON text.".strip()}
