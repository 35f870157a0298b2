"""Text of all kinds arrives at the endpoint exactly as sent, or is refused clearly, and never runs another endpoint."""

from __future__ import annotations

import base64
import re
from collections.abc import AsyncGenerator, Callable, Iterator, Mapping
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlencode

import pytest
from anyio.from_thread import BlockingPortal, start_blocking_portal
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from mcp import Client
from mcp_types import CallToolResult, TextContent

from tests.calls.echoes import STATIC_SIBLINGS, Echoes
from tests.servers import serving
from toolway import Filter, Toolway
from toolway.app import engine_of

SURROGATE = re.compile("[\ud800-\udfff]")
PIECES = (
    *STATIC_SIBLINGS, "posts", "secret", "inner", "houses", "to",
    "", ".", "..", "/", "//", "../", "\\", "..\\", "?", "?a=1", "#", "&", "=", "%", "%2e", "%2e%2e%2f", "%2F", "%00",
    "\0", "\r\n", "\n", "\t", " ", "\x7f", "\x85", "\xa0", "\ud800", "\udfff", "\U0001f600", "é", "e\u0301", "日本",
    "\u202eabc", "\u200f", "\ufeff", "{user_id}", "{other}", "{left}", "{", "}", "{0}", "%s", ";", ",", '"', "'",
    "a=b; admin=1", "null", "true", "5", "+", "~", "$", "*", "<b>", "0x1f", "C:\\x", "\\\\host\\x",
)  # fmt: skip

TEXTS = st.one_of(
    st.sampled_from(PIECES),
    st.lists(st.sampled_from(PIECES), min_size=2, max_size=5).map("".join),
    st.text(max_size=40),
    st.text(st.characters(), max_size=12),
    st.text(st.characters(max_codepoint=0xFF), max_size=12),
    st.tuples(st.sampled_from(PIECES), st.integers(100, 3000)).map(lambda pair: pair[0] * pair[1]),
)
PRINTABLE = st.text(st.characters(min_codepoint=0x20, max_codepoint=0x7E, exclude_characters="/"), max_size=20).map(
    lambda text: f"x{text}x"
)


@dataclass(frozen=True)
class Place:
    """A place of a request that text travels in."""

    tool: str
    argument: str
    arguments: Callable[[str], Mapping[str, Any]]
    """The call that carries the text."""
    got: Callable[[str], Any]
    """What the endpoint then reports."""
    carries: Callable[[str], bool]
    """Whether plain HTTP carries the text there."""
    path: Callable[[str], str] | None = None
    """The path that plain HTTP would ask for, where the text travels in it."""
    form: Callable[[str], bytes] | None = None
    """The form that plain HTTP would post, where only the application can tell what it takes."""


def is_text(text: str) -> bool:
    return SURROGATE.search(text) is None


def always(_: str) -> bool:
    return True


def key(text: str) -> str:
    """The text without what the client itself cannot write as a key."""
    return SURROGATE.sub("", text)


def is_header(text: str) -> bool:
    """Latin-1 without control characters, and without the blanks at its ends that every parser drops."""
    return re.fullmatch(r"[\t\x20-\x7e\xa0-\xff]*", text) is not None and text == text.strip("\t \xa0")


def is_cookie(text: str) -> bool:
    """Latin-1: whatever a cookie cannot hold as it is, it holds in quotes and octal digits."""
    return re.fullmatch(r"[\x00-\xff]*", text) is not None


def is_name(text: str) -> bool:
    """No control characters, no path of Windows (form parsers keep only its last part), and not too long for them."""
    escaped = text.replace("\\", "\\\\").replace('"', '\\"')
    is_odd = re.search(r"[\x00-\x1f\x7f]|^.:\\|^\\\\", text, re.DOTALL)
    return is_text(text) and not is_odd and len(escaped.encode()) < 4080


def plain(tool: str, argument: str, carries: Callable[[str], bool] = is_text) -> Place:
    return Place(tool, argument, lambda text: {argument: text}, lambda text: text, carries)


def path(tool: str, argument: str, url: str, got: Callable[[str], Any] = str, **others: str) -> Place:
    """A place in a path: the application itself says what plain HTTP reaches."""
    filled = url.replace("*", "{}")
    return Place(
        tool, argument, lambda text: {argument: text, **others}, got, is_text, lambda text: filled.replace("{}", text)
    )


def base64_of(text: str) -> str:
    return base64.b64encode(text.encode("utf-8", "surrogatepass")).decode()


