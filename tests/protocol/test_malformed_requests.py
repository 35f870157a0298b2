"""Whatever arrives is answered with an error, at once and without a traceback, and the server goes on (edge 43)."""

from __future__ import annotations

import json
import socket
from collections.abc import Iterator
from typing import Any
from urllib.parse import urlsplit

import httpx2
import pytest

from tests.protocol.apps import make_server
from tests.protocol.wire import ACCEPT, ERAS, HANDSHAKES, MODERN, Peer, headers_of, message, reply
from tests.servers import serving
from toolway import Settings

LIMIT = 256 * 1024


@pytest.fixture(scope="module")
def url() -> Iterator[str]:
    with serving(make_server(Settings(max_body_bytes=LIMIT, body_seconds=1))) as base:
        yield f"{base}/mcp"


def changed(**members: Any) -> bytes:
    """A call with some members of its envelope replaced; ... removes one."""
    body = message(HANDSHAKES[-1], "tools/list")
    return json.dumps({key: value for key, value in {**body, **members}.items() if value is not ...}).encode()


def argument(text: str) -> bytes:
    """A call of the echo tool whose argument is some text of JSON."""
    frame = message(HANDSHAKES[-1], "tools/call", {"name": "echo", "arguments": {"value": "HERE"}})
    return json.dumps(frame).replace('"HERE"', text).encode()


NOT_JSON = {
    "nothing": b"",
    "a blank": b" ",
    "words": b"hello",
    "a form": b"name=echo",
    "truncated": changed()[:-1],
    "truncated in a string": b'{"jsonrpc":"2.0","id":"1',
    "something after it": changed() + b"{}",
    "two lines": changed() + b"\n" + changed(),
    "single quotes": b"{'jsonrpc':'2.0'}",
    "a trailing comma": b'{"jsonrpc":"2.0",}',
    "a comment": b'{"jsonrpc":"2.0"/* */}',
    "bad UTF-8": b'{"jsonrpc":"2.0","id":"\xff\xfe"}',
    "half a character": b'{"jsonrpc":"2.0","id":"\xc3"}',
    "an overlong character": b'{"jsonrpc":"2.0","id":"\xc0\x80"}',
    "UTF-16": changed().decode().encode("utf-16"),
    "a byte order mark": b"\xef\xbb\xbf" + changed(),
    "a NUL": b"\x00",
    "a raw control character": b'{"jsonrpc":"2.0","id":"\x01"}',
    "100,000 arrays deep": b"[" * 100_000,
    "40,000 objects deep": b'{"a":' * 40_000,
    "an integer of 5,000 digits": changed(id="HERE").replace(b'"HERE"', b"9" * 5_000),
    "a leading zero": changed(id="HERE").replace(b'"HERE"', b"01"),
    "NaN as id": changed(id="HERE").replace(b'"HERE"', b"NaN"),
    "NaN as argument": argument("NaN"),
    "Infinity as argument": argument("Infinity"),
    "minus Infinity as argument": argument("-Infinity"),
    "a lone surrogate as argument": argument('"\\ud800"'),
    "a lone surrogate as name": argument('1,"\\udfff":1'),
    "arguments 300 levels deep": argument("[" * 300 + "]" * 300),
}

NOT_A_MESSAGE = {
    "null": b"null",
    "a number": b"7",
    "a string": b'"tools/list"',
    "true": b"true",
    "an empty object": b"{}",
    "an empty batch": b"[]",
    "a batch": b"[" + changed() + b"]",
    "no jsonrpc": changed(jsonrpc=...),
    "jsonrpc 1.0": changed(jsonrpc="1.0"),
    "jsonrpc as a number": changed(jsonrpc=2.0),
    "jsonrpc null": changed(jsonrpc=None),
    "id null": changed(id=None),
    "id true": changed(id=True),
    "id an object": changed(id={}),
    "id an array": changed(id=[1]),
    "id a fraction": changed(id=1.5),
    "no method": changed(method=...),
    "method null": changed(method=None),
    "method a number": changed(method=5),
    "method an object": changed(method={}),
    "params an array": changed(params=[]),
    "params a string": changed(params="x"),
    "params a number": changed(params=1),
    "params false": changed(params=False),
    "a response without an answer": changed(method=..., params=...),
    "a response with a bare result": changed(method=..., params=..., result=5),
    "a response with a bare error": changed(method=..., params=..., error="x"),
    "a response to nothing": changed(method=..., params=..., id=..., result={}),
}

