"""Self-contained schemas of tools.

Shared models stay in ``$defs`` and recursion stays recursion. References into the document's ``#/components/schemas``
become references into the tool's own ``#/$defs``.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, cast

from toolway.catalog.schema.sanitize import strip_invisible
from toolway.catalog.schema.traversal import iter_children, iter_references, rewrite_schema
from toolway.errors import DocumentError
from toolway.openapi import Schema, follow_pointer, split_pointer

__all__ = ["Definitions", "accepts_null", "dereference", "is_object", "with_local_definitions"]

_COMPONENTS = "#/components/schemas/"
_DEFS = "#/$defs/"
_ANNOTATIONS = {
    "$defs",
    "allOf",
    "default",
    "deprecated",
    "description",
    "examples",
    "title",
}
"""Keywords that do not restrict the values."""
_DATA = frozenset({"const", "default", "enum", "example", "examples"})
_MAX_DEPTH = 64
_MAX_NODES = 20_000


class Definitions:
    """The shared schemas that one schema of a tool refers to.

    Without `with_required`, no property is required, for responses that may omit fields.

    All methods raise `DocumentError` for a reference that points to nothing or outside the document, and for a schema
    with more than 64 levels or 20,000 nodes.
    """

    def __init__(self, components: Mapping[str, Schema], *, with_required: bool = True) -> None:
        self._components = components
        self._with_required = with_required
        self._definitions: dict[str, Schema] = {}
        self._shared: dict[str, list[str]] = {}

    def adopt(self, schema: Schema, name: str | None = None) -> Schema:
        """Return a cleaned schema, and collect the definitions that it refers to.

        A title that only repeats `name`, the argument's name, is removed.
        """
        adopted = self._clean_and_collect(schema, name)
        pending = list(iter_references(schema))
        while pending:
            reference = pending.pop()
            label = _definition_name(reference)
            component = self._find_new_component(reference, label)
            if component is not None:
                self._define(label, self._clean_and_collect(component, label))
                pending.extend(iter_references(component))
        return adopted

    def attach(self, schema: Schema) -> Schema:
        """Return a schema with the definitions that it needs in ``$defs``, sorted by name."""
        needed = self._find_needed(schema)
        for name in needed:
            # raises an error for a definition that is only a circle of references
            dereference({"$ref": _local_reference(name), "$defs": self._definitions}, {})
        return {**schema, "$defs": {name: self._definitions[name] for name in sorted(needed)}} if needed else schema

    def _clean_and_collect(self, schema: Schema, name: str | None) -> Schema:
        """Return a cleaned schema without its local definitions, which are collected."""
        _check_size(schema)
        cleaned = rewrite_schema(schema, self._clean, name)
        for label, local in cast("dict[str, Schema]", cleaned.pop("$defs", {})).items():
            self._define(label, local)
        return cleaned

    def _define(self, label: str, schema: Schema) -> None:
        if self._definitions.setdefault(label, schema) != schema:
            raise DocumentError(f"two different schemas are named {label!r}; rename one of them")

    def _find_new_component(self, reference: str, label: str) -> Schema | None:
        """Return the schema that a reference names, or None if it is collected already."""
        tokens = _split_reference(reference)
        is_local = reference.startswith(_DEFS) and tokens[0] in self._definitions
        if is_local and label in self._definitions:
            return None
        if label in self._shared:
            if self._shared[label] != tokens:
                raise DocumentError(f"two different schemas are referenced as {label!r}; rename one of them")
            return None
        self._shared[label] = tokens
        return _find_schema(reference, self._definitions if is_local else self._components)

    def _clean(self, schema: Schema, name: str | None) -> Schema:
        if "$dynamicRef" in schema:
            raise DocumentError("a schema has a $dynamicRef, which is not supported; use $ref")
        if not self._with_required:
            _remove_required(schema)
        if self._forbids_strings(schema.get("propertyNames")):
            del schema["propertyNames"]
        return _clean_keywords(schema, name)

    def _forbids_strings(self, names: object) -> bool:
        """Return whether property names must not be strings, as in Pydantic's schema of ``dict[int, ...]``."""
        reference = cast("Schema", names).get("$ref") if isinstance(names, dict) else None
        if isinstance(reference, str):
            names = self._components.get(_definition_name(reference))
        kind = cast("Schema", names).get("type", "string") if isinstance(names, dict) else "string"
        return kind != "string" and not (isinstance(kind, list) and "string" in kind)

    def _find_needed(self, schema: Schema) -> set[str]:
        found: set[str] = set()
        pending = [schema]
        while pending:
            for reference in iter_references(pending.pop()):
                name = _definition_name(reference)
                if name not in found:
                    found.add(name)
                    pending.append(self._definitions[name])
        return found


def _remove_required(schema: Schema) -> None:
    """Make every property optional; without required properties, a value may match several variants."""
    schema.pop("required", None)
    schema.pop("discriminator", None)
    if "oneOf" in schema and "anyOf" not in schema:
        schema["anyOf"] = schema.pop("oneOf")


