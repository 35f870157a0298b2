"""Bodies are sent to a remote API in the media type and with the encodings that its document declares."""

from __future__ import annotations

import json
from email.message import Message
from email.parser import BytesParser
from email.policy import HTTP
from typing import Any
from urllib.parse import parse_qsl

import pytest

from tests.calls.upstream import Received, document, operation, remote_api

pytestmark = pytest.mark.anyio

TEXT = {"type": "string"}
BINARY = {"type": "string", "format": "binary"}
JSON = "application/json"
FORM = "application/x-www-form-urlencoded"
MULTIPART = "multipart/form-data"


def members(**properties: Any) -> dict[str, Any]:
    return {"type": "object", "properties": properties}


def posting(content: dict[str, Any], *, required: bool = True, schemas: dict[str, Any] | None = None) -> dict[str, Any]:
    """Return a document with one operation ``t``, whose body has this content."""
    body = {"required": required, "content": content}
    return document({"/pets": {"post": operation(requestBody=body)}}, components={"schemas": schemas or {}})


def parts_of(received: Received) -> list[tuple[str, str | None, str, bytes]]:
    """Return the name, the file name, the media type and the content of each part of a multipart body."""
    head = f"Content-Type: {received.headers['content-type']}\r\n\r\n".encode()
    parsed = BytesParser(policy=HTTP).parsebytes(head + received.body)
    return [_part(part) for part in parsed.iter_parts()]  # type: ignore[attr-defined]


def _part(part: Message) -> tuple[str, str | None, str, bytes]:
    name = part.get_param("name", header="content-disposition")
    declared = "content-type" in part
    content = part.get_payload(decode=True)
    assert isinstance(content, bytes)
    return str(name), part.get_filename(), part.get_content_type() if declared else "", content


OBJECT = {"schema": members(a=TEXT)}


@pytest.mark.parametrize(
    ("content", "sent"),
    [
        (["application/merge-patch+json", JSON, "text/json"], JSON),
        (["application/json-patch+json", "application/merge-patch+json"], "application/json-patch+json"),
        (["application/json; version=2"], "application/json; version=2"),
        (["application/*+json", "text/json"], "text/json"),
        (["text/json"], "text/json"),
        (["application/*+json"], JSON),
        (["*/*"], JSON),
        (["application/*"], JSON),
        ([FORM, "application/vnd.acme+json"], "application/vnd.acme+json"),
        (["application/xml", "text/plain", FORM], FORM),
    ],
)
async def test_an_object_is_sent_as_json_where_the_api_reads_json(content: list[str], sent: str) -> None:
    async with remote_api(posting(dict.fromkeys(content, OBJECT))) as api:
        received = await api.send(a="x")
        assert received.headers["content-type"] == sent
        assert received.body == (b"a=x" if sent == FORM else b'{"a":"x"}')


async def test_a_range_takes_the_type_that_fits_the_schema() -> None:
    async with remote_api(posting({"*/*": {"schema": BINARY}})) as api:
        received = await api.send(body="AAEC")
        assert (received.headers["content-type"], received.body) == ("application/octet-stream", b"\x00\x01\x02")
    async with remote_api(posting({"*/*": {"schema": TEXT}})) as api:
        received = await api.send(body="hi")
        assert (received.headers["content-type"], received.body) == ("text/plain", b"hi")
    async with remote_api(posting({"text/*": {"schema": TEXT}})) as api:
        assert (await api.send(body="hi")).headers["content-type"] == "text/plain"


async def test_a_picture_of_any_kind_is_a_file_whose_type_the_caller_gives() -> None:
    async with remote_api(posting({"image/*": {"schema": BINARY}})) as api:
        received = await api.send(body={"filename": "a.png", "data": "AAEC"})
        assert (received.headers["content-type"], received.body) == ("image/png", b"\x00\x01\x02")
        assert "image/*" in await api.refusal(body={"filename": "a.png", "content_type": "text/plain", "text": "x"})


async def test_fields_of_a_form_are_written_as_their_encoding_says() -> None:
    schema = members(
        name=TEXT,
        metadata={"type": "object", "additionalProperties": TEXT},
        items={"type": "array", "items": TEXT},
        extra={"type": "object"},
        rows={"type": "array", "items": {"type": "object"}},
        list={"type": "array", "items": TEXT},
    )
    encoding = {
        "metadata": {"style": "deepObject", "explode": True},
        "items": {"style": "form", "explode": False},
        "list": {"contentType": JSON},
    }
    async with remote_api(posting({FORM: {"schema": schema, "encoding": encoding}})) as api:
        received = await api.send(
            name="a b&c", metadata={"k": "v"}, items=["a", "b"], extra={"x": 1}, rows=[{"y": 2}], list=["p", "q"]
        )
        assert received.headers["content-type"] == FORM
        assert parse_qsl(received.body.decode()) == [
            ("name", "a b&c"),
            ("metadata[k]", "v"),
            ("items", "a,b"),
            ("extra", '{"x":1}'),
            ("rows", '{"y":2}'),
            ("list", '["p","q"]'),
        ]
        assert "'items'" in await api.refusal(items=["a,b"])


