"""JSON Schemas as Python type expressions.

Objects become `TypedDict` classes. A type is never narrower than its schema: what Python cannot express is `Any`.
https://typing.python.org/en/latest/spec/typeddict.html
"""

from __future__ import annotations

import hashlib
import json
import keyword
import re
from collections.abc import Iterable, Mapping
from functools import cache
from typing import Any, cast

from toolway.catalog.schema.traversal import iter_references
from toolway.openapi import Schema

__all__ = ["RESERVED", "SchemaTypes", "TypeWriter", "clean_identifier"]

RESERVED = frozenset(
    {"Any", "Literal", "NotRequired", "TypedDict", "bool", "dict", "float", "int", "list", "str", "async", "await"}
)
"""Names that types are written with, which a definition would replace."""

_MOST_CHOICES = 20
_MOST_LEVELS = 24
_LONGEST_TYPE = 1000
_SCALARS = {"string": "str", "integer": "int", "number": "float", "boolean": "bool", "null": "None"}
_FIELD = re.compile(r"_?[A-Za-z][A-Za-z0-9_]*")


def clean_identifier(text: str, taken: Iterable[str] = ()) -> str:
    """Return a text as a Python identifier that is not a keyword and not one of those that are taken."""
    name = re.sub(r"[^A-Za-z0-9_]", "_", text)
    name = name if name.strip("_") else "unnamed"
    name = name if name[:1].isalpha() else f"_{name.lstrip('_')}"  # two underscores make a parameter positional-only
    name = f"{name}_" if keyword.iskeyword(name) or name in RESERVED else name
    unique, count = name, 1
    while unique in taken:
        count += 1
        unique = f"{name}_{count}"
    return unique


class TypeWriter:
    """Writes schemas as type expressions, and collects the classes that these use.

    Args:
        reserved: names that classes must not have.
    """

    def __init__(self, reserved: Iterable[str] = ()) -> None:
        self._taken = set(reserved)
        self._names: dict[str, str] = {}
        """The names of classes by the content of their schemas."""
        self.classes: dict[str, str] = {}
        """The definitions of classes by name, each on one line."""

    def within(self, root: Schema) -> SchemaTypes:
        """Return a writer for the schemas inside one schema, into which their references point."""
        return SchemaTypes(self, root)

    def name_class(self, identity: str, hint: str) -> tuple[str, bool]:
        """Return the name of the class for a schema, and whether it is new."""
        known = self._names.get(identity)
        if known is not None:
            return known, False
        words = re.findall(r"[A-Za-z0-9]+", hint)
        name = clean_identifier("".join(word[0].upper() + word[1:] for word in words) or "Object", self._taken)
        self._taken.add(name)
        self._names[identity] = name
        return name, True


class SchemaTypes:
    """Writes the types of the schemas inside one schema."""

    def __init__(self, writer: TypeWriter, root: Schema) -> None:
        self._writer = writer
        self._root = root
        self._expanded: dict[str, str] = {}
        """Types by reference; `Any` while one is being written, as it cannot refer to itself without a class."""
        self._targets: dict[str, tuple[str, tuple[str, ...]]] = {}
        """A hash of the target of a reference, and the references in it."""

    def write(self, schema: Any, hint: str, level: int = 0) -> str:
        """Return the type of a schema's values; one that is malformed accepts any value.

        Args:
            schema: the schema.
            hint: the name of a class, if the schema has none.
            level: the depth of the schema; the deepest ones accept any value.
        """
        if not isinstance(schema, dict) or level > _MOST_LEVELS:
            return "Any"
        schema = cast("Schema", schema)
        if "$ref" in schema:
            return self._write_reference(schema["$ref"], hint, level)
        if "enum" in schema or "const" in schema:
            return _write_choices(schema.get("enum", [schema.get("const")]))
        if combined := [key for key in ("anyOf", "oneOf", "allOf") if isinstance(schema.get(key), list)]:
            return self._write_combined(combined[0], schema, hint, level)
        kinds = schema.get("type", _guess_type(schema))
        if isinstance(kinds, list):
            return _join([self._write_kind(kind, schema, hint, level) for kind in cast("list[Any]", kinds)])
        return self._write_kind(kinds, schema, hint, level)

    def _write_combined(self, key: str, schema: Schema, hint: str, level: int) -> str:
        parts = cast("list[Any]", schema[key])
        if key == "allOf" and (len(parts) > 1 or "properties" in schema):
            return "Any"  # Python has no type for values that match several types
        return _join([self.write(part, hint, level + 1) for part in parts])

    def _write_reference(self, reference: Any, hint: str, level: int) -> str:
        if not isinstance(reference, str):
            return "Any"
        target = _resolve(self._root, reference)
        if _is_class(target):  # it may refer to itself
            return self._write_class(target, reference.rpartition("/")[2], level)
        if reference not in self._expanded:
            self._expanded[reference] = "Any"
            written = self.write(target, hint, level + 1)
            self._expanded[reference] = written if len(written) <= _LONGEST_TYPE else "Any"
        return self._expanded[reference]

    def _write_kind(self, kind: Any, schema: Schema, hint: str, level: int) -> str:
        if kind == "array":
            items = schema.get("items", True)
            return "list[Any]" if "prefixItems" in schema else f"list[{self.write(items, f'{hint} item', level + 1)}]"
        if kind == "object":
            if _is_class(schema):
                title = schema.get("title")
                return self._write_class(schema, title if isinstance(title, str) else hint, level)
            others = schema.get("additionalProperties")
            is_open = "properties" in schema or "patternProperties" in schema
            return f"dict[str, {'Any' if is_open else self.write(others, f'{hint} value', level + 1)}]"
        return _SCALARS.get(kind, "Any") if isinstance(kind, str) else "Any"

    def _write_class(self, schema: Schema, hint: str, level: int) -> str:
        name, is_new = self._writer.name_class(self._identify(schema), hint)
        if is_new:
            self._writer.classes[name] = ""  # keeps its place before the classes of its fields
            required = schema.get("required")
            needed = set(cast("list[Any]", required)) if isinstance(required, list) else set[Any]()
            types = {
                field: self.write(part, f"{name} {field}", level + 1) for field, part in schema["properties"].items()
            }
            self._writer.classes[name] = _define(name, types, needed)
        return name

    def _identify(self, schema: Schema) -> str:
        """Return a text that is equal for two schemas only if they accept the same values."""
        found: dict[str, str] = {}
        pending = list(iter_references(schema))
        while pending:
            reference = pending.pop()
            if reference not in found:
                found[reference], references = self._read_target(reference)
                pending.extend(references)
        return "\n".join([_to_json(schema), *sorted(f"{reference} {digest}" for reference, digest in found.items())])

    def _read_target(self, reference: str) -> tuple[str, tuple[str, ...]]:
        if reference not in self._targets:
            target = _resolve(self._root, reference)
            digest = hashlib.sha256(_to_json(target).encode()).hexdigest()
            self._targets[reference] = digest, tuple(iter_references(target))
        return self._targets[reference]


