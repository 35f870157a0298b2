"""Headers of the MCP request that are forwarded to endpoints."""

from __future__ import annotations

from collections.abc import Sequence

import pytest
from mcp import Client
from mcp.client.streamable_http import streamable_http_client

from tests import web
from tests.compat.library import make_library
from tests.servers import serving
from toolway.compat.fastapi_mcp import FastApiMCP, MigrationWarning
from toolway.errors import ConfigurationError

pytestmark = [pytest.mark.anyio, pytest.mark.filterwarnings("ignore:only this machine")]

SENT = {"Authorization": "Bearer me", "X-Tenant": "north", "X-Other": "no", "Cookie": "session=1"}


async def arriving(headers: Sequence[str] | None) -> object:
    app = make_library()
    mcp = FastApiMCP(app) if headers is None else FastApiMCP(app, headers=headers)
    mcp.mount_http()
    with serving(app) as base:
        async with (
            web.AsyncClient(headers=SENT) as http,
            Client(streamable_http_client(base + "/mcp", http_client=http)) as client,
        ):
            return (await client.call_tool("whoami_whoami_get", {})).structured_content


async def test_only_authorization_is_forwarded_by_default() -> None:
    assert await arriving(None) == {"authorization": "Bearer me"}


async def test_listed_headers_are_forwarded_in_any_case() -> None:
    assert await arriving(["Authorization", "X-TENANT"]) == {"authorization": "Bearer me", "x-tenant": "north"}


async def test_a_list_without_authorization_issues_a_warning() -> None:
    with pytest.warns(MigrationWarning, match="leaves out 'authorization'"):
        assert await arriving(["x-tenant"]) == {"authorization": "Bearer me", "x-tenant": "north"}


async def test_a_cookie_is_not_forwarded_and_issues_a_warning() -> None:
    with pytest.warns(MigrationWarning, match="headers names cookie"):
        assert await arriving(["authorization", "Cookie"]) == {"authorization": "Bearer me"}


async def test_an_invalid_header_name_is_rejected() -> None:
    with pytest.raises(ConfigurationError, match="'x tenant'"):
        FastApiMCP(make_library(), headers=["authorization", "x tenant"])
