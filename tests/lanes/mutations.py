"""Mutations of requests: each changes one thing at random, and has a name."""

from __future__ import annotations

import gzip
import json
from collections.abc import Callable
from dataclasses import replace
from random import Random
from typing import Any, TypeAlias, cast

from tests.lanes.application import MOST_BYTES, SAMPLES
from tests.lanes.exchange import Request
from tests.lanes.requests import routing_headers
from tests.lanes.values import HEADERS, META, METHODS, NAMES, VALUES, VERSIONS

__all__ = ["MUTATIONS", "headers_follow_the_body", "name_of"]

Mutation: TypeAlias = Callable[[Random, Request], Request]
MUTATIONS: list[Mutation] = []


def name_of(mutation: Mutation) -> str:
    """Return a mutation's name in words."""
    return mutation.__name__.replace("_", " ")


def _kept(mutation: Mutation) -> Mutation:
    MUTATIONS.append(mutation)
    return mutation


def _of_message(change: Callable[[Random, dict[str, Any]], None]) -> Mutation:
    """Apply a change of the message, unless it is not an object."""

    def mutation(random: Random, request: Request) -> Request:
        try:
            message: Any = json.loads(request.body)
        except ValueError:
            return request
        if not isinstance(message, dict):
            return request
        change(random, cast("dict[str, Any]", message))
        return replace(request, body=json.dumps(message, separators=(",", ":")).encode())

    mutation.__name__ = change.__name__
    return _kept(mutation)


def _of_bytes(change: Callable[[Random, bytes], bytes]) -> Mutation:
    """Keep a change of the body's bytes."""

    def mutation(random: Random, request: Request) -> Request:
        return replace(request, body=change(random, request.body))

    mutation.__name__ = change.__name__
    return _kept(mutation)


def _params(message: dict[str, Any]) -> dict[str, Any]:
    return _object(message, "params")


def _object(params: dict[str, Any], name: str) -> dict[str, Any]:
    """A member that is an object, made where there is none."""
    if not isinstance(params.get(name), dict):
        params[name] = {}
    return cast("dict[str, Any]", params[name])


# The envelope.


@_of_message
def a_member_less(random: Random, message: dict[str, Any]) -> None:
    if message:
        del message[random.choice(list(message))]


@_of_message
def a_member_more(random: Random, message: dict[str, Any]) -> None:
    name = random.choice(["result", "error", "meta", "_meta", "Id", "", "jsonrpc ", "sessionId", "é"])
    message[name] = random.choice(VALUES)


@_of_message
def another_id(random: Random, message: dict[str, Any]) -> None:
    message["id"] = random.choice(VALUES)


@_of_message
def another_jsonrpc(random: Random, message: dict[str, Any]) -> None:
    message["jsonrpc"] = random.choice(["1.0", "2", 2.0, 2, None, "2.0 ", ["2.0"]])


@_of_message
def another_method(random: Random, message: dict[str, Any]) -> None:
    message["method"] = random.choice([*METHODS, *METHODS, random.choice(VALUES)])


@_of_message
def other_params(random: Random, message: dict[str, Any]) -> None:
    message["params"] = random.choice(VALUES)


@_of_message
def a_parameter_less(random: Random, message: dict[str, Any]) -> None:
    if params := _params(message):
        del params[random.choice(list(params))]


@_of_message
def a_parameter_more(random: Random, message: dict[str, Any]) -> None:
    name = random.choice(["cursor", "task", "inputResponses", "requestState", "Name", "args", "uri", "", "é"])
    _params(message)[name] = random.choice(VALUES)


# _meta.


@_of_message
def another_meta(random: Random, message: dict[str, Any]) -> None:
    _params(message)["_meta"] = random.choice(VALUES)


@_of_message
def an_entry_of_meta_less(random: Random, message: dict[str, Any]) -> None:
    if meta := _object(_params(message), "_meta"):
        del meta[random.choice(list(meta))]


@_of_message
def another_entry_of_meta(random: Random, message: dict[str, Any]) -> None:
    name = random.choice(list(META))
    _object(_params(message), "_meta")[name] = random.choice([*META[name], *META[name], random.choice(VALUES)])


