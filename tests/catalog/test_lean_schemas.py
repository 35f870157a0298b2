"""Lean schemas accept what the original accepts, stay within their budget, and keep what agents need most."""

from __future__ import annotations

import copy
from typing import Any

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from jsonschema import Draft202012Validator

from tests.catalog.stubs.schemas import schemas_with_values
from toolway.catalog.schema.lean import LeanSchema, reduce_schema

SLOW = (HealthCheck.too_slow, HealthCheck.data_too_large, HealthCheck.filter_too_much)
NAMES = ("a", "b", "c")
VALUES: tuple[Any, ...] = (
    None,
    True,
    0,
    1,
    2.5,
    "a",
    "bc",
    "2026-12-01",
    [],
    [1],
    [1, "a"],
    {},
    {"a": 1},
    {"a": "a", "b": [1]},
)
names, values = st.sampled_from(NAMES), st.sampled_from(VALUES)
small = st.integers(0, 2)
texts = st.sampled_from(["Short.", "The first sentence. The second one is longer.", "No full stop", "Word " * 60])

instances = st.recursive(
    values, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(names, inner, max_size=3), max_leaves=8
)
scalars = st.one_of(
    st.just({}),
    st.fixed_dictionaries(
        {"type": st.sampled_from(["string", "integer", "number", "boolean", "null", "object", "array"])}
    ),
    st.fixed_dictionaries({"type": st.just(["string", "null"])}, optional={"description": texts}),
    st.fixed_dictionaries({"enum": st.lists(values, min_size=1, max_size=3)}, optional={"title": texts}),
    st.fixed_dictionaries({"enum": st.just([*VALUES[:6], *range(30)])}, optional={"description": texts}),
    st.fixed_dictionaries({"enum": st.just([f"v{number}" for number in range(40)] + ["a", "bc"])}),
    st.fixed_dictionaries({"const": values}),
    st.fixed_dictionaries(
        {"type": st.just("string")},
        optional={
            "minLength": small,
            "maxLength": small,
            "pattern": st.sampled_from(["^a", "c$"]),
            "format": st.just("date"),
            "description": texts,
            "examples": st.just(["a", "b"]),
        },
    ),
    st.fixed_dictionaries(
        {"type": st.sampled_from(["integer", "number"])},
        optional={"minimum": small, "exclusiveMaximum": small, "multipleOf": st.just(2), "default": small},
    ),
)


def nested(inner: st.SearchStrategy[Any]) -> st.SearchStrategy[Any]:
    parts = st.lists(inner, min_size=1, max_size=3)
    members = st.dictionaries(names, inner, max_size=3)
    return st.one_of(
        st.fixed_dictionaries(
            {"type": st.just("object")},
            optional={
                "properties": members,
                "required": st.lists(names, unique=True, max_size=2),
                "additionalProperties": st.booleans() | inner,
                "patternProperties": st.dictionaries(st.sampled_from(["^a", "b"]), inner, max_size=1),
                "propertyNames": st.fixed_dictionaries({"maxLength": small}),
                "dependentRequired": st.just({"a": ["b"]}),
                "dependentSchemas": st.dictionaries(names, inner, max_size=1),
                "unevaluatedProperties": st.booleans(),
                "maxProperties": small,
                "title": texts,
                "description": texts,
            },
        ),
        st.fixed_dictionaries(
            {"type": st.just("array")},
            optional={
                "items": inner | st.booleans(),
                "prefixItems": parts | inner.map(lambda item: [item, item]),
                "contains": inner,
                "maxContains": small,
                "unevaluatedItems": st.booleans(),
                "minItems": small,
                "maxItems": small,
                "uniqueItems": st.booleans(),
                "description": texts,
            },
        ),
        st.fixed_dictionaries(
            {},
            optional=dict.fromkeys(("anyOf", "oneOf", "allOf"), parts)
            | {"description": texts, "type": st.just("object")},
        ),
        st.fixed_dictionaries({"not": inner}, optional={"description": texts}),
        st.fixed_dictionaries({"if": inner, "then": inner, "else": inner}),
        st.fixed_dictionaries(
            {"$ref": st.sampled_from(["#/$defs/Tree", "#/$defs/Same", "#/$defs/Copy", "#/$defs/Long"])},
            optional={"description": texts, "properties": members, "minLength": small},
        ),
    )