PLACES = {
    "path": path("user", "user_id", "/users/*", lambda text: [text]),
    "path before more": path("posts", "user_id", "/users/*/posts"),
    "path, rest": path("file", "file_path", "/files/*"),
    "path, first of two": path("pair", "left", "/pairs/*/to/there", lambda text: [text, "there"], right="there"),
    "path, second of two": path("pair", "right", "/pairs/here/to/*", lambda text: ["here", text], left="here"),
    "path, part of a segment": path("name", "stem", "/names/*.txt", lambda text: [text, "txt"], ending="txt"),
    "path, end of a segment": path("name", "ending", "/names/x.*", lambda text: ["x", text], stem="x"),
    "path of a mount": path("inner_user", "user_id", "/inner/users/*", lambda text: [text]),
    "path, rest, of a mount": path("inner_file", "file_path", "/inner/files/*"),
    "path of a mount with a parameter": path(
        "house_user", "user_id", "/houses/7/users/*", lambda text: ["7", text], house="7"
    ),
    "parameter of a mount": path(
        "house_user", "house", "/houses/*/users/you", lambda text: [text, "you"], user_id="you"
    ),
    "query": plain("query", "text"),
    "list in the query": Place(
        "queries", "texts", lambda text: {"texts": [text, "x", text]}, lambda text: [text, "x", text], is_text
    ),
    "header": plain("header", "x-text", is_header),
    "list of headers": Place(
        "headers", "x-texts", lambda text: {"x-texts": [text, "x", text]}, lambda text: [text, "x", text], is_header
    ),
    "cookie": Place(
        "cookie", "text", lambda text: {"text": text, "other": "b"}, lambda text: [text, "b"], is_cookie
    ),
    "JSON field": plain("field", "text"),
    "nested JSON": Place(
        "nested",
        "inner",
        lambda text: {"text": "x", "inner": {"deep": [{"x": text}]}},
        lambda text: {"text": "x", "inner": {"deep": [{"x": text}]}},
        is_text,
    ),
    "JSON mapping": Place("mapping", "body", lambda text: {"body": {"x": text}}, lambda text: {"x": text}, is_text),
    "JSON key": Place(
        "mapping", "body", lambda text: {"body": {key(text): "x"}}, lambda text: {key(text): "x"}, always
    ),
    "additional JSON field": Place(
        "open", "anything", lambda text: {"anything": text}, lambda text: {"text": "default", "anything": text}, is_text
    ),
    "form field": Place(  # some releases of FastAPI take "" as missing
        "form", "text", lambda text: {"text": text}, lambda text: text, is_text,
        form=lambda text: urlencode({"text": text}).encode(),
    ),
    "additional form field": Place(
        "open_form",
        "anything",
        lambda text: {"anything": text},
        lambda text: {"text": "default", "anything": text},
        is_text,
    ),
    "multipart field": Place(
        "upload",
        "text",
        lambda text: {"file": {"text": "x", "filename": "f"}, "text": text},
        lambda text: {"name": "f", "content": base64_of("x"), "text": text or "default"},
        is_text,
    ),
    "file name": Place(
        "upload",
        "file",
        lambda text: {"file": {"text": "x", "filename": text}},
        lambda text: {"name": text, "content": base64_of("x"), "text": "default"},
        is_name,
    ),
    "name of an additional multipart field": Place(
        "open_upload",
        "",
        lambda text: {"file": {"text": "x"}, f"x{key(text)}": "y"},
        lambda text: {f"x{key(text)}": "y"},
        lambda text: is_name(f"x{key(text)}"),
    ),
    "text of a file": Place(
        "upload",
        "file",
        lambda text: {"file": {"text": text, "filename": "f"}},
        lambda text: {"name": "f", "content": base64_of(text), "text": "default"},
        is_text,
    ),
    "bytes of a file": Place(
        "upload",
        "file",
        lambda text: {"file": {"data": base64_of(text), "filename": "f"}},
        lambda text: {"name": "f", "content": base64_of(text), "text": "default"},
        always,
    ),
    "text body": plain("text", "body", lambda text: is_text(text) and text != ""),  # FastAPI takes "" as missing
    "base64 body": Place(
        "bytes", "body", lambda text: {"body": base64_of(text)}, base64_of, lambda text: text != ""
    ),
    "raw body": Place("raw", "body", lambda text: {"body": text}, lambda text: text, is_text),
}  # fmt: skip


Record = tuple[str, Any]


class Caller:
    """Calls tools from ordinary functions."""

    def __init__(self, portal: BlockingPortal, echoes: Echoes, client: Client) -> None:
        self._portal = portal
        self._echoes = echoes
        self._client = client

    def call(self, place: Place, text: str) -> tuple[CallToolResult, list[Record]]:
        """Call a tool; return its result, and which endpoints got what."""
        self._echoes.ran.clear()
        result = self._portal.call(self._client.call_tool, place.tool, dict(place.arguments(text)))
        return result, list(self._echoes.ran)

    def carries(self, place: Place, text: str) -> bool:
        """Tell whether plain HTTP would carry the text; for a path or a form the application itself is asked."""
        if not is_text(text) or (place.path is None and place.form is None):
            return place.carries(text)
        self._echoes.ran.clear()
        if place.form is not None:
            self._portal.call(self._ask, "POST", f"/{place.tool}", place.form(text))
        elif place.path is not None:
            self._portal.call(self._ask, "GET", place.path(text))
        return self._echoes.ran == [(place.tool, place.got(text))]

    async def _ask(self, method: str, path: str, form: bytes = b"") -> None:
        """Ask for a path as a server hands it to the application, after decoding it."""
        root = self._echoes.app.root_path
        scope = {
            "type": "http", "method": method, "path": root + path, "query_string": b"",
            "headers": [(b"content-type", b"application/x-www-form-urlencoded")], "root_path": root, "state": {},
        }  # fmt: skip

        async def receive() -> dict[str, Any]:
            return {"type": "http.request", "body": form}

        async def send(_: Any) -> None:
            pass

        with suppress(re.error):  # some releases of Starlette take the prefix of a mount for a regular expression
            await self._echoes.app(scope, receive, send)


