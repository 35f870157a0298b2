"""Applications that could make a tool run something else, promise too much, or hold everybody up."""

from __future__ import annotations

import asyncio
import json
import logging
from collections.abc import AsyncGenerator
from typing import Annotated, Any, Literal

import anyio
import pytest
from fastapi import Cookie, FastAPI, Header, HTTPException, Security
from fastapi.responses import JSONResponse, PlainTextResponse, StreamingResponse
from fastapi.security import APIKeyCookie
from jsonschema import Draft202012Validator
from pydantic import BaseModel, ConfigDict, Field

from tests.calls.both import both
from toolway import Settings, Toolway
from toolway.app import engine_of
from toolway.calls import CallContext, Outcome
from toolway.catalog import Catalog
from toolway.content import TextContent

pytestmark = pytest.mark.anyio


async def call(app: FastAPI, name: str, settings: Settings | None = None, **arguments: Any) -> Outcome:
    async with engine_of(Toolway(app, settings=settings)).run() as running:
        with anyio.fail_after(40):
            return await running.calls.call(name, arguments, CallContext())


async def catalog_of(app: FastAPI) -> Catalog:
    async with engine_of(Toolway(app)).run() as running:
        return running.catalog


def words(outcome: Outcome) -> str:
    return " ".join(entry.text for entry in outcome.content if isinstance(entry, TextContent))


async def test_of_two_routes_that_differ_by_convertor_each_tool_runs_its_own() -> None:
    app = FastAPI()

    @app.get("/n/{n:int}", operation_id="by_number", openapi_extra={"x-toolway": {"hide": True}})
    async def by_number(n: int) -> str:
        return "hidden"

    @app.get("/n/{n}", operation_id="by_name")
    async def by_name(n: str) -> str:
        return f"name {n}"

    assert words(await call(app, "by_name", n="bob")) == '"name bob"'
    refused = await call(app, "by_name", n="5")
    assert refused.is_error
    assert "hidden" not in words(refused)


async def test_a_documented_route_that_an_earlier_one_shadows_is_no_tool() -> None:
    """FastAPI documents the last of two equal routes, and runs the first."""
    app = FastAPI()

    @app.post("/orders/{id}")
    async def wipe_order(id: str) -> str:  # noqa: A002
        return "wiped"

    @app.post("/orders/{id}")
    async def read_order(id: str) -> str:  # noqa: A002
        return "read"

    catalog = await catalog_of(app)
    assert not catalog.tools
    assert [entry.path for entry in catalog.skipped] == ["/orders/{id}"]


@pytest.mark.parametrize("kind", ["text/plain", "text/event-stream"])
async def test_a_stream_that_never_waits_is_cut_and_lets_others_run(kind: str) -> None:
    app = FastAPI()

    async def ticks() -> AsyncGenerator[bytes]:
        while True:
            yield b"data: tick\n\n"

    @app.get("/ticks")
    async def endless() -> StreamingResponse:
        return StreamingResponse(ticks(), media_type=kind)

    outcome = await call(app, "endless", Settings(max_result_bytes=10_000, stream_seconds=60))
    assert "larger than 10,000 bytes" in words(outcome)


async def test_a_stream_that_begins_and_then_says_nothing_is_cut() -> None:
    app = FastAPI()

    async def silence() -> AsyncGenerator[bytes]:
        await asyncio.Event().wait()
        yield b""

    @app.get("/silence")
    async def silent() -> StreamingResponse:
        return StreamingResponse(silence(), media_type="text/event-stream")

    outcome = await call(app, "silent", Settings(stream_seconds=0.2))
    assert "still open after 0.2 seconds" in words(outcome)


async def test_what_an_application_takes_out_of_its_document_stays_out_of_both() -> None:
    app = FastAPI()
    app.get("/public")(lambda: "public")
    app.get("/admin")(lambda: "admin")
    document = dict(app.openapi())
    app.openapi_schema = {**document, "paths": {"/public": document["paths"]["/public"]}}

    catalog = await catalog_of(app)

    assert [tool.operation.path for tool in catalog.tools.values()] == ["/public"]
    assert list(app.openapi()["paths"]) == ["/public"]


class Aliased(BaseModel):
    model_config = ConfigDict(populate_by_name=True)
    user_name: str = Field(alias="userName")


