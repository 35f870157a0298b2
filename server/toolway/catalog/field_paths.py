"""Paths of fields in results, such as ``order_id`` and ``lines[].sku``, and their check against a schema."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from difflib import get_close_matches
from typing import TypeAlias, cast

from toolway.catalog.schema.definitions import dereference, with_local_definitions
from toolway.errors import ArgumentError
from toolway.openapi import Schema

__all__ = ["ANY_FIELD", "FieldTree", "check_fields", "parse_fields"]

FieldTree: TypeAlias = dict[str, "FieldTree"]
"""The selected members by name, each with the selection inside it; empty for a whole value."""

ANY_FIELD = "*"
"""The name that stands for every member of an object."""

_MOST_SHOWN = 20
_MOST_LEVELS = 8
_SINGLE = frozenset({"boolean", "integer", "null", "number", "string"})


def parse_fields(paths: object) -> FieldTree:
    """Return the selection of some paths; empty, for the whole value, without any.

    A path applies to every item of an array, with or without ``[]``: ``id`` and ``[].id`` are the same for a list.
    ``*`` stands for every member of an object, such as the entries of a map, and takes the place of others.

    Raises:
        ArgumentError: it is not a list of paths.
    """
    if not isinstance(paths, list) or not all(isinstance(path, str) for path in cast("list[object]", paths)):
        raise ArgumentError('fields: expected a list of paths, such as ["order_id", "lines[].sku"]')
    tree: FieldTree = {}
    for path in cast("list[str]", paths):
        names = [name for name in path.replace("[]", "").split(".") if name]
        if not names or names == [ANY_FIELD]:
            return {}
        _add(tree, names)
    return tree


def _add(tree: FieldTree, names: Sequence[str]) -> None:
    """Add a path to a selection, unless a whole value that contains it is selected already."""
    *outer, last = names
    for name in outer:
        if tree.get(name) == {}:
            return
        tree = tree.setdefault(name, {})
    tree[last] = {}


def check_fields(tree: FieldTree, schema: Schema | bool, components: Mapping[str, Schema], place: str = "") -> None:
    """Check the names of a selection against the schema of the whole value, as far as it names its members.

    Raises:
        ArgumentError: a name does not exist; the text has the nearest, or all of them.
    """
    members = _find_members(schema, components)
    for name, inner in tree.items() if members else ():
        if name == ANY_FIELD:
            continue
        if name not in members:
            near = get_close_matches(name, members, n=1)
            known = f"did you mean {place + near[0]!r}?" if near else f"it has {', '.join(list(members)[:_MOST_SHOWN])}"
            raise ArgumentError(f"fields: the result has no {place + name!r}; {known}")
        if inner:
            check_fields(inner, members[name], components, f"{place}{name}.")


def _find_members(schema: Schema | bool, components: Mapping[str, Schema], depth: int = 0) -> dict[str, Schema | bool]:
    """Return the members of an object, or of the items of an array; none if any others may exist."""
    schema = dereference(schema, components)
    if isinstance(items := schema.get("items"), dict) and depth < _MOST_LEVELS:
        return _find_members(with_local_definitions(cast("Schema", items), schema), components, depth + 1)
    properties = cast("dict[str, Schema | bool]", schema.get("properties", {}))
    found = {name: with_local_definitions(member, schema) for name, member in properties.items()}
    if schema.get("additionalProperties") or depth >= _MOST_LEVELS:
        return {}
    for part in (*schema.get("anyOf", []), *schema.get("oneOf", []), *schema.get("allOf", [])):
        variant = with_local_definitions(part, schema)
        members = _find_members(variant, components, depth + 1)
        if not members and dereference(variant, components).get("type") not in _SINGLE:
            return {}
        found |= members
    return found
