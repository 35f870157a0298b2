"""Every shape of endpoint that FastAPI knows; each answers with what it got."""

from __future__ import annotations

from collections.abc import AsyncGenerator
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from decimal import Decimal
from enum import Enum, IntEnum
from typing import Annotated, Any, Generic, Literal, TypeVar
from uuid import UUID

from fastapi import (
    APIRouter,
    Body,
    Cookie,
    Depends,
    FastAPI,
    File,
    Form,
    Header,
    HTTPException,
    Path,
    Query,
    Request,
    UploadFile,
)
from pydantic import BaseModel, ConfigDict, Field, RootModel, computed_field, model_validator
from pydantic.alias_generators import to_camel

ItemT = TypeVar("ItemT")


class Color(str, Enum):  # noqa: UP042 - as people write it
    red = "red"
    green = "green"


class Level(IntEnum):
    low = 1
    high = 2


class Note(BaseModel):
    title: str
    note: str | None = None
    count: int = 1


class Defaults(BaseModel):
    limit: int = 10
    tags: list[str] = []
    after: str | None = "start"


class Strict(BaseModel, extra="forbid"):
    name: str = "x"


class Open(BaseModel, extra="allow"):
    name: str = "x"


class Tree(BaseModel):
    name: str
    children: list[Tree] = []


class Husband(BaseModel):
    name: str
    wife: Wife | None = None


class Wife(BaseModel):
    name: str
    husband: Husband | None = None


class Cat(BaseModel):
    kind: Literal["cat"]
    lives: int = 9


class Dog(BaseModel):
    kind: Literal["dog"]
    tricks: list[str] = []


Pet = Annotated[Cat | Dog, Field(discriminator="kind")]


class Owner(BaseModel):
    name: str
    pet: Pet
    others: dict[str, Pet] = {}


class Camel(BaseModel):
    model_config = ConfigDict(alias_generator=to_camel, populate_by_name=True)

    first_name: str
    shoe_size: int | None = None


class Rectangle(BaseModel):
    width: Decimal
    height: Decimal

    @computed_field
    @property
    def area(self) -> Decimal:
        return self.width * self.height


class Page(BaseModel, Generic[ItemT]):
    items: list[ItemT]
    next: str | None = None


class Numbers(RootModel[list[int]]):
    pass


class Range(BaseModel):
    low: int
    high: int

    @model_validator(mode="after")
    def in_order(self) -> Range:
        if self.low > self.high:
            raise ValueError("low must not be above high")
        return self


class Moments(BaseModel):
    at: datetime
    day: date
    hour: time
    span: timedelta
    price: Decimal
    key: UUID
    color: Color
    level: Level
    mode: Literal["on", "off"]
    raw: bytes = b""


class Odd(BaseModel):
    """Properties whose names mean something in JSON Schema, or are no names."""

    title: str
    default: int = 0
    ref: str = Field("r", alias="$ref")
    filter_name: str = Field("f", alias="filter[name]")
    id_: str = Field("i", alias="_id")


@dataclass
class Point:
    x: int
    y: int = 0


class Search(BaseModel, extra="forbid"):
    term: str
    limit: int = Field(10, ge=1, le=100)
    tags: list[str] = []


class Trace(BaseModel):
    x_tenant: str
    x_tags: list[str] = []
    x_level: int | None = None


class Jar(BaseModel):
    session: str
    theme: str | None = None


class Sheet(BaseModel):
    title: str
    copies: int = 1
    tags: list[str] = []


parameters = APIRouter()


@parameters.get("/path/{number}/{color}/{key}")
async def path_values(number: Annotated[int, Path(ge=1)], color: Color, key: UUID) -> Any:
    return [number, color, key]


@parameters.get("/scalars")
async def scalars(  # noqa: PLR0917
    whole: int,
    part: float,
    flag: bool,
    at: datetime,
    day: date,
    span: timedelta,
    price: Decimal,
    key: UUID,
    color: Color,
    level: Level,
    mode: Literal["on", "off"] = "on",
) -> Any:
    return [whole, part, flag, at.isoformat(), day, span, str(price), key, color, level, mode]


@parameters.get("/optional")
async def optional(
    number: int | None = None,
    mixed: str | bool | float = 7,
    several: Annotated[list[int] | None, Query()] = None,
    with_default: str = "d",
) -> Any:
    return [number, mixed, several, with_default]