WRONG_PARAMS = {
    "name a number": {"name": 5},
    "name null": {"name": None},
    "name missing": {"arguments": {}},
    "name an array": {"name": ["echo"]},
    "arguments an array": {"name": "echo", "arguments": []},
    "arguments a string": {"name": "echo", "arguments": "value=1"},
    "arguments a number": {"name": "echo", "arguments": 1},
}


@pytest.mark.parametrize("version", ERAS)
@pytest.mark.parametrize("body", NOT_JSON.values(), ids=NOT_JSON.keys())
def test_a_body_that_is_no_json_is_a_parse_error(url: str, version: str, body: bytes) -> None:
    peer = Peer(url, version)
    response = peer.post(body, headers_of(version, message(version, "tools/list")))
    assert response.status_code == 400
    assert reply(response)["error"]["code"] == -32700
    assert_harmless(response.text)
    assert_still_serving(peer)


@pytest.mark.parametrize("version", ERAS)
@pytest.mark.parametrize("body", NOT_A_MESSAGE.values(), ids=NOT_A_MESSAGE.keys())
def test_json_that_is_no_message_is_an_invalid_request(url: str, version: str, body: bytes) -> None:
    peer = Peer(url, version)
    response = peer.post(body, headers_of(version, message(version, "tools/list")))
    assert response.status_code == 400
    assert reply(response)["error"]["code"] == -32600
    assert_harmless(response.text)
    assert_still_serving(peer)


@pytest.mark.parametrize("version", ERAS)
@pytest.mark.parametrize("params", WRONG_PARAMS.values(), ids=WRONG_PARAMS.keys())
def test_a_call_with_parameters_of_the_wrong_kind_is_refused(url: str, version: str, params: dict[str, Any]) -> None:
    peer = Peer(url, version)
    body = message(version, "tools/call", params)
    response = peer.post(body, {**headers_of(version, {**body, "params": {}}), "mcp-name": "echo"})
    assert reply(response)["error"]["code"] in {-32602, -32020}
    assert_harmless(response.text)
    assert_still_serving(peer)


@pytest.mark.parametrize("meta", [None, [], "x", 5, {"progressToken": []}, {"progressToken": True}])
@pytest.mark.parametrize("version", ERAS)
def test_a_meta_of_the_wrong_kind_never_breaks_a_request(url: str, version: str, meta: Any) -> None:
    peer = Peer(url, version)
    body = message(version, "tools/call", {"name": "count_things", "arguments": {}})
    body["params"]["_meta"] = (
        {**body["params"]["_meta"], **meta} if version == MODERN and isinstance(meta, dict) else meta
    )
    response = peer.post(body, headers_of(version, body))
    answer = reply(response)
    assert "result" in answer or answer["error"]["code"] in {-32602, -32600}
    assert_harmless(response.text)
    assert_still_serving(peer)


@pytest.mark.parametrize("meta", [[], "", 0, False])
def test_an_empty_meta_that_is_no_object_is_refused_also_after_a_good_one(url: str, meta: Any) -> None:
    peer = Peer(url, HANDSHAKES[-1])
    peer.call("count_things")
    params = {"name": "count_things", "arguments": {}, "_meta": meta}
    assert peer.refusal("tools/call", params)["code"] == -32602


@pytest.mark.parametrize("version", ERAS)
def test_the_id_of_an_invalid_request_is_repeated(url: str, version: str) -> None:
    for number in (7, "seven"):
        body = changed(id=number, method=5)
        response = Peer(url, version).post(body, headers_of(version, message(version, "tools/list")))
        assert reply(response)["id"] == number


@pytest.mark.parametrize("version", ERAS)
def test_the_last_of_two_members_with_one_name_counts_in_both_eras(url: str, version: str) -> None:
    frame = message(version, "tools/call", {"name": "echo", "arguments": {"value": "HERE"}})
    body = json.dumps(frame).replace('"HERE"', '1,"value":2').encode()
    response = Peer(url, version).post(body, headers_of(version, frame))
    assert reply(response)["result"]["content"][0]["text"] == '{"value":2}'


@pytest.mark.parametrize("version", ERAS)
def test_a_number_beyond_all_floats_is_refused_and_named(url: str, version: str) -> None:
    """Edge 22: 1e999 is JSON, and no number that anybody can hold."""
    frame = message(version, "tools/call", {"name": "echo", "arguments": {"value": "HERE"}})
    body = json.dumps(frame).replace('"HERE"', "1e999").encode()
    result = reply(Peer(url, version).post(body, headers_of(version, frame)))["result"]
    assert result["isError"]
    assert "'value'" in result["content"][0]["text"]


