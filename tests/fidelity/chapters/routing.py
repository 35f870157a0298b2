"""Routing: routers, sub-applications, methods, names, and what is no tool."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Callable, Coroutine
from contextlib import asynccontextmanager
from typing import Annotated, Any

from fastapi import APIRouter, Depends, FastAPI, Header, Request, Response, WebSocket
from fastapi.responses import JSONResponse
from fastapi.routing import APIRoute
from fastapi.utils import generate_unique_id
from pydantic import BaseModel

from tests.fidelity.case import Chapter
from tests.fidelity.journal import effect

__all__ = ["chapter"]

chapter = Chapter("Routing")
router, case, absent = chapter.router, chapter.case, chapter.absent


async def counted(x_tenant: Annotated[str, Header()] = "nobody") -> None:
    effect(["passed", x_tenant])


inner = APIRouter(prefix="/inner/{tenant}")


@inner.get("/things/{number}")
async def nested_thing(tenant: str, number: int) -> list[Any]:
    return [tenant, number]


case(
    "routers in routers, a parameter in the prefix",
    "nested_thing",
    {"tenant": "a b", "number": 3},
    "GET /outer/inner/a%20b/things/3",
    credentials={"x-tenant": "t"},
    params={},
)
outer = APIRouter(prefix="/outer", dependencies=[Depends(counted)])
outer.include_router(inner)
router.include_router(outer)

shared = APIRouter()


@shared.get("/twice/{number}")
async def included_twice(number: int, request: Request) -> list[Any]:
    return [number, request.url.path]


router.include_router(shared, prefix="/first", generate_unique_id_function=lambda route: f"first_{route.name}")
router.include_router(shared, prefix="/second", generate_unique_id_function=lambda route: f"second_{route.name}")
case("one router twice: first", "first_included_twice", {"number": 1}, "GET /first/twice/1", params={})
case("one router twice: second", "second_included_twice", {"number": 2}, "GET /second/twice/2", params={})


class Stamped(APIRoute):
    """A route class of an application's own, which changes the request and the answer."""

    def get_route_handler(self) -> Callable[[Request], Coroutine[Any, Any, Response]]:
        handle = super().get_route_handler()

        async def stamped(request: Request) -> Response:
            effect("stamped")
            if request.query_params.get("blocked"):
                return JSONResponse({"detail": "blocked by the route"}, status_code=403)
            return await handle(request)

        return stamped


stamping = APIRouter(route_class=Stamped, prefix="/stamped")


@stamping.get("/echo")
async def stamped_echo(blocked: str | None = None) -> list[str | None]:
    return [blocked]


router.include_router(stamping)
case("a route class of its own", "stamped_echo", {}, "GET /stamped/echo")
case("a route class that refuses", "stamped_echo", {"blocked": "yes"}, "GET /stamped/echo")


@router.get("/items/me", operation_id="read_me")
async def read_me() -> str:
    return "myself"


@router.get("/items/{item_id}")
async def read_item(item_id: str) -> list[str]:
    return [item_id]


case("a path beside a parameter", "read_me", {}, "GET /items/me")
case("a parameter beside a path", "read_item", {"item_id": "you"}, "GET /items/you", params={})
case(
    "a value that is another endpoint's path", "read_item", {"item_id": "me"}, "GET /items/me", params={},
    may_stop_early=True, schema_says="cannot tell",
)  # fmt: skip
case(
    "a value that climbs out", "read_item", {"item_id": "../answers/list"}, "GET /items/..%2Fanswers%2Flist", params={},
    may_stop_early=True,
)  # fmt: skip
case(
    "a value like a query",
    "read_item",
    {"item_id": "50% off? #1&a=b"},
    "GET /items/50%25%20off%3F%20%231&a=b",
    params={},
)


@router.get("/files/{path:path}")
async def read_path(path: str) -> list[str]:
    return [path]


case("a path with slashes", "read_path", {"path": "a/b c/d.txt"}, "GET /files/a/b%20c/d.txt", params={})


@router.api_route("/two-methods", methods=["GET", "POST"], operation_id="several_methods")
async def several_methods(request: Request) -> list[str]:
    return [request.method]


case("one route, two methods: GET", "several_methods_get", {}, "GET /two-methods", also_called=["several_methods"])
case(
    "one route, two methods: POST", "several_methods_post", {}, "POST /two-methods", params={},
    also_called=["several_methods_2", "several_methods"],
)  # fmt: skip


@router.get("/old", deprecated=True)
async def deprecated_route(q: Annotated[str, Header(deprecated=True)] = "x") -> list[str]:
    return [q]


case("deprecated", "deprecated_route", {"q": "y"}, "GET /old", headers={"q": "y"})


