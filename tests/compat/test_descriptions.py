"""Responses in the descriptions of tools."""

from __future__ import annotations

import json

import pytest

from tests.compat.library import make_library
from toolway.compat.fastapi_mcp import FastApiMCP


def description(name: str, **options: bool) -> str:
    mcp = FastApiMCP(make_library(), **options)
    return next(tool.description or "" for tool in mcp.tools if tool.name == name)


def test_by_default_a_description_is_the_docstring() -> None:
    assert description("get_book") == "Look at one book."


def test_all_responses_are_listed_with_their_descriptions() -> None:
    text = description("get_book", describe_all_responses=True)
    assert text.splitlines() == [
        "Look at one book.",
        "",
        "Responses:",
        "- 200: Successful Response (application/json)",
        "- 404: No book.",
        "- 422: Validation Error (application/json)",
    ]


def test_the_full_schema_is_that_of_the_successful_response_alone() -> None:
    text = description("get_book", describe_full_response_schema=True)
    assert "404" not in text
    schema = json.loads(text.splitlines()[-1])
    assert schema["$defs"]["Book"]["required"] == ["number", "title"]


def test_both_options_add_the_schema_of_every_response() -> None:
    text = description("get_book", describe_all_responses=True, describe_full_response_schema=True)
    schemas = [json.loads(line) for line in text.splitlines() if line.startswith("  {")]
    assert [next(iter(schema["$defs"])) for schema in schemas] == ["Book", "HTTPValidationError"]


@pytest.mark.parametrize("option", ["describe_all_responses", "describe_full_response_schema"])
def test_an_endpoint_without_a_docstring_keeps_its_summary(option: str) -> None:
    assert description("whoami_whoami_get", **{option: True}).startswith("Whoami\n\nResponses:\n- 200:")
