"""JSON Schemas of every kind, each with a value that it accepts."""

from __future__ import annotations

from typing import Any, TypeAlias

from hypothesis import strategies as st

__all__ = ["malformed_schemas", "names", "schemas_with_values"]

_Pair: TypeAlias = tuple[dict[str, Any], Any]

_ODD_NAMES = (
    "class",
    "from",
    "x-token",
    "2nd",
    "list",
    "str",
    "self",
    "items",
    "_id",
    "__x",
    "Literal",
    "a b",
    "ä",
    "",
)

names = st.sampled_from(_ODD_NAMES) | st.text(alphabet="abc_", min_size=1, max_size=4) | st.text(max_size=4)

_scalars: st.SearchStrategy[_Pair] = st.one_of(
    st.tuples(st.just({"type": "string"}), st.text(max_size=5)),
    st.tuples(st.just({"type": "string", "format": "date-time"}), st.just("2026-12-01T00:00:00Z")),
    st.tuples(st.just({"type": "integer"}), st.integers()),
    st.tuples(st.just({"type": "number"}), st.integers() | st.floats(allow_nan=False, allow_infinity=False)),
    st.tuples(st.just({"type": "boolean"}), st.booleans()),
    st.tuples(st.just({"type": "null"}), st.none()),
    st.tuples(st.just({}), st.none() | st.text(max_size=3) | st.lists(st.integers(), max_size=2)),
    st.tuples(st.just({"type": ["string", "null"]}), st.none() | st.text(max_size=3)),
    st.tuples(st.just({"type": "object"}), st.dictionaries(st.text(max_size=3), st.integers(), max_size=2)),
)


@st.composite
def _choices(draw: st.DrawFn) -> _Pair:
    values = draw(st.lists(st.text(max_size=5) | st.integers() | st.booleans() | st.none(), min_size=1, max_size=25))
    value = draw(st.sampled_from(values))
    return ({"const": value}, value) if draw(st.booleans()) else ({"enum": values}, value)


@st.composite
def _arrays(draw: st.DrawFn, parts: st.SearchStrategy[_Pair]) -> _Pair:
    schema, value = draw(parts)
    if draw(st.booleans()):
        return {"type": "array", "prefixItems": [schema]}, [value]
    return {"type": "array", "items": schema}, draw(st.sampled_from([[value], []]))


@st.composite
def _unions(draw: st.DrawFn, parts: st.SearchStrategy[_Pair]) -> _Pair:
    pairs = draw(st.lists(parts, min_size=1, max_size=3))
    return {draw(st.sampled_from(["anyOf", "oneOf"])): [schema for schema, _ in pairs]}, draw(st.sampled_from(pairs))[1]


@st.composite
def _objects(draw: st.DrawFn, parts: st.SearchStrategy[_Pair]) -> _Pair:
    members = draw(st.dictionaries(names, parts, max_size=4))
    required = draw(st.lists(st.sampled_from(sorted(members)), unique=True)) if members else []
    schema: dict[str, Any] = {
        "type": "object",
        "properties": {name: schema for name, (schema, _) in members.items()},
        "required": required,
    }
    value = {name: value for name, (_, value) in members.items() if name in required or draw(st.booleans())}
    if draw(st.booleans()):
        return {**schema, "additionalProperties": False}, value
    if draw(st.booleans()):
        extra, added = draw(parts)
        return {**schema, "additionalProperties": extra}, {"~added": added, **value}
    return schema, value


@st.composite
def _combined(draw: st.DrawFn, parts: st.SearchStrategy[_Pair]) -> _Pair:
    schema, value = draw(parts)
    return {"allOf": [schema, *([{"title": "Same"}] if draw(st.booleans()) else [])]}, value


def _nested(parts: st.SearchStrategy[_Pair]) -> st.SearchStrategy[_Pair]:
    return st.one_of(_arrays(parts), _unions(parts), _objects(parts), _combined(parts))


@st.composite
def schemas_with_values(draw: st.DrawFn) -> _Pair:
    """Draw the input schema of a tool, with definitions that refer to themselves, and arguments that it accepts."""
    members = draw(st.dictionaries(names, st.recursive(_scalars | _choices(), _nested, max_leaves=6), max_size=4))
    tree = {"type": "object", "properties": {"label": {"type": "string"}, "parent": {"$ref": "#/$defs/Tree"}}}
    alias = {"anyOf": [{"type": "array", "items": {"$ref": "#/$defs/Values"}}, {"type": "integer"}]}
    found: dict[str, _Pair] = {
        **members,
        "tree": ({"$ref": "#/$defs/Tree"}, {"label": "a", "parent": {"label": "b"}}),
        "values": ({"$ref": "#/$defs/Values"}, [1, [2, [3]]]),
        "lost": ({"$ref": "#/$defs/Nothing"}, 1),
    }
    schema = {
        "type": "object",
        "properties": {name: schema for name, (schema, _) in found.items()},
        "required": draw(st.lists(st.sampled_from(sorted(found)), unique=True)),
        "$defs": {"Tree": tree, "Values": alias},
    }
    return schema, {name: value for name, (_, value) in found.items()}


_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=5),
    lambda values: st.lists(values, max_size=3) | st.dictionaries(st.text(max_size=5), values, max_size=3),
    max_leaves=5,
)
_keywords = st.sampled_from(
    (
        "type",
        "enum",
        "const",
        "items",
        "properties",
        "required",
        "anyOf",
        "allOf",
        "additionalProperties",
        "$ref",
        "title",
    )
)
malformed_schemas = st.recursive(
    st.dictionaries(_keywords, _values, max_size=4),
    lambda inner: st.dictionaries(
        _keywords, inner | st.lists(inner, max_size=2) | st.dictionaries(names, inner, max_size=3), max_size=4
    ),
    max_leaves=8,
)
"""Objects with the keywords of JSON Schema and values of any kind."""
