"""Dependencies: functions, classes, yield, caching, overrides, what they do to the answer, background tasks, state."""

from __future__ import annotations

import inspect
from collections.abc import AsyncGenerator, Generator
from contextvars import ContextVar
from typing import Annotated, Any

from fastapi import APIRouter, BackgroundTasks, Body, Depends, FastAPI, Header, HTTPException, Query, Request, Response
from pydantic import BaseModel
from starlette.background import BackgroundTask
from starlette.responses import JSONResponse

from tests.fidelity.case import Chapter
from tests.fidelity.journal import effect
from tests.fidelity.shared import NOTE, Note

__all__ = ["chapter"]

chapter = Chapter("Dependencies")
router, case = chapter.router, chapter.case


async def paging(skip: int = 0, limit: Annotated[int, Query(le=100)] = 10) -> dict[str, int]:
    return {"skip": skip, "limit": limit}


class Sorting:
    def __init__(self, by: str = "name", down: bool = False) -> None:
        self.by, self.down = by, down


async def opened() -> AsyncGenerator[list[str]]:
    log = ["opened"]
    try:
        yield log
    finally:
        log.append("closed")


async def both_of_them(
    paging: Annotated[dict[str, int], Depends(paging)], sorting: Annotated[Sorting, Depends()]
) -> list[Any]:
    return [paging, sorting.by, sorting.down]


async def who() -> str:
    return "somebody"


async def somebody_else(accent: str = "none") -> str:
    """Stands in for `who`; the document knows nothing of what it asks for."""
    return f"somebody else, {accent}"


@router.get("/deps/nested")
async def nested(
    chosen: Annotated[list[Any], Depends(both_of_them)], log: Annotated[list[str], Depends(opened)]
) -> Any:
    return [chosen, log]


case(
    "dependencies",
    "nested",
    {"skip": 5, "by": "age", "down": True},
    "GET /deps/nested",
    params={"skip": 5, "by": "age", "down": "true"},
)


case("wrong dependency", "nested", {"limit": 500}, "GET /deps/nested", blames=["limit"])


@router.get("/deps/overridden")
async def overridden(name: Annotated[str, Depends(who)]) -> Any:
    return name


@chapter.install
def override(app: FastAPI) -> None:
    app.dependency_overrides[who] = somebody_else


case("overridden dependency", "overridden", {}, "GET /deps/overridden")


# Yield: the order of opening and closing.


async def outer() -> AsyncGenerator[str]:
    effect("outer opened")
    try:
        yield "outer"
    finally:
        effect("outer closed")


def inner(outer: Annotated[str, Depends(outer)]) -> Generator[str]:
    effect("inner opened")
    yield f"{outer}.inner"
    effect("inner closed")


async def beside() -> AsyncGenerator[str]:
    effect("beside opened")
    yield "beside"
    effect("beside closed")


@router.get("/deps/yielded")
async def yielded(
    inner: Annotated[str, Depends(inner)], beside: Annotated[str, Depends(beside)], tasks: BackgroundTasks
) -> list[str]:
    effect("endpoint")
    tasks.add_task(effect, "afterwards")
    return [inner, beside]


case("yield: order of opening, closing and work afterwards", "yielded", {}, "GET /deps/yielded")

if "scope" in inspect.signature(Depends).parameters:

    @router.get("/deps/scopes")
    async def scopes(
        function: Annotated[str, Depends(outer, scope="function")],
        request: Annotated[str, Depends(beside, scope="request")],
    ) -> list[str]:
        effect("endpoint")
        return [function, request]

    case("yield: closing before the answer and after it", "scopes", {}, "GET /deps/scopes")


# Caching.


async def counted(label: str = "x") -> str:
    effect(["counted", label])
    return label


async def first(label: Annotated[str, Depends(counted)]) -> str:
    return f"first {label}"


async def second(label: Annotated[str, Depends(counted)]) -> str:
    return f"second {label}"


async def anew(label: Annotated[str, Depends(counted, use_cache=False)]) -> str:
    return f"anew {label}"


@router.get("/deps/cached")
async def cached(
    first: Annotated[str, Depends(first)], second: Annotated[str, Depends(second)], anew: Annotated[str, Depends(anew)]
) -> list[str]:
    return [first, second, anew]


case("one dependency of several runs once, and again without the cache", "cached", {"label": "l"}, "GET /deps/cached")


# Names that several dependencies ask for.


async def strict_reader(number: Annotated[int, Query(ge=1)], word: str = "a") -> list[Any]:
    return [number, word]


async def loose_reader(number: str, word: Annotated[str, Header()] = "b") -> list[Any]:
    return [number, word]


@router.get("/deps/repeated/{part}")
async def repeated(
    part: int, strict: Annotated[list[Any], Depends(strict_reader)], loose: Annotated[list[Any], Depends(loose_reader)]
) -> list[Any]:
    return [part, strict, loose]


case(
    "names repeated: one value for both",
    "repeated",
    {"part": 1, "number": "7", "word": "q"},
    "GET /deps/repeated/1",
    params={"number": "7", "word": "q"},
    credentials={"word": "h"},
    schema_says="cannot tell",  # the document has the type of only one of them
    spellings=[{"part": 1, "number": "7", "word__query": "q"}],
)
case(
    "names repeated: refused by one of them",
    "repeated",
    {"part": 1, "number": 0},
    "GET /deps/repeated/1",
    params={"number": 0},
    schema_says="cannot tell",
    blames=["number"],
)


async def path_reader(part: str) -> str:
    return f"the path holds {part}"


@router.get("/deps/path/{part}")
async def path_of_dependency(read: Annotated[str, Depends(path_reader)]) -> str:
    return read


