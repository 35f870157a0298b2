"""Who is served: the hosts that are meant, and pages of origins that may call (edges 25 to 27, H2)."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from fastapi.middleware.cors import CORSMiddleware

from tests import web
from tests.protocol.apps import make_server
from tests.protocol.wire import ERAS, Peer, reply
from tests.servers import Serve, serving
from toolway import Settings
from toolway.protocol.http.jsonrpc import HTTPRejection
from toolway.protocol.http.request_checks import RequestChecks

PORT = "65535"
HOSTS = [
    ("localhost", 200), ("LOCALHOST", 200), ("localhost:8000", 200), ("localhost:65535", 200), ("127.0.0.1", 200),
    ("127.0.0.1:1", 200), ("[::1]", 200), ("[::1]:8000", 200),
    ("", 421), ("evil.example", 421), ("evil.example:8000", 421), ("localhost.evil.example", 421),
    ("evil-localhost", 421), ("localhost.", 421), ("localhost:", 421), ("localhost:http", 421),
    ("localhost:8000:8000", 421), ("localhost:123456", 421), ("localhost:" + "9" * 5000, 421),
    ("localhost:80@evil.example", 421), ("user@localhost", 421), ("localhost/evil", 421), ("localhost evil", 421),
    ("127.0.0.1.evil.example", 421), ("127.0.0.2", 421), ("0.0.0.0", 421), ("0", 421), ("2130706433", 421),
    ("::1", 421), ("[::1", 421), ("[::1]evil", 421), ("[::2]", 421), ("[::ffff:127.0.0.1]", 421), ("*", 421),
]  # fmt: skip
ORIGINS = [
    ("", 200), ("http://localhost", 200), ("http://localhost:3000", 200), ("https://localhost:3000", 200),
    ("http://127.0.0.1:8000", 200), ("http://[::1]:8000", 200), ("HTTP://LOCALHOST:3000", 200),
    ("null", 403), ("*", 403), ("localhost", 403), ("http://", 403), ("http://evil.example", 403),
    ("http://localhost.evil.example", 403), ("http://evil-localhost", 403), ("http://localhost@evil.example", 403),
    ("http://localhost:3000@evil.example", 403), ("http://localhost:3000.evil.example", 403),
    ("http://evil.example:3000", 403), ("http://localhost/", 403), ("http://localhost/evil", 403),
    ("http://localhost?evil", 403), ("http://localhost#evil", 403), ("http://localhost:evil", 403),
    ("http://localhost:", 403), ("http://[::1", 403), ("http://[::2]:3000", 403), ("file://localhost", 403),
    ("file:///etc", 403), ("chrome-extension://localhost", 403), ("javascript:localhost", 403),
    ("http://localhost http://evil.example", 403), ("http://localhost\\@evil.example", 403),
]  # fmt: skip


@pytest.fixture(scope="module")
def url() -> Iterator[str]:
    with serving(make_server()) as base:
        yield f"{base}/mcp"


@pytest.mark.parametrize("version", ERAS)
@pytest.mark.parametrize(("host", "status"), HOSTS)
def test_only_this_machine_is_served_by_default(url: str, version: str, host: str, status: int) -> None:
    """Edge 26 as well: a host without a port and one with any port are both served."""
    response = Peer(url, version).send("tools/list", headers={"host": host})
    assert response.status_code == status
    if status != 200:
        assert reply(response)["error"]["message"].endswith("Add it to TOOLWAY_ALLOWED_HOSTS.")


@pytest.mark.parametrize("version", ERAS)
@pytest.mark.parametrize(("origin", "status"), ORIGINS)
def test_only_pages_of_this_machine_may_call_by_default(url: str, version: str, origin: str, status: int) -> None:
    response = Peer(url, version).send("tools/list", headers={"origin": origin} if origin else {})
    assert response.status_code == status
    if status != 200:
        assert reply(response)["error"]["message"].endswith("Add it to TOOLWAY_ALLOWED_ORIGINS.")


@pytest.mark.parametrize("method", ["GET", "DELETE", "OPTIONS"])
def test_every_http_method_is_checked(url: str, method: str) -> None:
    for headers, status in (({"host": "evil.example"}, 421), ({"origin": "http://evil.example"}, 403)):
        assert web.request(method, url, headers=headers).status_code == status


def test_hosts_are_served_that_the_operator_names(serve: Serve) -> None:
    url = serve(make_server(Settings(allowed_hosts=["API.example", "other.example:8443"]))) + "/mcp"
    expected = {
        "api.example": 200, "api.example:9000": 200, "Api.Example": 200, "other.example:8443": 200,
        "other.example": 421, "other.example:9000": 421, "localhost": 421, "api.example.evil": 421,
    }  # fmt: skip
    assert {host: Peer(url).send("tools/list", headers={"host": host}).status_code for host in expected} == expected


def test_pages_may_call_that_the_operator_names_and_pages_of_the_server_itself(serve: Serve) -> None:
    settings = Settings(allowed_hosts=["api.example"], allowed_origins=["https://App.example", "null"])
    url = serve(make_server(settings)) + "/mcp"
    expected = {
        "https://app.example": 200, "null": 200, "http://api.example": 200, "https://api.example": 200,
        "http://app.example": 403, "https://app.example:444": 403, "https://app.example.evil": 403,
        "http://api.example:9000": 403, "http://localhost:3000": 403,
    }  # fmt: skip
    headers = [{"host": "api.example", "origin": origin} for origin in expected]
    found = {head["origin"]: Peer(url).send("tools/list", headers=head).status_code for head in headers}
    assert found == expected


def test_an_asterisk_serves_every_host_and_admits_every_origin(serve: Serve) -> None:
    url = serve(make_server(Settings(allowed_hosts=["*"], allowed_origins=["*"]))) + "/mcp"
    headers = {"host": "anything.example", "origin": "http://else.example"}
    assert Peer(url).send("tools/list", headers=headers).status_code == 200


def test_settings_come_from_the_environment(serve: Serve, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TOOLWAY_ALLOWED_HOSTS", '["api.example"]')
    url = serve(make_server()) + "/mcp"
    assert Peer(url).send("tools/list", headers={"host": "api.example"}).status_code == 200
    assert Peer(url).send("tools/list").status_code == 421


@pytest.mark.parametrize("version", ERAS)
def test_a_browser_page_calls_through_the_applications_own_cors_middleware(serve: Serve, version: str) -> None:
    """Edge 40."""
    origin = "https://app.example"
    app = make_server(Settings(allowed_origins=[origin]))
    app.add_middleware(
        CORSMiddleware,
        allow_origins=[origin],
        allow_methods=["POST"],
        allow_headers=["content-type", "mcp-protocol-version", "mcp-method", "mcp-name"],
    )
    url = serve(app) + "/mcp"
    asks = {
        "origin": origin,
        "access-control-request-method": "POST",
        "access-control-request-headers": "content-type,mcp-method,mcp-name,mcp-protocol-version",
    }
    preflight = web.options(url, headers=asks)
    assert (preflight.status_code, preflight.headers["access-control-allow-origin"]) == (200, origin)
    answer = Peer(url, version).send("tools/list", headers={"origin": origin})
    assert (answer.status_code, answer.headers["access-control-allow-origin"]) == (200, origin)
    assert web.options(url, headers={**asks, "origin": "https://evil.example"}).status_code == 400
    assert Peer(url, version).send("tools/list", headers={"origin": "https://evil.example"}).status_code == 403


def test_the_log_says_once_in_a_while_what_was_refused(caplog: pytest.LogCaptureFixture) -> None:
    gate = RequestChecks(Settings())
    for number in range(50):
        headers = {b"host": f"{number}.evil.example".encode()}
        with pytest.raises(HTTPRejection):
            gate.check("POST", headers)

    (line,) = [record.getMessage() for record in caplog.records]
    assert "'0.evil.example'" in line
    assert "TOOLWAY_ALLOWED_HOSTS" in line
