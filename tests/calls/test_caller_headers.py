"""Headers and cookies belong to the caller, unless the endpoint itself asks for them."""

from __future__ import annotations

from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from typing import Annotated, Any

import pytest
from fastapi import APIRouter, Cookie, Depends, FastAPI, Header, HTTPException, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse
from fastapi.security import APIKeyHeader
from pydantic import BaseModel

from tests.calls.both import Both, both
from tests.calls.stack import client_of
from tests.protocol.wire import ERAS, headers_of, message, reply
from toolway import Settings, Toolway, agent_prompt, agent_resource
from toolway.errors import ConfigurationError

LANES = [
    pytest.param({"fast_lane": fast_lane, "direct": direct}, id=f"lane={fast_lane} direct={direct}")
    for fast_lane in (True, False)
    for direct in (True, False)
]


class Shelf(BaseModel):
    x_shelf: str


def signed_in(x_auth_request_email: Annotated[str | None, Header()] = None) -> str:
    if x_auth_request_email is None:
        raise HTTPException(401, "sign in")
    return x_auth_request_email


def shop_of(x_shop: Annotated[str, Header()]) -> str:
    return x_shop


def nested(shop: Annotated[str, Depends(shop_of)], theme: Annotated[str, Cookie()] = "-") -> list[str]:
    return [shop, theme]


def hidden(x_hidden: Annotated[str | None, Header(include_in_schema=False)] = None) -> str | None:
    return x_hidden


def shelved(shelf: Annotated[Shelf, Header()]) -> str:
    return shelf.x_shelf


def make_app() -> FastAPI:
    app = FastAPI()
    _add_identity(app)
    _add_arguments(app)
    _add_required(app)
    return app


def _add_identity(app: FastAPI) -> None:
    @app.delete("/accounts/{key}", operation_id="delete_account")
    async def delete_account(key: int, me: Annotated[str, Depends(signed_in)]) -> dict[str, Any]:
        if me != "admin@example.com":
            raise HTTPException(403, f"{me} may not")
        return {"deleted": key}

    @app.get("/forwarded", operation_id="forwarded")
    async def forwarded(x_forwarded_user: Annotated[str, Header()]) -> str:
        return x_forwarded_user

    @app.get("/tenant", operation_id="tenant")
    async def tenant(
        x_tenant_id: Annotated[str | None, Header()] = None,
        user_id: Annotated[str | None, Cookie()] = None,
        user_agent: Annotated[str | None, Header()] = None,
    ) -> list[str | None]:
        return [x_tenant_id, user_id, user_agent]

    @app.get("/hidden", operation_id="hidden")
    async def read_hidden(found: Annotated[str | None, Depends(hidden)]) -> str | None:
        return found


def _add_arguments(app: FastAPI) -> None:
    @app.get("/region", operation_id="region")
    async def region(
        x_region: Annotated[str, Header()] = "-",
        theme: Annotated[str, Cookie()] = "-",
        accept_language: Annotated[str, Header()] = "en",
    ) -> list[str]:
        return [x_region, theme, accept_language]


def _add_required(app: FastAPI) -> None:
    router = APIRouter(prefix="/shops", dependencies=[Depends(shop_of)])

    @router.get("/nested", operation_id="nested")
    async def read_nested(found: Annotated[list[str], Depends(nested)], count: int = 1) -> list[Any]:
        return [*found, count]

    @app.get("/shelf", operation_id="shelf")
    async def read_shelf(shelf: Annotated[str, Depends(shelved)]) -> str:
        return shelf

    app.include_router(router)


@pytest.fixture(scope="module")
async def reached() -> AsyncGenerator[Both]:
    async with both(make_app()) as reached:
        yield reached


async def test_what_belongs_to_the_caller_is_not_an_argument(reached: Both) -> None:
    found = {name: list(tool.input_schema["properties"]) for name, tool in reached.catalog.tools.items()}
    assert found == {
        "delete_account": ["key"], "forwarded": [], "tenant": [], "hidden": [], "nested": ["count"], "shelf": [],
        "region": ["x-region", "accept-language", "theme"],
    }  # fmt: skip
    assert not reached.catalog.skipped


