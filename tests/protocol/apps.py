"""An application whose endpoints answer with everything that an endpoint can answer with."""

from __future__ import annotations

from typing import Annotated, Any

from fastapi import APIRouter, Body, FastAPI, HTTPException, Query
from fastapi.responses import PlainTextResponse, Response
from pydantic import BaseModel, Field

from toolway import Settings, Toolway

PICTURE = b"\x89PNG\r\n\x1a\n"

router = APIRouter()


class Thing(BaseModel):
    """Something with a name."""

    id: int
    name: str
    parts: list[Thing] = []
    note: str | None = None


class Wish(BaseModel):
    """What somebody would like to have."""

    name: str = Field(description="What it is called.", min_length=1)
    count: int = 1
    extra: Any = None


@router.get("/things/{thing_id}", operation_id="get_thing")
async def get_thing(thing_id: int) -> Thing:
    """Look up one thing."""
    if thing_id > 99:
        raise HTTPException(404, f"No thing has the number {thing_id}")
    return Thing(id=thing_id, name="spoon", parts=[Thing(id=2, name="handle")])


@router.get("/names", operation_id="list_names")
async def list_names() -> list[str]:
    return ["spoon", "fork"]


@router.get("/count", operation_id="count_things")
async def count_things() -> int:
    return 2


@router.get("/anything", operation_id="find_thing")
async def find_thing(known: bool = False) -> Thing | None:
    return Thing(id=1, name="spoon") if known else None


@router.get("/either", operation_id="either")
async def either(number: bool = False) -> Thing | int:
    return 7 if number else Thing(id=1, name="spoon")


@router.post("/wishes", operation_id="make_wish")
async def make_wish(wish: Wish) -> Wish:
    return wish


@router.post("/echo", operation_id="echo")
async def echo(value: Annotated[Any, Body(embed=True)] = None) -> Any:
    return {"value": value}


@router.delete("/things", operation_id="drop_things", status_code=204, response_model=None)
async def drop_things() -> None:
    pass


@router.get("/text", operation_id="read_text", response_class=PlainTextResponse)
async def read_text() -> str:
    return "plain words"


@router.get("/picture", operation_id="show_picture", response_class=Response)
async def show_picture() -> Response:
    return Response(PICTURE, media_type="image/png")


@router.get("/fails", operation_id="fail")
async def fail() -> Thing:
    raise RuntimeError("the secret of the house")


@router.get("/raw", operation_id="raw_json", response_class=Response)
async def raw_json(text: str) -> Response:
    return Response(text, media_type="application/json")


@router.get("/rows", operation_id="list_rows")
async def list_rows(
    region: Annotated[str, Query(json_schema_extra={"x-mcp-header": "Region"})], limit: int = 1
) -> list[str]:
    return [region] * limit


def make_app(**options: Any) -> FastAPI:
    """Make a fresh application without MCP."""
    app = FastAPI(title="Things", version="1.2.3", description="Keeps things.", **options)
    app.include_router(router)
    return app


def make_server(settings: Settings | None = None, **options: Any) -> FastAPI:
    """Make a fresh application that serves its endpoints over MCP."""
    app = make_app(**options)
    Toolway(app, name="things", settings=settings).mount()
    return app
