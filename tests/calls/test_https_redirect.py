"""A redirect to HTTPS that comes before the endpoint is an error that says so."""

from __future__ import annotations

import pytest
from fastapi import FastAPI
from fastapi.responses import RedirectResponse
from starlette.middleware.httpsredirect import HTTPSRedirectMiddleware

from tests.calls.both import both, text_of
from toolway import Settings

pytestmark = pytest.mark.anyio


def shop() -> FastAPI:
    app = FastAPI()

    @app.post("/orders/{order_id}", operation_id="order")
    async def order(order_id: str) -> str:
        return order_id

    return app


async def test_a_redirect_to_https_says_that_the_endpoint_was_not_run() -> None:
    app = shop()
    app.add_middleware(HTTPSRedirectMiddleware)
    async with both(app) as reached:
        result = await reached.call("order", {"order_id": "a b"})
        assert result.is_error
        assert "the endpoint was not run" in text_of(result)
        assert "TOOLWAY_PUBLIC_URL" in text_of(result)


async def test_an_https_public_url_satisfies_the_middleware() -> None:
    app = shop()
    app.add_middleware(HTTPSRedirectMiddleware)
    settings = Settings(public_url="https://shop.example.com")
    async with both(app, settings=settings) as reached:
        assert text_of(await reached.call("order", {"order_id": "a"})) == '"a"'


async def test_a_redirect_of_the_endpoint_to_another_address_is_not_mistaken_for_it() -> None:
    app = FastAPI()

    @app.post("/pay", operation_id="pay", response_class=RedirectResponse, status_code=307)
    async def pay() -> str:
        return "https://bank.example.com/pay"

    async with both(app) as reached:
        assert "was not run" not in text_of(await reached.call("pay"))
