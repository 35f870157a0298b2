"""From a rejected request to a token, and the values that are kept secret."""

from __future__ import annotations

from collections.abc import Generator
from typing import Annotated, Any
from urllib.parse import parse_qs, urlsplit

import pytest
from fastapi import APIRouter, Depends, FastAPI, HTTPException, Request
from fastapi.security import HTTPAuthorizationCredentials, HTTPBearer
from mcp import Client
from mcp.client.auth import OAuthClientProvider
from mcp.client.streamable_http import streamable_http_client
from mcp.shared.auth import OAuthClientMetadata

from tests import web
from tests.compat.library import make_library
from tests.compat.login import CALLBACK, TOKEN, Browser, Login, Memory
from tests.servers import serving
from toolway.compat.fastapi_mcp import AuthConfig, FastApiMCP, MigrationWarning
from toolway.errors import ConfigurationError

pytestmark = [pytest.mark.anyio, pytest.mark.filterwarnings("ignore::toolway.compat.fastapi_mcp.MigrationWarning")]

SECRET = "a secret of the operator"
RESOURCE = "/.well-known/oauth-protected-resource"
SERVER = "/.well-known/oauth-authorization-server"
PING = {"jsonrpc": "2.0", "id": 1, "method": "ping"}
HEADERS = {"Accept": "application/json, text/event-stream"}


async def verified(
    token: Annotated[HTTPAuthorizationCredentials | None, Depends(HTTPBearer(auto_error=False))],
) -> None:
    if token is None or token.credentials != TOKEN:
        raise HTTPException(401, "Who are you?", {"X-Reason": "token"})


GUARD = [Depends(verified)]


@pytest.fixture
def login() -> Generator[Login]:
    server = Login()
    with serving(server.app) as base:
        server.extra["issuer"] = base
        yield server


def proxies(login: Login, **fields: Any) -> AuthConfig:
    known = {"issuer": login.extra["issuer"], "client_id": "library", "client_secret": SECRET, "dependencies": GUARD}
    return AuthConfig.model_validate({**known, "setup_proxies": True, **fields})


def mounted(config: AuthConfig | None) -> FastAPI:
    app = make_library()
    FastApiMCP(app, auth_config=config).mount_http()
    return app


async def test_dependencies_alone_reject_requests_without_a_token() -> None:
    with serving(mounted(AuthConfig(dependencies=GUARD))) as base:
        refused = web.post(base + "/mcp", json=PING, headers=HEADERS)
        assert (refused.status_code, refused.json()) == (401, {"detail": "Who are you?"})
        assert "www-authenticate" not in refused.headers
        assert web.get(base + RESOURCE + "/mcp").status_code == 404
        async with (
            web.AsyncClient(headers={"Authorization": f"Bearer {TOKEN}"}) as http,
            Client(streamable_http_client(base + "/mcp", http_client=http)) as client,
        ):
            result = await client.call_tool("whoami_whoami_get", {})
    assert result.structured_content == {"authorization": f"Bearer {TOKEN}"}


@pytest.mark.filterwarnings("default::toolway.compat.fastapi_mcp.MigrationWarning")
async def test_a_configuration_without_dependencies_issues_a_warning() -> None:
    with pytest.warns(MigrationWarning, match="no dependencies, so every request is accepted") as caught:
        FastApiMCP(make_library(), auth_config=AuthConfig(issuer="https://login.example"))
    assert caught[0].filename == __file__


@pytest.mark.filterwarnings("error")
async def test_a_configuration_with_dependencies_issues_no_warning() -> None:
    FastApiMCP(make_library(), auth_config=AuthConfig(issuer="https://login.example", dependencies=GUARD))


async def test_a_client_discovers_how_to_get_a_token(login: Login) -> None:
    browser, memory = Browser(), Memory()
    with serving(mounted(proxies(login, audience="https://library.example"))) as base:
        wish = OAuthClientMetadata(redirect_uris=[CALLBACK], client_name="test")  # type: ignore[list-item]
        auth = OAuthClientProvider(base + "/mcp", wish, memory, browser.open, browser.come_back)
        async with (
            web.AsyncClient(auth=auth) as http,
            Client(streamable_http_client(base + "/mcp", http_client=http)) as client,
        ):
            result = await client.call_tool("get_book", {"number": 1})

    assert result.structured_content == {"number": 1, "title": "Dune"}
    assert memory.client is not None
    assert (memory.client.client_id, memory.client.client_secret) == ("library", None)
    (asked,) = login.logins
    assert asked["resource"] == [base + "/mcp"]
    assert asked["audience"] == ["https://library.example"]
    assert "client_secret" not in login.exchanges[0]


async def test_a_401_names_the_metadata_and_keeps_its_detail_and_headers() -> None:
    with serving(mounted(AuthConfig(issuer="https://login.example", dependencies=GUARD))) as base:
        refused = web.post(base + "/mcp", json=PING, headers=HEADERS)
        assert refused.json() == {"detail": "Who are you?"}
        assert refused.headers["x-reason"] == "token"
        assert refused.headers["www-authenticate"] == f'Bearer resource_metadata="{base}{RESOURCE}/mcp"'
        assert web.get(base + RESOURCE + "/mcp").json() == {
            "resource": base + "/mcp",
            "authorization_servers": ["https://login.example"],
            "bearer_methods_supported": ["header"],
        }


