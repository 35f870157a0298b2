"""Headers of the MCP request that reach the endpoint."""

from __future__ import annotations

from collections.abc import Sequence

import httpx2
import pytest
from mcp import Client
from mcp.client.streamable_http import streamable_http_client

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
            httpx2.AsyncClient(headers=SENT) as http,
            Client(streamable_http_client(base + "/mcp", http_client=http)) as client,
        ):
            return (await client.call_tool("whoami_whoami_get", {})).structured_content


async def test_authorization_arrives_by_default_and_nothing_else() -> None:
    assert await arriving(None) == {"authorization": "Bearer me"}


async def test_headers_that_are_listed_arrive_in_whatever_case_they_are_written() -> None:
    assert await arriving(["Authorization", "X-TENANT"]) == {"authorization": "Bearer me", "x-tenant": "north"}


async def test_a_list_without_authorization_is_told_that_it_arrives_in_any_case() -> None:
    with pytest.warns(MigrationWarning, match="leaves out 'authorization'"):
        assert await arriving(["x-tenant"]) == {"authorization": "Bearer me", "x-tenant": "north"}


async def test_a_cookie_is_not_handed_on_and_that_is_told() -> None:
    with pytest.warns(MigrationWarning, match="headers names cookie"):
        assert await arriving(["authorization", "Cookie"]) == {"authorization": "Bearer me"}


async def test_what_is_no_header_is_refused() -> None:
    with pytest.raises(ConfigurationError, match="'x tenant'"):
        FastApiMCP(make_library(), headers=["authorization", "x tenant"])
