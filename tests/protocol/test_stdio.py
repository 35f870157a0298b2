"""The server as a client's child process: one message a line, and nothing else on its output."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import pytest
from fastapi import FastAPI, Request

from tests.protocol.apps import make_app
from tests.protocol.speaker import HELLO, Speaker
from tests.protocol.wire import ERAS, HANDSHAKES, MODERN, message

VERSION = HANDSHAKES[-1]


@pytest.fixture(scope="module", params=ERAS)
def speaker(request: pytest.FixtureRequest) -> Iterator[Speaker]:
    with Speaker(make_app, request.param) as speaker:
        yield speaker


NOT_JSON = {
    "words": b"hello",
    "truncated": b'{"jsonrpc":"2.0","id":1,"method":"tools/list"',
    "two messages": b"{} {}",
    "a lone surrogate": b'{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":"\\ud800"}}',
    "60,000 levels": b"[" * 60_000,
    "an integer of 5,000 digits": b'{"jsonrpc":"2.0","id":' + b"9" * 5_000 + b',"method":"tools/list"}',
}
NOT_A_MESSAGE = {
    "a batch": b"[{}]",
    "a number": b"7",
    "null": b"null",
    "no method": b'{"jsonrpc":"2.0","id":99}',
    "a method of the wrong kind": b'{"jsonrpc":"2.0","id":99,"method":5}',
    "parameters of the wrong kind": b'{"jsonrpc":"2.0","id":99,"method":"tools/list","params":[]}',
    "another JSON-RPC": b'{"jsonrpc":"1.0","id":99,"method":"tools/list"}',
}


@pytest.mark.parametrize("line", NOT_JSON.values(), ids=NOT_JSON.keys())
def test_a_line_that_is_no_json_is_answered_with_a_parse_error(speaker: Speaker, line: bytes) -> None:
    """Edges 22 and 43: the SDK drops it, and its sender would wait for ever."""
    speaker.write(line)
    answer = speaker.hear()
    assert (answer["error"]["code"], answer["id"]) == (-32700, None)
    assert_still_serving(speaker)


@pytest.mark.parametrize("line", NOT_A_MESSAGE.values(), ids=NOT_A_MESSAGE.keys())
def test_a_line_that_is_no_message_is_answered_with_an_invalid_request(speaker: Speaker, line: bytes) -> None:
    """Edges 16 and 43."""
    speaker.write(line)
    answer = speaker.hear()
    assert (answer["error"]["code"], answer["id"]) == (-32600, 99 if b"99" in line else None)
    assert "pydantic" not in answer["error"]["message"]
    assert_still_serving(speaker)


@pytest.mark.parametrize("line", [b"", b"  ", b"\r"])
def test_an_empty_line_is_passed_over(speaker: Speaker, line: bytes) -> None:
    speaker.write(line)
    assert_still_serving(speaker)


@pytest.mark.parametrize("number", ["NaN", "Infinity", "-Infinity", "1e999"])
def test_a_number_that_is_none_is_refused_and_named(speaker: Speaker, number: str) -> None:
    """Edge 22."""
    line = json.dumps(message(speaker.version, "tools/call", {"name": "echo", "arguments": {"value": "HERE"}}, 77))
    speaker.write(line.replace('"HERE"', number).encode())
    answer = speaker.hear()
    assert answer["id"] == 77
    assert answer["result"]["isError"]
    assert "'value'" in answer["result"]["content"][0]["text"]


def test_a_client_that_has_shaken_hands_cannot_speak_the_newest_revision() -> None:
    with Speaker(make_app, VERSION) as speaker:
        speaker.write(json.dumps(message(MODERN, "tools/list", number=7)).encode())
        assert speaker.hear()["error"]["code"] == -32600
        assert_still_serving(speaker)


def test_a_client_of_the_newest_revision_cannot_shake_hands() -> None:
    with Speaker(make_app, MODERN) as speaker:
        assert_still_serving(speaker)
        speaker.write(json.dumps(message(VERSION, "initialize", {**HELLO, "protocolVersion": VERSION}, 7)).encode())
        error = speaker.hear()["error"]
        assert (error["code"], error["data"]["supported"]) == (-32022, [MODERN])
        assert_still_serving(speaker)


@pytest.mark.parametrize("version", HANDSHAKES)
def test_every_handshake_revision_is_agreed_on(version: str) -> None:
    with Speaker(make_app, version) as speaker:
        assert speaker.ask("ping")["result"] == {}
        assert_still_serving(speaker)


def make_noisy() -> FastAPI:
    """An application that prints wherever it can."""
    print("while it is made")
    app = make_app()

    @app.get("/noise", operation_id="make_noise")
    async def make_noise() -> str:
        print("in an endpoint", flush=True)
        return "quiet"

    return app


@pytest.mark.parametrize("version", ERAS)
def test_what_an_application_prints_goes_to_the_log_and_not_to_the_client(version: str) -> None:
    with Speaker(make_noisy, version) as speaker:
        speaker.say("tools/call", {"name": "make_noise"})
        assert speaker.hear()["result"]["content"][0]["text"] == '"quiet"'
        log = speaker.stop()
    assert "while it is made" in log
    assert "in an endpoint" in log


def make_asking() -> FastAPI:
    """An application that tells who calls."""
    app = FastAPI()

    @app.get("/who", operation_id="who")
    async def who(request: Request) -> dict[str, Any]:
        return {"authorization": request.headers.get("authorization"), "host": request.headers.get("host")}

    return app


@pytest.mark.parametrize("version", ERAS)
def test_the_operators_settings_say_who_calls(version: str) -> None:
    """A1: over stdio the credentials come from the environment."""
    with Speaker(make_asking, version, TOOLWAY_AUTHORIZATION="Bearer alice") as speaker:
        text = speaker.ask("tools/call", {"name": "who"})["result"]["content"][0]["text"]
    assert json.loads(text) == {"authorization": "Bearer alice", "host": "localhost"}


def test_a_client_that_says_nothing_and_leaves_ends_the_server() -> None:
    with Speaker(make_app, MODERN) as speaker:
        speaker.stop()


def assert_still_serving(speaker: Speaker) -> None:
    assert speaker.ask("tools/call", {"name": "count_things"})["result"]["content"][0]["text"] == "2"
