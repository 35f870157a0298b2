"""Parameters of a remote API are sent in the style that its document declares, exactly or not at all.

What the API receives is decoded here by the tables of the OpenAPI specification, with nothing of toolway's own encoder.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any, NamedTuple
from urllib.parse import unquote

import anyio
import anyio.from_thread
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.calls.upstream import Received, RemoteApi, document, message, operation, parameter, remote_api

SCHEMAS: dict[str, dict[str, Any]] = {
    "text": {"type": "string"},
    "list": {"type": "array", "items": {"type": "string"}},
    "object": {"type": "object", "additionalProperties": {"type": "string"}},
}
STYLES = [
    *(("path", style, explode) for style in ("simple", "label", "matrix") for explode in (False, True)),
    *(("query", style, explode) for style in ("form", "spaceDelimited", "pipeDelimited") for explode in (False, True)),
    ("query", "deepObject", True),
    *(("header", "simple", explode) for explode in (False, True)),
    *(("cookie", "form", explode) for explode in (False, True)),
]
UNDEFINED = {("query", "deepObject", True, "text"), ("query", "deepObject", True, "list")}
ONE_VALUE = {("cookie", "form", True, "list"), ("cookie", "form", True, "object")}


class Case(NamedTuple):
    """One kind of value in one style."""

    location: str
    style: str
    explode: bool
    kind: str

    def __str__(self) -> str:
        return "-".join(map(str, self))


CASES = [Case(*style, kind) for style in STYLES for kind in SCHEMAS if (*style, kind) not in UNDEFINED]
PLAIN = {"text": "blue", "list": ["blue", "black", "7"], "object": {"R": "100", "G": "200"}}


def described() -> dict[str, Any]:
    """Return a document with one operation for each case, whose parameter is named ``p``."""
    paths: dict[str, Any] = {}
    for number, case in enumerate(CASES):
        path = f"/{number}/" + ("{p}" if case.location == "path" else "")
        declared = parameter("p", case.location, SCHEMAS[case.kind], style=case.style, explode=case.explode)
        paths[path] = {"get": operation(str(case), parameters=[declared])}
    return document(paths)


@pytest.fixture(scope="module")
def send() -> Iterator[Any]:
    """A function that calls the tool of a case, and returns what the API received, or why it was refused."""
    with anyio.from_thread.start_blocking_portal() as portal:
        context = remote_api(described())
        with portal.wrap_async_context_manager(context) as api:
            yield lambda case, value: portal.call(called, api, case, value)


async def called(api: RemoteApi, case: Case, value: object) -> Received | str:
    before = len(api.upstream.received)
    (name,) = [name for name, tool in api.catalog.tools.items() if tool.operation.operation_id == str(case)]
    outcome = await api.call(name, p=value)
    received = api.upstream.received[before:]
    assert len(received) == (0 if outcome.is_error else 1)
    return message(outcome) if outcome.is_error else received[0]


def decoded(case: Case, received: Received) -> object:
    """Read a value as the specification says; percent-encoding is taken off last."""
    read = {"path": from_path, "query": from_query, "header": from_header, "cookie": from_cookie}
    return read[case.location](case, received)


def from_path(case: Case, received: Received) -> object:
    segment = received.path.split("/")[2]
    if case.style == "simple":
        return joined(case, segment, ",")
    if case.style == "label":
        assert segment.startswith(".")
        return joined(case, segment[1:], "." if case.explode else ",")
    pairs = [pair.partition("=")[::2] for pair in segment.split(";")[1:]]
    return paired(case, pairs)


def from_query(case: Case, received: Received) -> object:
    pairs = [pair.partition("=")[::2] for pair in received.query.split("&")]
    if case.style == "deepObject":
        names = [unquote(name) for name, _ in pairs]
        assert all(name.startswith("p[") and name.endswith("]") for name in names)
        return {name[2:-1]: unquote(text) for name, (_, text) in zip(names, pairs, strict=True)}
    if case.explode or case.kind == "text":
        return paired(case, pairs)
    ((name, text),) = pairs
    assert name == "p"
    return joined(case, text, {"form": ",", "spaceDelimited": "%20", "pipeDelimited": "%7C"}[case.style])


def paired(case: Case, pairs: list[Any]) -> object:
    """Read ``p=1``, ``p=1,2``, ``p=1&p=2`` or ``R=1&G=2``, already split at the ampersands or semicolons."""
    if case.explode and case.kind == "object":
        return {unquote(name): unquote(text) for name, text in pairs}
    assert {name for name, _ in pairs} == {"p"}
    if case.explode and case.kind == "list":
        return [unquote(text) for _, text in pairs]
    ((_, text),) = pairs
    return joined(case, text, ",")


def joined(case: Case, text: str, delimiter: str) -> object:
    if case.kind == "text":
        return unquote(text)
    items = text.split(delimiter)
    if case.kind == "list":
        return [unquote(item) for item in items]
    if case.explode:
        return {unquote(item.partition("=")[0]): unquote(item.partition("=")[2]) for item in items}
    return {unquote(key): unquote(item) for key, item in zip(items[::2], items[1::2], strict=True)}


def from_header(case: Case, received: Received) -> object:
    return without_decoding(case, received.headers["p"])


def from_cookie(case: Case, received: Received) -> object:
    name, _, text = received.headers["cookie"].partition("=")
    assert name == "p"
    return without_decoding(case._replace(explode=False), text)


def without_decoding(case: Case, text: str) -> object:
    """Read a header or a cookie: not percent-encoded, so that decoding it must change nothing, either."""
    if case.kind == "text":
        return text
    items = text.split(",")
    if case.kind == "list":
        return items
    if case.explode:
        return dict(item.split("=", 1) for item in items)
    return dict(zip(items[::2], items[1::2], strict=True))


@pytest.mark.parametrize("case", [case for case in CASES if case not in ONE_VALUE], ids=str)
def test_plain_values_arrive_in_every_style(send: Any, case: Case) -> None:
    received = send(case, PLAIN[case.kind])
    assert isinstance(received, Received), received
    assert decoded(case, received) == PLAIN[case.kind]


DELIMITERS = st.text(alphabet=",;.=|&%+#?[]{}\"'\\:@!$()* ab\té€/\n", max_size=4)
TEXTS = st.one_of(DELIMITERS, st.text(max_size=6))
VALUES = {
    "text": TEXTS,
    "list": st.lists(TEXTS, max_size=3),
    "object": st.dictionaries(TEXTS, TEXTS, max_size=2),
}


@pytest.mark.parametrize("case", CASES, ids=str)
@settings(max_examples=60, deadline=None)
@given(data=st.data())
def test_any_value_arrives_exactly_or_is_refused(send: Any, case: Case, data: st.DataObject) -> None:
    value = data.draw(VALUES[case.kind])
    received = send(case, value)
    if isinstance(received, str):
        assert received.startswith(("Invalid arguments: ", "400 Bad Request: the path"))
    else:
        assert decoded(case, received) == value


EXAMPLES = [
    # location, style, explode, value, what is sent: the table "Style Examples" of the specification
    ("path", "matrix", False, "", ";p"),
    ("path", "matrix", False, "blue", ";p=blue"),
    ("path", "matrix", False, ["blue", "black"], ";p=blue,black"),
    ("path", "matrix", True, ["blue", "black"], ";p=blue;p=black"),
    ("path", "matrix", False, {"R": "100", "G": "200"}, ";p=R,100,G,200"),
    ("path", "matrix", True, {"R": "100", "G": "200"}, ";R=100;G=200"),
    ("path", "label", False, ["blue", "black"], ".blue,black"),
    ("path", "label", True, ["blue", "black"], ".blue.black"),
    ("path", "label", True, {"R": "100", "G": "200"}, ".R=100.G=200"),
    ("path", "simple", False, {"R": "100", "G": "200"}, "R,100,G,200"),
    ("path", "simple", True, {"R": "100", "G": "200"}, "R=100,G=200"),
    ("query", "form", False, {"R": "100", "G": "200"}, "p=R,100,G,200"),
    ("query", "form", True, {"R": "100", "G": "200"}, "R=100&G=200"),
    ("query", "spaceDelimited", False, ["blue", "black"], "p=blue%20black"),
    ("query", "pipeDelimited", False, {"R": "100", "G": "200"}, "p=R%7C100%7CG%7C200"),
    ("query", "deepObject", True, {"R": "100", "G": "200"}, "p%5BR%5D=100&p%5BG%5D=200"),
]


@pytest.mark.parametrize(("location", "style", "explode", "value", "sent"), EXAMPLES)
def test_the_examples_of_the_specification(
    send: Any, location: str, style: str, value: Any, sent: str, *, explode: bool
) -> None:
    kind = {str: "text", list: "list", dict: "object"}[type(value)]
    received = send(Case(location, style, explode, kind), value)
    assert isinstance(received, Received), received
    assert sent == (received.path.split("/")[2] if location == "path" else received.query)


pytest_async = pytest.mark.anyio
FILTER = {"type": "object", "properties": {"a": {"type": "string"}, "b": {"type": "integer"}}}


@pytest_async
async def test_a_parameter_with_a_media_type_is_sent_as_json() -> None:
    declared = [
        {"name": name, "in": location, "content": {"application/json": {"schema": FILTER}}}
        for name, location in (("where", "query"), ("X-Where", "header"))
    ]
    async with remote_api(document({"/pets": {"get": operation(parameters=declared)}})) as api:
        assert api.catalog.tools["t"].input_schema["properties"]["where"]["type"] == "object"
        received = await api.send(where={"a": "é", "b": 2}, **{"X-Where": {"a": "é"}})
        assert json.loads(unquote(received.query.removeprefix("where="))) == {"a": "é", "b": 2}
        assert json.loads(received.headers["x-where"]) == {"a": "é"}


@pytest_async
async def test_reserved_characters_are_kept_where_they_are_allowed() -> None:
    declared = parameter("file", "query", allowReserved=True)
    async with remote_api(document({"/pets": {"get": operation(parameters=[declared])}})) as api:
        assert (await api.send(file="/a/b:c?d&e=#")).query == "file=/a/b:c?d%26e%3D%23"


@pytest_async
@pytest.mark.parametrize("more", [{"style": "deepObject"}, {"content": {"application/xml": {"schema": {}}}}])
async def test_an_operation_whose_parameter_cannot_be_written_is_skipped(more: dict[str, Any]) -> None:
    header = {"name": "X-Filter", "in": "header", "schema": FILTER, **more}
    paths = {"/pets": {"get": operation(parameters=[header])}, "/teams": {"get": operation("teams")}}
    async with remote_api(document(paths)) as api:
        assert "X-Filter" in api.reason("/pets")
        assert list(api.catalog.tools) == ["teams"]


@pytest_async
async def test_a_required_parameter_in_an_unknown_place_is_not_left_out() -> None:
    declared = {"name": "z", "in": "querystring", "required": True, "content": {"text/plain": {"schema": {}}}}
    async with remote_api(document({"/pets": {"get": operation(parameters=[declared])}})) as api:
        assert "'querystring'" in api.reason("/pets")


@pytest_async
async def test_members_of_an_object_cannot_replace_other_parameters() -> None:
    declared = [parameter("filter", "query", SCHEMAS["object"]), parameter("limit", "query"), parameter("key", "query")]
    schemes = {"securitySchemes": {"key": {"type": "apiKey", "in": "query", "name": "key"}}}
    described = document(
        {"/pets": {"get": operation(parameters=declared, security=[{"key": []}, {}])}}, components=schemes
    )
    async with remote_api(described, client={"params": {"api_key": "secret"}}) as api:
        assert (await api.send(filter={"a": "1"}, limit="2")).query == "api_key=secret&a=1&limit=2"
        for name in ("limit", "key", "api_key"):
            assert f"{name!r}" in await api.refusal(filter={name: "1"})


DEEP = {"type": "object", "additionalProperties": {}}


@pytest_async
async def test_nested_members_of_a_deep_object_have_nested_names() -> None:
    declared = parameter("filter", "query", DEEP, style="deepObject")
    async with remote_api(document({"/pets": {"get": operation(parameters=[declared])}})) as api:
        received = await api.send(filter={"a": {"b": "x&y", "c": {"d": 2}}, "e": True})
        assert unquote(received.query) == "filter[a][b]=x&y&filter[a][c][d]=2&filter[e]=true"
        assert received.query.count("&") == 2


@pytest_async
@pytest.mark.parametrize(
    ("value", "reason"),
    [
        ({"a": {"b": [1]}}, "'filter.a.b' must not be a list"),
        ({"a": {}}, "'filter.a' must not be empty"),
        ({}, "'filter' must not be empty"),
        ({"a": {"b]": 1}}, "contains the delimiter ']'"),
        ([1], "'filter' must be an object"),
    ],
)
async def test_what_a_deep_object_cannot_express_is_rejected(value: Any, reason: str) -> None:
    declared = parameter("filter", "query", {}, style="deepObject")
    async with remote_api(document({"/pets": {"get": operation(parameters=[declared])}})) as api:
        assert reason in await api.refusal(filter=value)
