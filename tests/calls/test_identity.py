"""Credentials come with the caller and are never arguments; what belongs to the connection never goes through."""

from __future__ import annotations

import base64
import json
from typing import Annotated, Any

import httpx2
import pytest
from fastapi import Depends, FastAPI, Header, HTTPException, Request, Security
from fastapi.security import (
    APIKeyCookie,
    APIKeyHeader,
    APIKeyQuery,
    HTTPAuthorizationCredentials,
    HTTPBasic,
    HTTPBasicCredentials,
    HTTPBearer,
    OAuth2PasswordBearer,
    OpenIdConnect,
    SecurityScopes,
)
from pydantic import SecretStr

from tests import web
from tests.calls.both import Both, both, text_of
from tests.calls.stack import call
from tests.protocol.wire import ERAS, MODERN, Peer
from tests.servers import Serve
from toolway import Settings, Toolway
from toolway.errors import ConfigurationError

HOSTILE = {
    "host": "evil.example", "cookie": "session=stolen", "connection": "x-mine", "content-length": "999",
    "content-type": "text/evil", "content-encoding": "gzip", "transfer-encoding": "chunked", "te": "trailers",
    "upgrade": "h2c", "keep-alive": "5", "expect": "100-continue", "proxy-authorization": "Basic eA==", "trailer": "x",
    "proxy-connection": "close", "mcp-session-id": "s", "mcp-protocol-version": MODERN, "mcp-name": "n",
    "mcp-param-region": "eu", "x-forwarded-for": "1.2.3.4", "x-unrelated": "u", "user-agent": "agent/1",
    "accept": "application/json", "accept-encoding": "gzip", "origin": "http://localhost",
}  # fmt: skip
"""What a caller's request brings along that no endpoint asked for."""


async def check_scopes(scopes: SecurityScopes, token: Annotated[str, Depends(OAuth2PasswordBearer("token"))]) -> str:
    if token != "with " + scopes.scope_str:
        raise HTTPException(403, f"needs {scopes.scope_str}")
    return token


def seen_headers(request: Request) -> list[tuple[str, str]]:
    """What came with a request, besides that any answer is welcome."""
    return sorted(pair for pair in request.headers.items() if pair != ("accept", "*/*"))


def make_app() -> FastAPI:
    app = FastAPI()
    _add_keys(app)
    _add_tokens(app)
    _add_greedy(app)
    return app


def _add_tokens(app: FastAPI) -> None:
    @app.get("/bearer", operation_id="bearer")
    async def bearer(found: Annotated[HTTPAuthorizationCredentials, Depends(HTTPBearer())]) -> Any:
        return found.credentials

    @app.get("/basic", operation_id="basic")
    async def basic(found: Annotated[HTTPBasicCredentials, Depends(HTTPBasic())]) -> Any:
        return [found.username, found.password]

    @app.get("/scopes", operation_id="scopes")
    async def scopes(token: Annotated[str, Security(check_scopes, scopes=["read", "write"])]) -> Any:
        return token

    @app.get("/open-id", operation_id="open_id")
    async def open_id(token: Annotated[str, Depends(OpenIdConnect(openIdConnectUrl="/oidc"))]) -> Any:
        return token

    @app.get("/declared", operation_id="declared")
    async def declared(authorization: Annotated[str | None, Header()] = None) -> Any:
        return authorization


def _add_keys(app: FastAPI) -> None:
    @app.get("/key-header", operation_id="key_header")
    async def key_header(key: Annotated[str, Depends(APIKeyHeader(name="X-Api-Key"))]) -> Any:
        return key

    @app.get("/key-query", operation_id="key_query")
    async def key_query(key: Annotated[str, Depends(APIKeyQuery(name="api_key"))], q: str = "-") -> Any:
        return [key, q]

    @app.get("/key-cookie", operation_id="key_cookie")
    async def key_cookie(key: Annotated[str, Depends(APIKeyCookie(name="session"))]) -> Any:
        return key

    @app.get("/both", operation_id="argument_and_key")
    async def argument_and_key(
        key: Annotated[str, Depends(APIKeyHeader(name="X-Api-Key"))], x_api_key: Annotated[str, Header()]
    ) -> Any:
        return [key, x_api_key]