def dereference(schema: Schema | bool, components: Mapping[str, Schema]) -> Schema:
    """Return the schema behind references and single-entry ``allOf``, with its local definitions."""
    local: dict[str, Schema] = {}
    for _ in range(_MAX_DEPTH):
        if isinstance(schema, bool):
            return {} if schema else {"not": {}}
        local = schema.get("$defs") or local
        if isinstance(reference := schema.get("$ref"), str):
            is_local = reference.startswith(_DEFS) and _split_reference(reference)[0] in local
            schema = _find_schema(reference, local if is_local else components)
        elif len(schema.get("allOf") or ()) == 1 and not schema.keys() - _ANNOTATIONS:
            schema = schema["allOf"][0]
        else:
            return {**schema, "$defs": local} if local else schema
    raise DocumentError("a schema consists only of a reference to itself")


def with_local_definitions(member: Schema | bool, schema: Schema) -> Schema | bool:
    """Return a member of a dereferenced schema with the local definitions that it may refer to."""
    return {**member, "$defs": schema["$defs"]} if isinstance(member, dict) and "$defs" in schema else member


def _find_schema(reference: str, schemas: Mapping[str, Any]) -> Schema:
    """Return the schema that a reference names, possibly inside another one (``.../Order/properties/id``)."""
    schema = follow_pointer(schemas, _split_reference(reference))
    if isinstance(schema, bool):
        return {} if schema else {"not": {}}
    if not isinstance(schema, dict):
        raise DocumentError(f"the schema reference {reference!r} points to nothing in the OpenAPI document")
    return cast("Schema", schema)


def is_object(schema: Schema) -> bool:
    """Return whether every value of a dereferenced schema is an object."""
    return schema.get("type") == "object" or ("properties" in schema and "type" not in schema)


def accepts_null(schema: Schema | bool, components: Mapping[str, Schema], depth: int = 0) -> bool:
    """Return whether a schema accepts null; an empty schema accepts everything."""
    schema = dereference(schema, components)
    if not schema or depth > _MAX_DEPTH:
        return True
    if "enum" in schema or "const" in schema:
        return None in schema.get("enum", [schema.get("const")])
    variants: list[Schema] = [*schema.get("anyOf", []), *schema.get("oneOf", [])]
    if variants:
        return any(accepts_null(variant, components, depth + 1) for variant in variants)
    kind = schema.get("type")
    return kind is None or kind == "null" or (isinstance(kind, list) and "null" in kind)


def _definition_name(reference: str) -> str:
    """Return the name that a referenced schema has in the tool's ``$defs``."""
    return ".".join(_split_reference(reference))


def _split_reference(reference: str) -> list[str]:
    """Return the tokens of a reference below the shared schemas or ``$defs``."""
    for prefix in (_COMPONENTS, _DEFS):
        if reference.startswith(prefix):
            return split_pointer(reference.removeprefix(prefix))
    raise DocumentError(
        f"the schema reference {reference!r} points outside the document's schemas; move its target to {_COMPONENTS}"
    )


def _local_reference(name: str) -> str:
    return _DEFS + name.replace("~", "~0").replace("/", "~1").replace("%", "%25")


def _clean_keywords(schema: Schema, name: str | None) -> Schema:
    reference = schema.get("$ref")
    if isinstance(reference, str) and reference.startswith((_COMPONENTS, _DEFS)):
        schema["$ref"] = _local_reference(_definition_name(reference))
    if isinstance(schema.get("discriminator"), dict):
        schema["discriminator"] = _localize_mapping(cast("dict[str, Any]", schema["discriminator"]))
    for key in ("title", "description"):
        if isinstance(text := schema.get(key), str):
            schema[key] = strip_invisible(text)
    if _is_noise(schema.get("title"), name):
        del schema["title"]
    if "default" in schema and schema["default"] is None:
        del schema["default"]
    return schema


def _localize_mapping(discriminator: dict[str, Any]) -> dict[str, Any]:
    mapping = discriminator.get("mapping")
    if not isinstance(mapping, dict):
        return discriminator
    entries = cast("dict[str, str]", mapping).items()
    return {**discriminator, "mapping": {key: value.replace(_COMPONENTS, _DEFS) for key, value in entries}}


def _is_noise(title: object, name: str | None) -> bool:
    """Return whether a title only repeats the name, as Pydantic's generated titles do."""
    return isinstance(title, str) and name is not None and _letters(title) == _letters(name)


def _letters(text: str) -> str:
    return "".join(character for character in text.casefold() if character.isalnum())


def _check_size(schema: Schema) -> None:
    nodes = 0
    pending = [(schema, 1)]
    while pending:
        node, depth = pending.pop()
        nodes += 1
        if depth > _MAX_DEPTH or nodes > _MAX_NODES:
            limit = f"{_MAX_DEPTH} levels" if depth > _MAX_DEPTH else f"{_MAX_NODES:,} nodes"
            raise DocumentError(f"a schema has more than {limit}; move parts of it into separate models")
        for key in _DATA & node.keys():
            _check_depth(node[key], key)
        pending.extend((child, depth + 1) for child in iter_children(node))


def _check_depth(data: object, key: str) -> None:
    """Check that data, such as a default, is not too deep to be written as JSON."""
    pending: list[tuple[object, int]] = [(data, 1)]
    while pending:
        node, depth = pending.pop()
        if depth > _MAX_DEPTH:
            raise DocumentError(f"{key!r} of a schema has more than {_MAX_DEPTH} levels")
        if isinstance(node, dict):
            pending.extend((value, depth + 1) for value in cast("dict[str, object]", node).values())
        elif isinstance(node, list):
            pending.extend((value, depth + 1) for value in cast("list[object]", node))