@_of_message
def a_progress_token(random: Random, message: dict[str, Any]) -> None:
    _object(_params(message), "_meta")["progressToken"] = random.choice(META["progressToken"])


# What is called.


@_of_message
def another_name(random: Random, message: dict[str, Any]) -> None:
    _params(message)["name"] = random.choice([*NAMES, random.choice(VALUES)])


@_of_message
def other_arguments(random: Random, message: dict[str, Any]) -> None:
    _params(message)["arguments"] = random.choice(VALUES)


@_of_message
def arguments_of_another_tool(random: Random, message: dict[str, Any]) -> None:
    _params(message)["arguments"] = random.choice(random.choice(list(SAMPLES.values())))


@_of_message
def an_argument_less(random: Random, message: dict[str, Any]) -> None:
    if arguments := _object(_params(message), "arguments"):
        del arguments[random.choice(list(arguments))]


@_of_message
def an_argument_more(random: Random, message: dict[str, Any]) -> None:
    name = random.choice(["limit", "thing", "_meta", "", "é", "session", "authorization", "x" * 200])
    _object(_params(message), "arguments")[name] = random.choice(VALUES)


@_of_message
def another_value_of_an_argument(random: Random, message: dict[str, Any]) -> None:
    if arguments := _object(_params(message), "arguments"):
        arguments[random.choice(list(arguments))] = random.choice(VALUES)


@_of_message
def text_of_an_argument(random: Random, message: dict[str, Any]) -> None:
    """For a tool that answers with it, any JSON is an answer."""
    texts = [
        '{"a":1,"a":2}', "1e400", "-0", "-0.0", "1" * 5000, "1" * 4301, "NaN", '"\\ud800"', "[" * 250 + "]" * 250,
        "null", " null ", '"a"', "\ufeff{}", "{}{}", "", "\r\n{\r\n}\r\n", "0.1000000000000000055",
        "12345678901234567890",
        '{"a":"\\u2028\u2028"}', "[1,2,]", "{'a':1}", '"\x00"', '"\\u0000"', "[" + "1," * 9000 + "1]", '{"":{"":[]}}',
        '[{"a":1}' + " " * 66_000 + "]",
    ]  # fmt: skip
    _params(message)["name"] = "raw_json"
    _params(message)["arguments"] = {"text": random.choice(texts)}