def _add_greedy(app: FastAPI) -> None:
    @app.get("/seen", operation_id="seen")
    async def seen(request: Request) -> Any:
        return seen_headers(request)

    @app.get("/greedy-key", operation_id="greedy_key")
    async def greedy_key(
        request: Request,
        first: Annotated[str | None, Depends(APIKeyHeader(name="Cookie", auto_error=False))],
        second: Annotated[str | None, Depends(APIKeyHeader(name="Host", auto_error=False))],
        third: Annotated[str | None, Depends(APIKeyHeader(name="Mcp-Session-Id", auto_error=False))],
    ) -> Any:
        return [first, second, third, seen_headers(request)]

    @app.get("/greedy-header", operation_id="greedy_header")
    async def greedy_header(
        cookie: Annotated[str | None, Header()] = None,
        host: Annotated[str | None, Header()] = None,
        x_forwarded_for: Annotated[str | None, Header()] = None,
        mcp_session_id: Annotated[str | None, Header()] = None,
        content_length: Annotated[str | None, Header()] = None,
        x_fine: Annotated[str | None, Header()] = None,
    ) -> Any:
        return [cookie, host, x_forwarded_for, mcp_session_id, content_length, x_fine]


@pytest.fixture(scope="module")
async def reached() -> Any:
    async with both(make_app()) as reached:
        yield reached


BASIC = "Basic " + base64.b64encode(b"me:secret").decode()
KINDS = {
    "bearer": ("bearer", {"authorization": "Bearer abc"}, {}),
    "basic": ("basic", {"authorization": BASIC}, {}),
    "key in a header": ("key_header", {"x-api-key": "k"}, {}),
    "key in the query": ("key_query", {}, {"api_key": "k&x=1"}),
    "scopes": ("scopes", {"authorization": "Bearer with read write"}, {}),
    "too few scopes": ("scopes", {"authorization": "Bearer with read"}, {}),
    "OpenID Connect": ("open_id", {"authorization": "Bearer abc"}, {}),
    "Authorization as a parameter": ("declared", {"authorization": "Bearer abc"}, {}),
    "parameter of the key's name": ("argument_and_key", {"x-api-key": "k"}, {}),
}


@pytest.mark.parametrize("kind", KINDS)
async def test_the_callers_credentials_reach_the_endpoint_as_over_http(reached: Both, kind: str) -> None:
    tool, headers, query = KINDS[kind]
    path = reached.catalog.tools[tool].operation.path
    response = await reached.web.get(path, headers=headers, params=query)
    outcome = await reached.called_by(tool, headers={**HOSTILE, **headers}, query=query)
    assert outcome.status == response.status_code
    if response.is_success:
        assert outcome.structured == response.content
    else:
        assert outcome.error is not None
        assert outcome.error["detail"] == response.json()["detail"]


@pytest.mark.parametrize("kind", KINDS)
async def test_without_credentials_the_endpoint_refuses_as_over_http(reached: Both, kind: str) -> None:
    tool, _, _ = KINDS[kind]
    response = await reached.web.get(reached.catalog.tools[tool].operation.path)
    outcome = await reached.called_by(tool)
    assert outcome.status == response.status_code


async def test_credentials_are_never_arguments(reached: Both) -> None:
    arguments = {name: sorted(tool.input_schema["properties"]) for name, tool in reached.catalog.tools.items()}
    assert arguments == {
        **{name: [] for name in reached.catalog.tools},
        "key_query": ["q"],
        "greedy_header": ["x-fine"],
    }


async def test_a_credential_as_an_argument_is_refused(reached: Both) -> None:
    for name in ("authorization", "x-api-key", "X-Api-Key", "cookie", "host", "mcp-session-id"):
        outcome = await reached.called_by("greedy_header", {name: "x"})
        assert outcome.is_error
        assert outcome.status is None


