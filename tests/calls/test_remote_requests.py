"""Requests to a remote API carry what the operator's client has, and its faults are told apart."""

from __future__ import annotations

import logging
import socket
import ssl
from typing import Any

import httpx2
import pytest
from starlette.responses import PlainTextResponse, RedirectResponse, Response

from tests.calls.upstream import RemoteApi, document, message, operation, parameter, remote_api
from toolway.calls import CallContext

pytestmark = pytest.mark.anyio

SEARCH = document({"/pets": {"get": operation(parameters=[parameter("q", "query"), parameter("api_key", "query")])}})


async def test_default_query_parameters_of_the_client_are_added_to_the_tools_own() -> None:
    async with remote_api(SEARCH, client={"params": {"api_key": "secret"}}) as api:
        assert (await api.send(q="a b&c")).query in {"api_key=secret&q=a+b%26c", "api_key=secret&q=a%20b%26c"}
        assert (await api.send()).query == "api_key=secret"


async def test_a_query_in_the_base_url_is_kept() -> None:
    async with remote_api(SEARCH, client={"base_url": "https://crm.example.com/api?version=7"}) as api:
        assert (await api.send(q="x")).target == "/pets?version=7&q=x"


async def test_parameters_that_the_client_fills_are_not_arguments() -> None:
    parameters = [
        parameter("q", "query"),
        parameter("api_key", "query", required=True),
        parameter("X-Tenant", "header", required=True),
        parameter("session", "cookie", required=True),
        parameter("User-Agent", "header"),
    ]
    described = document({"/pets": {"get": operation(parameters=parameters)}})
    own = {"params": {"api_key": "k"}, "headers": {"x-tenant": "shop"}, "cookies": {"session": "s"}}
    async with remote_api(described, client=own) as api:
        assert list(api.catalog.tools["t"].input_schema["properties"]) == ["q", "User-Agent"]
        received = await api.send(q="x", **{"User-Agent": "mine"})
        assert (received.query, received.headers["x-tenant"]) == ("api_key=k&q=x", "shop")
        assert (received.headers["cookie"], received.headers["user-agent"]) == ("session=s", "mine")


async def test_the_clients_accept_header_holds() -> None:
    async with remote_api(SEARCH, client={"headers": {"accept": "application/vnd.acme+json"}}) as api:
        assert (await api.send()).headers["accept"] == "application/vnd.acme+json"


async def test_cookies_of_the_client_and_of_arguments_are_sent_together() -> None:
    described = document({"/pets": {"get": operation(parameters=[parameter("theme", "cookie")])}})
    async with remote_api(described, client={"cookies": {"session": "s"}}) as api:
        assert (await api.send(theme="dark")).headers["cookie"] == "session=s; theme=dark"


async def test_what_the_client_learns_later_is_not_replaced_by_an_argument() -> None:
    described = document({"/pets": {"get": operation(parameters=[parameter("X-Region", "header")])}})
    async with remote_api(described) as api:
        api.client.headers["x-region"] = "shop"
        assert "'x-region'" in await api.refusal(**{"X-Region": "other"})


async def test_headers_that_the_operator_forwards_come_from_the_caller() -> None:
    described = document({"/pets": {"get": operation()}})
    async with remote_api(described, client={"headers": {"x-tenant": "shop"}}, forward_headers=("x-tenant",)) as api:
        await api.calls.call("t", {}, CallContext(headers=((b"x-tenant", b"caller"),)))
        assert api.upstream.received[-1].headers["x-tenant"] == "caller"


GUARDED = document({"/pets": {"get": operation(parameters=[parameter("Origin", "header", required=True)])}})


async def test_a_required_header_that_nothing_sends_is_named() -> None:
    async with remote_api(GUARDED) as api:
        assert "requires the header 'origin'" in (await api.refusal())


async def test_a_required_header_may_come_from_the_client_or_from_the_caller() -> None:
    async with remote_api(GUARDED, client={"headers": {"origin": "https://a"}}) as api:
        assert (await api.send()).headers["origin"] == "https://a"
    async with remote_api(GUARDED, forward_headers=("origin",)) as api:
        await api.calls.call("t", {}, CallContext(headers=((b"origin", b"https://b"),)))
        assert api.upstream.received[-1].headers["origin"] == "https://b"


def redirecting(method: str = "get", *, to: str, status: int, **more: Any) -> dict[str, Any]:
    described = document(
        {
            "/old": {method: operation("t")},
            "/listed": {"get": operation("listed")},
            "/hidden": {"get": operation("hidden"), "post": operation("hidden_post")},
        }
    )
    answer = RedirectResponse(to, status)
    return {"described": described, "responses": {"/old": answer}, "exclude": {"operations": ["hidden", "hidden_post"]}}


