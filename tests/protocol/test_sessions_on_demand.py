"""Sessions that a server opens by itself, as clients of MCP 2024-11-05 to 2025-11-25 can be asked only in a session."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from typing import Any

import pytest

from tests import web
from tests.protocol.asking import make_asking, make_asking_server
from tests.protocol.clients import connect
from tests.protocol.speaker import HELLO
from tests.protocol.test_questions import Person, text
from tests.protocol.test_sessions import ACCEPT
from tests.protocol.waiting import make_waiting_server
from tests.protocol.wire import HANDSHAKES, Peer
from tests.servers import Serve, serving
from toolway import Settings
from toolway.protocol.http.worker_processes import is_one_of_several

SESSION = "mcp-session-id"
ABLE: dict[str, Any] = {"elicitation": {}}


@pytest.fixture(scope="module")
def url() -> Iterator[str]:
    with serving(make_asking_server(Settings())) as base:
        yield f"{base}/mcp"


def opened(url: str, version: str, capabilities: dict[str, Any], **headers: str) -> str | None:
    """Open a connection, and return the session that the server has opened for it, if any."""
    hello = {**HELLO, "protocolVersion": version, "capabilities": capabilities}
    return Peer(url, version).send("initialize", hello, headers=headers).headers.get(SESSION)


@pytest.mark.anyio
async def test_a_confirmation_reaches_a_client_of_an_earlier_revision() -> None:
    ann = Person({"ok": True})
    async with connect("http", "legacy", make_asking, Settings(), **ann.options) as client:
        assert text(await client.call_tool("cancel_order", {"order_id": "#1"})) == '"cancelled #1"'
    assert ann.asked == ['Cancel order "#1" because of "no need"?']


@pytest.mark.parametrize("version", HANDSHAKES)
def test_only_clients_that_can_be_asked_get_a_session(url: str, version: str) -> None:
    assert opened(url, version, ABLE)
    assert opened(url, version, {}) is None


@pytest.mark.parametrize("version", HANDSHAKES)
def test_without_a_session_the_error_names_the_cause_and_the_settings(url: str, version: str) -> None:
    answer = Peer(url, version).call("cancel_order", {"order_id": "#9"})
    assert answer["isError"]
    message = answer["content"][0]["text"]
    assert "clients of MCP 2025-11-25 or earlier need a session" in message
    assert "TOOLWAY_STATEFUL=true" in message
    assert "TOOLWAY_CONFIRM=if_possible" in message


def test_a_session_belongs_to_the_credentials_that_opened_it(url: str) -> None:
    version = HANDSHAKES[-1]
    session = opened(url, version, ABLE, authorization="Bearer alice")
    assert session is not None
    for token, status in (("alice", 200), ("mallory", 404)):
        headers = {SESSION: session, "authorization": f"Bearer {token}"}
        assert Peer(url, version).send("tools/list", headers=headers).status_code == status


def test_requests_of_a_session_that_is_gone_are_stateless(url: str) -> None:
    version = HANDSHAKES[-1]
    headers = {SESSION: "of-the-process-before"}
    assert Peer(url, version).send("tools/list", headers=headers).status_code == 200
    stream = {**headers, "mcp-protocol-version": version, "accept": ACCEPT}
    assert web.get(url, headers=stream).status_code == 405


def test_a_server_without_tools_that_ask_opens_no_session(serve: Serve) -> None:
    assert opened(serve(make_waiting_server(Settings())) + "/mcp", HANDSHAKES[-1], ABLE) is None


def test_the_setting_forbids_sessions(serve: Serve) -> None:
    assert opened(serve(make_asking_server(Settings(stateful=False))) + "/mcp", HANDSHAKES[-1], ABLE) is None


def test_several_processes_open_no_sessions_and_log_it_at_startup(
    serve: Serve, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setenv("WEB_CONCURRENCY", "2")
    assert opened(serve(make_asking_server(Settings())) + "/mcp", HANDSHAKES[-1], ABLE) is None
    assert "do not work for clients of MCP 2025-11-25 and earlier" in caplog.text
    assert "TOOLWAY_CONFIRM=if_possible" in caplog.text


@pytest.mark.parametrize(
    ("arguments", "are_several"),
    [
        (["uvicorn", "shop:app", "--workers", "4"], True),
        (["fastapi", "run", "--workers=2"], True),
        (["gunicorn", "-w2", "shop:app"], True),
        (["gunicorn", "-w", "3", "shop:app"], True),
        (["uvicorn", "shop:app", "--workers", "1"], False),
        (["uvicorn", "shop:app"], False),
        (["shop", "-w"], False),
    ],
)
def test_the_command_of_a_server_tells_how_many_processes_there_are(
    monkeypatch: pytest.MonkeyPatch, arguments: list[str], are_several: bool
) -> None:
    monkeypatch.delenv("WEB_CONCURRENCY", raising=False)
    monkeypatch.setattr(sys, "argv", arguments)
    assert is_one_of_several() is are_several
