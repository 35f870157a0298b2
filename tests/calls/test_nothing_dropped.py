"""Values that HTTP cannot express are rejected, and a response that breaks off is an error with the received part."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Annotated, Any

import pytest
from fastapi import Body, FastAPI, Form, Query, Response
from fastapi.responses import StreamingResponse
from mcp_types import CallToolResult
from starlette.middleware.base import BaseHTTPMiddleware

from tests.calls.both import both, error_of, text_of
from toolway import Settings

pytestmark = pytest.mark.anyio


def with_lists() -> FastAPI:
    app = FastAPI()

    @app.delete("/orders", operation_id="delete_orders")
    async def delete_orders(ids: Annotated[list[int] | None, Query()] = None) -> str:
        return "all" if ids is None else str(ids)

    @app.post("/tags", operation_id="set_tags")
    async def set_tags(tags: Annotated[list[str], Form()] = ["default"]) -> str:  # noqa: B006
        return str(tags)

    @app.get("/shelves", operation_id="shelves")
    async def shelves(floors: Annotated[list[int], Query()] = []) -> str:  # noqa: B006
        return str(floors)

    @app.post("/whole", operation_id="whole")
    async def whole(tags: Annotated[list[str], Body(embed=True)]) -> str:
        return str(tags)

    return app


@pytest.mark.parametrize(("tool", "name", "carrier"), [("delete_orders", "ids", "query"), ("set_tags", "tags", "form")])
async def test_an_empty_list_never_becomes_the_default(tool: str, name: str, carrier: str) -> None:
    async with both(with_lists()) as reached:
        assert text_of(await reached.call(tool, {name: []})) == (
            f"Invalid arguments: {name!r} must not be an empty list: a {carrier} cannot express one, so the endpoint "
            "would use its default. Leave the argument out, or give at least one value."
        )


@pytest.mark.parametrize(("tool", "arguments"), [("shelves", {"floors": []}), ("whole", {"tags": []})])
async def test_an_empty_list_arrives_where_it_can(tool: str, arguments: dict[str, Any]) -> None:
    async with both(with_lists()) as reached:
        assert text_of(await reached.call(tool, arguments)) == '"[]"'


def with_streams() -> FastAPI:
    app = FastAPI()

    async def breaking(*chunks: str) -> AsyncIterator[str]:
        for chunk in chunks:
            yield chunk
        raise RuntimeError("password=hunter2")

    @app.get("/lines", operation_id="lines")
    async def lines() -> StreamingResponse:
        return StreamingResponse(breaking("one\n", "two\n"), media_type="text/plain")

    @app.get("/json", operation_id="json")
    async def half_of_json() -> StreamingResponse:
        return StreamingResponse(breaking("[1, "), media_type="application/json")

    @app.get("/bytes", operation_id="bytes")
    async def half_of_bytes() -> StreamingResponse:
        return StreamingResponse(breaking("abc"), media_type="application/zip")

    @app.get("/short", operation_id="short")
    async def shorter_than_announced() -> StreamingResponse:
        async def chunks() -> AsyncIterator[str]:
            yield "abc"

        return StreamingResponse(chunks(), media_type="text/plain", headers={"content-length": "30"})

    return app


BROKEN = {"lines": "one\ntwo\n", "json": "[1, ", "bytes": "3 bytes of application/zip", "short": "abc"}


@pytest.mark.parametrize("is_wrapped", [False, True], ids=["plain", "behind middleware"])
@pytest.mark.parametrize("direct", [True, False], ids=["direct", "whole stack"])
@pytest.mark.parametrize(("tool", "received"), BROKEN.items())
async def test_a_response_that_broke_off_is_an_error_with_what_was_received(
    tool: str, received: str, direct: bool, is_wrapped: bool
) -> None:
    app = with_streams()
    if is_wrapped:
        app.add_middleware(BaseHTTPMiddleware, dispatch=lambda request, call_next: call_next(request))

    async with both(app, settings=Settings(_env_file=None, direct=direct)) as reached:
        result = await reached.call(tool)

    error = error_of(result)
    assert set(error) == {"status", "reference"}
    first, second = texts_of(result)
    assert first == (
        "The tool failed with a server error before its response was complete. "
        f"Reference: {error['reference']} (details are in the server log). What was received:"
    )
    assert second == received


async def test_a_304_names_the_length_of_a_body_that_it_does_not_have() -> None:
    app = FastAPI()

    @app.get("/unchanged", operation_id="unchanged")
    async def unchanged() -> Response:
        return Response(status_code=304, headers={"content-length": "30"})

    async with both(app) as reached:
        assert not (await reached.call("unchanged")).is_error


def texts_of(result: CallToolResult) -> list[str]:
    return [block.text for block in result.content if block.type == "text"]


@pytest.mark.filterwarnings("ignore:Duplicate Operation ID:UserWarning")  # one route, two methods
@pytest.mark.parametrize("method", ["HEAD", "OPTIONS", "TRACE"])
async def test_a_method_without_a_result_for_agents_is_skipped_with_the_reason(method: str) -> None:
    app = FastAPI()
    app.add_api_route("/stock", lambda: None, methods=["GET", method], operation_id="stock")

    async with both(app) as reached:
        (skipped,) = reached.catalog.skipped
        assert list(reached.catalog.tools) == ["stock"]
    assert (skipped.method, skipped.reason) == (method, f"{method} requests have no result for an agent")