async def test_parts_of_a_form_have_the_types_of_their_encoding() -> None:
    schema = members(
        meta=members(a=TEXT), note=TEXT, file=BINARY, tags={"type": "array", "items": TEXT}, address=members(city=TEXT)
    )
    encoding = {
        "note": {"contentType": "text/markdown"},
        "file": {"contentType": "image/png, image/jpeg"},
        "address": {"style": "deepObject"},
    }
    async with remote_api(posting({MULTIPART: {"schema": schema, "encoding": encoding}})) as api:
        file = {"filename": "picture", "text": "hi"}
        received = await api.send(meta={"a": "x"}, note="*hi*", file=file, tags=["a", "b"], address={"city": "Bonn"})
        assert parts_of(received) == [
            ("meta", None, JSON, b'{"a":"x"}'),
            ("note", None, "text/markdown", b"*hi*"),
            ("file", "picture", "image/png", b"hi"),
            ("tags", None, "", b"a"),
            ("tags", None, "", b"b"),
            ("address[city]", None, "", b"Bonn"),
        ]
        assert "image/jpeg" in await api.refusal(file={**file, "content_type": "text/plain"})


UPLOADS: list[tuple[str, dict[str, Any], dict[str, Any]]] = [
    ("binary", BINARY, {}),
    ("a media type", {"contentMediaType": "application/pdf"}, {}),
    ("a text of a media type", {"type": "string", "contentMediaType": "image/png"}, {}),
    ("anything, with an encoding", {}, {"file": {"contentType": "image/png"}}),
    ("a text, with an encoding", TEXT, {"file": {"contentType": "application/octet-stream"}}),
]


@pytest.mark.parametrize(
    ("schema", "encoding"), [upload[1:] for upload in UPLOADS], ids=[entry[0] for entry in UPLOADS]
)
async def test_every_way_to_describe_a_file_is_a_file(schema: dict[str, Any], encoding: dict[str, Any]) -> None:
    content = {MULTIPART: {"schema": members(file=schema), "encoding": encoding}}
    async with remote_api(posting(content)) as api:
        assert "filename" in api.catalog.tools["t"].input_schema["properties"]["file"]["properties"]
        ((name, filename, _, content_sent),) = parts_of(await api.send(file={"filename": "a.png", "text": "x"}))
        assert (name, filename, content_sent) == ("file", "a.png", b"x")


async def test_text_in_base64_and_json_are_no_files() -> None:
    schema = members(
        key={"type": "string", "contentMediaType": "image/png", "contentEncoding": "base64"},
        rule={"type": "string", "contentMediaType": JSON},
    )
    async with remote_api(posting({MULTIPART: {"schema": schema}})) as api:
        assert [part[3] for part in parts_of(await api.send(key="AAEC", rule="{}"))] == [b"AAEC", b"{}"]


NAMED = {"type": "object", "required": ["name"], "properties": {"name": TEXT}}
WITH_FILE = {"type": "object", "required": ["file"], "properties": {"file": BINARY}}


async def test_files_of_a_form_made_of_several_schemas_are_files() -> None:
    schema = {"allOf": [{"$ref": "#/components/schemas/Named"}, WITH_FILE]}
    async with remote_api(posting({MULTIPART: {"schema": schema}}, schemas={"Named": NAMED})) as api:
        assert api.catalog.tools["t"].input_schema["required"] == ["name", "file"]
        received = await api.send(name="x", file={"filename": "a.txt", "text": "hi"})
        assert parts_of(received) == [("name", None, "", b"x"), ("file", "a.txt", "text/plain", b"hi")]


@pytest.mark.parametrize("key", ["anyOf", "oneOf"])
async def test_files_of_a_form_with_variants_are_files(key: str) -> None:
    schema = {key: [NAMED, {"$ref": "#/components/schemas/WithFile"}]}
    async with remote_api(posting({MULTIPART: {"schema": schema}}, schemas={"WithFile": WITH_FILE})) as api:
        received = await api.send(body={"file": {"filename": "a.txt", "text": "hi"}})
        assert parts_of(received) == [("file", "a.txt", "text/plain", b"hi")]


ATTACHMENT = {"filename": "a.txt", "text": "hi"}
ANY_FILES: list[dict[str, Any]] = [
    {"type": "object", "additionalProperties": BINARY},
    {"type": "object", "properties": {"note": TEXT}, "additionalProperties": BINARY},
    {"type": "object", "additionalProperties": {"$ref": "#/components/schemas/Upload"}},
]