@_of_message
def long_answers(random: Random, message: dict[str, Any]) -> None:
    """Of large answers less is looked at."""
    pieces = [
        "1" * 4400,
        "1e400",
        '"\\ud800"',
        "[" * 100 + "]" * 100,
        "[" * 2000 + "]" * 2000,
        '"\u2028\\n"',
        "-0",
        "NaN",
        "nope",
    ]
    pieces += ['{"a":1,"a":2}', '"\x00"', '"\\u0000"', "1.0000000000000001", " \r\n 7", '"\\q"', "\ufeff"]
    piece = random.choice(pieces)
    arguments = {"piece": piece, "times": min(9000, 90_000 // len(piece) + 1)}
    _params(message)["name"] = "long_json"
    _params(message)["arguments"] = arguments


@_of_message
def another_status(random: Random, message: dict[str, Any]) -> None:
    _params(message)["name"] = "raw_json"
    text = random.choice(
        ['{"detail":"d"}', '{"detail":[{"loc":["body","text"],"msg":"m"}]}', "[]", "x", "", "null", "x" * 5000]
    )
    status = random.choice([200, 201, 203, 206, 299, 400, 401, 404, 409, 418, 422, 429, 499, 500, 503, 599, 999])
    _params(message)["arguments"] = {"text": text, "status": status}


# Headers.


@_kept
def a_header_less(random: Random, request: Request) -> Request:
    gone = random.randrange(len(request.headers)) if request.headers else -1
    return replace(request, headers=tuple(pair for number, pair in enumerate(request.headers) if number != gone))


@_kept
def another_header(random: Random, request: Request) -> Request:
    return replace(request, headers=request.with_header(*_header(random)))


@_kept
def another_revision(random: Random, request: Request) -> Request:
    version = random.choice(VERSIONS).encode()
    return replace(request, headers=request.with_header(b"mcp-protocol-version", version))


@_kept
def a_header_twice(random: Random, request: Request) -> Request:
    extra = random.choice([*request.headers, _header(random)])
    return replace(request, headers=(*request.headers, extra))


@_kept
def a_header_again_with_another_value(random: Random, request: Request) -> Request:
    name = random.choice([pair[0] for pair in request.headers] or [b"accept"])
    value = random.choice(HEADERS.get(name.decode("latin-1"), ["x"])).encode()
    extra = (name, value)
    return replace(request, headers=(extra, *request.headers) if random.random() < 0.5 else (*request.headers, extra))


@_kept
def other_capitals_of_a_header(random: Random, request: Request) -> Request:
    return _with_value(random, request, lambda value: random.choice([value.upper(), value.lower(), value.title()]))


@_kept
def blanks_around_a_header(random: Random, request: Request) -> Request:
    return _with_value(random, request, lambda value: random.choice([b" %b", b"%b\t", b" %b ", b"\x0b%b"]) % value)


@_kept
def strange_bytes_in_a_header(random: Random, request: Request) -> Request:
    extra = random.choice([b"\xff", b"\x00", b"\r\n", b"\xc3\xa9", b"\x7f", b",", b";"])
    return _with_value(random, request, lambda value: random.choice([value + extra, extra + value, extra]))


@_kept
def headers_in_another_order(random: Random, request: Request) -> Request:
    return replace(request, headers=tuple(random.sample(request.headers, len(request.headers))))


@_kept
def many_headers(random: Random, request: Request) -> Request:
    extra = tuple((b"x-%d" % number, b"x" * random.choice([0, 10, 1000])) for number in range(random.choice([1, 50])))
    return replace(request, headers=(*extra, *request.headers))


def _header(random: Random) -> tuple[bytes, bytes]:
    name = random.choice(list(HEADERS))
    return name.encode(), random.choice(HEADERS[name]).encode()


def _with_value(random: Random, request: Request, change: Callable[[bytes], bytes]) -> Request:
    if not request.headers:
        return request
    name, value = random.choice(request.headers)
    return replace(request, headers=request.with_header(name, change(value)))


# The bytes of the body.


@_of_bytes
def cut_off(random: Random, body: bytes) -> bytes:
    return body[: random.randrange(len(body) + 1)]


@_of_bytes
def a_byte_changed(random: Random, body: bytes) -> bytes:
    place = random.randrange(len(body) + 1)
    return body[:place] + bytes([random.randrange(256)]) + body[place + 1 :]


@_of_bytes
def bytes_put_in(random: Random, body: bytes) -> bytes:
    place = random.randrange(len(body) + 1)
    extra = random.choice(
        [b" ", b"\n", b"\x00", b"\xff", b"\xc3", b'"', b",", b"}", b"{", b"\\", b"\xef\xbb\xbf", b"/**/"]
    )
    return body[:place] + extra + body[place:]


@_of_bytes
def a_stretch_less(random: Random, body: bytes) -> bytes:
    start = random.randrange(len(body) + 1)
    return body[:start] + body[start + random.randrange(1, 10) :]


@_of_bytes
def another_encoding(random: Random, body: bytes) -> bytes:
    text = body.decode("utf-8", "replace")
    encoding = random.choice(["utf-16", "utf-16-le", "utf-32", "utf-8-sig", "latin-1", "utf-7"])
    return text.encode(encoding, "replace")


@_of_bytes
def compressed(random: Random, body: bytes) -> bytes:
    return gzip.compress(body, compresslevel=1, mtime=random.randrange(2))


@_of_bytes
def something_before_or_after(random: Random, body: bytes) -> bytes:
    extra = random.choice([b" ", b"\r\n\t ", b"{}", b"\x00", b"\xef\xbb\xbf", b"[", b"]", b"null", body])
    return extra + body if random.random() < 0.5 else body + extra


@_of_bytes
def within_a_batch(random: Random, body: bytes) -> bytes:
    return b"[" + b",".join([body] * random.randrange(1, 3)) + b"]"


@_of_bytes
def a_member_twice(random: Random, body: bytes) -> bytes:
    """The later one counts, for every reader alike."""
    member = random.choice(
        [b'"id":7', b'"method":"tools/list"', b'"params":{}', b'"jsonrpc":"1.0"', b'"jsonrpc":"2.0"', b'"id":null',
         b'"params":{"name":"count_things"}', b'"params":null'],
    )  # fmt: skip
    inner = body.strip()[1:-1]
    return b"{" + (member + b"," + inner if random.random() < 0.5 else inner + b"," + member) + b"}"


@_of_bytes
def a_member_twice_further_in(random: Random, body: bytes) -> bytes:
    extra = random.choice(
        [b'"name":"count_things",', b'"_meta":{},', b'"arguments":{},', b'"thing_id":1,', b'"a":1,"a":2,']
    )
    places = [place for place in range(1, len(body)) if body[place : place + 1] == b"{"]
    place = random.choice(places) + 1 if places else len(body)
    return body[:place] + extra + body[place:]


@_of_bytes
def blanks_between_tokens(random: Random, body: bytes) -> bytes:
    try:
        indent = random.choice(["\t", " ", "\r\n", "\n"])
        return json.dumps(json.loads(body), indent=indent, separators=(" ,\r\n", " :\t")).encode()
    except ValueError:
        return body


@_of_bytes
def characters_unescaped(random: Random, body: bytes) -> bytes:
    try:
        return json.dumps(json.loads(body), ensure_ascii=random.random() < 0.2).encode("utf-8", "surrogatepass")
    except ValueError:
        return body


@_of_bytes
def numbers_written_otherwise(random: Random, body: bytes) -> bytes:
    old = random.choice([b":1", b":2", b":0", b'"1"'])
    new = random.choice(
        [b":1.0", b":1e0", b":01", b":-0", b":1E400", b":-1e-400", b":+1", b":.5", b":1.", b":0x1", b":" + b"9" * 4301]
    )
    return body.replace(old, new, 1)


@_of_bytes
def escapes_in_names(random: Random, body: bytes) -> bytes:
    """A name may be written with escapes."""
    old, new = random.choice(
        [(b'"method"', rb'"m\u0065thod"'), (b'"name"', rb'"\u006eame"'), (b'"_meta"', rb'"\u005fmeta"'),
         (b"tools/", rb"tools\/"), (b'"id"', rb'"\u0069d"'), (b'"params"', rb'"param\u0073"')],
    )  # fmt: skip
    return body.replace(old, new, 1)


@_of_bytes
def oversized(random: Random, body: bytes) -> bytes:
    """Around the limit, in blanks or in a value."""
    size = MOST_BYTES + random.choice([-1, 0, 1, 100])
    room = max(0, size - len(body))
    if random.random() < 0.5 or b'"arguments":{' not in body:
        return body + b" " * room
    extra = b'"filler":"' + b"x" * max(0, room - 12) + b'",'
    return body.replace(b'"arguments":{', b'"arguments":{' + extra, 1)


# How it comes.


@_kept
def in_pieces(random: Random, request: Request) -> Request:
    size = len(request.body)
    return replace(request, cuts=tuple(sorted(random.randrange(size + 1) for _ in range(random.randrange(1, 6)))))


@_kept
def left_or_stalled(random: Random, request: Request) -> Request:
    request = in_pieces(random, request)
    return replace(request, ending="leaves" if random.random() < 0.5 else "stalls")


@_kept
def another_http_method(random: Random, request: Request) -> Request:
    return replace(request, method=random.choice(["GET", "DELETE", "PUT", "HEAD", "OPTIONS", "PATCH", "post", "QUERY"]))


@_kept
def a_query(random: Random, request: Request) -> Request:
    return replace(request, query=random.choice([b"token=t", b"token=%E9&token=2", b"a=b", b"?", b"%zz"]))


def headers_follow_the_body(random: Random, request: Request) -> Request:
    """Repeat the message in the headers again, so that it is not refused for that alone."""
    try:
        message: Any = json.loads(request.body)
        known = routing_headers(cast("dict[str, Any]", message)) if isinstance(message, dict) else {}
    except ValueError:  # no JSON, or a lone surrogate, which fits no header
        return request
    for name, value in known.items():
        request = replace(request, headers=request.with_header(name.encode(), value.encode()))
    return request