class Cat(BaseModel):
    kind: Literal["cat"] = "cat"
    name: str


class Dog(BaseModel):
    kind: Literal["dog"] = "dog"
    name: str


async def by_name() -> Any:
    return {"userName": "a"}


async def without_kind() -> Any:
    return Cat(name="a")


@pytest.mark.parametrize(
    ("endpoint", "options"),
    [
        (by_name, {"response_model": Aliased, "response_model_by_alias": False}),
        (
            without_kind,
            {
                "response_model": Annotated[Cat | Dog, Field(discriminator="kind")],
                "response_model_exclude_unset": True,
            },
        ),
    ],
)
async def test_an_answer_fits_the_schema_that_is_listed_for_it(endpoint: Any, options: dict[str, Any]) -> None:
    app = FastAPI()
    app.get("/a", operation_id="a", **options)(endpoint)
    tool = (await catalog_of(app)).tools["a"]
    outcome = await call(app, "a")
    assert outcome.structured is not None
    if tool.output_schema is not None:
        Draft202012Validator(tool.output_schema).validate(json.loads(outcome.structured))


async def test_a_number_that_json_cannot_write_is_told_and_breaks_no_promise() -> None:
    app = FastAPI()

    @app.get("/a")
    async def endless() -> float:
        return float("inf")

    async with both(app) as reached:
        outcome = await reached.called_by("endless")
        answers = (await reached.web.get("/a")).is_success  # FastAPI answers null, or fails
    assert outcome.is_error
    assert ("endless" if answers else "failed with a server error") in words(outcome)


@pytest.mark.parametrize("root_path", ["/api", "/api/", "api"])
async def test_any_spelling_of_a_root_path_leads_to_the_endpoint(root_path: str) -> None:
    app = FastAPI()
    app.root_path = root_path

    @app.get("/x/{n}")
    async def x(n: int) -> int:
        return n

    assert words(await call(app, "x", n=1)) == "1"


@pytest.mark.parametrize("detail", [[{"loc": None, "msg": "bad"}], [{"loc": 5, "msg": "bad"}], [{"msg": "bad"}]])
async def test_a_detail_of_the_applications_own_kind_is_kept(detail: Any) -> None:
    app = FastAPI()

    @app.get("/a")
    async def a() -> None:
        raise HTTPException(422, detail)

    outcome = await call(app, "a")
    assert outcome.status == 422
    assert "bad" in words(outcome)


async def test_a_cookie_that_is_a_credential_is_no_argument() -> None:
    app = FastAPI()

    @app.get("/a", dependencies=[Security(APIKeyCookie(name="session", auto_error=False))])
    async def a(session: Annotated[str | None, Cookie()] = None) -> str | None:
        return session

    assert list((await catalog_of(app)).tools["a"].arguments) == []


async def test_an_endpoint_that_needs_what_no_caller_can_set_is_reported_and_no_tool() -> None:
    app = FastAPI()

    @app.get("/a")
    async def needs_upgrade(upgrade: Annotated[str, Header()]) -> str:
        return upgrade

    @app.get("/b")
    async def needs_accept(accept: Annotated[str, Header()]) -> str:
        return accept

    catalog = await catalog_of(app)
    assert list(catalog.tools) == ["needs_accept"]
    assert "upgrade" in catalog.skipped[0].reason
    assert words(await call(app, "needs_accept")) == '"*/*"'


async def test_an_error_page_writes_no_lines_of_its_own_into_the_log(caplog: pytest.LogCaptureFixture) -> None:
    app = FastAPI()

    @app.get("/a")
    async def a() -> PlainTextResponse:
        return PlainTextResponse("x\nERROR:root:forged", status_code=500)

    with caplog.at_level(logging.ERROR, "toolway"):
        await call(app, "a")
    assert "\n" not in caplog.records[-1].getMessage()


async def test_another_answer_than_the_response_model_says_still_arrives() -> None:
    app = FastAPI()

    @app.get("/a")
    async def a() -> JSONResponse:
        return JSONResponse({"free": "form"}, status_code=203)

    outcome = await call(app, "a")
    assert (outcome.status, outcome.structured) == (203, b'{"free":"form"}')
