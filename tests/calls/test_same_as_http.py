"""An endpoint behaves as a tool as it does over plain HTTP, whatever its shape."""

from __future__ import annotations

import base64
from collections.abc import AsyncGenerator
from typing import Any, NamedTuple

import pytest

from tests.calls.both import Both, assert_same, both
from tests.calls.shapes import make_app

KEY = "0f8fad5b-d9cb-469f-a165-70867728950e"
SCALARS = {
    "whole": 5, "part": 0.5, "flag": True, "at": "2026-07-28T10:00:00+02:00", "day": "2026-07-28", "span": "PT1H30M",
    "price": "12.30", "key": KEY, "color": "red", "level": 2, "mode": "off",
}  # fmt: skip
MOMENTS = {
    "at": "2026-07-28T10:00:00Z", "day": "2026-07-28", "hour": "10:00:00", "span": "PT1H", "price": "0.10", "key": KEY,
    "color": "green", "level": 1, "mode": "on", "raw": "abc",
}  # fmt: skip
TREE = {"name": "a", "children": [{"name": "b", "children": [{"name": "c", "children": []}]}]}
COUPLE = {"name": "a", "wife": {"name": "b", "husband": {"name": "a", "wife": None}}}
CAT, DOG = {"kind": "cat", "lives": 7}, {"kind": "dog", "tricks": ["sit"]}
NOTE = {"title": "t", "note": None, "count": 2}
BYTES = bytes(range(256))
ODD = {"title": "t", "default": 1, "$ref": "r", "filter[name]": "n", "_id": "x"}
PNG = ("p.png", BYTES, "image/png")
CSV = ("c.csv", "a,é\n".encode(), "text/csv")
PNG_FILE = {"filename": "p.png", "content_type": "image/png", "data": base64.b64encode(BYTES).decode()}
CSV_FILE = {"filename": "c.csv", "content_type": "text/csv", "text": "a,é\n"}


class Case(NamedTuple):
    """A tool call, and the request it stands for."""

    tool: str
    arguments: dict[str, Any]
    method: str
    url: str
    request: dict[str, Any]


def get(tool: str, url: str, arguments: dict[str, Any], **request: Any) -> Case:
    """A call whose arguments go into the query unless the request says otherwise."""
    return Case(tool, arguments, "GET", url, request or {"params": arguments})


def post(tool: str, url: str, arguments: dict[str, Any], **request: Any) -> Case:
    """A call whose arguments are the body unless the request says otherwise."""
    return Case(tool, arguments, "POST", url, request or {"json": arguments})


