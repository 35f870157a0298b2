"""Sessions of handshake clients, where the operator has turned them on."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from fastapi import FastAPI

from tests import web
from tests.protocol.apps import make_server
from tests.protocol.asking import make_asking_server
from tests.protocol.waiting import make_waiting_server
from tests.protocol.wire import ACCEPT, HANDSHAKES, MODERN, Peer, messages, reply
from tests.servers import PATIENCE, Serve, serving
from toolway import Settings

VERSION = HANDSHAKES[-1]
HELLO = {"protocolVersion": VERSION, "capabilities": {}, "clientInfo": {"name": "test", "version": "1"}}


class Gate:
    """An endpoint that waits at a gate until the test opens it."""

    def __init__(self, app: FastAPI) -> None:
        self.reached, self.opened = threading.Event(), threading.Event()
        app.get("/gate", operation_id="pass_gate")(self.pass_gate)

    def pass_gate(self) -> str:
        self.reached.set()
        assert self.opened.wait(PATIENCE)
        return "passed"


@pytest.fixture(scope="module")
def served() -> Iterator[tuple[str, FastAPI]]:
    app = make_server(Settings(stateful=True))
    with serving(app) as base:
        yield f"{base}/mcp", app


@pytest.fixture
def url(served: tuple[str, FastAPI]) -> str:
    return served[0]


def open_session(url: str, **headers: str) -> dict[str, str]:
    """Shake hands; return the headers that belong to the session."""
    hello = Peer(url, VERSION).send("initialize", HELLO, headers=headers)
    session = {"mcp-session-id": hello.headers["mcp-session-id"], **headers}
    body = {"jsonrpc": "2.0", "method": "notifications/initialized"}
    assert Peer(url).post(body, {"mcp-protocol-version": VERSION, **session}).status_code == 202
    return session


def status(url: str, session: dict[str, str]) -> int:
    return Peer(url, VERSION).send("tools/list", headers=session).status_code


def test_a_session_lives_until_its_client_ends_it(url: str) -> None:
    session = open_session(url)
    assert session["mcp-session-id"].isascii()
    assert Peer(url, VERSION).call("count_things", headers=session)["structuredContent"] == {"result": 2}
    assert web.delete(url, headers={**session, "mcp-protocol-version": VERSION}).status_code == 200
    assert status(url, session) == 404


def test_responses_in_a_session_are_json_while_nothing_has_to_be_sent_before_them(url: str) -> None:
    hello = Peer(url, VERSION).send("initialize", HELLO)
    session = open_session(url)
    listed = Peer(url, VERSION).send("tools/list", headers=session)
    refused = Peer(url, VERSION).send("resources/read", {"uri": "none:"}, headers=session)
    for response in (hello, listed, refused):
        assert response.headers["content-type"] == "application/json"
        assert response.json()["id"] == 1
        assert "x-accel-buffering" not in response.headers
    assert listed.json()["result"]["tools"]
    assert "error" in refused.json()


def test_a_notification_before_the_response_makes_it_an_event_stream(serve: Serve) -> None:
    app = make_waiting_server(Settings(stateful=True))
    url = f"{serve(app)}/mcp"
    session = open_session(url)
    app.state.tracker.opened.set()
    params = {"name": "go_in_steps", "_meta": {"progressToken": 7}}
    response = Peer(url, VERSION).send("tools/call", params, headers=session)
    assert response.headers["content-type"].startswith("text/event-stream")
    *progress, last = messages(response)
    assert {message["method"] for message in progress} == {"notifications/progress"}
    assert last["result"]["content"][0]["text"].endswith("data: three\n\n")


def test_a_session_that_nobody_has_opened_is_not_found(url: str) -> None:
    """Edge 30: so it is on every other worker, too."""
    response = Peer(url, VERSION).send("tools/list", headers={"mcp-session-id": "0" * 32})
    assert (response.status_code, reply(response)["error"]["message"]) == (404, "Session not found")


def test_a_request_outside_of_any_session_is_refused(url: str) -> None:
    response = Peer(url, VERSION).send("tools/list")
    assert (response.status_code, "error" in reply(response)) == (400, True)


@pytest.mark.parametrize("opener", [{}, {"authorization": "Bearer alice"}], ids=["anonymous", "alice"])
def test_nobody_else_can_use_or_end_a_session(url: str, opener: dict[str, str]) -> None:
    """Edge 33: whoever knows the session's id still needs the credential that opened it."""
    session = open_session(url, **opener)
    for stranger in ({"authorization": "Bearer mallory"}, {"authorization": "bearer alice"}, {}):
        if stranger != opener:
            stolen = {"mcp-session-id": session["mcp-session-id"], **stranger}
            assert status(url, stolen) == 404
            for method in ("GET", "DELETE"):
                head = {**stolen, "mcp-protocol-version": VERSION, "accept": ACCEPT}
                assert web.request(method, url, headers=head).status_code == 404
    assert status(url, session) == 200


