"""An application with a tool for every kind of answer and every place of an argument; all endpoints are coroutines."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator, Mapping
from contextlib import asynccontextmanager
from typing import Annotated, Any

from fastapi import (
    APIRouter,
    BackgroundTasks,
    Body,
    Cookie,
    Depends,
    FastAPI,
    File,
    Form,
    Header,
    HTTPException,
    Query,
    Request,
    Security,
    UploadFile,
)
from fastapi.responses import JSONResponse, PlainTextResponse, RedirectResponse, Response, StreamingResponse
from fastapi.security import APIKeyCookie, APIKeyHeader, APIKeyQuery, HTTPBearer
from pydantic import BaseModel, Field
from starlette.types import ASGIApp, Receive, Scope, Send

from toolway import Settings, Toolway

__all__ = ["MOST_BYTES", "SAMPLES", "make_server", "new_app", "passed", "started"]

MOST_BYTES = 64 * 1024
"""The largest request that the server reads."""

router = APIRouter()

SAMPLES: dict[str, list[Mapping[str, Any]]] = {
    "get_thing": [{"thing_id": 1}, {"thing_id": 100}, {"thing_id": "x"}, {}],
    "list_names": [{}, {"limit": 1}],
    "count_things": [{}],
    "weigh": [{"grams": 2.5}, {"grams": 1e22}],
    "find_thing": [{}, {"known": True}],
    "either": [{}, {"number": True}],
    "drop_things": [{}],
    "say_nothing": [{}],
    "read_text": [{"text": "two\r\nlines\u2028 é"}],
    "show_picture": [{}],
    "play_sound": [{}],
    "get_bytes": [{}],
    "moved": [{}, {"target": "/nowhere"}, {"target": "https://example.com/"}],
    "refuse": [{"status": 404}, {"status": 401}, {"status": 418, "detail": {"why": None, "list": [1]}}],
    "fail": [{}, {"answers": 503}, {"answers": 500}],
    "make_wish": [{"name": "spoon", "count": 2}, {"name": "", "count": "x"}, {"name": "é", "extra": {"a": [None]}}],
    "echo": [{"value": {"a": [1, 1.0, True, None, "é"]}}, {"value": None}, {"value": []}],
    "raw_json": [{"text": '{\r\n "a" : [ 1.0 ,\n2e3, -0, 1E400 ]\n}'}, {"text": " [ ]\n"}, {"text": "nope"}],
    "long_json": [{"times": 9000}, {"piece": '{"a" :\n 1.50}', "times": 6000}, {"piece": "1" * 4400, "times": 20}],
    "list_rows": [{"region": "north"}, {"region": "é", "limit": 2, "all": True}, {}],
    "who": [{"x-trace": "t", "flavour": "mild"}, {}],
    "upload": [{"file": {"filename": "a.txt", "content_type": "text/plain", "text": "hé"}, "note": "n"}],
    "many": [{"path": "a/b c", "tags": ["x", "é&="], "numbers": [1, 2]}],
    "follow_steps": [{"steps": 3}, {"steps": 0}],
    "follow_lines": [{"steps": 2}],
    "follow_for_ever": [{}],
    "wait": [{"seconds": 0.2}],
    "wait_in_steps": [{"seconds": 0.4, "steps": 5}],
    "answer_first": [{}],
}
"""Arguments for each tool."""


class Thing(BaseModel):
    """Something with a name."""

    id: int
    name: str
    parts: list[Thing] = []
    note: str | None = None


class Wish(BaseModel):
    """A wish list."""

    name: str = Field(min_length=1)
    count: int = 1
    extra: Any = None


@router.get("/things/{thing_id}")
async def get_thing(thing_id: int) -> Thing:
    """Look up one thing."""
    if thing_id > 99:
        raise HTTPException(404, f"No thing has the number {thing_id}")
    return Thing(id=thing_id, name="spoon", parts=[Thing(id=2, name="handle")])


@router.get("/names")
async def list_names(limit: int = 3) -> list[str]:
    return ["spoon", "fork", "é\u2028"][:limit]


@router.get("/count")
async def count_things() -> int:
    return 2


@router.get("/weight")
async def weigh(grams: float) -> float:
    return grams


@router.get("/anything")
async def find_thing(known: bool = False) -> Thing | None:
    return Thing(id=1, name="spoon") if known else None


@router.get("/either")
async def either(number: bool = False) -> Thing | int:
    return 7 if number else Thing(id=1, name="spoon")


@router.delete("/things", status_code=204, response_model=None)
async def drop_things() -> None: ...


@router.post("/nothing", response_class=Response)
async def say_nothing() -> Response:
    return Response()


@router.get("/text", response_class=PlainTextResponse)
async def read_text(text: str) -> str:
    return text


@router.get("/picture", response_class=Response)
async def show_picture() -> Response:
    return Response(b"\x89PNG\r\n\x1a\n", media_type="image/png")


@router.get("/sound", response_class=Response)
async def play_sound() -> Response:
    return Response(b"RIFF\x00", media_type="audio/wav")


@router.get("/bytes", response_class=Response)
async def get_bytes() -> Response:
    return Response(bytes(range(256)), media_type="application/octet-stream")


@router.get("/moved", response_class=RedirectResponse)
async def moved(target: str = "/things/7") -> Response:
    return RedirectResponse(target)


@router.get("/refusal")
async def refuse(status: Annotated[int, Query(ge=400, lt=500)], detail: str = "no") -> Thing:
    raise HTTPException(status, detail, {"www-authenticate": "Bearer"} if status == 401 else None)


@router.get("/failure")
async def fail(answers: int = 0) -> Thing:
    if answers:
        raise HTTPException(answers, "the secret of the house")
    raise RuntimeError("the secret of the house")


@router.post("/wishes")
async def make_wish(wish: Wish) -> Wish:
    return wish


@router.post("/echo")
async def echo(value: Annotated[Any, Body(embed=True)]) -> Any:
    return {"value": value}


@router.post("/raw", response_class=Response)
async def raw_json(text: Annotated[str, Body(embed=True)], status: int = 200) -> Response:
    """Answer with any text as JSON."""
    return Response(text, status, media_type="application/json")


@router.post("/long", response_class=JSONResponse)
async def long_json(times: Annotated[int, Query(ge=0, le=9000)], piece: Annotated[str, Query()] = '"é\\n"') -> Response:
    """Answer with a list of some text as JSON, so often."""
    return Response(f"[\n{', '.join([piece] * times)}]", media_type="application/json")


@router.get("/rows")
async def list_rows(
    region: Annotated[str, Query(json_schema_extra={"x-mcp-header": "Region"})],
    limit: Annotated[int, Query(json_schema_extra={"x-mcp-header": "Limit"}, le=5)] = 1,
    *,
    all: Annotated[bool, Query(json_schema_extra={"x-mcp-header": "All"})] = False,  # noqa: A002 - a word of APIs
) -> list[str]:
    return [f"{region} {all}"] * limit


@router.get("/who")
async def who(
    x_trace: Annotated[str | None, Header()] = None,
    flavour: Annotated[str | None, Cookie()] = None,
    bearer: Annotated[Any, Security(HTTPBearer(auto_error=False))] = None,
    key: Annotated[str | None, Security(APIKeyHeader(name="x-key", auto_error=False))] = None,
    token: Annotated[str | None, Security(APIKeyQuery(name="token", auto_error=False))] = None,
    session: Annotated[str | None, Security(APIKeyCookie(name="session", auto_error=False))] = None,
) -> dict[str, Any]:
    return {"trace": x_trace, "flavour": flavour, "bearer": bearer, "key": key, "token": token, "session": session}


@router.post("/upload")
async def upload(file: Annotated[UploadFile, File()], note: Annotated[str, Form()] = "") -> dict[str, Any]:
    content = await file.read()
    return {"name": file.filename, "type": file.content_type, "size": len(content), "note": note}


async def page(limit: Annotated[int, Query(ge=0)] = 10) -> AsyncIterator[int]:
    yield limit


@router.get("/many/{path:path}")
async def many(
    path: str,
    limit: Annotated[int, Depends(page)],
    tags: Annotated[list[str] | None, Query()] = None,
    numbers: Annotated[set[int], Query()] = set(),  # noqa: B006 - as people write it
) -> list[Any]:
    return [path, limit, tags, sorted(numbers)]


async def steps_of(steps: int, text: str) -> AsyncGenerator[str]:
    for number in range(steps):
        yield text.format(number)


Few = Annotated[int, Query(ge=0, le=20)]


@router.get("/steps", response_class=StreamingResponse)
async def follow_steps(steps: Few) -> Response:
    return StreamingResponse(steps_of(steps, "data: é {}\n\n"), media_type="text/event-stream")


@router.get("/lines", response_class=StreamingResponse)
async def follow_lines(steps: Few) -> Response:
    return StreamingResponse(steps_of(steps, '{{"step": {}}}\n'), media_type="application/x-ndjson")


@router.get("/for-ever", response_class=StreamingResponse)
async def follow_for_ever() -> Response:
    async def beats() -> AsyncGenerator[str]:
        yield "data: tick\n\n"
        await asyncio.Event().wait()

    return StreamingResponse(beats(), media_type="text/event-stream")


async def passed(seconds: float) -> None:
    """Return after this time on the event loop's clock."""
    await asyncio.wait({asyncio.get_running_loop().create_future()}, timeout=seconds)