case(
    "a path parameter that only a dependency names", "path_of_dependency", {"part": "p"}, "GET /deps/path/p", params={}
)


# Bodies of dependencies.


async def body_reader(note: Note) -> str:
    return note.title


@router.post("/deps/body")
async def body_of_dependency(title: Annotated[str, Depends(body_reader)]) -> str:
    return title


case("a body that only a dependency names", "body_of_dependency", NOTE, "POST /deps/body")


async def other_body_reader(urgent: Annotated[bool, Body()] = False) -> bool:
    return urgent


@router.post("/deps/bodies")
async def bodies_of_dependencies(
    title: Annotated[str, Depends(body_reader)],
    urgent: Annotated[bool, Depends(other_body_reader)],
    more: Note | None = None,
) -> list[Any]:
    return [title, urgent, more]


case(
    "bodies of several dependencies",
    "bodies_of_dependencies",
    {"note": NOTE, "urgent": True, "more": NOTE},
    "POST /deps/bodies",
)
case(
    "bodies of several dependencies: wrong",
    "bodies_of_dependencies",
    {"urgent": 5},
    "POST /deps/bodies",
    blames=["note", "urgent"],
)


# What dependencies do to the answer.


async def marking(response: Response, status: Annotated[int | None, Query(ge=200, le=203)] = None) -> None:
    response.headers["x-marked"] = "yes"
    response.set_cookie("marked", "yes")
    if status is not None:
        response.status_code = status


@router.get("/deps/marked", dependencies=[Depends(marking)])
async def marked(request: Request) -> dict[str, str]:
    return {"path": request.url.path}


case("headers and cookies of a dependency", "marked", {}, "GET /deps/marked")
case("the status of a dependency", "marked", {"status": 203}, "GET /deps/marked")


async def noting(tasks: BackgroundTasks, note: str = "-") -> None:
    tasks.add_task(effect, ["noted", note])


@router.post("/deps/background", dependencies=[Depends(noting)])
def background(tasks: BackgroundTasks) -> str:
    tasks.add_task(effect, "endpoint's own")
    effect("answering")
    return "done"


case("work afterwards of a dependency", "background", {"note": "n"}, "POST /deps/background", params={"note": "n"})


@router.post("/deps/response-background", response_model=None)
async def response_background(note: str) -> Response:
    return JSONResponse([note], 202, background=BackgroundTask(effect, ["afterwards", note]))


case(
    "work afterwards of a response",
    "response_background",
    {"note": "n"},
    "POST /deps/response-background",
    params={"note": "n"},
)


# Classes and their instances.


class Checker:
    """An instance is the dependency: parameterised, and called for each request."""

    def __init__(self, fixed: str) -> None:
        self.fixed = fixed

    def __call__(self, q: str = "") -> bool:
        return self.fixed in q


class Filters(BaseModel):
    name: str | None = None
    size: int = 5


@router.get("/deps/classes")
async def classes(
    has: Annotated[bool, Depends(Checker("bar"))], filters: Annotated[Filters, Depends(Filters)]
) -> list[Any]:
    return [has, filters]


case("an instance and a model as dependencies", "classes", {"q": "foobar", "name": "n", "size": 3}, "GET /deps/classes")
case("a model as a dependency: wrong", "classes", {"size": "x"}, "GET /deps/classes", blames=["size"])


# State of the request, and context variables.

CURRENT: ContextVar[str] = ContextVar("CURRENT", default="nobody")


async def remembering(request: Request, name: str = "ann") -> None:
    request.state.name = name
    CURRENT.set(name)


@router.get("/deps/state", dependencies=[Depends(remembering)])
async def state(request: Request) -> list[str]:
    return [request.state.name, CURRENT.get()]


case("state and context of a request", "state", {"name": "eve"}, "GET /deps/state")
case("state and context do not stay", "state", {}, "GET /deps/state")


# On routers and on decorators.


async def tenant(x_tenant: Annotated[str, Header(pattern="^[a-z]+$")]) -> str:
    effect(["tenant", x_tenant])
    return x_tenant


async def quota(tenant: Annotated[str, Depends(tenant)], cost: int = 1) -> None:
    if cost > 10:
        raise HTTPException(429, f"{tenant} has spent all")


tenants = APIRouter(prefix="/deps/tenants", dependencies=[Depends(tenant)])


@tenants.get("/{number}", dependencies=[Depends(quota)])
async def tenant_thing(number: int) -> int:
    return number


router.include_router(tenants, dependencies=[Depends(marking)])
TENANT = {"number": 1, "cost": 2}
case(
    "on a router, its inclusion and a decorator",
    "tenant_thing",
    TENANT,
    "GET /deps/tenants/1",
    params={"cost": 2},
    credentials={"x-tenant": "acme"},
    withheld=["x-tenant"],
    advertised={"cost": {"default": 1}},
)
case(
    "refused by the one on the decorator",
    "tenant_thing",
    {**TENANT, "cost": 11},
    "GET /deps/tenants/1",
    params={"cost": 11},
    credentials={"x-tenant": "acme"},
)
case(
    "refused by the one on the router",
    "tenant_thing",
    TENANT,
    "GET /deps/tenants/1",
    params={"cost": 2},
    credentials={"x-tenant": "ACME"},
    schema_says="cannot tell",  # the value is not an argument
    blames=["x-tenant"],
)
case(
    "without the header that the router requires",
    "tenant_thing",
    TENANT,
    "GET /deps/tenants/1",
    params={"cost": 2},
    schema_says="cannot tell",
    blames=["x-tenant", "TOOLWAY_HEADER_ARGUMENTS"],
)
