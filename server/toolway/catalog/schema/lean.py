"""Smaller schemas for agents.

An endpoint validates its arguments itself, so the schema that an agent reads may accept more than the endpoint does.
"""

from __future__ import annotations

import json
import re
from collections import Counter
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from functools import partial
from typing import Any, cast

from toolway.catalog.schema.traversal import iter_references, iter_schemas, rewrite_by_level, rewrite_schema
from toolway.catalog.schema.unions import list_null_type, merge_alternatives
from toolway.openapi import Schema

__all__ = [
    "LeanSchema",
    "compact_schema",
    "count_tokens",
    "first_sentence",
    "name_properties",
    "reduce_schema",
    "widen",
]

_BYTES_PER_TOKEN = 4
_DEFS = "#/$defs/"
_REFERENCE = re.compile(r"#/\$defs/[A-Za-z0-9_.-]+")
_SHOWN_VALUES = 4
_LONGEST_VALUE = 40
_MOST_PROPERTIES = 40
_LONGEST_SENTENCE = 120
_SENTENCE = re.compile(r"(?s)(.+?[.!?])(?=\s+[^\Wa-z]|\s*$)|(.+?)(?=\n\s*\n|$)")

_ANNOTATIONS = frozenset({"description", "default", "deprecated"})
_NOISE = frozenset(
    {"$comment", "$schema", "discriminator", "example", "examples", "exemples", "readOnly", "title", "writeOnly"}
)
"""Keywords that neither restrict values nor help to choose them; "exemples" is a frequent misspelling."""
_DIALECT = frozenset({"$anchor", "$dynamicAnchor", "$dynamicRef", "$id", "$recursiveRef", "definitions"})
_EXACT = ("contains", "else", "if", "maxContains", "minContains", "not", "then", "unevaluatedItems")
"""Keywords that may reject more values when a schema inside them or beside them accepts more."""
_LIMITS = frozenset({"maxItems", "maxLength", "minItems", "minLength", "multipleOf", "propertyNames", "uniqueItems"})
_FIRST_LEVEL = frozenset({"$ref", "anyOf", "enum", "items", "type", "x-mcp-header"})


@dataclass(frozen=True, slots=True)
class LeanSchema:
    """A schema for agents."""

    schema: Schema
    is_whole: bool
    """Whether it restricts and describes values as the original does."""