@router.get("/wait")
async def wait(seconds: Annotated[float, Query(ge=0, le=100)], label: str = "") -> dict[str, str]:
    await passed(seconds)
    return {"label": label}


@router.get("/waiting-steps", response_class=StreamingResponse)
async def wait_in_steps(request: Request, seconds: Annotated[float, Query(ge=0, le=10)], steps: Few = 3) -> Response:
    """Stream, and take so long before each step; `app.state.ended` counts the streams that are over."""

    async def slowly() -> AsyncGenerator[str]:
        try:
            for number in range(steps):
                await passed(seconds)
                yield f"data: {number}\n\n"
        finally:
            request.app.state.ended += 1

    return StreamingResponse(slowly(), media_type="text/event-stream")


@router.post("/later")
async def answer_first(tasks: BackgroundTasks) -> str:
    tasks.add_task(passed, 1)
    return "answered"


@router.get("/hidden", include_in_schema=False)
async def hidden() -> str:
    return "not for agents"


class Record:
    """Middleware that notes what reaches the endpoints."""

    def __init__(self, app: ASGIApp, seen: list[Any]) -> None:
        self._app = app
        self._seen = seen

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "http" and scope["path"] != "/mcp":
            keys = ("method", "path", "raw_path", "query_string", "headers", "client", "scheme", "root_path")
            self._seen.append({key: scope[key] for key in keys})
        await self._app(scope, receive, send)


