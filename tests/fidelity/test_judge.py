"""The judge notices every kind of difference: a suite that could not fail would prove nothing."""

from __future__ import annotations

import base64
import json
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import httpx2
import pytest
from mcp_types import (
    BlobResourceContents,
    CallToolResult,
    EmbeddedResource,
    ImageContent,
    TextContent,
    Tool,
)

from tests.fidelity.case import Case
from tests.fidelity.judge import Called, Requested, call_problems, schema_problems

ARGUMENTS = {"size": 3, "name": "n"}
ANSWER = {"id": 1, "name": "n"}
CASE = Case(name="made", tool="make", arguments=ARGUMENTS, method="POST", url="/make", request={"json": ARGUMENTS})
INPUT: dict[str, Any] = {
    "type": "object",
    "properties": {"size": {"$ref": "#/$defs/Size"}, "name": {"type": "string"}},
    "required": ["size"],
    "$defs": {"Size": {"type": "integer", "minimum": 1}},
}
OUTPUT: dict[str, Any] = {"type": "object", "properties": {"id": {"type": "integer"}}, "required": ["id"]}
TOOL = Tool(name="make", input_schema=INPUT, output_schema=OUTPUT)
PROBLEM = {"loc": ["body", "size"], "msg": "Input should be greater than 0", "type": "greater_than", "input": 0}


def journal(status: int, body: str, *effects: Any, request: str = "POST /make") -> dict[str, Any]:
    return {"requests": [{"request": request, "status": status, "body": body}], "effects": list(effects)}


def requested(status: int = 200, answer: Any = ANSWER, **how: Any) -> Requested:
    """How a plain request ended, by default with JSON and one effect."""
    body = answer if isinstance(answer, bytes) else json.dumps(answer).encode()
    headers = {"content-type": how.pop("media_type", "application/json")}
    response = httpx2.Response(status, headers=headers, content=body)
    return Requested(response, body, journal(status, body.decode("utf-8", "replace"), "made"), **how)


def called(asked: Requested, answer: Any = ANSWER, *content: Any, **how: Any) -> Called:
    """How a call ended whose application did the same as for a request."""
    blocks = list(content) or [TextContent(text=json.dumps(answer))]
    result = CallToolResult(content=blocks, structured_content=how.pop("structured", answer), **how)
    return Called(result, asked.journal)


def refused(asked: Requested, text: str, status: int | None = None) -> Called:
    told = {"toolway/error": {"status": status}} if status else None
    return called(asked, None, TextContent(text=text), structured=None, is_error=True, _meta=told)


def judged(call: Called, asked: Requested, case: Case = CASE, tool: Tool = TOOL) -> str:
    return "; ".join(call_problems(case, tool, call, asked))


def schemas(case: Case = CASE, status: int = 200, arguments: Mapping[str, Any] = ARGUMENTS, **tool: Any) -> str:
    return "; ".join(schema_problems(case, TOOL.model_copy(update=tool), arguments, status))


OK = requested()
NOT_FOUND = requested(404, {"detail": "no such thing"})
INVALID = requested(422, {"detail": [PROBLEM]})
FAILED = requested(500, {"detail": "secret cause"})
PICTURE = requested(answer=b"\x89PNG", media_type="image/png")
WORDS = requested(answer="é words".encode(), media_type="text/plain")
EVENTS = requested(answer=b"data: firs", media_type="text/event-stream")
ENDLESS = replace(CASE, is_endless=True)
FAILING = replace(CASE, may_fail=True)
UNTYPED = TOOL.model_copy(update={"output_schema": None})
IMAGE = ImageContent(data=base64.b64encode(b"\x89PNG").decode(), mime_type="image/png")


def blob(data: bytes, media_type: str) -> EmbeddedResource:
    encoded = base64.b64encode(data).decode()
    return EmbeddedResource(resource=BlobResourceContents(uri="x:///y", mime_type=media_type, blob=encoded))


# What is the request passes.