EXCLUDED: Filter = {"operations": ["static excluded", "inner_static excluded", "house_static excluded"]}


@asynccontextmanager
async def in_memory(echoes: Echoes) -> AsyncGenerator[Client]:
    """The official client, joined to the server without a network."""
    async with engine_of(Toolway(echoes.app, exclude=EXCLUDED)).run() as running, Client(running.server) as client:
        yield client


@asynccontextmanager
async def over_http(echoes: Echoes, mode: str) -> AsyncGenerator[Client]:
    """The official client over HTTP."""
    Toolway(echoes.app, exclude=EXCLUDED).mount()
    with serving(echoes.app) as url:
        async with Client(f"{url}/mcp", mode=mode) as client:
            yield client


@pytest.fixture(scope="module")
def portal() -> Iterator[BlockingPortal]:
    with start_blocking_portal() as portal:
        yield portal


@pytest.fixture(scope="module")
def caller(portal: BlockingPortal) -> Iterator[Caller]:
    echoes = Echoes()
    with portal.wrap_async_context_manager(in_memory(echoes)) as client:
        yield Caller(portal, echoes, client)


@pytest.fixture(scope="module", params=["/api", "/users"])
def rooted(portal: BlockingPortal, request: pytest.FixtureRequest) -> Iterator[Caller]:
    """Below a root path, which may look like one of the application's own paths."""
    echoes = Echoes()
    echoes.app.root_path = request.param
    with portal.wrap_async_context_manager(in_memory(echoes)) as client:
        yield Caller(portal, echoes, client)


@pytest.fixture(scope="module", params=["auto", "legacy"])
def remote(portal: BlockingPortal, request: pytest.FixtureRequest) -> Iterator[Caller]:
    echoes = Echoes()
    with portal.wrap_async_context_manager(over_http(echoes, request.param)) as client:
        yield Caller(portal, echoes, client)


def check(caller: Caller, place: Place, text: str) -> None:
    """Require that the text arrives where plain HTTP can carry it, and is refused by name where it cannot."""
    carries = caller.carries(place, text)
    result, ran = caller.call(place, text)
    if carries:
        assert ran == [(place.tool, place.got(text))]
        assert result.structured_content == {"ran": place.tool, "got": place.got(text)}
        assert not result.is_error
    else:
        assert ran == []
        assert result.is_error
        assert isinstance(result.content[0], TextContent)
        assert result.content[0].text.startswith("Invalid arguments: ")
        assert place.argument in result.content[0].text


def thoroughly(cases: int) -> Callable[[Any], Any]:
    return settings(
        max_examples=cases,
        suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
    )


@pytest.mark.parametrize("name", PLACES)
def test_text_of_all_kinds_arrives_exactly_or_is_refused(caller: Caller, name: str) -> None:
    @thoroughly(100)
    @given(TEXTS)
    def attempt(text: str) -> None:
        check(caller, PLACES[name], text)

    attempt()


@pytest.mark.parametrize("name", PLACES)
def test_every_known_trick_arrives_exactly_or_is_refused(caller: Caller, name: str) -> None:
    for text in PIECES:
        check(caller, PLACES[name], text)


@pytest.mark.parametrize("name", [name for name, place in PLACES.items() if place.path])
def test_no_path_value_leaves_an_application_below_a_root_path(rooted: Caller, name: str) -> None:
    @thoroughly(30)
    @given(TEXTS)
    def attempt(text: str) -> None:
        check(rooted, PLACES[name], text)

    attempt()


@pytest.mark.parametrize("name", PLACES)
def test_text_of_all_kinds_arrives_exactly_over_http_too(remote: Caller, name: str) -> None:
    @thoroughly(12)
    @given(TEXTS.filter(is_text))  # the client cannot write a lone surrogate
    def attempt(text: str) -> None:
        check(remote, PLACES[name], text)

    attempt()


@pytest.mark.parametrize(
    "name", [name for name in PLACES if name != "path, end of a segment"]
)  # a dot would belong to its neighbour
def test_plain_printable_text_is_never_refused(caller: Caller, name: str) -> None:
    @thoroughly(20)
    @given(
        st.text(st.sampled_from("abcXYZ019-_. ~!@$&'()*+,:=|^`<>[]{}%?#\"\\"), min_size=1).map(lambda text: f"x{text}x")
    )
    def attempt(text: str) -> None:
        carries = caller.carries(PLACES[name], text)
        assert carries or name == "parameter of a mount"  # some releases of Starlette lose a mount like "x+x"
        result, ran = caller.call(PLACES[name], text)
        assert result.is_error is not carries, result.content
        assert ran == [(PLACES[name].tool, PLACES[name].got(text))] * carries

    attempt()