@pytest.mark.parametrize("era", ERAS)
@pytest.mark.parametrize("settings", LANES)
async def test_a_forged_identity_is_refused_and_the_proxys_counts(settings: dict[str, Any], era: str) -> None:
    async with called(make_app(), era, **settings) as call:
        ann = {"x-auth-request-email": "ann@example.com"}
        forged = {"key": 1, "x-auth-request-email": "admin@example.com"}
        result = await call("delete_account", forged, ann)
        assert result["isError"]
        assert "'x-auth-request-email' is not an argument" in result["content"][0]["text"]
        assert (await call("delete_account", {"key": 1}, ann))["content"][0]["text"] == (
            "403 Forbidden: ann@example.com may not"
        )
        assert (await call("delete_account", {"key": 1}))["content"][0]["text"] == "401 Unauthorized: sign in"
        admin = {"x-auth-request-email": "admin@example.com"}
        assert (await call("delete_account", {"key": 1}, admin))["structuredContent"] == {"deleted": 1}


@asynccontextmanager
async def called(app: FastAPI, era: str = ERAS[0], **settings: Any) -> AsyncGenerator[Any]:
    async with client_of(app, **settings) as client:

        async def call(tool: str, arguments: Any = None, headers: Any = None) -> dict[str, Any]:
            body = message(era, "tools/call", {"name": tool, "arguments": arguments or {}})
            response = await client.post("/mcp", json=body, headers={**headers_of(era, body), **(headers or {})})
            result: dict[str, Any] = reply(response)["result"]
            return result

        yield call


REQUEST = {
    "x-forwarded-user": "ann", "x-tenant-id": "acme", "user-agent": "claude/1", "x-hidden": "h", "x-shop": "s",
    "x-shelf": "top", "x-unrelated": "u", "cookie": "other=1; user_id=7; theme=dark",
}  # fmt: skip


@pytest.mark.parametrize(
    ("tool", "answer"),
    [
        ("forwarded", '"ann"'),
        ("tenant", '["acme","7","claude/1"]'),
        ("hidden", '"h"'),
        ("nested", '["s","dark",1]'),
        ("shelf", '"top"'),
    ],
)
@pytest.mark.parametrize("settings", LANES)
async def test_the_mcp_request_fills_what_belongs_to_the_caller(
    settings: dict[str, Any], tool: str, answer: str
) -> None:
    async with called(make_app(), **settings) as call:
        assert (await call(tool, {}, REQUEST))["content"][0]["text"] == answer


async def test_an_argument_for_a_header_that_the_request_carries_is_refused(reached: Both) -> None:
    outcome = await reached.called_by("region", {"x-region": "eu"}, {"x-region": "us"})
    assert outcome.status is None
    assert "the request carries the header 'x-region'" in text(outcome)
    outcome = await reached.called_by("region", {"theme": "dark"}, {"cookie": "a=1; theme=light"})
    assert "the request carries the cookie 'theme'" in text(outcome)
    outcome = await reached.called_by("region", {"x-region": None}, {"x-region": "us", "cookie": "theme=light"})
    assert outcome.structured == b'["us","light","en"]'
    outcome = await reached.called_by("region", {"x-region": "eu", "theme": "dark"}, {"cookie": "a=1"})
    assert outcome.structured == b'["eu","dark","en"]'
    outcome = await reached.called_by("region", {"accept-language": "pl"}, {"accept-language": "*"})
    assert outcome.structured == b'["-","-","pl"]'


def text(outcome: Any) -> str:
    return " ".join(content.text for content in outcome.content)


async def test_prompts_and_resources_get_the_same_of_the_caller() -> None:
    app = FastAPI()

    @app.get("/news/{key}")
    @agent_resource("shop://news/{key}")
    async def news(key: str, shop: Annotated[str, Depends(shop_of)]) -> str:
        return f"{key} of {shop}"

    @app.get("/greeting")
    @agent_prompt()
    async def greeting(shop: Annotated[str, Depends(shop_of)], theme: Annotated[str, Cookie()] = "-") -> str:
        return f"{shop} in {theme}"

    async with client_of(app) as client:

        async def ask(method: str, **params: Any) -> str:
            body = message(ERAS[0], method, params)
            mine = {**headers_of(ERAS[0], body), **REQUEST}
            return (await client.post("/mcp", json=body, headers=mine)).text

        assert "k of s" in await ask("resources/read", uri="shop://news/k")
        listed = await ask("prompts/list")
        assert "theme" in listed
        assert "x-shop" not in listed
        assert "s in dark" in await ask("prompts/get", name="greeting", arguments={})