WRONG_HEADERS = {
    "no content type": ({"content-type": ""}, 415, -32600),
    "text": ({"content-type": "text/plain"}, 415, -32600),
    "a form": ({"content-type": "application/x-www-form-urlencoded"}, 415, -32600),
    "a content type that only begins right": ({"content-type": "application/json-seq"}, 415, -32600),
    "accepts nothing": ({"accept": ""}, 406, -32600),
    "accepts only JSON": ({"accept": "application/json"}, 406, -32600),
    "accepts only events": ({"accept": "text/event-stream"}, 406, -32600),
    "accepts pages": ({"accept": "text/html"}, 406, -32600),
}
MODERN_HEADERS = {
    "an unknown version": ({"mcp-protocol-version": "1900-01-01"}, 400, -32020),
    "an empty version": ({"mcp-protocol-version": ""}, 400, -32020),
    "an older version than the body": ({"mcp-protocol-version": "2025-11-25"}, 400, -32020),
    "another method than the body": ({"mcp-method": "tools/list"}, 400, -32020),
    "the method in capitals": ({"mcp-method": "TOOLS/CALL"}, 400, -32020),
    "another name than the body": ({"mcp-name": "echo"}, 400, -32020),
    "a name in bad base64": ({"mcp-name": "=?base64?!?="}, 400, -32020),
}


@pytest.mark.parametrize("version", ERAS)
@pytest.mark.parametrize(("headers", "status", "code"), WRONG_HEADERS.values(), ids=WRONG_HEADERS.keys())
def test_wrong_media_types_are_refused_as_json(
    url: str, version: str, headers: dict[str, str], status: int, code: int
) -> None:
    peer = Peer(url, version)
    response = peer.send("tools/list", headers=headers)
    assert (response.status_code, reply(response)["error"]["code"]) == (status, code)
    assert_still_serving(peer)


@pytest.mark.parametrize(("headers", "status", "code"), MODERN_HEADERS.values(), ids=MODERN_HEADERS.keys())
def test_headers_that_contradict_the_body_are_a_mismatch(
    url: str, headers: dict[str, str], status: int, code: int
) -> None:
    """H3 and H4."""
    peer = Peer(url)
    response = peer.send("tools/call", {"name": "count_things"}, headers=headers)
    assert (response.status_code, reply(response)["error"]["code"]) == (status, code)
    assert_still_serving(peer)


@pytest.mark.parametrize("missing", ["mcp-protocol-version", "mcp-method", "mcp-name"])
def test_a_routing_header_that_is_missing_is_a_mismatch(url: str, missing: str) -> None:
    """H3."""
    peer = Peer(url)
    body = message(MODERN, "tools/call", {"name": "count_things", "arguments": {}})
    headers = headers_of(MODERN, body)
    del headers[missing]
    response = peer.post(body, headers)
    assert (response.status_code, reply(response)["error"]["code"]) == (400, -32020)
    assert reply(response)["id"] == 1


def test_a_name_may_come_in_base64_and_headers_in_any_case_and_with_blanks(url: str) -> None:
    """H3 and H4."""
    body = message(MODERN, "tools/call", {"name": "count_things", "arguments": {}})
    headers = {**headers_of(MODERN, body), "mcp-name": "=?base64?Y291bnRfdGhpbmdz?=", "mcp-method": "  tools/call  "}
    lines = [f"{name.title()}: {value}" for name, value in headers.items()]
    status, text = raw(url, lines, json.dumps(body).encode())
    assert status == 200
    assert '"structuredContent":2' in text


ONCE = [
    "authorization",
    "content-type",
    "host",
    "mcp-protocol-version",
    "mcp-method",
    "mcp-name",
    "mcp-session-id",
    "origin",
]


@pytest.mark.parametrize("name", ONCE)
def test_a_header_that_decides_something_may_come_only_once(url: str, name: str) -> None:
    body = message(MODERN, "tools/call", {"name": "count_things", "arguments": {}})
    host = urlsplit(url).netloc
    known = {**headers_of(MODERN, body), "host": host, "authorization": "Bearer x", "mcp-session-id": "x"}
    lines = [*known.items(), ("origin", f"http://{host}")]
    twice = [*lines, (name, dict(lines)[name])]
    status, text = raw(url, [f"{key}: {value}" for key, value in twice], json.dumps(body).encode())
    assert status == 400
    assert_harmless(text)
    status, text = raw(url, [f"{key}: {value}" for key, value in lines], json.dumps(body).encode())
    assert status == 200