async def test_other_errors_are_unchanged() -> None:
    async def closed() -> None:
        raise HTTPException(403, "Closed")

    with serving(mounted(AuthConfig(issuer="https://login.example", dependencies=[Depends(closed)]))) as base:
        refused = web.post(base + "/mcp", json=PING, headers=HEADERS)
    assert refused.status_code == 403
    assert "www-authenticate" not in refused.headers


async def test_the_metadata_of_a_router_are_served_under_every_prefix() -> None:
    app, router = make_library(), APIRouter(prefix="/agents")
    config = AuthConfig(issuer="https://login.example", dependencies=GUARD)
    FastApiMCP(app, auth_config=config).mount_http(router)
    app.include_router(router, prefix="/v1")
    with serving(app) as base:
        refused = web.post(base + "/v1/agents/mcp", json=PING, headers=HEADERS)
        address = refused.headers["www-authenticate"].split('"')[1]
        assert address == f"{base}{RESOURCE}/v1/agents/mcp"
        assert web.get(address).json()["resource"] == base + "/v1/agents/mcp"
        assert web.get(base + RESOURCE + "/v2/agents/mcp").status_code == 404


async def test_custom_metadata_are_served_unchanged() -> None:
    written = {
        "issuer": "https://login.example",
        "authorization_endpoint": "https://login.example/go",
        "token_endpoint": "https://login.example/token",
        "jwks_uri": "https://login.example/keys",
    }
    config = AuthConfig.model_validate({"custom_oauth_metadata": written, "metadata_path": "/login.json"})
    with serving(mounted(config)) as base:
        assert web.get(base + "/login.json").json() == written
        assert web.get(base + RESOURCE + "/mcp").json()["authorization_servers"] == ["https://login.example"]


async def test_the_proxied_metadata_replace_those_of_the_server(login: Login) -> None:
    login.extra |= {"authorization_response_iss_parameter_supported": True, "jwks_uri": "https://login.example/keys"}
    issuer = login.extra["issuer"]
    with serving(mounted(proxies(login))) as base:
        served = web.get(base + SERVER).json()
        assert web.get(base + RESOURCE + "/mcp").json()["authorization_servers"] == [served["issuer"]]
    assert served == {
        "issuer": base,
        "authorization_endpoint": base + "/oauth/authorize",
        "token_endpoint": issuer + "/token",
        "registration_endpoint": base + "/oauth/register",
        "response_types_supported": ["code"],
        "grant_types_supported": ["authorization_code"],
        "token_endpoint_auth_methods_supported": ["client_secret_post", "none"],
        "code_challenge_methods_supported": ["S256"],
        "jwks_uri": "https://login.example/keys",
    }


async def test_a_server_without_metadata_is_a_bad_gateway_without_its_address(
    login: Login, caplog: pytest.LogCaptureFixture
) -> None:
    login.broken = True
    with serving(mounted(proxies(login))) as base:
        answer = web.get(base + SERVER)
    assert answer.status_code == 502
    assert login.extra["issuer"] not in answer.text
    assert login.extra["issuer"] in caplog.text


def sent_on(base: str, **asked: str) -> tuple[str, dict[str, list[str]]]:
    """Follow the login redirect; return where it leads and with what."""
    answer = web.get(base + "/oauth/authorize", params=asked)
    assert answer.status_code == 302
    parts = urlsplit(answer.headers["location"])
    return f"{parts.scheme}://{parts.netloc}{parts.path}", parse_qs(parts.query)


async def test_the_login_redirect_adds_only_what_is_set_and_missing(login: Login) -> None:
    with serving(mounted(proxies(login))) as base:
        where, asked = sent_on(base, redirect_uri=CALLBACK, state="s", resource=base + "/mcp", prompt="login")
    assert where == login.extra["issuer"] + "/login"
    assert asked == {
        "redirect_uri": [CALLBACK],
        "state": ["s"],
        "resource": [base + "/mcp"],
        "prompt": ["login"],
        "response_type": ["code"],
        "client_id": ["library"],
        "scope": ["openid profile email"],
    }


async def test_the_login_redirect_keeps_what_the_client_asks_for(login: Login) -> None:
    with serving(mounted(proxies(login, audience="ours", default_scope="openid"))) as base:
        _, asked = sent_on(base, client_id="mine", audience="theirs", scope="books")
    assert (asked["client_id"], asked["audience"], asked["scope"]) == (["mine"], ["theirs"], ["books openid"])


async def test_the_login_redirects_only_to_the_configured_address(login: Login) -> None:
    config = proxies(login, authorize_url="https://login.example/go?tenant=a", default_scope="")
    with serving(mounted(config)) as base:
        where, asked = sent_on(base, tenant="b", authorize_url="https://evil.example")
    assert where == "https://login.example/go"
    assert asked["tenant"] == ["a"]
    assert "scope" not in asked