def _to_json(schema: Schema) -> str:
    return json.dumps(schema, sort_keys=True, default=str)


def _define(name: str, types: Mapping[str, str], required: set[Any]) -> str:
    """Return the definition of a `TypedDict`; in the functional syntax if a field is not a usable identifier."""
    optional = {field for field in types if field not in required}
    is_total = len(optional) < len(types)
    fields = {
        field: f"NotRequired[{written}]" if is_total and field in optional else written
        for field, written in types.items()
    }
    if all(_FIELD.fullmatch(field) and not keyword.iskeyword(field) for field in fields) and _hides_no_type(fields):
        bases = "TypedDict" if is_total else "TypedDict, total=False"
        return f"class {name}({bases}): " + "; ".join(f"{field}: {written}" for field, written in fields.items())
    members = ", ".join(f"{field!r}: {written}" for field, written in fields.items())
    return f'{name} = TypedDict("{name}", {{{members}}}{"" if is_total else ", total=False"})'


def _hides_no_type(fields: Mapping[str, str]) -> bool:
    """Return whether no field has the name of a type that a field uses, as it would be looked up in the class."""
    used = {word for written in fields.values() for word in re.findall(r"\w+", written)}
    return used.isdisjoint(fields)


def _is_class(schema: Schema) -> bool:
    """Return whether values of a schema are objects whose members are all known."""
    properties: Any = schema.get("properties")
    combined = ("$ref", "enum", "const", "anyOf", "oneOf", "allOf", "patternProperties")
    return (
        isinstance(properties, dict)
        and bool(cast("Schema", properties))
        and "" not in properties  # which a class cannot have
        and schema.get("type", "object") == "object"
        and schema.get("additionalProperties") in (None, False)
        and not any(key in schema for key in combined)
    )


def _guess_type(schema: Schema) -> str:
    return "object" if "properties" in schema else "array" if "items" in schema else ""


def _write_choices(values: Any) -> str:
    if not isinstance(values, list) or not values:
        return "Any"
    choices = cast("list[Any]", values)
    if len(choices) <= _MOST_CHOICES and all(value is None or isinstance(value, (str, int)) for value in choices):
        return f"Literal[{', '.join(dict.fromkeys(repr(value) for value in choices))}]"
    names: dict[type, str] = {str: "str", bool: "bool", int: "int", float: "float", type(None): "None"}
    return _join([names.get(value.__class__, "Any") for value in choices])


def _join(types: Iterable[str]) -> str:
    """Return the union of types."""
    found = dict.fromkeys(types)
    return "Any" if "Any" in found or not found else " | ".join(found)


def _resolve(root: Schema, reference: str) -> Schema:
    """Return the schema that a local reference points to; an empty one, which accepts all, if there is none."""
    if not reference.startswith("#"):
        return {}
    node: Any = root
    for step in _split_pointer(reference):
        node = cast("dict[str, Any]", node).get(step) if isinstance(node, dict) else None
    return cast("Schema", node) if isinstance(node, dict) else {}


@cache
def _split_pointer(reference: str) -> tuple[str, ...]:
    steps = reference[1:].split("/")[1:]
    return tuple(step.replace("~1", "/").replace("~0", "~") for step in steps)
