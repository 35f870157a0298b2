"""Redirects are followed to listed tools, and to nothing else."""

from __future__ import annotations

from typing import Any

import pytest
from fastapi import FastAPI, Request
from fastapi.responses import RedirectResponse, Response

from tests.calls.both import Both, assert_same, both, text_of


def make_app() -> FastAPI:
    app = FastAPI()
    app.state.ran = []
    add_origins(app)
    add_targets(app)
    return app


def add_origins(app: FastAPI) -> None:
    @app.api_route("/to", methods=["GET"], operation_id="go")
    async def go(url: str, status: int = 307) -> Any:
        return RedirectResponse(url, status)

    @app.post("/to", operation_id="send")
    async def send(url: str, body: dict[str, int], status: int = 307) -> Any:
        return RedirectResponse(url, status)

    @app.get("/loop", operation_id="loop")
    async def loop(n: int = 0) -> Any:
        app.state.ran.append(n)
        return RedirectResponse(f"/loop?n={n + 1}")

    @app.get("/nowhere", operation_id="nowhere")
    async def nowhere() -> Any:
        return Response(status_code=302)


def add_targets(app: FastAPI) -> None:
    @app.get("/target/{name}", operation_id="target")
    async def target(name: str, q: str = "-") -> Any:
        return {"name": name, "q": q}

    @app.post("/target", operation_id="receive")
    async def receive(body: dict[str, int]) -> Any:
        return {"received": body}

    @app.get("/target", operation_id="look")
    async def look(request: Request) -> Any:
        return {"body": len(await request.body())}

    @app.get("/hidden/{name}", include_in_schema=False)
    async def hidden(name: str) -> Any:
        app.state.ran.append(name)

    @app.get("/excluded/{name}", operation_id="excluded")
    async def excluded(name: str) -> Any:
        app.state.ran.append(name)

    @app.get("/slash/", operation_id="slash")
    async def slash() -> Any:
        return {"slash": True}


@pytest.fixture
async def reached() -> Any:
    app = make_app()
    async with both(app, exclude={"operations": ["excluded"]}) as reached:
        reached.app = app  # type: ignore[attr-defined]
        yield reached


@pytest.mark.parametrize(
    "url", ["/target/x", "/target/a%20b%3Fc?q=d%26e", "target/x", "http://localhost/target/x#part", "/slash", "/slash/"]
)
@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
async def test_a_redirect_to_a_listed_tool_is_followed(reached: Both, url: str, status: int) -> None:
    params = {"url": url, "status": status}
    response = await reached.web.get("/to", params=params, follow_redirects=url != "/slash")
    result = await reached.call("go", params)
    if url == "/slash":  # no tool lives there; the router's own redirect would be a route nobody listed
        assert text_of(result).endswith("continue at /slash")
    else:
        assert_same(result, response)


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
async def test_a_body_travels_on_only_where_the_status_says_so(reached: Both, status: int) -> None:
    response = await reached.web.post(
        "/to", params={"url": "/target", "status": status}, json={"a": 1}, follow_redirects=True
    )
    result = await reached.call("send", {"url": "/target", "status": status, "body": {"a": 1}})
    assert_same(result, response)


@pytest.mark.parametrize(
    "url",
    [
        "/hidden/x", "/excluded/x", "https://elsewhere.example/target/x", "//elsewhere.example/target/x",
        "http://localhost:81/target/x", "http://localhost@elsewhere.example/target/x", "javascript:alert(1)",
        "file:///target/x", "/target/x/../../hidden/x", "/hidden%2fx", "/nothing", "http://[broken",
    ],
)  # fmt: skip
async def test_a_redirect_elsewhere_is_told_and_not_followed(reached: Any, url: str) -> None:
    result = await reached.call("go", {"url": url})
    assert not result.is_error
    assert text_of(result).startswith("307 Temporary Redirect: continue at ")
    assert reached.app.state.ran == []


async def test_a_redirect_without_an_address_is_told(reached: Both) -> None:
    assert text_of(await reached.call("nowhere")) == "302 Found"


async def test_a_loop_ends(reached: Any) -> None:
    result = await reached.call("loop")
    assert "continue at /loop?n=" in text_of(result)
    assert reached.app.state.ran == [0, 1, 2, 3, 4, 5]


async def test_a_redirect_stays_below_the_root_path() -> None:
    app = make_app()
    app.root_path = "/api"
    async with both(app) as reached:
        result = await reached.call("go", {"url": "/api/target/x"})
        assert result.structured_content == {"name": "x", "q": "-"}
        outside = await reached.call("go", {"url": "/target/x"})
        assert text_of(outside).endswith("continue at /target/x")