@pytest.mark.parametrize("method", ["GET", "DELETE", "PUT", "PATCH", "OPTIONS"])
@pytest.mark.parametrize("version", ERAS)
def test_other_http_methods_are_not_allowed(url: str, version: str, method: str) -> None:
    """H1."""
    response = httpx2.request(method, url, headers={"accept": ACCEPT, "mcp-protocol-version": version}, timeout=40)
    assert (response.status_code, response.headers["allow"]) == (405, "POST")
    assert response.json()["error"]["code"] == -32600


@pytest.mark.parametrize("chunked", [False, True], ids=["with a length", "in chunks"])
@pytest.mark.parametrize("version", ERAS)
def test_a_body_may_be_as_large_as_the_limit_and_not_a_byte_larger(url: str, version: str, chunked: bool) -> None:
    peer = Peer(url, version)
    frame = message(version, "tools/call", {"name": "echo", "arguments": {"value": "HERE"}})
    room = LIMIT - len(json.dumps(frame)) + len("HERE")
    for extra, status in ((0, 200), (1, 413)):
        body = json.dumps(frame).replace("HERE", "x" * (room + extra)).encode()
        content: Any = iter([body[:1000], body[1000:]]) if chunked else body
        response = peer.post(content, headers_of(version, frame))
        assert response.status_code == status
    assert reply(response)["error"]["message"].endswith(
        "larger than 262,144 bytes. Set TOOLWAY_MAX_BODY_BYTES to allow larger ones."
    )
    assert_still_serving(peer)


def test_the_limit_is_four_mebibytes_unless_told_otherwise() -> None:
    with serving(make_server()) as base:
        peer = Peer(f"{base}/mcp")
        frame = message(MODERN, "tools/call", {"name": "echo", "arguments": {"value": "HERE"}})
        room = 4 * 1024 * 1024 - len(json.dumps(frame)) + len("HERE")
        for extra, status in ((0, 200), (1, 413), (60 * 1024 * 1024, 413)):
            body = json.dumps(frame).replace("HERE", "x" * (room + extra)).encode()
            assert peer.post(body, headers_of(MODERN, frame)).status_code == status
        assert_still_serving(peer)


def test_a_body_that_does_not_arrive_in_time_is_refused_and_the_connection_closed(url: str) -> None:
    status, text = raw(url, ["content-type: application/json", f"accept: {ACCEPT}"], b'{"jsonrpc"', length=100)
    assert status == 408
    assert "within 1 seconds" in text
    assert "connection: close" in text.lower()
    assert_still_serving(Peer(url))


def test_a_client_that_leaves_while_sending_does_no_harm(url: str) -> None:
    connection = socket.create_connection((urlsplit(url).hostname, urlsplit(url).port))
    connection.sendall(b"POST /mcp HTTP/1.1\r\nhost: localhost\r\ncontent-type: application/json\r\n")
    connection.sendall(f"accept: {ACCEPT}\r\ncontent-length: 100\r\n\r\n".encode() + b'{"json')
    connection.close()
    assert_still_serving(Peer(url))


def raw(url: str, headers: list[str], body: bytes, length: int | None = None) -> tuple[int, str]:
    """Send a request line by line and read until the server closes or has said everything."""
    parts = urlsplit(url)
    lines = headers if any(line.startswith("host:") for line in headers) else [*headers, f"host: {parts.netloc}"]
    head = [f"POST {parts.path} HTTP/1.1", *lines, "connection: close", f"content-length: {length or len(body)}"]
    with socket.create_connection((parts.hostname, parts.port), timeout=40) as connection:
        connection.sendall("\r\n".join([*head, "", ""]).encode() + body)
        answer = b""
        while part := connection.recv(65536):
            answer += part
    return int(answer.split(b" ", 2)[1]), answer.decode()


def assert_harmless(text: str) -> None:
    """An answer shows nothing of the server's insides."""
    for trace in ("Traceback", "pydantic", "site-packages", "errors.py", 'File "'):
        assert trace not in text


def assert_still_serving(peer: Peer) -> None:
    assert peer.call("count_things")["content"][0]["text"] == "2"