async def test_only_the_declared_cookie_comes_with_the_caller(reached: Both) -> None:
    outcome = await reached.called_by("key_cookie", headers={"cookie": "theme=dark; session=s"})
    assert outcome.structured == b'"s"'
    outcome = await reached.called_by("key_cookie", headers={"cookie": "theme=dark"})
    assert outcome.status in {401, 403}


async def test_nothing_of_the_connection_reaches_an_endpoint(reached: Both) -> None:
    outcome = await reached.called_by("seen", headers=HOSTILE)
    assert outcome.structured == b'[["host","localhost"]]'


async def test_an_endpoint_cannot_ask_for_what_belongs_to_the_connection(reached: Both) -> None:
    outcome = await reached.called_by("greedy_key", headers=HOSTILE)
    assert outcome.structured == b'[null,"localhost",null,[["host","localhost"]]]'
    outcome = await reached.called_by("greedy_header", {"x-fine": "yes"}, headers=HOSTILE)
    assert outcome.structured == b'[null,"localhost","1.2.3.4",null,null,"yes"]'


async def test_the_query_of_the_servers_address_brings_only_declared_keys(reached: Both) -> None:
    outcome = await reached.called_by("key_query", {"q": "mine"}, query={"api_key": "k", "q": "theirs", "more": "x"})
    assert outcome.structured == b'["k","mine"]'


@pytest.mark.parametrize("version", ERAS)
def test_the_same_holds_over_real_http(serve: Serve, version: str) -> None:
    app = make_app()
    Toolway(app).mount()
    url = serve(app)
    peer = Peer(f"{url}/mcp", version)
    mine = {"authorization": "Bearer abc", "x-api-key": "k", "cookie": "session=s", "x-unrelated": "u"}
    assert peer.call("bearer", headers=mine)["content"][0]["text"] == '"abc"'
    assert peer.call("key_header", headers=mine)["content"][0]["text"] == '"k"'
    assert peer.call("key_cookie", headers=mine)["content"][0]["text"] == '"s"'
    host = url.removeprefix("http://")
    assert peer.call("seen", headers=mine)["content"][0]["text"] == (
        f'[["authorization","Bearer abc"],["host","{host}"]]'
    )
    by_query = Peer(f"{url}/mcp?api_key=k&more=x", version)
    assert by_query.call("key_query")["content"][0]["text"] == '["k","-"]'


async def test_a_call_without_http_carries_the_credential_of_the_settings() -> None:
    settings = Settings(authorization=SecretStr("Bearer mine"))
    async with both(make_app(), settings=settings) as reached:
        result = await reached.call("bearer")
        assert text_of(result) == '"mine"'


@pytest.mark.parametrize("value", ["", " "])
async def test_an_empty_credential_of_the_settings_is_none(value: str) -> None:
    async with both(make_app(), settings=Settings(authorization=SecretStr(value))) as reached:
        assert text_of(await reached.call("seen")) == '[["host","localhost"]]'


@pytest.mark.parametrize("version", ERAS)
def test_headers_that_the_operator_forwards_reach_the_endpoint(serve: Serve, version: str) -> None:
    app = make_app()
    Toolway(app, settings=Settings(forward_headers=["X-Tenant", "traceparent"])).mount()
    url = serve(app)
    peer = Peer(f"{url}/mcp", version)
    mine = {"X-TENANT": "acme", "x-unrelated": "u", "cookie": "session=s", "authorization": "Bearer abc"}
    host = url.removeprefix("http://")
    assert peer.call("seen", headers=mine)["content"][0]["text"] == (
        f'[["authorization","Bearer abc"],["host","{host}"],["x-tenant","acme"]]'
    )