@router.get("/hidden", include_in_schema=False)
async def hidden_route() -> str:
    return "hidden"


absent("not in the document", "hidden_route")


@router.head("/head-only")
async def head_only() -> None: ...


@router.options("/options-only")
async def options_only() -> None: ...


chapter.absent("HEAD", "head_only", reported="HEAD /head-only")
chapter.absent("OPTIONS", "options_only", reported="OPTIONS /options-only")


@router.websocket("/socket")
async def socket(websocket: WebSocket) -> None:
    await websocket.accept()


absent("WebSocket", "socket", reported="WEBSOCKET /socket")


class Invoice(BaseModel):
    number: int


callbacks = APIRouter()


@callbacks.post("{$callback_url}/paid/{$request.body.number}")
def invoice_paid(body: Invoice) -> None: ...


@router.post("/invoices", callbacks=callbacks.routes)
async def create_invoice(invoice: Invoice) -> Invoice:
    return invoice


case("an endpoint with callbacks", "create_invoice", {"number": 1}, "POST /invoices")
absent("a callback", "invoice_paid")


@chapter.install
def webhooks(app: FastAPI) -> None:
    @app.webhooks.post("new-invoice")
    def new_invoice(body: Invoice) -> None: ...


absent("a webhook", "new_invoice", "new-invoice")


@chapter.install
def sub_application(app: FastAPI) -> None:
    below = FastAPI(generate_unique_id_function=lambda route: route.name)

    @below.get("/deep/{number}")
    async def below_deep(number: int, request: Request) -> list[Any]:
        return [number, request.url.path]

    app.mount("/below", below)


case("a sub-application", "below_deep", {"number": 4}, "GET /below/deep/4", params={})


# Names of tools.

generated = APIRouter()


@generated.get("/generated/{number}")
async def generated_name(number: int) -> int:
    return number


router.include_router(generated, generate_unique_id_function=generate_unique_id)
case(
    "an id that FastAPI generates",
    "generated_name",
    {"number": 1},
    "GET /generated/1",
    params={},
    also_called=["generated_name_generated__number__get"],
)

LONG = "an_operation_whose_name_" + "goes_on_and_" * 5
SHORTENED = "an_op_whose_name_goes_goes_goes_goes_goes_"
"""What toolway makes of both; a prefix before them leads to the same end."""


@router.get("/names/long/a", operation_id=f"{LONG}first")
async def long_name_first() -> str:
    return "first"


@router.get("/names/long/b", operation_id=f"{LONG}second")
async def long_name_second() -> str:
    return "second"


@router.get("/names/odd", operation_id="odd name. of/an operation!")
async def odd_name() -> str:
    return "odd"


@router.get("/names/twice/a", operation_id="named_twice")
async def named_twice() -> str:
    return "a"


@router.put("/names/twice/b", operation_id="named_twice")
async def named_twice_again() -> str:
    return "b"


case(
    "a name longer than clients take",
    f"{SHORTENED}first",
    {},
    "GET /names/long/a",
    also_called=[f"{LONG}first"],
)
case(
    "a long name like another",
    f"{SHORTENED}second",
    {},
    "GET /names/long/b",
    also_called=[f"{LONG}second"],
)
case(
    "a name with other signs",
    "odd_name_of_an_operation",
    {},
    "GET /names/odd",
    also_called=["odd name. of/an operation!"],
)
case("one name for two: the first", "named_twice_get", {}, "GET /names/twice/a", also_called=["named_twice"])
case(
    "one name for two: the other", "named_twice_put", {}, "PUT /names/twice/b", params={}, also_called=["named_twice_2"]
)


@router.get("/undescribed")
async def undescribed():  # type: ignore[no-untyped-def]
    return {"said": "nothing"}


case("no docstring, no types", "undescribed", {}, "GET /undescribed")


@router.get("/caller")
async def caller(request: Request) -> list[Any]:
    host = request.client.host if request.client else None
    return [host, request.method, request.url.path, request.headers.get("authorization")]


case(
    "what the application sees of its caller",
    "caller",
    {},
    "GET /caller",
    credentials={"authorization": "Bearer reader"},
)


# A router with a lifespan: what it opened is there, whoever calls.


@asynccontextmanager
async def started(app: FastAPI) -> AsyncGenerator[dict[str, str]]:
    app.state.started = True
    yield {"opened": "by the lifespan"}


living = APIRouter(lifespan=started)


@living.get("/lifespan")
async def lifespan_state(request: Request) -> list[Any]:
    return [request.state.opened, request.app.state.started]


router.include_router(living)
case("state of the lifespan", "lifespan_state", {}, "GET /lifespan")
