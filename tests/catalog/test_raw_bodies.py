"""Endpoints that take the request itself have a body argument only if they may read its body."""

from collections.abc import Awaitable, Callable
from functools import wraps
from typing import Any

import pytest
from fastapi import Depends, FastAPI, Request

from tests.catalog.looking import catalog_of
from toolway import agent_tool
from toolway.errors import ConfigurationError

pytestmark = pytest.mark.anyio


def limited(endpoint: Callable[..., Awaitable[Any]]) -> Callable[..., Awaitable[Any]]:
    """Pass the request on to the endpoint, as a rate limiter does."""

    @wraps(endpoint)
    async def call(*args: Any, **kwargs: Any) -> Any:
        return await endpoint(*args, **kwargs)

    return call


async def body_of(request: Request) -> bytes:
    return await request.body()


async def names_with_body(*endpoints: Callable[..., Any], method: str = "POST") -> set[str]:
    app = FastAPI()
    for endpoint in endpoints:
        app.add_api_route(f"/{endpoint.__name__}", endpoint, methods=[method], operation_id=endpoint.__name__)
    tools = (await catalog_of(app)).tools
    return {name for name, tool in tools.items() if "body" in tool.arguments}


async def test_an_endpoint_that_does_not_read_the_body_has_no_body_argument() -> None:
    @limited
    async def limit(request: Request, job_id: int) -> int:
        return job_id

    async def link(request: Request) -> str:
        return str(request.url_for("link"))

    async def links(request: Request) -> list[str]:
        return [str(request.url) for _ in range(2)]

    assert await names_with_body(limit, link, links) == set()


async def test_an_endpoint_that_may_read_the_body_has_a_body_argument() -> None:
    async def reads(request: Request) -> object:
        return await request.json()

    async def nested(request: Request) -> object:
        async def inner() -> bytes:
            return await request.body()

        return await inner()

    async def passes(request: Request) -> bytes:
        return await body_of(request)

    async def renames(request: Request) -> object:
        other = request
        return await other.form()

    async def gets(request: Request) -> object:
        return getattr(request, "json")  # noqa: B009 - as some applications do

    async def depends(request: Request, body: bytes = Depends(body_of)) -> str:
        return request.method

    expected = {"reads", "nested", "passes", "renames", "gets", "depends"}
    assert await names_with_body(reads, nested, passes, renames, gets, depends) == expected


@pytest.mark.parametrize("method", ["GET", "DELETE"])
async def test_get_and_delete_have_no_body_argument_for_a_request(method: str) -> None:
    async def reads(request: Request) -> object:
        return await request.json()

    assert await names_with_body(reads, method=method) == set()


async def test_a_marker_decides_whether_there_is_a_body_argument() -> None:
    @agent_tool(raw_body=False)
    async def without(request: Request) -> object:
        return await body_of(request)

    @agent_tool(raw_body=True)
    async def with_body(request: Request) -> str:
        return request.method

    assert await names_with_body(without, with_body) == {"with_body"}


async def test_the_openapi_extension_decides_as_well() -> None:
    app = FastAPI()

    @app.post("/a", openapi_extra={"x-toolway": {"raw_body": False}})
    async def a(request: Request) -> object:
        return await body_of(request)

    (tool,) = (await catalog_of(app)).tools.values()
    assert "body" not in tool.arguments


async def test_a_marker_that_is_neither_true_nor_false_stops_startup() -> None:
    app = FastAPI()
    app.post("/a", openapi_extra={"x-toolway": {"raw_body": "yes"}})(body_of)
    with pytest.raises(ConfigurationError, match="raw_body"):
        await catalog_of(app)
