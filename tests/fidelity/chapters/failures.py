"""Failures: refusals of every status, handlers of exceptions, and what must not leak."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Generator
from typing import Annotated, Any

from fastapi import BackgroundTasks, Depends, FastAPI, HTTPException, Query, Request, Response
from fastapi.exceptions import RequestValidationError
from fastapi.responses import HTMLResponse, JSONResponse, PlainTextResponse
from pydantic import BaseModel, Field

from tests.fidelity.case import Chapter
from tests.fidelity.journal import effect

__all__ = ["chapter"]

chapter = Chapter("Failures")
router, case = chapter.router, chapter.case


# Every status.

Code = Annotated[int, Query(ge=400, le=599)]


@router.get("/deps/refusing")
async def refusing(code: Code, text: str = "no") -> Any:
    raise HTTPException(code, text, headers={"x-reason": "because"})


case("404", "refusing", {"code": 404, "text": "No such thing"}, "GET /deps/refusing")


case("410 without a text", "refusing", {"code": 410, "text": ""}, "GET /deps/refusing")


case("418", "refusing", {"code": 418}, "GET /deps/refusing")
STATUSES = (400, 401, 402, 403, 405, 406, 408, 409, 411, 412, 413, 414, 415, 416, 423, 424, 425, 428, 429, 431, 451)
for code in STATUSES:
    case(f"{code} by hand", "refusing", {"code": code, "text": f"Because of {code}"}, "GET /deps/refusing")
case("422 by hand", "refusing", {"code": 422, "text": "odd"}, "GET /deps/refusing", schema_says="yes")
for code in (500, 501, 502, 503, 504, 507):
    case(f"{code} by hand", "refusing", {"code": code, "text": "secret cause"}, "GET /deps/refusing", may_fail=True)
case("a status of nobody's", "refusing", {"code": 499, "text": "closed"}, "GET /deps/refusing")


@router.get("/deps/refusing-with-facts")
async def refusing_with_facts(listed: bool = False) -> Any:
    raise HTTPException(409, ["a", {"b": 1}] if listed else {"code": "taken", "by": 5})


case("409 with an object", "refusing_with_facts", {}, "GET /deps/refusing-with-facts")


case(
    "409 with a list",
    "refusing_with_facts",
    {"listed": True},
    "GET /deps/refusing-with-facts",
    params={"listed": "true"},
)

DETAILS: dict[str, Any] = {
    "nothing": None,
    "a number": 5,
    "false": False,
    "an empty object": {},
    "unicode": "żółć 日本 \u2028 🛒",
    "quotes and lines": 'say "no"\nand go',
    "an object in an object": {"errors": [{"field": "a", "why": ["x", None]}], "more": {"n": 1.5}},
    "3,000 characters": "long " * 600,
}


@router.get("/failures/detail/{kind}")
async def failing_with_detail(kind: str) -> Any:
    raise HTTPException(400, DETAILS[kind])


for kind in DETAILS:
    case(f"detail: {kind}", "failing_with_detail", {"kind": kind}, f"GET /failures/detail/{kind}", params={})


@router.get("/failures/header")
async def failing_with_header(code: Code = 429) -> Any:
    raise HTTPException(code, headers={"Retry-After": "30", "WWW-Authenticate": 'Bearer realm="x"'})


case("headers: retry after", "failing_with_header", {}, "GET /failures/header")
case("headers: authenticate", "failing_with_header", {"code": 401}, "GET /failures/header")


@router.post("/failures/after-work")
async def failing_after_work(amount: int) -> Any:
    effect(["took", amount])
    raise HTTPException(402, f"{amount} is more than there is")


case(
    "what was done before stays done",
    "failing_after_work",
    {"amount": 5},
    "POST /failures/after-work",
    params={"amount": 5},
)


@router.get("/failures/own-response", response_model=None)
async def failing_by_response(code: Code, kind: str = "json") -> Response:
    """Refusals that are no exceptions."""
    content = {"json": '{"error":"odd","hint":"try again"}', "text": "odd: try again", "html": "<p>odd</p>", "none": ""}
    types = {"json": "application/json", "text": "text/plain", "html": "text/html", "none": None}
    return Response(content[kind], code, media_type=types[kind])


for kind in ("json", "text", "html", "none"):
    arguments = {"code": 409, "kind": kind}
    case(f"a response of its own: {kind}", "failing_by_response", arguments, "GET /failures/own-response")
case(
    "a response of its own: 500",
    "failing_by_response",
    {"code": 500, "kind": "text"},
    "GET /failures/own-response",
    may_fail=True,
)


# What nobody catches.


class Small(BaseModel):
    size: int = Field(le=10)


@router.get("/failures/unhandled")
async def unhandled() -> Any:
    effect("began")
    raise RuntimeError("secret of the database")


case("an unhandled exception", "unhandled", {}, "GET /failures/unhandled", may_fail=True)


@router.get("/failures/unhandled-sync")
def unhandled_in_thread(number: int = 0) -> Any:
    return {"secret": 1 / number}


case("an unhandled exception in a thread", "unhandled_in_thread", {}, "GET /failures/unhandled-sync", may_fail=True)


@router.get("/failures/broken-promise")
async def broken_promise() -> Small:
    return {"size": "secret"}  # type: ignore[return-value] # pyright: ignore[reportReturnType]


case("an answer that is not its model", "broken_promise", {}, "GET /failures/broken-promise", may_fail=True)


@router.get("/failures/no-json")
async def no_json() -> Any:
    return {"secret": object()}


case("an answer that is no JSON", "no_json", {}, "GET /failures/no-json", may_fail=True)


async def failing_background() -> None:
    effect("in the background")
    raise RuntimeError("secret afterwards")


@router.post("/failures/background")
async def failing_afterwards(tasks: BackgroundTasks) -> str:
    tasks.add_task(failing_background)
    tasks.add_task(effect, "never reached")
    return "answered"


case("work afterwards that fails", "failing_afterwards", {}, "POST /failures/background", params={})


# Failures around dependencies with yield.


async def guarded() -> AsyncGenerator[str]:
    effect("opened")
    try:
        yield "held"
    except HTTPException as error:
        effect(["saw", error.status_code])
        raise
    except ValueError as error:
        effect("turned")
        raise HTTPException(409, f"turned: {error}") from error
    finally:
        effect("closed")


@router.get("/failures/guarded")
async def failing_guarded(held: Annotated[str, Depends(guarded)], how: str = "none") -> str:
    if how == "refused":
        raise HTTPException(403, "not yours")
    if how == "value":
        raise ValueError("odd value")
    if how == "other":
        raise RuntimeError("secret")
    return held


for how in ("none", "refused", "value", "other"):
    case(
        f"inside a dependency with yield: {how}",
        "failing_guarded",
        {"how": how},
        "GET /failures/guarded",
        may_fail=how == "other",
    )


def late() -> Generator[str]:
    yield "held"
    effect("closing fails")
    raise RuntimeError("secret at the end")


@router.get("/failures/late")
def failing_late(held: Annotated[str, Depends(late)]) -> str:
    return held


case("a dependency that fails when all is said", "failing_late", {}, "GET /failures/late", needs="fastapi 0.136")


async def refusing_dependency(token: str) -> str:
    if token != "right":
        raise HTTPException(401, "a wrong token", {"WWW-Authenticate": "Custom"})
    return token


@router.get("/failures/dependency", dependencies=[Depends(refusing_dependency)])
async def failing_dependency(number: int) -> int:
    return number


case("a dependency that refuses", "failing_dependency", {"token": "x", "number": 1}, "GET /failures/dependency")
case(
    "a dependency that lets through", "failing_dependency", {"token": "right", "number": 1}, "GET /failures/dependency"
)
case(
    "a dependency refuses before the endpoint's arguments do",
    "failing_dependency",
    {"token": "x", "number": "x"},
    "GET /failures/dependency",
    schema_says="no",
)


# Handlers of an application's own exceptions.


class OutOfStockError(Exception):
    def __init__(self, item: str, how: str) -> None:
        self.item, self.how = item, how


@chapter.install
def handle_out_of_stock(app: FastAPI) -> None:
    @app.exception_handler(OutOfStockError)
    async def handler(request: Request, error: OutOfStockError) -> Response:
        effect(["handled", request.url.path, error.item])
        answers: dict[str, Response] = {
            "json": JSONResponse({"message": f"no {error.item} left", "code": 17}, 409),
            "text": PlainTextResponse(f"no {error.item} left", 410),
            "html": HTMLResponse(f"<b>no {error.item} left</b>", 404),
            "success": JSONResponse({"replaced": error.item}, 200),
            "server": JSONResponse({"detail": "secret shelf"}, 503),
        }
        return answers[error.how]


@router.post("/failures/stock/{item}")
async def out_of_stock(item: str, how: str) -> Any:
    raise OutOfStockError(item, how)


for how in ("json", "text", "html", "success", "server"):
    case(
        f"a handler of an own exception: {how}",
        "out_of_stock",
        {"item": "lamp", "how": how},
        "POST /failures/stock/lamp",
        params={"how": how},
        may_fail=how == "server",
    )


@chapter.install
def strict_below(app: FastAPI) -> None:
    """An application with handlers for everything, which would change all chapters if it were this one."""
    below = FastAPI(generate_unique_id_function=lambda route: route.name)
    app.mount("/strict", below)

    @below.exception_handler(RequestValidationError)
    async def invalid(_: Request, error: RequestValidationError) -> Response:
        where = [".".join(map(str, problem["loc"])) for problem in error.errors()]
        return JSONResponse({"title": "Your request is not valid", "where": where}, 400)

    @below.exception_handler(HTTPException)
    async def refused(_: Request, error: HTTPException) -> Response:
        problem = {"type": "about:blank", "title": error.detail, "status": error.status_code}
        return JSONResponse(problem, error.status_code, media_type="application/problem+json")

    @below.exception_handler(418)
    async def teapot(_: Request, error: HTTPException) -> Response:
        return PlainTextResponse(f"I am a teapot: {error.detail}", 418)

    @below.exception_handler(Exception)
    async def failed(_: Request, error: Exception) -> Response:
        return JSONResponse({"cause": str(error)}, 500)

    @below.post("/orders")
    async def strict_order(small: Small, code: Annotated[int, Query(ge=400, le=599)] | None = None) -> Any:
        if code == 500:
            raise RuntimeError("secret of below")
        if code is not None:
            raise HTTPException(code, "not today")
        return small


STRICT = {"size": 1}
case("handlers: all is well", "strict_order", STRICT, "POST /strict/orders")
case("handlers: of failed validation", "strict_order", {"size": 11}, "POST /strict/orders", schema_says="no")
for code in (403, 418, 500):
    arguments = {**STRICT, "code": code}
    case(
        f"handlers: of {code}",
        "strict_order",
        arguments,
        "POST /strict/orders",
        json=STRICT,
        params={"code": code},
        may_fail=code == 500,
    )
