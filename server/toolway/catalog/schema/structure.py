"""The JSON types that a schema accepts, and where a value may hold an object or a list as JSON text."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, cast

from toolway.catalog.schema.definitions import dereference
from toolway.errors import DocumentError
from toolway.openapi import MALFORMED_ERRORS, Schema

__all__ = ["ANY_TYPE", "Structure", "accepted_types", "structure_of"]

ANY_TYPE = frozenset({"array", "boolean", "integer", "null", "number", "object", "string"})

_PARSED_TYPES: Mapping[str, type] = {"array": list, "object": dict}
_COMBINING = ("allOf", "anyOf", "oneOf")
_MOST_VARIANT_LEVELS = 8
_MOST_STRUCTURES = 1000


def accepted_types(schema: Schema | bool, components: Mapping[str, Schema], level: int = 0) -> frozenset[str]:
    """Return the JSON types that a schema accepts; `ANY_TYPE` if it does not restrict them."""
    schema = dereference(schema, components)
    kind: Any = schema.get("type")
    if kind is not None:
        found = frozenset(cast("list[str]", kind) if isinstance(kind, list) else [str(kind)])
    else:
        values = schema.get("enum", [schema["const"]] if "const" in schema else [])
        is_text = values and all(isinstance(value, str) for value in values)
        found = frozenset({"string"}) if is_text else ANY_TYPE
    for key in _COMBINING if level < _MOST_VARIANT_LEVELS else ():
        parts = [accepted_types(part, components, level + 1) for part in schema.get(key) or ()]
        if parts:
            first, *others = parts
            combined = first.intersection(*others) if key == "allOf" else first.union(*others)
            found = found & combined or ANY_TYPE
    return found


@dataclass(slots=True, eq=False)
class Structure:
    """A value that holds objects or lists where its schema accepts no string, or is one itself."""

    types: tuple[type, ...] = ()
    """The types that JSON text is parsed to (``dict``, ``list``); empty where a text is left as it is."""
    members: dict[str, Structure | None] = field(default_factory=dict[str, "Structure | None"])
    """Members by name; None for one in which every text is left as it is."""
    other_members: Structure | None = None
    """Members that the schema does not name (``additionalProperties``)."""
    items: Structure | None = None

    def children(self) -> Iterator[Structure]:
        for child in (*self.members.values(), self.other_members, self.items):
            if child is not None:
                yield child


def structure_of(schema: Schema, components: Mapping[str, Schema]) -> Structure | None:
    """Return the structure of a schema's values; None where no text in them can stand for an object or a list.

    A member counts only if no variant of its schema accepts a string. Schemas combined with ``allOf``, and what is left
    of a schema after 1,000 parts, are not searched for members.
    """
    reader = _Reader(components)
    try:
        root = reader.read(schema)
    except (DocumentError, *MALFORMED_ERRORS):
        return None
    return root if root in reader.remove_plain() else None


class _Reader:
    """Reads the structures of one schema, each part once, as schemas may refer to themselves."""

    def __init__(self, components: Mapping[str, Schema]) -> None:
        self._components = components
        self._known: dict[frozenset[str | int], Structure] = {}
        self._pending: list[tuple[Structure, list[Schema]]] = []
        self._kept: list[list[Schema]] = []  # an id in `_known` must not be given to another schema

    def read(self, schema: Schema) -> Structure:
        root = self._structure([schema])
        while self._pending:
            structure, alternatives = self._pending.pop()
            variants = [variant for entry in alternatives for variant in self._variants(entry)]
            types = [accepted_types(variant, self._components) for variant in variants]
            if not any("string" in accepted for accepted in types):
                found = frozenset[str]().union(*types)
                structure.types = tuple(parsed for name, parsed in _PARSED_TYPES.items() if name in found)
            pairs = list(zip(variants, types, strict=True))
            self._read_members(structure, [variant for variant, accepted in pairs if "object" in accepted])
            self._read_items(structure, [variant for variant, accepted in pairs if "array" in accepted])
        return root

    def _structure(self, alternatives: Iterable[Schema]) -> Structure:
        """Return the structure of values that one of several schemas accepts, to be filled later."""
        raw = list(alternatives)
        key = frozenset(schema.get("$ref") or id(schema) for schema in raw)
        if key not in self._known and len(self._known) < _MOST_STRUCTURES:
            self._known[key] = Structure()
            self._pending.append((self._known[key], raw))
            self._kept.append(raw)
        return self._known.get(key) or Structure()

    def _variants(self, schema: Schema, level: int = 0) -> Iterator[Schema]:
        schema = dereference(schema, self._components)
        parts: list[Schema | bool] = [*(schema.get("anyOf") or ()), *(schema.get("oneOf") or ())]
        is_choice = parts and not schema.keys() & {"allOf", "type", "properties", "additionalProperties", "items"}
        if not is_choice or level >= _MOST_VARIANT_LEVELS:
            yield schema
            return
        for part in parts:
            yield from self._variants(_within(schema, part), level + 1)

    def _read_members(self, structure: Structure, variants: list[Schema]) -> None:
        if any(variant.keys() & {*_COMBINING, "patternProperties"} for variant in variants):
            return
        names = {name: None for variant in variants for name in variant.get("properties") or ()}
        for name in names:
            structure.members[name] = self._structure(_member_schemas(variants, name))
        structure.other_members = self._structure(_member_schemas(variants, None)) if variants else None

    def _read_items(self, structure: Structure, variants: list[Schema]) -> None:
        if variants and not any(variant.keys() & {*_COMBINING, "prefixItems"} for variant in variants):
            structure.items = self._structure(_within(variant, variant.get("items", True)) for variant in variants)

    def remove_plain(self) -> set[Structure]:
        """Remove the parts that hold nothing to parse, and return the others."""
        useful = {structure for structure in self._known.values() if structure.types}
        while True:
            more = {
                structure
                for structure in self._known.values()
                if structure not in useful and not useful.isdisjoint(structure.children())
            }
            if not more:
                break
            useful |= more
        for structure in useful:
            structure.other_members = structure.other_members if structure.other_members in useful else None
            members = {name: child if child in useful else None for name, child in structure.members.items()}
            structure.members = members if any(members.values()) or structure.other_members else {}
            structure.items = structure.items if structure.items in useful else None
        return useful


_ANYTHING: Schema = {}


def _within(schema: Schema, part: Schema | bool) -> Schema:
    """Return a part of a schema with the definitions that the schema brings itself."""
    if isinstance(part, bool):
        return _ANYTHING
    return {**part, "$defs": schema["$defs"]} if "$defs" in schema and "$defs" not in part else part


def _member_schemas(variants: list[Schema], name: str | None) -> Iterator[Schema]:
    """Yield the schemas of a member in all variants; without a name, those of members that they do not list."""
    for variant in variants:
        listed: dict[str, Schema | bool] = variant.get("properties") or {}
        if name in listed:
            yield _within(variant, listed[name])
        elif (other := variant.get("additionalProperties", True)) is not False:
            yield _within(variant, other)