def count_tokens(value: Any) -> int:
    """Return the estimated tokens of a value as JSON, at four bytes each."""
    text = json.dumps(value, ensure_ascii=False, separators=(",", ":"))
    return -(-len(text.encode("utf-8", "surrogatepass")) // _BYTES_PER_TOKEN)


def reduce_schema(schema: Schema, budget: int) -> LeanSchema:
    """Return a schema of at most `budget` tokens, if possible, that accepts every value that the original accepts.

    Each step is applied only while the schema is over its budget. The names of the first level, their types and which
    of them are required always stay, so that a schema with very many properties may remain over its budget. A schema
    with references other than to its own ``$defs`` is not changed.

    Args:
        schema: a self-contained JSON Schema (2020-12); it is not altered.
        budget: the tokens that it may have, at four bytes each.
    """
    if count_tokens(schema) <= budget or not _is_reducible(schema):
        return LeanSchema(schema, is_whole=True)
    for step in (_remove_noise, _share_definitions):
        schema = step(schema)
        if count_tokens(schema) <= budget:
            return LeanSchema(schema, is_whole=True)
    schema = rewrite_by_level(schema, lambda node, _level: widen(node))
    for step in _LOSSY_STEPS:
        schema = _share_definitions(step(schema))
        if count_tokens(schema) <= budget:
            break
    return LeanSchema(schema, is_whole=False)


def compact_schema(schema: Schema) -> Schema:
    """Return a schema that accepts the same values, without noise and repeated definitions."""
    return _share_definitions(_remove_noise(schema)) if _is_reducible(schema) else schema


def _is_reducible(schema: Schema) -> bool:
    """Return whether all references are simple, and no ``x-mcp-header`` is below the first level.

    The server checks such a header against the argument, so that clients have to know of it.
    """
    definitions = schema.get("$defs", {})
    headers = 0
    for node in iter_schemas(schema):
        reference = node.get("$ref")
        if reference is not None and not (
            isinstance(reference, str)
            and _REFERENCE.fullmatch(reference)
            and isinstance(definitions.get(reference.removeprefix(_DEFS)), dict)
        ):
            return False
        if not node.keys().isdisjoint(_DIALECT) or ("$defs" in node and node is not schema):
            return False
        headers += "x-mcp-header" in node
    first_level: Iterable[Any] = schema.get("properties", {}).values()
    return headers == sum("x-mcp-header" in node for node in first_level if isinstance(node, dict))


def _remove_noise(schema: Schema) -> Schema:
    """Remove keywords that neither restrict nor explain values, and defaults below the first level."""
    counts_evaluated = any(node.keys() & {"unevaluatedItems", "unevaluatedProperties"} for node in iter_schemas(schema))

    def clean(node: Schema, level: int) -> Schema:
        if node.get("additionalProperties") is True and not counts_evaluated:
            del node["additionalProperties"]
        kept = {key: value for key, value in node.items() if not _is_noise(key, level)}
        return kept if counts_evaluated else _simplify_tuple(kept)

    return rewrite_by_level(schema, clean)


def _is_noise(key: str, level: int) -> bool:
    if key == "default":
        return level > 1
    return key in _NOISE or (key.startswith("x-") and key != "x-mcp-header")


def _simplify_tuple(node: Schema) -> Schema:
    """Write a tuple of equal items, such as a coordinate, as a list of fixed length."""
    prefix = cast("list[Schema]", node.get("prefixItems") or [])
    most: int = len(prefix) if node.get("items") is False else node.get("maxItems", len(prefix) + 1)
    is_uniform = prefix and len({json.dumps(item) for item in prefix}) == 1 and most <= len(prefix)
    if not is_uniform or "contains" in node:
        return node
    rest = {key: value for key, value in node.items() if key not in {"prefixItems", "items"}}
    return {**rest, "items": prefix[0], "maxItems": min(most, node.get("maxItems", most))}


def _share_definitions(schema: Schema) -> Schema:
    """Merge definitions that are identical, and inline those that cost more than they save."""
    while aliases := _find_duplicates(schema.get("$defs", {})):
        schema = rewrite_by_level(schema, partial(_rename_reference, aliases))
    inlined = _find_inlinable(schema)
    return rewrite_by_level(schema, lambda node, _level: _inline_reference(inlined, node)) if inlined else schema


def _find_duplicates(definitions: Mapping[str, Schema]) -> dict[str, str]:
    """Return the names of definitions that repeat another one, with the name of that one."""
    first: dict[str, str] = {}
    aliases: dict[str, str] = {}
    for name, definition in definitions.items():
        kept = first.setdefault(json.dumps(definition, sort_keys=True), name)
        if kept != name:
            aliases[name] = kept
    return aliases


def _rename_reference(aliases: Mapping[str, str], node: Schema, _level: int) -> Schema:
    name = str(node.get("$ref", "")).removeprefix(_DEFS)
    return {**node, "$ref": _DEFS + aliases[name]} if name in aliases else node


def _find_inlinable(schema: Schema) -> dict[str, Schema]:
    definitions: Mapping[str, Schema] = schema.get("$defs", {})
    uses = Counter(reference.removeprefix(_DEFS) for reference in iter_references(schema))
    found: dict[str, Schema] = {}
    for name, definition in definitions.items():
        saved = len(json.dumps({name: {"$ref": _DEFS + name}})) + uses[name] * len(_DEFS + name)
        is_small = (uses[name] - 1) * len(json.dumps(definition)) < saved and not any(iter_references(definition))
        if uses[name] == 1 or is_small:
            found[name] = definition
    references = {
        name: {reference.removeprefix(_DEFS) for reference in iter_references(definition)} & found.keys()
        for name, definition in found.items()
    }
    while leaves := [name for name, used in references.items() if not used & references.keys()]:
        for name in leaves:
            del references[name]
    return {name: definition for name, definition in found.items() if name not in references}  # the rest is recursive


def _inline_reference(inlined: Mapping[str, Schema], node: Schema) -> Schema:
    target = inlined.get(str(node.get("$ref", "")).removeprefix(_DEFS))
    if target is None:
        return node
    definition = rewrite_schema(target, lambda inner, _name: _inline_reference(inlined, inner))
    rest = {key: value for key, value in node.items() if key != "$ref"}
    if rest.keys() <= _ANNOTATIONS:
        return {**definition, **rest}
    return {**rest, "allOf": [*rest.get("allOf", []), definition]}


def widen(node: Schema) -> Schema:
    """Remove from a schema what would reject more values once the schemas inside accept more."""
    for key in (*_EXACT, "unevaluatedProperties"):
        node.pop(key, None)
    variants = node.pop("oneOf", None)
    if variants is not None:
        node.setdefault("anyOf", variants)
    return node


def _shorten_enums(most: int, schema: Schema) -> Schema:
    """Replace enums with more values than this by their type, with a few values as examples."""
    return rewrite_by_level(schema, lambda node, _level: _shorten_enum(most, node))


def _shorten_enum(most: int, node: Schema) -> Schema:
    values = cast("list[Any]", node.get("enum") or [])
    if len(values) <= most:
        return node
    rest = {key: value for key, value in node.items() if key != "enum"}
    kind = _common_type(values)
    if kind is not None:
        rest.setdefault("type", kind)
    texts = [value if isinstance(value, str) else json.dumps(value, ensure_ascii=False) for value in values]
    shown = [text for text in texts if len(text) <= _LONGEST_VALUE][:_SHOWN_VALUES]
    note = f"One of {len(values)} values" + (f", such as {', '.join(shown)}." if shown else ".")
    return {**rest, "description": f"{note} {rest.get('description', '')}".strip()}  # cut from its end later


def _drop_enum(node: Schema, _level: int) -> Schema:
    if "enum" not in node or "type" not in node:
        return node
    return {key: value for key, value in node.items() if key != "enum"}


def _common_type(values: list[Any]) -> str | None:
    """Return the JSON type that all values have; None if they differ."""
    kinds = {type(value).__name__ for value in values}
    if kinds <= {"int", "float"}:
        return "integer" if kinds == {"int"} else "number"
    names = {"str": "string", "bool": "boolean", "list": "array", "dict": "object"}
    return names.get(kinds.pop()) if len(kinds) == 1 else None


def _cut_descriptions(level: int, length: int, schema: Schema) -> Schema:
    """Cut the descriptions at this level and below to their first sentence; with length 0, remove them."""

    def cut(node: Schema, at: int) -> Schema:
        if at >= level and isinstance(text := node.get("description"), str):
            node["description"] = first_sentence(text, length)
            if not node["description"]:
                del node["description"]
        return node

    return rewrite_by_level(schema, cut)


def first_sentence(text: str, length: int = _LONGEST_SENTENCE) -> str:
    """Return the first sentence of a text, cut at a word where it is longer than `length`."""
    found = _SENTENCE.match(text.strip())
    sentence = " ".join(found[0].split()) if found else ""
    if len(sentence) <= length:
        return sentence
    cut = sentence[: max(length - 1, 0)].rpartition(" ")[0]
    return f"{cut}…" if cut else ""


def _remove_details(schema: Schema) -> Schema:
    """Remove patterns and formats that a description explains, and limits below the first level."""

    def clean(node: Schema, level: int) -> Schema:
        if "description" in node:
            _remove_formats(node)
            for variant in cast("list[Schema]", node.get("anyOf") or []):
                _remove_formats(variant)
        return {key: value for key, value in node.items() if level < 2 or key not in _LIMITS}

    return rewrite_by_level(schema, clean)


def _remove_formats(node: Schema | bool) -> None:
    if isinstance(node, dict):
        node.pop("pattern", None)
        node.pop("format", None)


def _merge_unions(schema: Schema) -> Schema:
    definitions = schema.get("$defs", {})
    return rewrite_by_level(schema, lambda node, _level: merge_alternatives(node, definitions))


def _outline_objects(level: int, schema: Schema, *, with_required: bool = False) -> Schema:
    """Replace the objects at this level and below by the names of their properties."""
    definitions = schema.get("$defs", {})

    def outline(node: Schema, at: int) -> Schema:
        properties = node.get("properties")
        if at + 1 < level or not isinstance(properties, dict):
            return node
        required: list[str] = [] if with_required else node.get("required") or []
        entries = cast("dict[str, Schema | bool]", properties).items()
        node["properties"] = {
            name: entry if name in required else _outline(entry, definitions) for name, entry in entries
        }
        return node

    return rewrite_by_level(schema, outline)


def _outline(schema: Schema | bool, definitions: Mapping[str, Schema], depth: int = 0) -> Schema | bool:
    """Return a schema in which objects have no properties but name them in their description."""
    if isinstance(schema, bool):
        return schema
    target = definitions.get(str(schema.get("$ref", "")).removeprefix(_DEFS))
    if target is not None:
        schema = {**target, **{key: value for key, value in schema.items() if key != "$ref"}}
    kept = {key: schema[key] for key in ("type", "description", "default", "deprecated") if key in schema}
    if depth > 4:  # deep lists and unions, or one that contains itself
        return {key: value for key, value in kept.items() if key != "description"}
    if schema.keys() & {"properties", "allOf", "patternProperties", "additionalProperties"}:
        return name_properties(schema, definitions, kept)
    if isinstance(schema.get("items"), dict) and "prefixItems" not in schema:
        return {**kept, "items": _outline(schema["items"], definitions, depth + 1)}
    if isinstance(schema.get("anyOf"), list) and "enum" not in schema:
        variants = [_outline(entry, definitions, depth + 1) for entry in schema["anyOf"]]
        return merge_alternatives({**kept, "anyOf": variants}, {})
    return {**kept, "$ref": schema["$ref"]} if "$ref" in schema else schema


def name_properties(schema: Schema, definitions: Mapping[str, Schema], kept: Schema) -> Schema:
    """Return the keywords to keep of an object's schema, with a description that names its properties."""
    combined = cast("list[Any]", schema.get("allOf") or [])
    parts: list[Schema] = [schema, *(entry for entry in combined if isinstance(entry, dict))]
    parts = [definitions.get(str(part.get("$ref", "")).removeprefix(_DEFS), part) for part in parts]
    names: list[str] = list(dict.fromkeys(name for part in parts for name in part.get("properties") or ()))
    if "type" not in kept and any(part.get("type") == "object" for part in parts):
        kept = {"type": "object", **kept}
    if not names:
        return kept
    more = f", and {len(names) - _MOST_PROPERTIES} more" if len(names) > _MOST_PROPERTIES else ""
    note = f"Properties: {', '.join(names[:_MOST_PROPERTIES])}{more}."
    return {**kept, "description": f"{note} {kept.get('description', '')}".strip()}  # cut from its end later


def _strip_first_level(schema: Schema, *, with_required: bool) -> Schema:
    """Keep the type of each property of the first level, and nothing else."""
    required: list[str] = [] if with_required else schema.get("required") or []
    properties = cast("dict[str, Any]", schema.get("properties") or {})
    stripped = {
        name: {key: value for key, value in cast("Schema", entry).items() if key in _FIRST_LEVEL}
        for name, entry in properties.items()
        if isinstance(entry, dict) and name not in required
    }
    return rewrite_by_level({**schema, "properties": {**properties, **stripped}}, lambda node, _level: node)


def _by_level(change: Callable[[Schema, int], Schema]) -> Callable[[Schema], Schema]:
    return lambda schema: rewrite_by_level(schema, change)


_LOSSY_STEPS: tuple[Callable[[Schema], Schema], ...] = (
    partial(_shorten_enums, 20),
    partial(_cut_descriptions, 3, _LONGEST_SENTENCE),
    partial(_cut_descriptions, 3, 0),
    _remove_details,
    _merge_unions,
    partial(_outline_objects, 4),
    partial(_outline_objects, 3),
    partial(_outline_objects, 2),
    # from here on, what matters more than the issue of a deep object goes as well
    partial(_outline_objects, 2, with_required=True),
    partial(_cut_descriptions, 2, _LONGEST_SENTENCE),
    partial(_cut_descriptions, 2, 0),
    partial(_outline_objects, 1),
    partial(_outline_objects, 1, with_required=True),
    partial(_cut_descriptions, 1, _LONGEST_SENTENCE),
    partial(_shorten_enums, 6),
    partial(_cut_descriptions, 1, 60),
    partial(_strip_first_level, with_required=False),
    partial(_strip_first_level, with_required=True),
    _by_level(_drop_enum),
    _by_level(list_null_type),  # last, because the Gemini API rejects lists of types
)
"""In the order in which they are applied: what helps an agent least goes first."""