@pytest.mark.parametrize(("tool", "name"), [("forwarded", "x-forwarded-user"), ("nested", "x-shop")])
async def test_a_call_without_a_required_header_of_the_caller_says_what_to_do(
    reached: Both, tool: str, name: str
) -> None:
    outcome = await reached.called_by(tool)
    operation = reached.catalog.tools[tool].operation
    assert outcome.status == 422
    said = text(outcome)
    assert said.startswith(f"Invalid request: header {name!r}: Field required")
    assert said.endswith(
        f"The MCP request does not carry the header {name!r}, which {operation} requires. Have the MCP client send it "
        f"with every request, or make it an argument of the tool: header_arguments=[{name!r}] "
        "(TOOLWAY_HEADER_ARGUMENTS)."
    )
    assert outcome.error is not None
    assert [problem["header"] for problem in outcome.error["problems"]][:1] == [name]


async def test_the_advice_stands_beside_what_else_is_wrong(reached: Both) -> None:
    said = text(await reached.called_by("nested", {"count": "x"}))
    assert said.startswith("Invalid request: header 'x-shop': Field required")
    assert "count: Input should be a valid integer" in said
    assert "header_arguments=['x-shop']" in said


async def test_an_error_handler_of_the_application_does_not_hide_the_advice() -> None:
    app = FastAPI()

    async def handle(_: Request, __: Exception) -> JSONResponse:
        return JSONResponse({"oops": True}, 422)

    @app.get("/shop", operation_id="shop")
    async def shop(request: Request, name: Annotated[str, Depends(shop_of)]) -> str:
        return name

    app.add_exception_handler(RequestValidationError, handle)
    async with both(app) as reached:
        said = text(await reached.called_by("shop"))
        assert "oops" in said
        assert "header_arguments=['x-shop']" in said


async def test_the_operator_can_make_a_header_of_the_caller_an_argument() -> None:
    settings = Settings(header_arguments=["X-Shop", "theme"])
    async with both(make_app(), settings=settings) as reached:
        tool = reached.catalog.tools["nested"]
        assert tool.input_schema["required"] == ["x-shop"]
        outcome = await reached.called_by("nested", {"x-shop": "mine", "theme": "dark"})
        assert outcome.structured == b'["mine","dark",1]'
        assert (await reached.called_by("nested", {"x-shop": "mine"}, {"x-shop": "theirs"})).is_error


async def test_the_operator_can_take_a_header_or_cookie_from_the_caller() -> None:
    async with both(make_app(), caller_headers=["X-Region", "theme"]) as reached:
        assert list(reached.catalog.tools["region"].input_schema["properties"]) == ["accept-language"]
        outcome = await reached.called_by("region", {}, {"x-region": "us", "cookie": "theme=light"})
        assert outcome.structured == b'["us","light","en"]'
        assert "is not an argument" in text(await reached.called_by("region", {"x-region": "eu"}))


async def test_a_name_that_no_tool_knows_is_logged(caplog: pytest.LogCaptureFixture) -> None:
    async with both(make_app(), header_arguments=["x-shop", "x-shpo"]):
        assert [record.getMessage() for record in caplog.records if "header_arguments" in record.getMessage()] == [
            "header_arguments names 'x-shpo', but no tool has a header or cookie of this name"
        ]


def test_a_credential_cannot_be_made_an_argument(monkeypatch: pytest.MonkeyPatch) -> None:
    app = FastAPI()

    @app.get("/key")
    async def key(found: Annotated[str, Depends(APIKeyHeader(name="X-Key"))], x_key: Annotated[str, Header()]) -> str:
        return found + x_key

    with pytest.raises(ConfigurationError, match="header_arguments names 'x-key', which is a credential of GET /key"):
        Toolway(app, header_arguments=["x-key"]).read_catalog()
    for name in ("authorization", "Cookie", "host", "a b"):
        with pytest.raises(ConfigurationError, match="header_arguments"):
            Toolway(app, header_arguments=[name])
    monkeypatch.setenv("TOOLWAY_CALLER_HEADERS", '["host"]')
    with pytest.raises(ConfigurationError, match=r"caller_headers \(TOOLWAY_CALLER_HEADERS\): 'host' cannot be listed"):
        Toolway(app)