@parameters.get("/lists")
async def lists(
    numbers: Annotated[list[int], Query()],
    colors: Annotated[set[Color], Query()] = set(),  # noqa: B006 - as people write it
) -> Any:
    return [numbers, sorted(colors)]


@parameters.get("/aliases")
async def aliases(item: Annotated[str, Query(alias="item-query")], source: Annotated[str, Query(alias="from")]) -> Any:
    return [item, source]


@parameters.get("/odd-names")
async def odd_names(
    by_name: Annotated[str, Query(alias="filter[name]")] = "-",
    by_size: Annotated[str, Query(alias="filter[size]")] = "-",
    dollar: Annotated[str, Query(alias="$top")] = "-",
) -> Any:
    return [by_name, by_size, dollar]


@parameters.get("/query-model")
async def query_model(search: Annotated[Search, Query()]) -> Any:
    return search


@parameters.get("/hidden-parameter")
async def hidden_parameter(shown: str, hidden: Annotated[str, Query(include_in_schema=False)] = "h") -> Any:
    return [shown, hidden]


@parameters.get("/headers")
async def headers(
    x_token: Annotated[str, Header()],
    x_number: Annotated[int | None, Header()] = None,
    x_flag: Annotated[bool, Header()] = False,
    x_list: Annotated[list[str] | None, Header()] = None,
) -> Any:
    return [x_token, x_number, x_flag, x_list]


@parameters.get("/header-model")
async def header_model(trace: Annotated[Trace, Header()]) -> Any:
    return trace


@parameters.get("/cookies")
async def cookies(session: Annotated[str, Cookie()], theme: Annotated[str | None, Cookie()] = None) -> Any:
    return [session, theme]


@parameters.get("/cookie-model")
async def cookie_model(jar: Annotated[Jar, Cookie()]) -> Any:
    return jar


@parameters.delete("/no-content/{number}", status_code=204, response_model=None)
async def no_content(number: int) -> None:
    pass


@parameters.get("/trailing/{name}/")
async def trailing(name: str) -> Any:
    return name


bodies = APIRouter()


@bodies.post("/notes", status_code=201)
async def create_note(note: Note) -> Note:
    return note


@bodies.patch("/notes/{number}")
async def patch_note(number: int, note: Note) -> Any:
    return [number, note.model_dump(exclude_unset=True)]


@bodies.put("/notes/{number}")
async def put_note(number: int, note: Note, dry: bool = False) -> Any:
    return [number, note, dry]


@bodies.post("/defaults")
async def defaults(body: Defaults) -> Any:
    return [body, sorted(body.model_fields_set)]


@bodies.post("/optional-defaults")
async def optional_defaults(body: Defaults | None = None) -> Any:
    return body


@bodies.post("/default-instance")
async def default_instance(body: Defaults = Defaults(limit=3)) -> Any:  # noqa: B008 - as people write it
    return body


@bodies.post("/optional-note")
async def optional_note(note: Note | None = None) -> Any:
    return note


@bodies.post("/embedded")
async def embedded(note: Annotated[Note, Body(embed=True)]) -> Any:
    return note


@bodies.post("/several")
async def several(
    note: Note, point: Point, importance: Annotated[int, Body(gt=0)], extra: Annotated[Note | None, Body()] = None
) -> Any:
    return [note, point, importance, extra]


@bodies.post("/list")
async def list_body(notes: list[Note]) -> Any:
    return notes


@bodies.post("/root-model")
async def root_model(numbers: Numbers) -> Any:
    return numbers


@bodies.post("/scalar")
async def scalar(importance: Annotated[int, Body()]) -> Any:
    return importance


@bodies.post("/optional-scalar")
async def optional_scalar(importance: Annotated[int | None, Body()] = 5) -> Any:
    return importance


@bodies.post("/pet")
async def pet(pet: Pet) -> Any:
    return pet


@bodies.post("/union")
async def union(value: Note | Point | int) -> Any:
    return {"value": value}


@bodies.post("/owner")
async def owner(owner: Owner) -> Owner:
    return owner


@bodies.post("/anything")
async def anything(value: Annotated[Any, Body()]) -> Any:
    return {"value": value}


@bodies.patch("/free")
async def free(changes: dict[str, Any]) -> Any:
    return changes


@bodies.post("/strict")
async def strict(body: Strict) -> Any:
    return body