@pytest.mark.parametrize(
    ("call", "asked", "case", "tool"),
    [
        (called(OK), OK, CASE, TOOL),
        (called(OK, [1], structured={"result": [1]}), requested(answer=[1]), CASE, UNTYPED),
        (called(OK, structured=None), OK, CASE, UNTYPED),
        (refused(NOT_FOUND, "404 Not Found: no such thing"), NOT_FOUND, CASE, TOOL),
        (refused(INVALID, "size: Input should be greater than 0", 422), INVALID, replace(CASE, blames=["size"]), TOOL),
        (refused(FAILED, "failed, reference 1"), FAILED, FAILING, TOOL),
        (refused(OK, "broke off"), requested(is_broken=True), FAILING, TOOL),
        (called(PICTURE, None, IMAGE, structured=None), PICTURE, CASE, UNTYPED),
        (called(WORDS, None, TextContent(text="é words"), structured=None), WORDS, CASE, UNTYPED),
        (called(EVENTS, None, TextContent(text="data: first\n\n(cut)"), structured=None), EVENTS, ENDLESS, UNTYPED),
    ],
)
def test_a_call_that_is_the_request_has_no_problems(call: Called, asked: Requested, case: Case, tool: Tool) -> None:
    assert judged(replace(call, journal=asked.journal), asked, case, tool) == ""


def test_a_schema_that_tells_everything_has_no_problems() -> None:
    case = replace(CASE, advertised={"size": {"type": "integer"}}, promised={"required": ["id"]}, withheld=["token"])
    assert schemas(case) == ""


# What the application did.


@pytest.mark.parametrize(
    "did",
    [
        pytest.param(journal(201, json.dumps(ANSWER), "made"), id="another status"),
        pytest.param(journal(200, '{"id": 2}', "made"), id="another body"),
        pytest.param(journal(200, json.dumps(ANSWER), "made", request="POST /other"), id="another endpoint"),
        pytest.param(journal(200, json.dumps(ANSWER)), id="no effect"),
        pytest.param(journal(200, json.dumps(ANSWER), "made", "made"), id="an effect twice"),
        pytest.param(journal(200, json.dumps(ANSWER), 1.0), id="an effect of another kind"),
        pytest.param({"requests": [], "effects": []}, id="nothing at all"),
        pytest.param({**OK.journal, "requests": OK.journal["requests"] * 2}, id="the same twice"),
    ],
)
def test_whatever_else_the_application_did_is_noticed(did: dict[str, Any]) -> None:
    problems = judged(replace(called(OK), journal=did), OK)
    assert "of the call" in problems
    assert "of the request" in problems


def test_what_two_refusals_said_is_compared_but_not_what_came() -> None:
    def answered(**changes: Any) -> dict[str, Any]:
        return journal(422, json.dumps({"detail": [{**PROBLEM, **changes}]}), "made")

    call = refused(INVALID, "size: Input should be greater than 0", 422)
    assert judged(replace(call, journal=answered(input=7)), INVALID) == ""
    assert "of the call" in judged(replace(call, journal=answered(loc=["body", "name"])), INVALID)


def test_a_request_that_fails_is_a_mistake_of_the_application_unless_it_may() -> None:
    told = refused(FAILED, "failed, reference 1")
    assert "the request itself failed: 500" in judged(told, FAILED)
    broken = requested(is_broken=True)
    assert "the request itself failed" in judged(refused(broken, "broke off"), broken)
    assert judged(told, FAILED, FAILING) == ""


# What the call said.


@pytest.mark.parametrize(
    ("call", "asked", "noticed"),
    [
        (called(OK, {"id": 2}), OK, "the structured content is"),
        (called(OK, {"id": True, "name": "n"}), OK, "the structured content is"),
        (called(OK, {"id": 1.0, "name": "n"}), OK, "the structured content is"),
        (called(OK, {"id": 1}), OK, "the structured content is"),
        (called(OK, {"name": "n"}, structured=None), OK, "the answer is"),
        (called(OK, structured=None), OK, "the output schema refuses"),
        (refused(OK, "no"), OK, "the call failed"),
        (called(NOT_FOUND, {"detail": "no such thing"}), NOT_FOUND, "the call succeeded"),
        (refused(NOT_FOUND, "403 no such thing"), NOT_FOUND, "has status 403"),
        (refused(NOT_FOUND, "no such thing"), NOT_FOUND, "has status None"),
        (refused(NOT_FOUND, "404 no such thing", 400), NOT_FOUND, "has status 400"),
        (refused(NOT_FOUND, "404"), NOT_FOUND, "does not contain 'no such thing'"),
        (refused(INVALID, "422 invalid"), INVALID, "does not contain 'Input should be greater than 0'"),
        (refused(FAILED, "500: secret cause"), FAILED, "leaks"),
        (called(FAILED), FAILED, "the call succeeded"),
        (called(PICTURE, None, TextContent(text="\ufffdPNG"), structured=None), PICTURE, "the answer is"),
        (called(PICTURE, None, blob(b"\x89PNG", "image/gif"), structured=None), PICTURE, "the answer is"),
        (called(PICTURE, None, blob(b"\x89PN", "image/png"), structured=None), PICTURE, "the answer is"),
        (called(WORDS, None, TextContent(text="e words"), structured=None), WORDS, "the answer is"),
    ],
)
def test_an_answer_that_differs_is_noticed(call: Called, asked: Requested, noticed: str) -> None:
    tool = TOOL if "output schema" in noticed else UNTYPED
    assert noticed in judged(replace(call, journal=asked.journal), asked, tool=tool)


