"""Pydantic models as forms."""

from __future__ import annotations

import datetime as dt
from enum import Enum
from typing import Annotated, Any, Literal

import jsonschema
import pytest
from mcp.server.elicitation import render_elicitation_schema
from pydantic import AnyUrl, BaseModel, EmailStr, Field, create_model

from toolway import Question
from toolway.errors import ConfigurationError

TITLED = [{"const": "a", "title": "The first"}, {"const": "b", "title": "The second"}]


class Size(Enum):
    """How large."""

    SMALL = "small"
    LARGE = "large"


def field(kind: Any, default: Any = ...) -> dict[str, Any]:
    """Return the form field for a type."""
    schema = Question("?", create_model("Form", given=(kind, default))).schema
    jsonschema.Draft202012Validator.check_schema(schema)
    assert ("given" in schema.get("required", [])) is (default is ...)
    assert "$defs" not in schema
    return schema["properties"]["given"]


@pytest.mark.parametrize(
    ("kind", "expected"),
    [
        (str, {"type": "string"}),
        (
            Annotated[str, Field(min_length=2, max_length=9, pattern="^a")],
            {"type": "string", "minLength": 2, "maxLength": 9},
        ),
        (Annotated[int, Field(ge=1, le=9, multiple_of=2)], {"type": "integer", "minimum": 1, "maximum": 9}),
        (float, {"type": "number"}),
        (bool, {"type": "boolean"}),
        (dt.date, {"type": "string", "format": "date"}),
        (dt.datetime, {"type": "string", "format": "date-time"}),
        (EmailStr, {"type": "string", "format": "email"}),
        (AnyUrl, {"type": "string", "format": "uri", "minLength": 1}),
        (dt.time, {"type": "string"}),
        (Literal["a", "b"], {"type": "string", "enum": ["a", "b"]}),
        (Literal["a"], {"type": "string", "enum": ["a"]}),
        (Size, {"type": "string", "enum": ["small", "large"], "description": "How large."}),
        (list[Literal["a", "b"]], {"type": "array", "items": {"type": "string", "enum": ["a", "b"]}}),
        (
            Annotated[list[Size], Field(max_length=1)],
            {"type": "array", "items": {"type": "string", "enum": ["small", "large"]}, "maxItems": 1},
        ),
        (Annotated[str, Field(json_schema_extra={"oneOf": TITLED})], {"type": "string", "oneOf": TITLED}),
        (
            Annotated[str, Field(json_schema_extra={"enum": ["a", "b"], "enumNames": ["A", "B"]})],
            {"type": "string", "enum": ["a", "b"], "enumNames": ["A", "B"]},
        ),
        (
            Annotated[list[str], Field(json_schema_extra={"items": {"anyOf": TITLED}})],
            {"type": "array", "items": {"anyOf": TITLED}},
        ),
    ],
)  # fmt: skip
def test_supported_types_become_form_fields(kind: Any, expected: dict[str, Any]) -> None:
    found = field(kind)
    assert {key: value for key, value in found.items() if key != "title"} == expected


@pytest.mark.parametrize(
    ("kind", "default"),
    [(str, "John Doe"), (int, 30), (float, 95.5), (bool, True), (Literal["on", "off"], "on"), (str | None, None)],
)
def test_a_default_is_in_the_form_and_makes_the_field_optional(kind: Any, default: Any) -> None:
    assert field(kind, default).get("default") == default


@pytest.mark.parametrize("kind", [dict[str, str], list[str], list[int], int | str, BaseModel, bytes | int, Any])
def test_other_types_are_refused_with_the_name_of_the_field(kind: Any) -> None:
    with pytest.raises(ConfigurationError, match=r"Form\.given: a form field must be"):
        field(kind)


def test_a_form_without_fields_asks_only_for_consent() -> None:
    assert Question("Go on?", create_model("Empty")).schema == {"type": "object", "properties": {}}


def test_forms_equal_those_of_the_sdk() -> None:
    class Everything(BaseModel):
        """Fill this in."""

        name: str = "Ann"
        age: int
        kind: Literal["a", "b"]
        many: list[Literal["a", "b"]]
        when: dt.date | None = None

    ours, theirs = Question("?", Everything).schema, render_elicitation_schema(Everything)
    assert ours["properties"] == theirs["properties"]
    assert ours["required"] == theirs["required"]
