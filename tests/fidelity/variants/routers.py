"""How routers are put together: twice, with classes, answers and dependencies of the application's own."""

from __future__ import annotations

import json
from collections.abc import Callable, Coroutine
from typing import Annotated, Any

from fastapi import APIRouter, Depends, Header, HTTPException, Request, Response
from fastapi.responses import JSONResponse, PlainTextResponse
from fastapi.routing import APIRoute
from pydantic import BaseModel

from tests.fidelity.application import Application
from tests.fidelity.case import Chapter
from tests.fidelity.journal import effect

__all__ = ["applications"]


def applications() -> dict[str, Application]:
    """Return the applications by name."""
    return {
        "assembled": Application(
            chapters=[twice, classes],
            options={"dependencies": [Depends(_counted)], "redirect_slashes": False},
        ),
        "own_answers": Application(
            chapters=[answered], options={"default_response_class": Sorted}, transports=["HTTP", "stdio"]
        ),
        "plain_text": Application(chapters=[texts], options={"default_response_class": PlainTextResponse}),
    }


async def _counted(x_tenant: Annotated[str | None, Header()] = None) -> None:
    effect(["tenant", x_tenant])
    if x_tenant == "banned":
        raise HTTPException(403, "banned")


twice = Chapter("One router, twice")
shared = APIRouter()


@shared.get("/things/{number}")
async def thing(number: int, request: Request) -> list[Any]:
    return [number, request.url.path]


@shared.post("/things")
async def make_thing(number: int) -> list[int]:
    return [number]


twice.router.include_router(shared, prefix="/v1", tags=["first"])
twice.router.include_router(shared, prefix="/v2", tags=["second"])
_FIRST, _SECOND = "thing_get_v1_things_number", "thing_get_v2_things_number"
twice.case("the first one", _FIRST, {"number": 1}, "GET /v1/things/1", params={})
twice.case("the second one", _SECOND, {"number": 1}, "GET /v2/things/1", params={})
for version in ("v1", "v2"):
    tool = f"make_thing_post_{version}_things"
    twice.case(f"another method of {version}", tool, {"number": 1}, f"POST /{version}/things", params={"number": 1})
for tenant in ("welcome", "banned"):
    twice.case(
        f"a dependency of the application: {tenant}", _FIRST, {"number": 1}, "GET /v1/things/1",
        params={}, credentials={"x-tenant": tenant},
    )  # fmt: skip

classes = Chapter("Classes of routes")


class Enveloped(APIRoute):
    """Takes the request out of an envelope, and times the answer."""

    def get_route_handler(self) -> Callable[[Request], Coroutine[Any, Any, Response]]:
        handle = super().get_route_handler()

        async def unwrapped(request: Request) -> Response:
            body = json.loads(await request.body() or b"{}")
            if "data" in body:
                request._body = json.dumps(body["data"]).encode()  # as FastAPI's documentation does it
            response = await handle(request)
            response.headers["x-time"] = "0"
            effect("timed")
            return response

        return unwrapped


class Limited(APIRoute):
    """Answers by itself when the body is large."""

    def get_route_handler(self) -> Callable[[Request], Coroutine[Any, Any, Response]]:
        handle = super().get_route_handler()

        async def limited(request: Request) -> Response:
            if len(await request.body()) > 50:
                raise HTTPException(413, "too much")
            return await handle(request)

        return limited


class Member(BaseModel):
    name: str
    data: dict[str, Any] | None = None


enveloping = APIRouter(route_class=Enveloped, prefix="/enveloped")
limiting = APIRouter(route_class=Limited, prefix="/limited")


@enveloping.post("/members")
async def enveloped_member(member: Member) -> Member:
    return member


@limiting.post("/members")
async def limited_member(member: Member) -> Member:
    return member


@limiting.get("/members/")
async def members_with_a_slash() -> list[str]:
    return []


@limiting.get("/members")
async def members_without_one() -> list[str]:
    return ["a"]


classes.router.include_router(enveloping)
classes.router.include_router(limiting)
classes.case("as it is", "enveloped_member", {"name": "n"}, "POST /enveloped/members")
classes.case(
    "out of its envelope", "enveloped_member", {"name": "outer", "data": {"name": "inner"}}, "POST /enveloped/members"
)
classes.case("small enough", "limited_member", {"name": "n"}, "POST /limited/members")
classes.case("too much", "limited_member", {"name": "n" * 60}, "POST /limited/members", schema_says="yes")
classes.case("a slash at the end", "members_with_a_slash", {}, "GET /limited/members/")
classes.case("none at the end", "members_without_one", {}, "GET /limited/members")

answered = Chapter("An application's own way of writing answers")


class Sorted(JSONResponse):
    """Writes JSON in its own way, under its own media type."""

    media_type = "application/vnd.shop+json"

    def render(self, content: Any) -> bytes:
        return json.dumps(content, sort_keys=True, indent=1, ensure_ascii=True).encode()


@answered.router.get("/answered")
async def answered_sorted() -> dict[str, Any]:
    return {"b": "é", "a": [1, 2]}


@answered.router.get("/answered/model")
async def answered_model() -> Member:
    return Member(name="é")


@answered.router.get("/answered/plain", response_class=PlainTextResponse)
async def answered_plain() -> str:
    return "plain"


answered.case("a dictionary", "answered_sorted", {}, "GET /answered")
answered.case("a model", "answered_model", {}, "GET /answered/model")
answered.case("an endpoint that goes its own way", "answered_plain", {}, "GET /answered/plain")

texts = Chapter("Text by default")


@texts.router.get("/texts")
async def text_by_default(word: str = "é") -> str:
    return f"the word is {word}"


@texts.router.get("/texts/number", response_class=JSONResponse)
async def json_all_the_same() -> dict[str, int]:
    return {"a": 1}


texts.case("text", "text_by_default", {"word": "w"}, "GET /texts")
texts.case("JSON where it is said", "json_all_the_same", {}, "GET /texts/number")