async def test_a_registration_returns_the_known_client_without_its_secret(login: Login) -> None:
    wish = {"redirect_uris": [CALLBACK], "token_endpoint_auth_method": "client_secret_post", "client_name": "me"}
    with serving(mounted(proxies(login))) as base:
        answer = web.post(base + "/oauth/register", json=wish)
    assert (answer.status_code, answer.headers["cache-control"]) == (201, "no-store")
    assert SECRET not in answer.text
    known = answer.json()
    assert known.pop("client_id_issued_at") > 0
    assert known == {
        "client_id": "library",
        "client_name": "me",
        "redirect_uris": [CALLBACK],
        "grant_types": ["authorization_code"],
        "response_types": ["code"],
        "token_endpoint_auth_method": "none",
    }


@pytest.mark.parametrize(
    ("wish", "problem"),
    [
        ({"redirect_uris": ["http://elsewhere.example/x"]}, "invalid_redirect_uri"),
        ({"redirect_uris": ["javascript:alert(1)"]}, "invalid_redirect_uri"),
        ({"redirect_uris": ["https://app.example/x#part"]}, "invalid_redirect_uri"),
        ({"redirect_uris": ["http://[x"]}, "invalid_redirect_uri"),
        ({"redirect_uris": []}, "invalid_client_metadata"),
        ({}, "invalid_client_metadata"),
        ([], "invalid_client_metadata"),
    ],
)
async def test_a_registration_without_a_safe_redirect_uri_is_rejected(login: Login, wish: object, problem: str) -> None:
    with serving(mounted(proxies(login))) as base:
        answer = web.post(base + "/oauth/register", json=wish)
    assert (answer.status_code, answer.json()["error"]) == (400, problem)


async def test_registration_can_be_left_to_the_server(login: Login) -> None:
    with serving(mounted(proxies(login, setup_fake_dynamic_registration=False))) as base:
        assert web.post(base + "/oauth/register", json={"redirect_uris": [CALLBACK]}).status_code == 404
        assert "registration_endpoint" not in web.get(base + SERVER).json()


@pytest.mark.parametrize("path", [SERVER, RESOURCE + "/mcp", "/oauth/authorize"])
async def test_a_foreign_host_is_not_repeated(login: Login, path: str) -> None:
    with serving(mounted(proxies(login))) as base:
        answer = web.get(base + path, headers={"Host": "evil.example"})
    assert answer.status_code == 421
    assert "https://evil" not in answer.text
    assert "location" not in answer.headers


async def test_a_401_does_not_repeat_a_foreign_host() -> None:
    with serving(mounted(AuthConfig(issuer="https://login.example", dependencies=GUARD))) as base:
        refused = web.post(base + "/mcp", json=PING, headers={**HEADERS, "Host": "evil.example"})
    assert refused.status_code == 401
    assert "evil" not in str(refused.headers)


async def test_dependencies_of_the_application_do_not_guard_the_auth_routes(login: Login) -> None:
    app = FastAPI(dependencies=GUARD)
    FastApiMCP(app, auth_config=proxies(login)).mount_http()
    with serving(app) as base:
        assert web.get(base + SERVER).status_code == 200


async def test_another_application_that_serves_mcp_has_the_auth_routes(login: Login) -> None:
    agents = FastAPI()
    FastApiMCP(make_library(), auth_config=proxies(login)).mount_http(agents)
    with serving(agents) as base:
        assert web.get(base + SERVER).json()["issuer"] == base


async def test_several_mounts_share_one_authorization_server(login: Login) -> None:
    app, config = make_library(), proxies(login)
    FastApiMCP(app, auth_config=config).mount_http()
    FastApiMCP(app, auth_config=config).mount_http(mount_path="/again")
    with serving(app) as base:
        assert web.get(base + RESOURCE + "/again").json()["resource"] == base + "/again"
    with pytest.raises(ConfigurationError, match="one authorization server"):
        FastApiMCP(app, auth_config=proxies(login, client_id="other")).mount_http(mount_path="/other")


async def test_mounts_can_point_at_different_authorization_servers() -> None:
    app = make_library()
    for name in ("a", "b"):
        config = AuthConfig(issuer=f"https://{name}.example")
        FastApiMCP(app, auth_config=config).mount_http(mount_path=f"/{name}")
    with serving(app) as base:
        found = [web.get(f"{base}{RESOURCE}/{name}").json()["authorization_servers"] for name in ("a", "b")]
    assert found == [["https://a.example"], ["https://b.example"]]


async def test_a_route_of_the_application_is_not_replaced(login: Login) -> None:
    app = make_library()

    @app.get(SERVER)
    async def own(_: Request) -> dict[str, str]:
        return {"issuer": "mine"}

    FastApiMCP(app, auth_config=proxies(login)).mount_http()
    with serving(app) as base:
        assert web.get(base + SERVER).json() == {"issuer": "mine"}


async def test_a_kept_secret_issues_a_warning(login: Login) -> None:
    with pytest.warns(MigrationWarning, match="POST /oauth/register returns the client_id alone"):
        mounted(proxies(login))
