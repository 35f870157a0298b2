"""Headers and cookies: scalars, lists, models, null."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Any, Literal
from uuid import UUID

from fastapi import APIRouter, Cookie, Depends, FastAPI, Header
from pydantic import BaseModel, Field

from tests.fidelity.case import Chapter
from tests.fidelity.shared import KEY, Color

__all__ = ["chapter"]

chapter = Chapter("Headers and cookies")
router, case = chapter.router, chapter.case


class Trace(BaseModel):
    x_region: str
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


if "x-region" in names_of_header_models():
    case(
        "header model",
        "header_model",
        {"x-region": "t", "x-tags": ["a", "b"], "x-level": 3},
        "GET /header-model",
        headers=[("x-region", "t"), ("x-tags", "a"), ("x-tags", "b"), ("x-level", "3")],
    )
    case("wrong header model, a name missing", "header_model", {"x-level": 1}, "GET /header-model", blames=["x-region"])
    case("wrong header model", "header_model", {"x-level": "h"}, "GET /header-model", headers={"x-level": "h"})
else:
    chapter.left_out += ["header model", "wrong header model, a name missing", "wrong header model"]


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


# Headers of every type.


@router.get("/headers/types")
async def header_types(
    x_color: Annotated[Color, Header()],
    x_key: Annotated[UUID | None, Header()] = None,
    x_at: Annotated[datetime | None, Header()] = None,
    x_share: Annotated[float, Header(ge=0, le=1)] = 0.5,
    x_numbers: Annotated[list[int], Header()] = [],  # noqa: B006 - as people write it
    x_set: Annotated[set[str], Header()] = set(),  # noqa: B006
) -> list[Any]:
    return [x_color, x_key, x_at, x_share, x_numbers, sorted(x_set)]


case(
    "types: given",
    "header_types",
    {
        "x-color": "red",
        "x-key": KEY,
        "x-at": "2026-07-28T10:00:00Z",
        "x-share": 1,
        "x-numbers": [1, 2],
        "x-set": ["b", "a"],
    },
    "GET /headers/types",
    headers=[
        ("x-color", "red"), ("x-key", KEY), ("x-at", "2026-07-28T10:00:00Z"), ("x-share", "1"),
        ("x-numbers", "1"), ("x-numbers", "2"), ("x-set", "b"), ("x-set", "a"),
    ],
    advertised={"x-color": {"enum": ["red", "green"]}, "x-share": {"minimum": 0, "maximum": 1, "default": 0.5}},
)  # fmt: skip
case(
    "types: wrong",
    "header_types",
    {"x-color": "blue", "x-key": "x", "x-share": 2, "x-numbers": [1, "x"]},
    "GET /headers/types",
    headers=[("x-color", "blue"), ("x-key", "x"), ("x-share", "2"), ("x-numbers", "1"), ("x-numbers", "x")],
    blames=["x-color", "x-key", "x-share", "x-numbers"],
)
case("types: missing", "header_types", {}, "GET /headers/types", blames=["x-color"])


# Headers as text.


@router.get("/headers/text")
async def header_text(
    x_text: Annotated[str, Header()] = "-",
    underscored: Annotated[str, Header(alias="X-Mixed-Case")] = "-",
    many: Annotated[list[str] | None, Header(alias="x-many")] = None,
) -> list[Any]:
    return [x_text, underscored, many]


for title, text in {
    "blanks inside": "a  b",
    "commas": "a, b;c=d",
    "quotes": '"a" \\ b',
    "latin": "é ü",
    "empty": "",
    "percent": "%20%0d%0a",
}.items():
    case(
        f"text: {title}",
        "header_text",
        {"x-text": text},
        "GET /headers/text",
        headers={"x-text": text.encode("latin-1")},
    )
for title, text in {"a line break": "a\r\nx-mixed-case: evil", "beyond latin": "日本", "a null byte": "a\0"}.items():
    case(
        f"text: {title} cannot travel",
        "header_text",
        {"x-text": text},
        "GET /headers/text",
        headers={},
        may_stop_early=True,
    )
case(
    "names: of mixed case",
    "header_text",
    {"X-Mixed-Case": "m", "x-many": ["a,b", "c"]},
    "GET /headers/text",
    headers=[("x-mixed-case", "m"), ("x-many", "a,b"), ("x-many", "c")],
)


@router.get("/headers/defaults")
async def header_defaults(
    if_none_match: Annotated[str | None, Header()] = None,
    accept_language: Annotated[str, Header()] = "en",
    idempotency_key: Annotated[str | None, Header(deprecated=True, description="Once only.")] = None,
) -> list[Any]:
    return [if_none_match, accept_language, idempotency_key]


case(
    "names: well known ones",
    "header_defaults",
    {"if-none-match": '"tag"', "accept-language": "pl", "idempotency-key": "k"},
    "GET /headers/defaults",
    headers={"if-none-match": '"tag"', "accept-language": "pl", "idempotency-key": "k"},
    advertised={"idempotency-key": {"deprecated": True, "description": "Once only."}},
)


# Headers of the caller and its connection: an argument could only lie.


@router.get("/headers/connection")
async def header_connection(
    x_real: Annotated[str, Header()] = "-",
    cookie: Annotated[str | None, Header()] = None,
    authorization: Annotated[str | None, Header()] = None,
    x_forwarded_for: Annotated[str | None, Header()] = None,
    mcp_session_id: Annotated[str | None, Header()] = None,
) -> list[Any]:
    return [x_real, cookie, authorization, x_forwarded_for, mcp_session_id]


case(
    "names: of the connection",
    "header_connection",
    {"x-real": "r"},
    "GET /headers/connection",
    headers={"x-real": "r"},
    credentials={"authorization": "Basic eA==", "x-forwarded-for": "203.0.113.7"},
    withheld=["cookie", "authorization", "x-forwarded-for", "mcp-session-id"],
)


# Names as they stand.

plain_names = APIRouter()


@plain_names.get("/headers/underscores")
async def header_underscores(strange_name: Annotated[str, Header(convert_underscores=False)]) -> str:
    return strange_name


router.include_router(plain_names)
case(
    "names: with an underscore",
    "header_underscores",
    {"strange_name": "s"},
    "GET /headers/underscores",
    headers={"strange_name": "s"},
)
case(
    "names: with an underscore, missing", "header_underscores", {}, "GET /headers/underscores", blames=["strange_name"]
)


# Cookies.


class Preferences(BaseModel):
    theme: Literal["dark", "light"] = "light"
    size: int = Field(10, ge=5)
    ids: list[int] = []


@router.get("/cookies/preferences")
async def cookie_preferences(preferences: Annotated[Preferences, Cookie()]) -> Any:
    return preferences


case("cookie model: all defaults", "cookie_preferences", {}, "GET /cookies/preferences")
case(
    "cookie model: given",
    "cookie_preferences",
    {"theme": "dark", "size": 7},
    "GET /cookies/preferences",
    headers={"cookie": "theme=dark; size=7"},
    advertised={"theme": {"enum": ["dark", "light"]}, "size": {"minimum": 5, "default": 10}},
)
case(
    "cookie model: wrong",
    "cookie_preferences",
    {"theme": "blue", "size": 1},
    "GET /cookies/preferences",
    headers={"cookie": "theme=blue; size=1"},
    blames=["theme", "size"],
)


@router.get("/cookies/types")
async def cookie_types(
    count: Annotated[int, Cookie()],
    flag: Annotated[bool | None, Cookie()] = None,
    key: Annotated[UUID | None, Cookie(alias="the-key")] = None,
    text: Annotated[str, Cookie()] = "-",
) -> list[Any]:
    return [count, flag, key, text]


case(
    "cookie types",
    "cookie_types",
    {"count": 5, "flag": True, "the-key": KEY},
    "GET /cookies/types",
    headers={"cookie": f"count=5; flag=true; the-key={KEY}"},
)
case(
    "cookie types: null",
    "cookie_types",
    {"count": 5, "flag": None},
    "GET /cookies/types",
    headers={"cookie": "count=5"},
)
case(
    "cookie types: wrong",
    "cookie_types",
    {"count": "x"},
    "GET /cookies/types",
    headers={"cookie": "count=x"},
    blames=["count"],
)
case(
    "cookie text that needs quotes",
    "cookie_types",
    {"count": 1, "text": "a;b, c"},
    "GET /cookies/types",
    headers={"cookie": 'count=1; text="a\\073b\\054 c"'},
)


# What only the caller may say: in a model of the endpoint's own, by an assertion's name, in a dependency.


class Claims(BaseModel):
    x_user_id: int
    x_color: str = "red"


async def cart_of(cart: Annotated[str, Cookie()] = "-", x_cart: Annotated[str, Header()] = "-") -> list[str]:
    return [cart, x_cart]


@router.get("/headers/caller")
async def header_caller(
    claims: Annotated[Claims, Header()],
    cart: Annotated[list[str], Depends(cart_of)],
    account: Annotated[str, Cookie()] = "-",
) -> list[Any]:
    return [claims, cart, account]


if "x-region" in names_of_header_models():
    case(
        "of the caller",
        "header_caller",
        {"x-color": "blue"},
        "GET /headers/caller",
        headers={"x-color": "blue"},
        credentials={"x-user-id": "7", "x-cart": "c", "cookie": "account=a; other=o; cart=b"},
        withheld=["x-user-id", "x-cart", "cart", "account"],
    )
    case(
        "of the caller: missing",
        "header_caller",
        {},
        "GET /headers/caller",
        schema_says="cannot tell",
        blames=["x-user-id", "TOOLWAY_HEADER_ARGUMENTS"],
    )
    case(
        "of the caller: wrong",
        "header_caller",
        {},
        "GET /headers/caller",
        credentials={"x-user-id": "x"},
        schema_says="cannot tell",
        blames=["x-user-id"],
    )
else:
    chapter.left_out += ["of the caller", "of the caller: missing", "of the caller: wrong"]