@pytest.mark.parametrize("schema", ANY_FILES, ids=["alone", "beside_a_field", "by_reference"])
async def test_undeclared_fields_of_a_form_are_files_if_the_document_declares_it(schema: dict[str, Any]) -> None:
    async with remote_api(posting({MULTIPART: {"schema": schema}}, schemas={"Upload": BINARY})) as api:
        tool = api.catalog.tools["t"]
        shown = tool.input_schema["properties"].get("body", tool.input_schema)["additionalProperties"]
        assert shown["properties"].keys() >= {"filename", "data", "text"}
        sent = {"scan": ATTACHMENT} if "note" in tool.arguments else {"body": {"scan": ATTACHMENT}}
        assert parts_of(await api.send(**sent)) == [("scan", "a.txt", "text/plain", b"hi")]


def heads_of(received: Received) -> list[dict[str, str]]:
    """Return the headers of each part of a multipart body, by lower-case name, without Content-Disposition."""
    head = f"Content-Type: {received.headers['content-type']}\r\n\r\n".encode()
    parts = BytesParser(policy=HTTP).parsebytes(head + received.body).iter_parts()  # type: ignore[attr-defined]
    return [{k.lower(): str(v) for k, v in part.items() if k.lower() != "content-disposition"} for part in parts]


async def test_parts_of_a_form_have_the_headers_of_their_encoding() -> None:
    headers = {
        "X-Format": {"schema": {"const": "v2"}},
        "X-Rows": {"schema": {"type": "integer", "default": 10}},
        "X-Kind": {"$ref": "#/components/headers/Kind"},
        "X-Trace": {"schema": TEXT},
        "Content-Type": {"schema": {"const": "text/never"}},
    }
    body = {
        "content": {MULTIPART: {"schema": members(note=TEXT, file=BINARY), "encoding": {"file": {"headers": headers}}}}
    }
    paths = {"/pets": {"post": operation(requestBody={"required": True, **body})}}
    kind = {"Kind": {"schema": {"type": "string", "enum": ["original"]}}}
    async with remote_api(document(paths, components={"headers": kind})) as api:
        received = await api.send(note="x", file=ATTACHMENT)
        assert heads_of(received) == [
            {},
            {"content-type": "text/plain", "x-format": "v2", "x-rows": "10", "x-kind": "original"},
        ]


async def test_a_form_whose_parts_require_headers_without_a_fixed_value_is_not_offered() -> None:
    encoding = {"file": {"headers": {"X-Checksum": {"required": True, "schema": TEXT}}}}
    async with remote_api(posting({MULTIPART: {"schema": members(file=BINARY), "encoding": encoding}})) as api:
        assert "'X-Checksum'" in api.reason("/pets")
    async with remote_api(posting({FORM: {"schema": members(file=TEXT), "encoding": encoding}})) as api:
        assert (await api.send(file="a")).body == b"file=a"


async def test_a_form_that_is_not_required_sends_files_and_may_be_left_out() -> None:
    async with remote_api(posting({MULTIPART: {"schema": WITH_FILE}}, required=False)) as api:
        received = await api.send(body={"file": {"filename": "a.txt", "text": "hi"}})
        assert parts_of(received) == [("file", "a.txt", "text/plain", b"hi")]
        assert (await api.send()).body == b""


@pytest.mark.parametrize("media_type", [FORM, MULTIPART])
async def test_an_empty_list_in_a_form_is_refused(media_type: str) -> None:
    content = {media_type: {"schema": members(ids={"type": "array", "items": TEXT})}}
    async with remote_api(posting(content)) as api:
        assert "'ids' must not be empty" in await api.refusal(ids=[])


async def test_a_json_body_is_still_one_document() -> None:
    async with remote_api(posting({JSON: {"schema": members(a={}, b={})}})) as api:
        assert json.loads((await api.send(a=[], b={"c": None})).body) == {"a": [], "b": {"c": None}}


async def test_members_that_only_the_api_sends_are_not_arguments() -> None:
    schema = {**members(id={"type": "integer", "readOnly": True}, name=TEXT), "required": ["id", "name"]}
    async with remote_api(posting({JSON: {"schema": schema}})) as api:
        assert api.catalog.tools["t"].input_schema["required"] == ["name"]
        assert (await api.send(name="x")).body == b'{"name":"x"}'


async def test_lines_of_json_are_text() -> None:
    async with remote_api(posting({"application/x-ndjson": {"schema": TEXT}})) as api:
        assert (await api.send(body='{"a":1}\n')).body == b'{"a":1}\n'


async def test_a_multipart_body_other_than_a_form_is_not_offered() -> None:
    async with remote_api(posting({"multipart/related": {"schema": members(a=TEXT)}})) as api:
        assert "multipart/related" in api.reason("/pets")
