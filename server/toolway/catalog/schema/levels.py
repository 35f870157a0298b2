"""Schemas with shared definitions, rewritten by their level below the root.

The root has level 0, its properties level 1, the properties of these level 2. Items and alternatives have the level of
the schema that holds them. A shared definition has the level of its highest use.
"""

from __future__ import annotations

from collections import Counter, deque
from collections.abc import Callable, Iterator
from functools import partial
from typing import Any, TypeAlias, cast

from pydantic_core import to_json

from toolway.catalog.schema.traversal import iter_references, rewrite_schema
from toolway.openapi import Schema

__all__ = [
    "Change",
    "drop_unused_definitions",
    "inline_single_references",
    "merge_equal_definitions",
    "resolve",
    "rewrite_levels",
]

Change: TypeAlias = Callable[[Schema, int, str | None], Schema]
"""Returns another schema for one with this level, and the name of the property that it belongs to, or None."""

_DEFS = "#/$defs/"
_SAME_LEVEL = ("items", "contains", "not", "if", "then", "else", "propertyNames", "contentSchema")
_SAME_LEVEL_LISTS = ("anyOf", "allOf", "oneOf", "prefixItems")
_NEXT_LEVEL = ("additionalProperties", "unevaluatedItems", "unevaluatedProperties")
_NEXT_LEVEL_MAPPINGS = ("properties", "patternProperties", "dependentSchemas")
_ANNOTATIONS = frozenset({"default", "deprecated", "description", "examples", "readOnly", "title", "writeOnly"})
_MOST_REFERENCES = 64


def rewrite_levels(schema: Schema, change: Change) -> Schema:
    """Return a copy of a schema and its definitions with `change` applied to each schema, outermost first."""
    definitions = _definitions(schema)
    root = {key: value for key, value in schema.items() if key != "$defs"}
    rewritten = _rewrite(root, change, 0, None)
    if not definitions:
        return rewritten
    levels = _definition_levels(schema)
    changed = {
        name: _rewrite(definition, change, levels.get(name, 1), None) for name, definition in definitions.items()
    }
    return {**rewritten, "$defs": changed}


def _rewrite(schema: Any, change: Change, level: int, name: str | None) -> Any:
    if not isinstance(schema, dict):
        return schema
    copy = dict(change(cast("Schema", schema), level, name))
    for key, value in copy.items():
        copy[key] = _rewrite_keyword(key, value, change, level, name)
    return copy


def _rewrite_keyword(key: str, value: Any, change: Change, level: int, name: str | None) -> Any:
    if key in _SAME_LEVEL:
        return _rewrite(value, change, level, None)
    if key in _NEXT_LEVEL:
        return _rewrite(value, change, level + 1, None)
    if key in _SAME_LEVEL_LISTS and isinstance(value, list):
        return [_rewrite(part, change, level, None) for part in cast("list[Any]", value)]
    if key in _NEXT_LEVEL_MAPPINGS and isinstance(value, dict):
        members = cast("dict[str, Any]", value)
        return {label: _rewrite(part, change, level + 1, label) for label, part in members.items()}
    return value


def _definition_levels(schema: Schema) -> dict[str, int]:
    """Return the highest level at which each definition is used."""
    definitions, levels = _definitions(schema), dict[str, int]()
    pending = deque(_reference_levels({key: value for key, value in schema.items() if key != "$defs"}, 0))
    while pending:
        name, level = pending.popleft()
        if name in definitions and level < levels.get(name, level + 1):
            levels[name] = level
            pending.extend(_reference_levels(definitions[name], level))
    return levels


def _reference_levels(schema: Any, level: int) -> Iterator[tuple[str, int]]:
    found: list[tuple[str, int]] = []

    def note(node: Schema, at: int, _: str | None) -> Schema:
        reference = node.get("$ref")
        if isinstance(reference, str) and reference.startswith(_DEFS):
            found.append((_definition_name(reference), at))
        return node

    _rewrite(schema, note, level, None)
    return iter(found)


def _definitions(schema: Schema) -> dict[str, Any]:
    definitions: Any = schema.get("$defs")
    return cast("dict[str, Any]", definitions) if isinstance(definitions, dict) else {}


def _definition_name(reference: str) -> str:
    return reference.removeprefix(_DEFS).replace("~1", "/").replace("~0", "~")


def resolve(schema: Any, root: Schema) -> Schema:
    """Return the schema behind references to definitions of a root; an empty one for what cannot be followed."""
    definitions = _definitions(root)
    for _ in range(_MOST_REFERENCES):
        if not isinstance(schema, dict):
            return {}
        reference = cast("Schema", schema).get("$ref")
        if reference is None:
            return cast("Schema", schema)
        if len(cast("Schema", schema).keys() - _ANNOTATIONS) > 1:
            return {}  # what else it demands is not part of the definition
        schema = definitions.get(_definition_name(reference)) if isinstance(reference, str) else None
    return {}


def drop_unused_definitions(schema: Schema) -> Schema:
    """Return a schema with only the definitions that it uses."""
    definitions = _definitions(schema)
    if not definitions:
        return {key: value for key, value in schema.items() if key != "$defs"}
    used = _definition_levels(schema)
    kept = {name: definition for name, definition in definitions.items() if name in used}
    rest = {key: value for key, value in schema.items() if key != "$defs"}
    return {**rest, "$defs": kept} if kept else rest


def merge_equal_definitions(schema: Schema) -> Schema:
    """Return a schema in which definitions that are equal, apart from descriptions, are one."""
    while True:
        definitions = _definitions(schema)
        first: dict[bytes, str] = {}
        renamed: dict[str, str] = {}
        for name, definition in definitions.items():
            known = first.setdefault(to_json(_without_description(definition)), name)
            if known != name:
                renamed[f"{_DEFS}{name}"] = f"{_DEFS}{known}"
        if not renamed:
            return schema
        schema = drop_unused_definitions(rewrite_schema(schema, partial(_rename, renamed=renamed)))


def _without_description(schema: Any) -> Any:
    if not isinstance(schema, dict):
        return cast("object", schema)
    return {key: value for key, value in cast("Schema", schema).items() if key != "description"}


def _rename(node: Schema, _: str | None, *, renamed: dict[str, str]) -> Schema:
    reference = node.get("$ref")
    if isinstance(reference, str) and reference in renamed:
        node["$ref"] = renamed[reference]
    return node


def inline_single_references(schema: Schema) -> Schema:
    """Return a schema in which definitions that are used once are written where they are used."""
    while True:
        definitions = _definitions(schema)
        uses = Counter(_definition_name(reference) for reference in iter_references(schema))
        single = {
            f"{_DEFS}{name}": definition
            for name, definition in definitions.items()
            if uses[name] == 1 and not any(_definition_name(inner) == name for inner in iter_references(definition))
        }
        inlined = drop_unused_definitions(rewrite_schema(schema, partial(_inline, single=single)))
        if inlined == schema:
            return schema
        schema = inlined


def _inline(node: Schema, _: str | None, *, single: dict[str, Any]) -> Schema:
    reference = node.get("$ref")
    if not isinstance(reference, str) or reference not in single or node.keys() - _ANNOTATIONS != {"$ref"}:
        return node
    own = {key: value for key, value in node.items() if key != "$ref"}
    return {**single[reference], **own}
