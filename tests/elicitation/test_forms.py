"""Models as forms: what a user can be asked."""

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
    """The form's field for one of this type."""
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
def test_what_a_form_can_have_is_written_as_the_protocol_has_it(kind: Any, expected: dict[str, Any]) -> None:
    found = field(kind)
    assert {key: value for key, value in found.items() if key != "title"} == expected


@pytest.mark.parametrize(
    ("kind", "default"),
    [(str, "John Doe"), (int, 30), (float, 95.5), (bool, True), (Literal["on", "off"], "on"), (str | None, None)],
)
def test_defaults_stand_in_the_form_and_make_a_field_optional(kind: Any, default: Any) -> None:
    assert field(kind, default).get("default") == default


@pytest.mark.parametrize("kind", [dict[str, str], list[str], list[int], int | str, BaseModel, bytes | int, Any])
def test_what_no_form_has_is_refused_with_the_field_s_name(kind: Any) -> None:
    with pytest.raises(ConfigurationError, match=r"Form\.given: a user is asked in a flat form"):
        field(kind)


def test_a_form_without_fields_asks_for_a_yes_alone() -> None:
    assert Question("Go on?", create_model("Empty")).schema == {"type": "object", "properties": {}}


def test_the_sdk_agrees_on_what_is_a_form() -> None:
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