schemas = st.recursive(scalars, nested, max_leaves=12)


@st.composite
def input_schemas(draw: st.DrawFn) -> dict[str, Any]:
    """Draw a schema of an object with definitions, of which one contains itself and two are the same."""
    body = draw(schemas)
    point = {"type": "array", "prefixItems": [{"type": "number"}] * 2, "maxItems": 2, "title": "Point"}
    tree = {
        "type": "object",
        "properties": {"a": {"$ref": "#/$defs/Tree"}, "b": draw(schemas), "c": {"$ref": "#/$defs/Same"}},
        "required": draw(st.lists(names, unique=True, max_size=1)),
        "description": "A tree. It contains itself.",
    }
    return {
        "type": "object",
        "properties": draw(st.dictionaries(names, schemas, max_size=3)),
        "required": draw(st.lists(names, unique=True, max_size=2)),
        "additionalProperties": draw(st.booleans()),
        **({"anyOf": [body, {}]} if draw(st.booleans()) else {}),
        "$defs": {
            "Tree": tree,
            "Same": point,
            "Copy": {**point, "title": "Other"},
            "Long": {"enum": [*range(30), "a"]},
        },
    }


def assert_wider(schema: dict[str, Any], lean: LeanSchema, given_values: list[Any]) -> None:
    """Check that a lean schema is valid and accepts every given value that the original accepts."""
    Draft202012Validator.check_schema(lean.schema)
    original: Any = Draft202012Validator(schema)
    reduced: Any = Draft202012Validator(lean.schema)
    for value in given_values:
        if lean.is_whole:
            assert reduced.is_valid(value) == original.is_valid(value), (value, lean.schema)
        elif original.is_valid(value):
            reduced.validate(value)


@settings(max_examples=500, deadline=None, suppress_health_check=SLOW)
@given(input_schemas(), st.integers(0, 200), st.lists(st.dictionaries(names, instances, max_size=3), max_size=12))
def test_what_a_schema_accepts_its_lean_form_accepts(schema: Any, budget: int, given_values: list[Any]) -> None:
    untouched = copy.deepcopy(schema)
    assert_wider(schema, reduce_schema(schema, budget), [{}, *given_values])
    assert schema == untouched


@settings(max_examples=300, deadline=None, suppress_health_check=SLOW)
@given(schemas, st.integers(0, 60), st.lists(instances, max_size=12))
def test_any_schema_may_be_the_root(schema: Any, budget: int, given_values: list[Any]) -> None:
    definitions = {
        "Tree": {"type": "object"},
        "Same": {"type": "array"},
        "Copy": {"type": "array"},
        "Long": {"const": 1},
    }
    schema = {**schema, "$defs": definitions}
    assert_wider(schema, reduce_schema(schema, budget), [*VALUES, *given_values])


@settings(max_examples=300, deadline=None)
@given(schemas_with_values(), st.integers(0, 300))
def test_arguments_that_a_tool_accepts_match_its_lean_schema(pair: tuple[Any, Any], budget: int) -> None:
    schema, value = pair
    if "lost" in schema["properties"]:  # it refers to nothing
        del schema["properties"]["lost"]
        schema["required"] = [name for name in schema["required"] if name != "lost"]
    assert_wider(schema, reduce_schema(schema, budget), [value])


@settings(max_examples=200, deadline=None, suppress_health_check=SLOW)
@given(input_schemas(), st.integers(0, 200))
def test_the_first_level_and_what_it_requires_stay(schema: Any, budget: int) -> None:
    lean = reduce_schema(schema, budget).schema
    assert list(lean["properties"]) == list(schema["properties"])
    assert lean["required"] == schema["required"]
    assert lean["type"] == "object"