@pytest.mark.parametrize("header", ["x-key", "x-user"])
def test_a_session_belongs_to_whom_an_api_key_or_a_forwarded_header_names(serve: Serve, header: str) -> None:
    url = serve(make_asking_server(Settings(stateful=True, forward_headers=["x-user"]))) + "/mcp"
    session = open_session(url, **{header: "alice"})
    for stranger in ({header: "mallory"}, {}):
        assert status(url, {"mcp-session-id": session["mcp-session-id"], **stranger}) == 404
    assert status(url, session) == 200


def test_the_newest_revision_minds_no_session(url: str) -> None:
    session = open_session(url, authorization="Bearer alice")
    headers = {"mcp-session-id": session["mcp-session-id"], "authorization": "Bearer mallory"}
    response = Peer(url, MODERN).send("tools/list", headers=headers)
    assert response.status_code == 200
    assert "mcp-session-id" not in response.headers


@pytest.fixture
def gate() -> Iterator[tuple[str, Gate]]:
    app = make_server(Settings(stateful=True))
    gate = Gate(app)
    with serving(app) as base:
        yield f"{base}/mcp", gate
        gate.opened.set()


@pytest.mark.parametrize(("first", "second"), [(5, 5), ("a", "a"), (5, "5"), ("5", 5)])
def test_a_second_request_under_the_id_of_a_running_one_is_refused(
    gate: tuple[str, Gate], first: int | str, second: int | str
) -> None:
    """Edge 31: both would break, and one could get the other's answer."""
    url, endpoint = gate
    session = open_session(url)
    with ThreadPoolExecutor() as pool:
        running = pool.submit(Peer(url, VERSION).call, "pass_gate", number=first, headers=session)
        assert endpoint.reached.wait(PATIENCE)
        refused = Peer(url, VERSION).send("tools/list", number=second, headers=session)
        assert (refused.status_code, reply(refused)["id"]) == (400, second)
        assert "still running" in reply(refused)["error"]["message"]
        assert status(url, {**session}) == 200  # another id (1)
        elsewhere = open_session(url)
        answer = Peer(url, VERSION).send("tools/list", number=second, headers=elsewhere)
        assert answer.status_code == 200
        endpoint.opened.set()
        assert running.result(PATIENCE)["structuredContent"] == {"result": "passed"}
    deadline = time.monotonic() + PATIENCE  # the answer is out a moment before its id is free again
    while Peer(url, VERSION).send("tools/list", number=first, headers=session).status_code != 200:
        assert time.monotonic() < deadline, "the id is never free again"


@pytest.mark.parametrize("version", [MODERN, VERSION])
def test_identical_ids_of_requests_without_a_session_are_told_apart(version: str) -> None:
    app = make_server()
    endpoint = Gate(app)
    with serving(app) as base, ThreadPoolExecutor() as pool:
        peer = Peer(f"{base}/mcp", version)
        running = [pool.submit(peer.call, "pass_gate", number=5, headers={"mcp-session-id": "x"}) for _ in range(2)]
        try:
            assert endpoint.reached.wait(PATIENCE)
            names: list[Any] = [peer.call("count_things", number=5)["content"][0]["text"] for _ in range(3)]
        finally:
            endpoint.opened.set()
        assert names == ["2", "2", "2"]
        assert [one.result(PATIENCE)["content"][0]["text"] for one in running] == ['"passed"', '"passed"']
