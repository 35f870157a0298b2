"""A tool's schemas: what Pydantic wrote, self-contained, without the noise.

Shared models stay in ``$defs`` and recursion stays recursion; references are only moved from the document's
``#/components/schemas`` to the tool's own ``#/$defs``.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, cast

from toolway.catalog.schema.sanitize import visible
from toolway.catalog.schema.traversal import children, references, rewritten
from toolway.errors import DocumentError
from toolway.openapi import Schema, follow_pointer, split_pointer

__all__ = ["Definitions", "accepts_null", "deref", "is_object"]

_COMPONENTS = "#/components/schemas/"
_DEFS = "#/$defs/"
_BESIDE_ALL_OF = {
    "$defs",
    "allOf",
    "default",
    "deprecated",
    "description",
    "examples",
    "title",
}  # say nothing of the values
_DATA = frozenset({"const", "default", "enum", "example", "examples"})
_DEEPEST = 64
_LARGEST = 20_000


class Definitions:
    """Collects the shared schemas that one of a tool's schemas refers to.

    Without `with_required`, nothing is required any more: for answers that may leave members out.

    Raises (all methods): DocumentError, for a reference that leaves the document or leads nowhere, and for a schema
    deeper than 64 levels or larger than 20,000 nodes.
    """

    def __init__(self, components: Mapping[str, Schema], *, with_required: bool = True) -> None:
        self._components = components
        self._with_required = with_required
        self._taken: dict[str, Schema] = {}
        self._shared: dict[str, list[str]] = {}

    def adopt(self, schema: Schema, name: str | None = None) -> Schema:
        """Return a schema as it stands in the tool, after taking over everything it refers to.

        `name` is the argument's name: a title that only repeats it is dropped.
        """
        adopted = self._absorb(schema, name)
        pending = list(references(schema))
        while pending:
            reference = pending.pop()
            label = _name_of(reference)
            component = self._new_component(reference, label)
            if component is not None:
                self._define(label, self._absorb(component, label))
                pending.extend(references(component))
        return adopted

    def attach(self, schema: Schema) -> Schema:
        """Return a schema with its definitions beside it, sorted by name: only those it needs."""
        needed = self._needed(schema)
        for name in needed:
            deref(
                {"$ref": _local_reference(name), "$defs": self._taken}, {}
            )  # refuses those that only lead in a circle
        return {**schema, "$defs": {name: self._taken[name] for name in sorted(needed)}} if needed else schema

    def _absorb(self, schema: Schema, name: str | None) -> Schema:
        """Clean a schema, and take over the definitions that it brings itself."""
        _check_size(schema)
        cleaned = rewritten(schema, self._clean, name)
        for label, local in cast("dict[str, Schema]", cleaned.pop("$defs", {})).items():
            self._define(label, local)
        return cleaned

    def _define(self, label: str, schema: Schema) -> None:
        if self._taken.setdefault(label, schema) != schema:
            raise DocumentError(f"two different schemas are named {label!r}; give one of them another name")

    def _new_component(self, reference: str, label: str) -> Schema | None:
        """Return the schema behind a reference, unless it has been taken already."""
        tokens = _tokens(reference)
        is_local = reference.startswith(_DEFS) and tokens[0] in self._taken
        if is_local and label in self._taken:
            return None
        if label in self._shared:
            if self._shared[label] != tokens:
                raise DocumentError(f"two different schemas are referenced as {label!r}; give one of them another name")
            return None
        self._shared[label] = tokens
        return _found(reference, self._taken if is_local else self._components)

    def _clean(self, schema: Schema, name: str | None) -> Schema:
        if "$dynamicRef" in schema:
            raise DocumentError("a schema has a $dynamicRef, which is not supported; use $ref")
        if not self._with_required:
            _loosen(schema)
        if self._forbids_text(schema.get("propertyNames")):
            del schema["propertyNames"]
        return _cleaned(schema, name)

    def _forbids_text(self, names: object) -> bool:
        """Tell whether the names of members are to be no text, as Pydantic says of a dict by numbers."""
        reference = cast("Schema", names).get("$ref") if isinstance(names, dict) else None
        if isinstance(reference, str):
            names = self._components.get(_name_of(reference))
        kind = cast("Schema", names).get("type", "string") if isinstance(names, dict) else "string"
        return kind != "string" and not (isinstance(kind, list) and "string" in kind)

    def _needed(self, schema: Schema) -> set[str]:
        found: set[str] = set()
        pending = [schema]
        while pending:
            for reference in references(pending.pop()):
                name = _name_of(reference)
                if name not in found:
                    found.add(name)
                    pending.append(self._taken[name])
        return found


def _loosen(schema: Schema) -> None:
    """Require nothing; without the members that tell variants apart, a value may fit several."""
    schema.pop("required", None)
    schema.pop("discriminator", None)
    if "oneOf" in schema and "anyOf" not in schema:
        schema["anyOf"] = schema.pop("oneOf")


def deref(schema: Schema | bool, components: Mapping[str, Schema]) -> Schema:
    """Follow references and single-entry ``allOf`` until the schema itself stands there, with its local definitions."""
    local: dict[str, Schema] = {}
    for _ in range(_DEEPEST):
        if isinstance(schema, bool):
            return {} if schema else {"not": {}}
        local = schema.get("$defs") or local
        if isinstance(reference := schema.get("$ref"), str):
            is_local = reference.startswith(_DEFS) and _tokens(reference)[0] in local
            schema = _found(reference, local if is_local else components)
        elif len(schema.get("allOf") or ()) == 1 and not schema.keys() - _BESIDE_ALL_OF:
            schema = schema["allOf"][0]
        else:
            return {**schema, "$defs": local} if local else schema
    raise DocumentError("a schema refers to itself and to nothing else")


def _found(reference: str, schemas: Mapping[str, Any]) -> Schema:
    """Return the schema behind a reference, which may also lead into another one (``.../Order/properties/id``)."""
    schema = follow_pointer(schemas, _tokens(reference))
    if isinstance(schema, bool):
        return {} if schema else {"not": {}}
    if not isinstance(schema, dict):
        raise DocumentError(f"the schema reference {reference!r} points to nothing in the OpenAPI document")
    return cast("Schema", schema)


def is_object(schema: Schema) -> bool:
    """Tell whether every value of a (dereferenced) schema is an object."""
    return schema.get("type") == "object" or ("properties" in schema and "type" not in schema)


def accepts_null(schema: Schema | bool, components: Mapping[str, Schema], depth: int = 0) -> bool:
    """Tell whether null is among a schema's values; an empty schema accepts everything."""
    schema = deref(schema, components)
    if not schema or depth > _DEEPEST:
        return True
    if "enum" in schema or "const" in schema:
        return None in schema.get("enum", [schema.get("const")])
    variants: list[Schema] = [*schema.get("anyOf", []), *schema.get("oneOf", [])]
    if variants:
        return any(accepts_null(variant, components, depth + 1) for variant in variants)
    kind = schema.get("type")
    return kind is None or kind == "null" or (isinstance(kind, list) and "null" in kind)