def test_a_refusal_that_does_not_name_the_argument_is_noticed() -> None:
    call = refused(INVALID, "Input should be greater than 0", 422)
    assert "does not contain 'size'" in judged(call, INVALID, replace(CASE, blames=["size"]))


def test_an_answer_that_broke_off_and_is_handed_on_is_noticed() -> None:
    broken = requested(is_broken=True)
    assert "the call succeeded" in judged(called(broken), broken)
    assert "leaks" in judged(refused(broken, "the secret of it"), broken)


def test_another_beginning_of_an_endless_answer_is_noticed() -> None:
    call = called(EVENTS, None, TextContent(text="data: other"), structured=None)
    assert "begins with" in judged(call, EVENTS, ENDLESS, UNTYPED)


def test_structured_content_is_held_against_what_was_promised() -> None:
    asked = requested(answer={"other": 1})
    assert "the output schema refuses" in judged(replace(called(asked, {"other": 1}), journal=asked.journal), asked)
    wrong = TOOL.model_copy(update={"output_schema": {"type": "nothing"}})
    assert "the output schema is not a JSON Schema" in judged(called(OK), OK, tool=wrong)


# What a call may fail with that its case forgives, and no other.


def test_a_failure_is_forgiven_only_where_the_case_says_so() -> None:
    stopped = Called(refused(OK, "cannot be carried").result, {"requests": [], "effects": []})
    assert judged(stopped, OK, replace(CASE, may_stop_early=True)) == ""
    assert judged(stopped, OK) != ""
    assert judged(refused(OK, "late"), OK, replace(CASE, may_stop_early=True)) != ""


def test_a_broken_promise_is_forgiven_only_if_the_answer_is_shown() -> None:
    promise = replace(CASE, breaks_promise=True)
    shown = called(OK, None, TextContent(text=OK.response.text), structured=None, is_error=True)
    assert judged(shown, OK, promise) == ""
    assert "the call failed" in judged(shown, OK)
    assert "the call failed" in judged(refused(OK, "no"), OK, promise)


# What the schemas said.


@pytest.mark.parametrize(
    ("noticed", "case", "status", "tool"),
    [
        ("not a JSON Schema of an object", CASE, 200, {"input_schema": {"type": "string"}}),
        ("not a JSON Schema of an object", CASE, 200, {"input_schema": {"type": "object", "properties": 5}}),
        ("not advertised: name", CASE, 200, {"input_schema": {"type": "object", "properties": {"size": {}}}}),
        ("refuses what the endpoint takes", CASE, 200, {"input_schema": {**INPUT, "required": ["other"]}}),
        ("accepts what the endpoint refuses", CASE, 422, {}),
        ("a credential is an argument: name", replace(CASE, withheld=["name"]), 200, {}),
        ("is advertised as", replace(CASE, advertised={"size": {"minimum": 2}}), 200, {}),
        ("other is not advertised", replace(CASE, advertised={"other": {}}), 200, {}),
        ("no schema of the answer", replace(CASE, promised={"type": "object"}), 200, {"output_schema": None}),
        ("the answer is advertised as", replace(CASE, promised={"required": ["name"]}), 200, {}),
    ],
)
def test_a_schema_that_says_something_else_is_noticed(
    noticed: str, case: Case, status: int, tool: Mapping[str, Any]
) -> None:
    assert noticed in schemas(case, status, **tool)