def new_app(title: str) -> FastAPI:
    """Make an application without endpoints; `app.state.seen` lists the requests that reach them."""
    app = FastAPI(title=title, version="1.2.3", generate_unique_id_function=lambda route: route.name)
    seen: list[Any] = []
    app.state.seen = seen
    app.add_middleware(Record, seen=seen)
    return app


def make_server(
    *, fast_lane: bool, stream_seconds: float = 1.01, stateful: bool = False, progress_seconds: float = 5
) -> FastAPI:
    """Make a fresh application that serves its endpoints over MCP, with or without the fast lane.

    No endpoint is likely to take just as long as a stream is followed: who comes first would be left to chance.
    """
    app = new_app("Lanes")
    app.include_router(router)
    app.state.ended = 0
    settings = Settings(
        fast_lane=fast_lane,
        stream_seconds=stream_seconds,
        stateful=stateful,
        progress_seconds=progress_seconds,
        body_seconds=5,
        max_body_bytes=MOST_BYTES,
        result_tokens=0,  # the handle of a truncated result is random
    )
    Toolway(app, name="lanes", settings=settings).mount()
    return app


@asynccontextmanager
async def started(app: FastAPI) -> AsyncGenerator[FastAPI]:
    """Run an application's lifespan around what is done with it."""
    async with app.router.lifespan_context(app):
        yield app
