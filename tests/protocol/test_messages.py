"""Messages for the caller's log, which only those get who asked for them."""

from __future__ import annotations

import json
from typing import Any

import pytest

from tests.protocol.asking import make_asking, make_asking_server
from tests.protocol.clients import connect
from tests.protocol.speaker import Speaker
from tests.protocol.test_sessions import VERSION, open_session
from tests.protocol.wire import HANDSHAKES, Peer, messages
from tests.servers import Serve
from toolway import Settings

LEVEL_KEY = "io.modelcontextprotocol/logLevel"


def heard(entries: list[dict[str, Any]]) -> list[Any]:
    return [entry["params"]["data"] for entry in entries if entry.get("method") == "notifications/message"]


@pytest.mark.parametrize(
    ("level", "expected"),
    [
        ("debug", ["small", {"what": "usual"}, "grave"]),
        ("info", [{"what": "usual"}, "grave"]),
        ("alert", []),
        (None, []),
    ],
)
def test_a_request_says_from_which_level_on_it_wants_messages(serve: Serve, level: str | None, expected: Any) -> None:
    """P14."""
    peer = Peer(serve(make_asking_server()) + "/mcp")
    meta = {LEVEL_KEY: level} if level else {}
    response = peer.send("tools/call", {"name": "take_note", "arguments": {}, "_meta": meta})
    assert heard(messages(response)) == expected
    assert messages(response)[-1]["result"]["content"][0]["text"] == '"noted"'


def test_a_level_that_does_not_exist_is_refused(serve: Serve) -> None:
    peer = Peer(serve(make_asking_server()) + "/mcp")
    params = {"name": "take_note", "arguments": {}, "_meta": {LEVEL_KEY: "loud"}}
    assert peer.refusal("tools/call", params)["code"] == -32602


def test_a_session_says_once_from_which_level_on_it_wants_messages(serve: Serve) -> None:
    peer = Peer(serve(make_asking_server(Settings(stateful=True))) + "/mcp", VERSION)
    session, other = open_session(peer.url), open_session(peer.url)
    call = {"name": "take_note"}
    assert heard(messages(peer.send("tools/call", call, 2, session))) == []
    assert peer.ask("logging/setLevel", {"level": "error"}, number=3, headers=session) == {}
    assert heard(messages(peer.send("tools/call", call, 4, session))) == ["grave"]
    assert heard(messages(peer.send("tools/call", call, 5, other))) == []


@pytest.mark.parametrize("version", HANDSHAKES)
def test_without_a_session_no_level_is_remembered_and_the_server_decides(serve: Serve, version: str) -> None:
    peer = Peer(serve(make_asking_server()) + "/mcp", version)
    assert peer.ask("logging/setLevel", {"level": "debug"}) == {}
    assert heard(messages(peer.send("tools/call", {"name": "take_note"}))) == [{"what": "usual"}, "grave"]


def test_over_stdio_a_session_says_it_once() -> None:
    with Speaker(make_asking, VERSION) as speaker:
        speaker.ask("logging/setLevel", {"level": "error"})
        number, came = speaker.say("tools/call", {"name": "take_note", "arguments": {}}), []
        while (message := speaker.hear()).get("id") != number:
            came.append(message)
        assert heard(came) == ["grave"]


async def test_the_official_client_hears_them_over_stdio() -> None:
    came: list[Any] = []

    async def note(params: Any) -> None:
        came.append((params.level, params.data, params.logger))

    async with connect("stdio", "2026-07-28", make_asking, logging_callback=note, log_level="info") as client:
        await client.call_tool("take_note")
    assert came == [("info", {"what": "usual"}, "notes"), ("error", "grave", None)]


def test_an_application_without_messages_offers_no_levels(serve: Serve) -> None:
    from tests.protocol.apps import make_server

    peer = Peer(serve(make_server()) + "/mcp", VERSION)
    assert peer.refusal("logging/setLevel", {"level": "debug"})["code"] == -32601
    hello = {"protocolVersion": VERSION, "capabilities": {}, "clientInfo": {"name": "test", "version": "1"}}
    assert "logging" not in json.dumps(peer.ask("initialize", hello)["capabilities"])