CASES = {
    "path values": get("path_values", f"/path/3/red/{KEY}", {"number": 3, "color": "red", "key": KEY}, params={}),
    "wrong path values": get("path_values", "/path/0/blue/x", {"number": 0, "color": "blue", "key": "x"}, params={}),
    "scalars": get("scalars", "/scalars", SCALARS),
    "wrong scalars": get("scalars", "/scalars", dict.fromkeys(SCALARS, "wrong")),
    "missing scalars": get("scalars", "/scalars", {"whole": 1}),
    "optional, given": get("optional", "/optional", {"number": 1, "mixed": 2, "several": [3, 4], "with_default": "e"}),
    "optional, missing": get("optional", "/optional", {}),
    "optional, null": get(
        "optional", "/optional", dict.fromkeys(["number", "mixed", "several", "with_default"]), params={}
    ),
    "optional, empty text": get("optional", "/optional", {"with_default": ""}),
    "union in the query": get("optional", "/optional", {"mixed": "abc"}),
    "lists": get("lists", "/lists", {"numbers": [1, 2], "colors": ["red", "green"]}),
    "a scalar for a list": get("lists", "/lists", {"numbers": 1}),
    "wrong entry of a list": get("lists", "/lists", {"numbers": [1, "x"]}),
    "aliases": get("aliases", "/aliases", {"item-query": "a", "from": "b"}),
    "query model": get("query_model", "/query-model", {"term": "x", "limit": 5, "tags": ["a", "b"]}),
    "wrong query model": get("query_model", "/query-model", {"limit": 500}),
    "hidden parameter": get("hidden_parameter", "/hidden-parameter", {"shown": "s"}),
    "odd names": get(
        "odd_names",
        "/odd-names",
        {"filter_name": "a", "filter_size": "b", "top": "c"},
        params={"filter[name]": "a", "filter[size]": "b", "$top": "c"},
    ),
    "headers": get(
        "headers",
        "/headers",
        {"x-token": "t", "x-number": 5, "x-flag": True, "x-list": ["a", "b"]},
        headers=[("x-token", "t"), ("x-number", "5"), ("x-flag", "true"), ("x-list", "a"), ("x-list", "b")],
    ),
    "headers, null": get("headers", "/headers", {"x-token": "t", "x-number": None}, headers={"x-token": "t"}),
    "wrong headers": get("headers", "/headers", {"x-number": "no"}, headers={"x-number": "no"}),
    "header model": get(
        "header_model",
        "/header-model",
        {"x-tenant": "t", "x-tags": ["a", "b"], "x-level": 3},
        headers=[("x-tenant", "t"), ("x-tags", "a"), ("x-tags", "b"), ("x-level", "3")],
    ),
    "wrong header model": get("header_model", "/header-model", {"x-level": "h"}, headers={"x-level": "h"}),
    "cookies": get(
        "cookies", "/cookies", {"session": "s", "theme": "dark"}, headers={"cookie": "session=s; theme=dark"}
    ),
    "missing cookie": get("cookies", "/cookies", {}),
    "cookie model": get("cookie_model", "/cookie-model", {"session": "s"}, headers={"cookie": "session=s"}),
    "slash at the end": get("trailing", "/trailing/x/", {"name": "x"}, params={}),
    "body": post("create_note", "/notes", {"title": "t", "note": "n"}),
    "body, null": post("create_note", "/notes", NOTE),
    "body, wrong": post("create_note", "/notes", {"title": 5, "count": "x"}),
    "body, nothing": post("create_note", "/notes", {}),
    "change to null": Case(
        "patch_note",
        {"number": 1, "title": "t", "note": None},
        "PATCH",
        "/notes/1",
        {"json": {"title": "t", "note": None}},
    ),
    "change without": Case("patch_note", {"number": 1, "title": "t"}, "PATCH", "/notes/1", {"json": {"title": "t"}}),
    "path, query and body": Case(
        "put_note", {"number": 1, "dry": True, **NOTE}, "PUT", "/notes/1", {"json": NOTE, "params": {"dry": "true"}}
    ),
    "all defaults": post("defaults", "/defaults", {}),
    "defaults, null": post("defaults", "/defaults", {"after": None}),
    "optional body, given": post("optional_defaults", "/optional-defaults", {"body": {"limit": 1}}, json={"limit": 1}),
    "optional body, empty": post("optional_defaults", "/optional-defaults", {"body": {}}, json={}),
    "optional body, missing": post("optional_defaults", "/optional-defaults", {}, params={}),
    "optional body, null": post(
        "optional_defaults",
        "/optional-defaults",
        {"body": None},
        content=b"null",
        headers={"content-type": "application/json"},
    ),
    "optional model, given": post("optional_note", "/optional-note", {"note": NOTE}, json=NOTE),
    "optional model, missing": post("optional_note", "/optional-note", {}, params={}),
    "optional model, wrong": post("optional_note", "/optional-note", {"note": {"count": 1}}, json={"count": 1}),
    "default instance, given": post("default_instance", "/default-instance", {"limit": 5}),
    "default instance, missing": post("default_instance", "/default-instance", {}, params={}),
    "embedded": post("embedded", "/embedded", {"note": NOTE}),
    "embedded, wrong": post("embedded", "/embedded", {"note": {"title": 1}}),
    "several": post("several", "/several", {"note": NOTE, "point": {"x": 1}, "importance": 3, "extra": None}),
    "several, wrong": post("several", "/several", {"note": {}, "point": {"x": "a"}, "importance": 0}),
    "list": post("list_body", "/list", {"notes": [NOTE, NOTE]}, json=[NOTE, NOTE]),
    "empty list": post("list_body", "/list", {"notes": []}, json=[]),
    "list, wrong": post("list_body", "/list", {"notes": [NOTE, {}]}, json=[NOTE, {}]),
    "root model": post("root_model", "/root-model", {"body": [1, 2]}, json=[1, 2]),
    "scalar": post("scalar", "/scalar", {"importance": 3}, json=3),
    "scalar, wrong": post("scalar", "/scalar", {"importance": "x"}, json="x"),
    "scalar, missing": post("scalar", "/scalar", {}, params={}),
    "optional scalar": post("optional_scalar", "/optional-scalar", {}, params={}),
    "discriminated": post("pet", "/pet", {"pet": DOG}, json=DOG),
    "discriminated, unknown": post("pet", "/pet", {"pet": {"kind": "fish"}}, json={"kind": "fish"}),
    "union": post("union", "/union", {"value": 5}, json=5),
    "union, object": post("union", "/union", {"value": {"x": 5}}, json={"x": 5}),
    "nested union": post("owner", "/owner", {"name": "o", "pet": CAT, "others": {"a": DOG}}),
    "anything": post("anything", "/anything", {"value": [1, {"a": None}, "é"]}, json=[1, {"a": None}, "é"]),
    "free": Case("free", {"changes": {"a": None, "b": [1]}}, "PATCH", "/free", {"json": {"a": None, "b": [1]}}),
    "forbidding more": post("strict", "/strict", {"name": "n"}),
    "allowing more": post("open_body", "/open", {"name": "n", "more": [1], "null": None}),
    "DELETE with a body": Case("delete_notes", {"ids": [1, 2]}, "DELETE", "/notes", {"json": {"ids": [1, 2]}}),
    "recursive": post("tree", "/tree", TREE),
    "recursive, wrong": post("tree", "/tree", {"name": "a", "children": [{"name": "b", "children": [{}]}]}),
    "mutually recursive": post("couple", "/couple", COUPLE),
    "camel case": post("camel", "/camel", {"firstName": "f", "shoeSize": None}),
    "computed": post("rectangle", "/rectangle", {"width": "1.10", "height": "2"}),
    "generic": post("page", "/page", {"items": [NOTE], "next": None}),
    "moments": post("moments", "/moments", MOMENTS),
    "moments, wrong": post("moments", "/moments", {name: [] for name in MOMENTS}),
    "dataclass": post("point", "/point", {"x": 1, "y": 2}),
    "whole model refused": post("range", "/range", {"low": 2, "high": 1}),
    "odd members": post(
        "odd", "/odd", {"title": "t", "default": 1, "ref": "r", "filter_name": "n", "_id": "x"}, json=ODD
    ),
    "collision": post(
        "collision",
        "/collision/1",
        {"id": 1, "q": "query", "id_body": "body", "q_body": 5, "q_header": "head"},
        params={"q": "query"},
        json={"id": "body", "q": 5},
        headers={"q": "head"},
    ),
    "no body": post("no_body", "/no-body", {}, params={}),
    "text": post("text", "/text", {"body": "é\r\n"}, content="é\r\n".encode(), headers={"content-type": "text/plain"}),
    "bytes": post(
        "octets",
        "/bytes",
        {"body": base64.b64encode(BYTES).decode()},
        content=BYTES,
        headers={"content-type": "application/octet-stream"},
    ),
    "form": post(
        "form",
        "/form",
        {"name": "n", "count": 2, "tags": ["a", "b&c"]},
        data={"name": "n", "count": 2, "tags": ["a", "b&c"]},
    ),
    "form, wrong": post("form", "/form", {"count": "x"}, data={"count": "x"}),
    "form model": post(
        "form_model", "/form-model", {"title": "t", "tags": ["a", "b"]}, data={"title": "t", "tags": ["a", "b"]}
    ),
    "file, form and query": post(
        "one_file",
        "/file/f",
        {"folder": "f", "file": PNG_FILE, "note": "n", "public": True},
        files={"file": PNG},
        data={"note": "n"},
        params={"public": "true"},
    ),
    "file missing": post("one_file", "/file/f", {"folder": "f", "note": "n"}, files={"note": (None, "n")}),
    "several files": post(
        "several_files", "/files", {"files": [PNG_FILE, CSV_FILE]}, files=[("files", PNG), ("files", CSV)]
    ),
    "optional file, given": post("optional_file", "/optional-file", {"file": CSV_FILE}, files={"file": CSV}),
    "optional file, missing": post("optional_file", "/optional-file", {"note": "x"}, files={"note": (None, "x")}),
    "optional file, null": post("optional_file", "/optional-file", {"file": None}, params={}),
    "file as bytes": post(
        "bytes_file",
        "/bytes-file",
        {"file": PNG_FILE, "more": [CSV_FILE, CSV_FILE]},
        files=[("file", PNG), ("more", CSV), ("more", CSV)],
    ),
    "dependencies": get(
        "nested",
        "/deps/nested",
        {"skip": 5, "by": "age", "down": True},
        params={"skip": 5, "by": "age", "down": "true"},
    ),
    "wrong dependency": get("nested", "/deps/nested", {"limit": 500}),
    "overridden dependency": get("overridden", "/deps/overridden", {}),
    "404": get("refusing", "/deps/refusing", {"code": 404, "text": "No such thing"}),
    "410 without a text": get("refusing", "/deps/refusing", {"code": 410, "text": ""}),
    "418": get("refusing", "/deps/refusing", {"code": 418}),
    "409 with an object": get("refusing_with_facts", "/deps/refusing-with-facts", {}),
    "409 with a list": get(
        "refusing_with_facts", "/deps/refusing-with-facts", {"listed": True}, params={"listed": "true"}
    ),
}


@pytest.fixture(scope="module")
async def reached() -> AsyncGenerator[Both]:
    async with both(make_app()) as reached:
        yield reached


@pytest.mark.parametrize("name", CASES)
async def test_a_call_ends_as_the_request_does(reached: Both, name: str) -> None:
    case = CASES[name]
    response = await reached.web.request(case.method, case.url, **case.request)
    assert response.status_code < 500
    assert_same(await reached.call(case.tool, case.arguments), response)


async def test_a_whole_answer_is_nothing_for_204(reached: Both) -> None:
    result = await reached.call("no_content", {"number": 1})
    assert not result.is_error
    assert result.structured_content is None
    assert "Done" in str(result.content)
