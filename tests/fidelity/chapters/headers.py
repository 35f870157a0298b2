"""Headers and cookies: scalars, lists, models, null."""

from __future__ import annotations

from typing import Annotated, Any

from fastapi import Cookie, FastAPI, Header
from pydantic import BaseModel

from tests.fidelity.case import Chapter

__all__ = ["chapter"]

chapter = Chapter("Headers and cookies")
router, case = chapter.router, chapter.case


class Trace(BaseModel):
    x_tenant: str
    x_tags: list[str] = []
    x_level: int | None = None


class Jar(BaseModel):
    session: str
    theme: str | None = None


@router.get("/headers")
async def headers(
    x_token: Annotated[str, Header()],
    x_number: Annotated[int | None, Header()] = None,
    x_flag: Annotated[bool, Header()] = False,
    x_list: Annotated[list[str] | None, Header()] = None,
) -> Any:
    return [x_token, x_number, x_flag, x_list]


case(
    "headers",
    "headers",
    {"x-token": "t", "x-number": 5, "x-flag": True, "x-list": ["a", "b"]},
    "GET /headers",
    headers=[("x-token", "t"), ("x-number", "5"), ("x-flag", "true"), ("x-list", "a"), ("x-list", "b")],
)


case("headers, null", "headers", {"x-token": "t", "x-number": None}, "GET /headers", headers={"x-token": "t"})


case("wrong headers", "headers", {"x-number": "no"}, "GET /headers", headers={"x-number": "no"})


@router.get("/header-model")
async def header_model(trace: Annotated[Trace, Header()]) -> Any:
    return trace


def names_of_header_models() -> set[str]:
    """The first releases with header models kept their underscores, which not every server lets through."""
    probe = FastAPI()
    probe.get("/")(header_model)
    return {parameter["name"] for parameter in probe.openapi()["paths"]["/"]["get"]["parameters"]}


if "x-tenant" in names_of_header_models():
    case(
        "header model",
        "header_model",
        {"x-tenant": "t", "x-tags": ["a", "b"], "x-level": 3},
        "GET /header-model",
        headers=[("x-tenant", "t"), ("x-tags", "a"), ("x-tags", "b"), ("x-level", "3")],
    )
    case("wrong header model", "header_model", {"x-level": "h"}, "GET /header-model", headers={"x-level": "h"})


@router.get("/cookies")
async def cookies(session: Annotated[str, Cookie()], theme: Annotated[str | None, Cookie()] = None) -> Any:
    return [session, theme]


case(
    "cookies", "cookies", {"session": "s", "theme": "dark"}, "GET /cookies", headers={"cookie": "session=s; theme=dark"}
)


case("missing cookie", "cookies", {}, "GET /cookies")


@router.get("/cookie-model")
async def cookie_model(jar: Annotated[Jar, Cookie()]) -> Any:
    return jar


case("cookie model", "cookie_model", {"session": "s"}, "GET /cookie-model", headers={"cookie": "session=s"})