@pytest.mark.parametrize(
    ("method", "status", "to", "reached"),
    [
        ("get", 302, "/api/listed", ("GET", "/listed")),
        ("get", 301, "/api/repositories/7", ("GET", "/repositories/7")),
        ("get", 301, "https://crm.example.com/api/old/", ("GET", "/old/")),
        ("post", 308, "/api/old/", ("POST", "/old/")),
        ("post", 303, "/api/listed", ("GET", "/listed")),
    ],
)
async def test_a_redirect_within_the_api_is_followed(
    method: str, status: int, to: str, reached: tuple[str, str]
) -> None:
    async with remote_api(**redirecting(method, to=to, status=status)) as api:
        outcome = await api.call()
        assert not outcome.is_error
        last = api.upstream.received[-1]
        assert (last.method, last.path) == reached


@pytest.mark.parametrize(
    ("method", "status", "to"),
    [
        ("get", 302, "https://files.example.com/report?sig=abc"),
        ("get", 302, "/login"),
        ("get", 302, "/api/hidden"),
        ("get", 302, "/api/listed/../hidden"),
        ("post", 302, "/api/listed"),
        ("delete", 301, "/api/old/"),
        ("post", 308, "/api/hidden"),
    ],
)
async def test_a_redirect_that_is_not_followed_is_an_error_with_the_address(method: str, status: int, to: str) -> None:
    async with remote_api(**redirecting(method, to=to, status=status)) as api:
        outcome = await api.call()
        assert outcome.is_error
        assert to in message(outcome)
        assert len(api.upstream.received) == 1


async def test_a_server_error_of_the_api_keeps_its_text(caplog: pytest.LogCaptureFixture) -> None:
    responses = {"/pets": PlainTextResponse("maintenance until 18:00 UTC", 503, headers={"retry-after": "30"})}
    async with remote_api(SEARCH, responses=responses) as api:
        text = message(await api.call())
    assert text.startswith("503 Service Unavailable: maintenance until 18:00 UTC")
    assert [
        len(record.getMessage().splitlines()) for record in caplog.records if record.levelno >= logging.WARNING
    ] == [1]


FAULTS = [
    (ConnectionRefusedError(111, "refused"), "refused the connection"),
    (socket.gaierror(-2, "unknown"), "does not resolve"),
    (ssl.SSLCertVerificationError(1, "bad"), "TLS"),
]


async def failing(error: Exception) -> tuple[RemoteApi, str]:
    async def fail(request: httpx2.Request) -> httpx2.Response:
        raise error

    client = {
        "base_url": "https://joe:hunter2@crm.example.com/api",
        "params": {"api_key": "secret"},
        "transport": httpx2.MockTransport(fail),
    }
    async with remote_api(SEARCH, client=client) as api:
        outcome = await api.call(q="x")
        assert outcome.is_error
        return api, message(outcome)


@pytest.mark.parametrize(("cause", "words"), FAULTS)
async def test_a_connection_that_fails_is_described(
    cause: Exception, words: str, caplog: pytest.LogCaptureFixture
) -> None:
    error = httpx2.ConnectError("failed")
    error.__cause__ = cause
    _, text = await failing(error)
    (record,) = [
        record for record in caplog.records if record.levelno >= logging.WARNING and record.name.startswith("toolway")
    ]
    assert words in text
    assert "https://crm.example.com" in text
    assert not record.exc_info
    assert not any(secret in text + record.getMessage() for secret in ("hunter2", "secret"))


@pytest.mark.parametrize(
    ("error", "words"),
    [
        (httpx2.ReadTimeout(""), "may have been processed"),
        (httpx2.ConnectTimeout(""), "could not be connected to"),
        (httpx2.PoolTimeout(""), "no free connection"),
        (httpx2.RemoteProtocolError(""), "closed the connection"),
        (httpx2.UnsupportedProtocol(""), "not an http"),
    ],
)
async def test_timeouts_and_broken_connections_are_told_apart(error: Exception, words: str) -> None:
    assert words in (await failing(error))[1]


async def test_a_refused_connection_is_recognized_on_a_real_socket() -> None:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    client = {"base_url": f"http://127.0.0.1:{port}", "transport": None}
    async with remote_api(SEARCH, client=client) as api:
        assert f"http://127.0.0.1:{port} refused the connection" in message(await api.call())


async def test_a_response_that_breaks_is_an_error() -> None:
    async def broken(request: httpx2.Request) -> httpx2.Response:
        async def chunks() -> Any:
            yield b'{"a": '
            raise httpx2.ReadError("")

        return httpx2.Response(200, headers={"content-type": "application/json"}, content=chunks())

    async with remote_api(SEARCH, client={"transport": httpx2.MockTransport(broken)}) as api:
        outcome = await api.call()
        assert outcome.is_error


async def test_an_empty_answer_is_a_success() -> None:
    async with remote_api(SEARCH, responses={"/pets": Response(status_code=204)}) as api:
        assert not (await api.call()).is_error