async def test_an_argument_does_not_speak_for_a_header_that_is_forwarded() -> None:
    app = FastAPI()

    @app.get("/region", operation_id="region")
    async def region(x_region: Annotated[list[str], Header()] = []) -> Any:  # noqa: B006 - FastAPI copies it
        return x_region

    async with both(app, settings=Settings(forward_headers=["x-region"])) as reached:
        outcome = await reached.called_by("region", {"x-region": ["mine"]}, headers={"x-region": "callers"})
        assert outcome.is_error
        assert (await reached.called_by("region", headers={"x-region": "callers"})).structured == b'["callers"]'
        assert (await reached.called_by("region", {"x-region": ["mine"]})).structured == b'["mine"]'
        assert text_of(await reached.call("region")) == "[]"


@pytest.mark.parametrize(
    "name",
    ["Host", "Connection", "TE", "Transfer-Encoding", "Cookie", "Mcp-Session-Id", "Mcp-Param-Region", "Content-Type",
     "content-length", "Proxy-Authorization", "accept-encoding", "x y", "x\r\ny", "", "*"],
)  # fmt: skip
def test_what_belongs_to_the_connection_cannot_be_forwarded(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(ConfigurationError, match="forward_headers"):
        Settings(forward_headers=[name])
    monkeypatch.setenv("TOOLWAY_FORWARD_HEADERS", json.dumps([name]))
    with pytest.raises(ConfigurationError, match="forward_headers"):
        Toolway(make_app())


def test_the_client_of_the_call_is_the_client_of_the_endpoint(serve: Serve) -> None:
    app = FastAPI()

    @app.get("/where", operation_id="where")
    async def where(request: Request) -> Any:
        assert request.client is not None
        return [request.client.host, str(request.url), str(request.base_url)]

    Toolway(app, settings=Settings(public_url="https://api.example.com")).mount()
    url = serve(app)
    plain = web.get(f"{url}/where").json()
    (host, address, base) = Peer(f"{url}/mcp").call("where")["structuredContent"]
    assert host == plain[0]
    assert (address, base) == ("https://api.example.com/where", "https://api.example.com/")


@pytest.mark.parametrize("direct", [True, False])
@pytest.mark.parametrize("fast_lane", [True, False])
def test_endpoints_see_the_address_of_the_mcp_request(serve: Serve, direct: bool, fast_lane: bool) -> None:
    app = FastAPI()

    @app.get("/where", operation_id="where")
    async def where(request: Request) -> list[str]:
        return [str(request.url_for("where")), str(request.base_url), request.headers["host"]]

    Toolway(app, settings=Settings(_env_file=None, direct=direct, fast_lane=fast_lane)).mount()
    url = serve(app)

    assert Peer(f"{url}/mcp").call("where")["structuredContent"] == httpx2.get(f"{url}/where").json()


@pytest.mark.parametrize("direct", [True, False])
@pytest.mark.parametrize(
    ("base_url", "connection", "link"),
    [
        ("https://api.example.com", "http", "https://api.example.com/where"),
        ("https://api.example.com/", "https", "https://api.example.com/where"),
        ("http://api.example.com:8000", "http", "http://api.example.com:8000/where"),
        ("http://api.example.com:8000", "https", "https://api.example.com:8000/where"),
        ("http://localhost", "https", "https://localhost/where"),
        ("", "http", "http://localhost/where"),
        ("", "https", "https://localhost/where"),
    ],
)
async def test_links_are_secure_where_the_public_url_or_the_connection_is(
    base_url: str, connection: str, link: str, direct: bool
) -> None:
    app = FastAPI()

    @app.get("/where", operation_id="where")
    async def where(request: Request) -> list[str]:
        return [str(request.url_for("where")), str(request.url)]

    given = {"public_url": base_url} if base_url else {}
    Toolway(app, settings=Settings(_env_file=None, direct=direct, **given)).mount()
    transport = httpx2.ASGITransport(app=app)
    async with (
        app.router.lifespan_context(app),
        web.AsyncClient(transport=transport, base_url=f"{connection}://localhost") as client,
    ):
        assert (await call(client, "where"))["structuredContent"] == [link, link]
