"""Each revision is answered in its own words, on one endpoint."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.protocol.apps import make_server
from tests.protocol.wire import (
    CAPABILITIES_KEY,
    ERAS,
    HANDSHAKES,
    MODERN,
    VERSION_KEY,
    Peer,
    headers_of,
    message,
    reply,
)
from tests.servers import serving

HELLO = {"capabilities": {}, "clientInfo": {"name": "test", "version": "1"}}
SERVER_INFO = {"name": "things", "title": "Things", "version": "1.2.3"}


@pytest.fixture(scope="module")
def url() -> Iterator[str]:
    with serving(make_server()) as base:
        yield f"{base}/mcp"


@pytest.mark.parametrize("version", HANDSHAKES)
def test_every_handshake_revision_is_agreed_on(url: str, version: str) -> None:
    peer = Peer(url, version)
    result = peer.ask("initialize", {**HELLO, "protocolVersion": version})
    assert result["protocolVersion"] == version
    assert result["serverInfo"]["name"] == "things"
    assert result["instructions"] == "Keeps things."
    answer = peer.post({"jsonrpc": "2.0", "method": "notifications/initialized"}, {"mcp-protocol-version": version})
    assert (answer.status_code, answer.content) == (202, b"")
    assert peer.ask("ping") == {}
    assert peer.call("get_thing", {"thing_id": 3})["structuredContent"]["id"] == 3


def test_a_client_of_a_revision_that_nobody_knows_is_offered_the_newest_handshake(url: str) -> None:
    body = message(HANDSHAKES[0], "initialize", {**HELLO, "protocolVersion": "1999-01-01"})
    assert reply(Peer(url).post(body))["result"]["protocolVersion"] == HANDSHAKES[-1]


def test_the_handshake_promises_no_change_notifications(url: str) -> None:
    """Edge 13: without a session there is nowhere to send them."""
    result = Peer(url, HANDSHAKES[-1]).ask("initialize", {**HELLO, "protocolVersion": HANDSHAKES[-1]})
    assert result["capabilities"]["tools"] == {"listChanged": False}
    assert not result["capabilities"].keys() & {"resources", "prompts", "logging", "completions"}


def test_the_newest_revision_needs_no_handshake_and_is_discovered(url: str) -> None:
    """P1, and edge 12: only revisions without a handshake are named; whoever listens is told of changes."""
    result = Peer(url).ask("server/discover")
    assert result["supportedVersions"] == [MODERN]
    assert result["capabilities"] == {"tools": {"listChanged": True}}
    assert result["instructions"] == "Keeps things."


@pytest.mark.parametrize("method", ["server/discover", "tools/list"])
def test_lists_of_the_newest_revision_say_how_long_they_hold(url: str, method: str) -> None:
    """C1; these tools are the same for everybody."""
    result = Peer(url).ask(method)
    assert result["ttlMs"] >= 0
    assert result["cacheScope"] == "public"


def test_results_of_the_newest_revision_carry_their_type_and_the_servers_name(url: str) -> None:
    """P5 and P6."""
    peer = Peer(url)
    for result in (peer.ask("tools/list"), peer.call("count_things"), peer.call("get_thing", {"thing_id": 100})):
        assert result["resultType"] == "complete"
        assert result["_meta"]["io.modelcontextprotocol/serverInfo"] == SERVER_INFO


@pytest.mark.parametrize("version", HANDSHAKES)
def test_results_of_older_revisions_carry_nothing_newer(url: str, version: str) -> None:
    peer = Peer(url, version)
    for result in (peer.ask("tools/list"), peer.call("count_things"), peer.call("read_text"), peer.call("drop_things")):
        assert not result.keys() & {"resultType", "ttlMs", "cacheScope", "_meta"}


@pytest.mark.parametrize("method", ["initialize", "ping", "logging/setLevel", "resources/subscribe"])
def test_what_the_newest_revision_has_dropped_is_an_unknown_method(url: str, method: str) -> None:
    """H6."""
    response = Peer(url).send(method, {**HELLO, "protocolVersion": HANDSHAKES[-1], "level": "info", "uri": "a:b"})
    assert (response.status_code, reply(response)["error"]["code"]) == (404, -32601)


@pytest.mark.parametrize("missing", [VERSION_KEY, CAPABILITIES_KEY])
def test_a_request_of_the_newest_revision_needs_its_envelope(url: str, missing: str) -> None:
    """P2."""
    body = message(MODERN, "tools/list")
    del body["params"]["_meta"][missing]
    response = Peer(url).post(body, headers_of(MODERN, body))
    assert (response.status_code, reply(response)["error"]["code"]) == (400, -32602)
    assert missing in reply(response)["error"]["message"]


def test_a_revision_that_is_not_served_is_told_which_are(url: str) -> None:
    """P3 and edge 8."""
    response = Peer(url, "2199-01-01").send("tools/list")
    error = reply(response)["error"]
    assert (response.status_code, error["code"]) == (400, -32022)
    assert error["data"] == {"supported": [MODERN], "requested": "2199-01-01"}


@pytest.mark.parametrize("header", [{}, *({"mcp-protocol-version": version} for version in HANDSHAKES)])
def test_a_request_of_the_newest_revision_is_never_taken_for_an_older_one(url: str, header: dict[str, str]) -> None:
    """Edge 7, H9."""
    response = Peer(url).post(message(MODERN, "tools/list", number="abc"), header)
    error = reply(response)["error"]
    assert (response.status_code, error["code"], reply(response)["id"]) == (400, -32020, "abc")
    assert error["message"].startswith("The header MCP-Protocol-Version")


def test_a_request_without_any_revision_is_taken_for_one_of_2025_03_26(url: str) -> None:
    """Edge 15, H9: non-object results are wrapped."""
    answer = reply(Peer(url).post(message(HANDSHAKES[0], "tools/call", {"name": "count_things"})))
    assert answer["result"]["structuredContent"] == {"result": 2}


def test_a_handshake_client_that_remembers_no_capabilities_is_served(url: str) -> None:
    """Edge 32: without a session nobody knows them."""
    assert Peer(url, HANDSHAKES[-1]).call("count_things")["isError"] is False


def test_a_quick_answer_of_the_newest_revision_is_plain_json(url: str) -> None:
    """H7."""
    response = Peer(url).send("tools/call", {"name": "count_things"})
    assert response.headers["content-type"] == "application/json"


@pytest.mark.parametrize("version", ERAS)
def test_no_session_is_made_or_minded(url: str, version: str) -> None:
    """H1: what an older client still sends is ignored."""
    headers = {"mcp-session-id": "0" * 32, "last-event-id": "7"}
    response = Peer(url, version).send("tools/list", headers=headers)
    assert response.status_code == 200
    assert "mcp-session-id" not in response.headers
    hello = Peer(url, HANDSHAKES[-1]).send("initialize", {**HELLO, "protocolVersion": HANDSHAKES[-1]})
    assert "mcp-session-id" not in hello.headers


@pytest.mark.parametrize("version", ERAS)
@pytest.mark.parametrize("method", ["notifications/cancelled", "notifications/initialized", "notifications/unheard-of"])
def test_posted_notifications_are_accepted_and_answered_with_nothing(url: str, version: str, method: str) -> None:
    """Edge 42, H6."""
    body = {"jsonrpc": "2.0", "method": method, "params": {"requestId": 1}}
    response = Peer(url).post(body, {"mcp-protocol-version": version, "mcp-method": method})
    assert (response.status_code, response.content) == (202, b"")


@pytest.mark.parametrize("version", HANDSHAKES)
def test_what_an_older_client_answers_is_accepted(url: str, version: str) -> None:
    answers = [{"result": {}}, {"error": {"code": -32601, "message": "no"}}]
    for answer in answers:
        response = Peer(url).post({"jsonrpc": "2.0", "id": 1, **answer}, {"mcp-protocol-version": version})
        assert response.status_code == 202


@pytest.mark.parametrize("number", [0, -1, 2**53, 2**64, "", "a", "ü☃", "0"])
@pytest.mark.parametrize("version", ERAS)
def test_every_kind_of_id_comes_back_as_it_was(url: str, version: str, number: int | str) -> None:
    """P15."""
    assert reply(Peer(url, version).send("tools/list", number=number))["id"] == number