def _name_of(reference: str) -> str:
    """Return the name of a referenced schema among a tool's own definitions."""
    return ".".join(_tokens(reference))


def _tokens(reference: str) -> list[str]:
    """Return the keys that lead from the shared schemas to the one that a reference names (RFC 6901)."""
    for prefix in (_COMPONENTS, _DEFS):
        if reference.startswith(prefix):
            return split_pointer(reference.removeprefix(prefix))
    raise DocumentError(
        f"the schema reference {reference!r} points outside the document's schemas; move its target to {_COMPONENTS}"
    )


def _local_reference(name: str) -> str:
    return _DEFS + name.replace("~", "~0").replace("/", "~1").replace("%", "%25")


def _cleaned(schema: Schema, name: str | None) -> Schema:
    reference = schema.get("$ref")
    if isinstance(reference, str) and reference.startswith((_COMPONENTS, _DEFS)):
        schema["$ref"] = _local_reference(_name_of(reference))
    if isinstance(schema.get("discriminator"), dict):
        schema["discriminator"] = _local_mapping(cast("dict[str, Any]", schema["discriminator"]))
    for key in ("title", "description"):
        if isinstance(text := schema.get(key), str):
            schema[key] = visible(text)
    if _is_noise(schema.get("title"), name):
        del schema["title"]
    if "default" in schema and schema["default"] is None:
        del schema["default"]
    return schema


def _local_mapping(discriminator: dict[str, Any]) -> dict[str, Any]:
    mapping = discriminator.get("mapping")
    if not isinstance(mapping, dict):
        return discriminator
    entries = cast("dict[str, str]", mapping).items()
    return {**discriminator, "mapping": {key: value.replace(_COMPONENTS, _DEFS) for key, value in entries}}


def _is_noise(title: object, name: str | None) -> bool:
    """A title that Pydantic made from the name says nothing new."""
    return isinstance(title, str) and name is not None and _letters(title) == _letters(name)


def _letters(text: str) -> str:
    return "".join(sign for sign in text.casefold() if sign.isalnum())


def _check_size(schema: Schema) -> None:
    nodes = 0
    pending = [(schema, 1)]
    while pending:
        node, depth = pending.pop()
        nodes += 1
        if depth > _DEEPEST or nodes > _LARGEST:
            limit = f"{_DEEPEST} levels" if depth > _DEEPEST else f"{_LARGEST:,} nodes"
            raise DocumentError(f"a schema has more than {limit}; name parts of it as models of their own")
        for key in _DATA & node.keys():
            _check_depth(node[key], key)
        pending.extend((child, depth + 1) for child in children(node))


def _check_depth(data: object, key: str) -> None:
    """Refuse data, such as a default, that is too deep to be written as JSON."""
    pending: list[tuple[object, int]] = [(data, 1)]
    while pending:
        node, depth = pending.pop()
        if depth > _DEEPEST:
            raise DocumentError(f"{key!r} of a schema has more than {_DEEPEST} levels")
        if isinstance(node, dict):
            pending.extend((value, depth + 1) for value in cast("dict[str, object]", node).values())
        elif isinstance(node, list):
            pending.extend((value, depth + 1) for value in cast("list[object]", node))