@bodies.post("/open")
async def open_body(body: Open) -> Any:
    return body


@bodies.delete("/notes")
async def delete_notes(ids: Annotated[list[int], Body(embed=True)]) -> Any:
    return ids


@bodies.post("/tree")
async def tree(tree: Tree) -> Tree:
    return tree


@bodies.post("/couple")
async def couple(husband: Husband) -> Husband:
    return husband


@bodies.post("/camel", response_model_by_alias=True)
async def camel(camel: Camel) -> Camel:
    return camel


@bodies.post("/rectangle")
async def rectangle(rectangle: Rectangle) -> Rectangle:
    return rectangle


@bodies.post("/page")
async def page(notes: Page[Note]) -> Page[Note]:
    return notes


@bodies.post("/moments")
async def moments(moments: Moments) -> Moments:
    return moments


@bodies.post("/point")
async def point(point: Point) -> Point:
    return point


@bodies.post("/range")
async def range_(body: Range) -> Any:
    return body


@bodies.post("/odd")
async def odd(body: Odd) -> Any:
    return body


@bodies.post("/collision/{id}")
async def collision(
    id: int,  # noqa: A002 - the point of it
    q: str,
    body: Collision,
    x_q: Annotated[str | None, Header(alias="q")] = None,
) -> Any:
    return [id, q, body, x_q]


class Collision(BaseModel):
    id: str
    q: int = 0


@bodies.post("/no-body")
async def no_body() -> Any:
    return "nothing needed"


@bodies.post("/text", response_model=None)
async def text(body: Annotated[str, Body(media_type="text/plain")]) -> Any:
    return {"text": body}


@bodies.post("/bytes")
async def octets(body: Annotated[bytes, Body(media_type="application/octet-stream")]) -> Any:
    return {"length": len(body), "hex": body.hex()}


@bodies.post("/raw")
async def raw(request: Request) -> Any:
    return {"type": request.headers.get("content-type"), "body": (await request.body()).decode()}


forms = APIRouter()


@forms.post("/form")
async def form(
    name: Annotated[str, Form()],
    count: Annotated[int, Form()] = 1,
    tags: Annotated[list[str] | None, Form()] = None,
) -> Any:
    return [name, count, tags]


@forms.post("/form-model")
async def form_model(sheet: Annotated[Sheet, Form()]) -> Any:
    return sheet


async def described(file: UploadFile | bytes | None) -> Any:
    if isinstance(file, bytes) or file is None:
        return file.hex() if file is not None else None
    return [file.filename, file.content_type, (await file.read()).hex()]


@forms.post("/file/{folder}")
async def one_file(folder: str, file: UploadFile, note: Annotated[str, Form()], public: bool = False) -> Any:
    return [folder, await described(file), note, public]


@forms.post("/files")
async def several_files(files: list[UploadFile], note: Annotated[str | None, Form()] = None) -> Any:
    return [[await described(file) for file in files], note]


@forms.post("/optional-file")
async def optional_file(file: UploadFile | None = None, note: Annotated[str, Form()] = "-") -> Any:
    return [await described(file), note]


@forms.post("/bytes-file")
async def bytes_file(file: Annotated[bytes, File()], more: Annotated[list[bytes] | None, File()] = None) -> Any:
    return [await described(file), [await described(entry) for entry in more or []]]


dependencies = APIRouter(prefix="/deps", tags=["deps"])


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


@dependencies.get("/nested")
async def nested(
    chosen: Annotated[list[Any], Depends(both_of_them)], log: Annotated[list[str], Depends(opened)]
) -> Any:
    return [chosen, log]


@dependencies.get("/overridden")
async def overridden(name: Annotated[str, Depends(who)]) -> Any:
    return name


@dependencies.get("/refusing")
async def refusing(code: int, text: str = "no") -> Any:
    raise HTTPException(code, text, headers={"x-reason": "because"})


@dependencies.get("/refusing-with-facts")
async def refusing_with_facts(listed: bool = False) -> Any:
    raise HTTPException(409, ["a", {"b": 1}] if listed else {"code": "taken", "by": 5})


ROUTERS = (parameters, bodies, forms, dependencies)


def make_app() -> FastAPI:
    """Make an application with endpoints of every shape."""
    app = FastAPI()
    for router in ROUTERS:
        app.include_router(router)
    app.dependency_overrides[who] = lambda: "somebody else"
    return app
