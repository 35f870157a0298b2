"""An application whose endpoints ask."""

from __future__ import annotations

from collections import Counter
from collections.abc import AsyncIterator
from contextlib import suppress
from typing import Annotated, Any, Literal

import anyio.from_thread
from fastapi import APIRouter, Depends, FastAPI, HTTPException, Request, Security
from fastapi.responses import JSONResponse
from fastapi.security import APIKeyHeader
from pydantic import BaseModel, Field

from toolway import Ask, Question, Settings, Toolway, agent_prompt, agent_resource, agent_tool
from toolway.deprecated import Log, Roots, Sampling
from toolway.errors import DeclinedError

router = APIRouter()


class Name(BaseModel):
    name: str = Field(min_length=2)


class Colour(BaseModel):
    colour: Literal["red", "green"]


class Yes(BaseModel):
    ok: bool


@router.post("/greet", operation_id="greet")
async def greet(ask: Ask, politely: bool = False) -> str:
    """Ask for a name, and greet it."""
    answer = await ask("What is your name?", Name, key="user_name")
    return f"Good day, {answer.name}!" if politely else f"Hello, {answer.name}!"


@router.post("/greet-in-a-thread", operation_id="greet_in_a_thread")
def greet_in_a_thread(ask: Ask) -> str:
    """Ask for a name without awaiting it."""
    return f"Hello, {anyio.from_thread.run(ask, 'What is your name?', Name).name}!"


@router.post("/paint", operation_id="paint")
async def paint(ask: Ask, request: Request) -> str:
    """Ask for two things, one after the other."""
    name = await ask("What is your name?", Name, key="step1")
    colour = await ask(f"Which colour, {name.name}?", Colour, key="step2")
    request.app.state.done["paint"] += 1
    return f"{name.name} likes {colour.colour}"


@router.post("/gather", operation_id="gather")
async def gather(ask: Ask) -> dict[str, Any]:
    """Ask for everything at once."""
    answers = await ask.all(
        user_name=Question("What is your name?", Name),
        greeting=Sampling("Write a greeting", max_tokens=50, system="Be brief"),
        client_roots=Roots(),
    )
    name, roots = answers["user_name"].name, [root.uri for root in answers["client_roots"]]
    return {"name": name, "greeting": answers["greeting"], "roots": roots}


@router.post("/unnamed", operation_id="unnamed")
async def unnamed(ask: Ask) -> str:
    """Ask the same thing twice, without a key."""
    first, second = await ask("Your name?", Name), await ask("Your name?", Name)
    return f"{first.name} and {second.name}"


@router.post("/think", operation_id="think")
async def think(ask: Ask) -> str:
    """Ask the client's model."""
    return (await ask.all(thought=Sampling("What is the capital of France?", max_tokens=100)))["thought"]


@router.post("/able", operation_id="able")
async def able(ask: Ask) -> list[str]:
    """Say what the caller can be asked."""
    return sorted(ask.kinds)


@router.post("/survive", operation_id="survive")
async def survive(ask: Ask) -> str:
    """Make do without an answer."""
    try:
        return (await ask("What is your name?", Name)).name
    except DeclinedError as error:
        return f"without a name: {error.action}"


@router.post("/wait", operation_id="wait_for_name")
async def wait_for_name(ask: Ask, request: Request) -> str:
    """Ask, and note when the work ends without an answer."""
    try:
        return (await ask("What is your name?", Name)).name
    except BaseException:
        request.app.state.done["ended"] += 1
        raise


@router.get("/done/{what}", operation_id="count_done")
async def count_done(what: str, request: Request) -> int:
    return request.app.state.done[what]


@router.get("/brief", operation_id="brief")
@agent_prompt()
async def brief(ask: Ask) -> str:
    """Brief whoever has this name."""
    return f"Listen, {(await ask('What is your name?', Name)).name}."


@router.get("/card", operation_id="read_card")
@agent_resource("shop://card")
async def read_card(ask: Ask) -> dict[str, str]:
    """The card of whoever has this name."""
    return {"name": (await ask("What is your name?", Name)).name}


@router.post("/swallow", operation_id="swallow")
async def swallow(ask: Ask) -> str:
    """Look away from whatever is raised."""
    with suppress(Exception):
        return (await ask("What is your name?", Name)).name
    return "nobody"


async def transaction(request: Request) -> AsyncIterator[None]:
    try:
        yield
    except HTTPException:
        request.app.state.done["rolled back"] += 1
        raise


@router.post("/transact", operation_id="transact", dependencies=[Depends(transaction)])
async def transact(ask: Ask) -> str:
    """Ask within a dependency that cleans up."""
    return (await ask("What is your name?", Name)).name


@router.delete("/orders/{order_id}", operation_id="cancel_order")
@agent_tool(confirm="Cancel order {order_id} because of {reason}?")
async def cancel_order(order_id: str, request: Request, reason: str = "no need") -> str:
    """Cancel an order."""
    request.app.state.done[order_id] += 1
    return f"cancelled {order_id}"


@router.put("/orders/{order_id}", operation_id="confirm_twice")
@agent_tool(confirm="Change order {order_id}?")
async def confirm_twice(order_id: str, ask: Ask) -> str:
    """Ask once more within."""
    return str((await ask("Really?", Yes, key="confirm")).ok)


@router.get("/note", operation_id="take_note")
async def take_note(log: Log) -> str:
    """Send messages of three levels."""
    await log("small", "debug")
    await log({"what": "usual"}, logger="notes")
    await log("grave", "error")
    return "noted"


key = APIKeyHeader(name="X-Key", auto_error=False)


@router.post("/own", operation_id="own")
async def own(ask: Ask, caller: Annotated[str | None, Security(key)] = None) -> str:
    """Ask on behalf of whoever has the key."""
    return f"{caller}: {(await ask('What is your name?', Name)).name}"


def make_asking() -> FastAPI:
    """Make a fresh application without MCP; what was done stands in `app.state.done`."""
    app = FastAPI()
    app.state.done = Counter[str]()
    app.include_router(router)
    return app


def make_masking() -> FastAPI:
    """Make one that answers every HTTPException in its own way."""
    app = make_asking()

    @app.exception_handler(HTTPException)
    async def mask(request: Request, error: HTTPException) -> JSONResponse:
        return JSONResponse({"oops": "something went wrong"}, 200)

    return app


def make_asking_server(settings: Settings | None = None) -> FastAPI:
    app = make_asking()
    Toolway(app, name="things", settings=settings).mount()
    return app


app = make_asking_server()
