"""JSON bodies: one model, several, embedded, optional, lists, scalars, PATCH and DELETE."""

from __future__ import annotations

from typing import Annotated, Any

from fastapi import Body, Header
from pydantic import BaseModel, RootModel

from tests.fidelity.case import Chapter
from tests.fidelity.shared import NOTE, Note, Point

__all__ = ["chapter"]

chapter = Chapter("JSON bodies")
router, case = chapter.router, chapter.case


class Defaults(BaseModel):
    limit: int = 10
    tags: list[str] = []
    after: str | None = "start"


class Numbers(RootModel[list[int]]):
    pass


class Collision(BaseModel):
    id: str
    q: int = 0


@router.post("/notes", status_code=201)
async def create_note(note: Note) -> Note:
    return note


case("body", "create_note", {"title": "t", "note": "n"}, "POST /notes")


case("body, null", "create_note", NOTE, "POST /notes")


case("body, wrong", "create_note", {"title": 5, "count": "x"}, "POST /notes", blames=["title", "count"])


case("body, nothing", "create_note", {}, "POST /notes", blames=["title"])


@router.patch("/notes/{number}")
async def patch_note(number: int, note: Note) -> Any:
    return [number, note.model_dump(exclude_unset=True)]


case(
    "change to null",
    "patch_note",
    {"number": 1, "title": "t", "note": None},
    "PATCH /notes/1",
    json={"title": "t", "note": None},
)


case("change without", "patch_note", {"number": 1, "title": "t"}, "PATCH /notes/1", json={"title": "t"})


@router.put("/notes/{number}")
async def put_note(number: int, note: Note, dry: bool = False) -> Any:
    return [number, note, dry]


case(
    "path, query and body",
    "put_note",
    {"number": 1, "dry": True, **NOTE},
    "PUT /notes/1",
    json=NOTE,
    params={"dry": "true"},
)


@router.post("/defaults")
async def defaults(body: Defaults) -> Any:
    return [body, sorted(body.model_fields_set)]


case("all defaults", "defaults", {}, "POST /defaults")


case("defaults, null", "defaults", {"after": None}, "POST /defaults")


@router.post("/optional-defaults")
async def optional_defaults(body: Defaults | None = None) -> Any:
    return body


case("optional body, given", "optional_defaults", {"body": {"limit": 1}}, "POST /optional-defaults", json={"limit": 1})


case("optional body, empty", "optional_defaults", {"body": {}}, "POST /optional-defaults", json={})


case("optional body, missing", "optional_defaults", {}, "POST /optional-defaults", params={})


case(
    "optional body, null",
    "optional_defaults",
    {"body": None},
    "POST /optional-defaults",
    content=b"null",
    headers={"content-type": "application/json"},
)


@router.post("/default-instance")
async def default_instance(body: Defaults = Defaults(limit=3)) -> Any:  # noqa: B008 - as people write it
    return body


case("default instance, given", "default_instance", {"limit": 5}, "POST /default-instance")


case("default instance, missing", "default_instance", {}, "POST /default-instance", params={})


@router.post("/optional-note")
async def optional_note(note: Note | None = None) -> Any:
    return note


case("optional model, given", "optional_note", {"note": NOTE}, "POST /optional-note", json=NOTE)


case("optional model, missing", "optional_note", {}, "POST /optional-note", params={})


case("optional model, wrong", "optional_note", {"note": {"count": 1}}, "POST /optional-note", json={"count": 1})


@router.post("/embedded")
async def embedded(note: Annotated[Note, Body(embed=True)]) -> Any:
    return note


case("embedded", "embedded", {"note": NOTE}, "POST /embedded")


case("embedded, wrong", "embedded", {"note": {"title": 1}}, "POST /embedded")


@router.post("/several")
async def several(
    note: Note, point: Point, importance: Annotated[int, Body(gt=0)], extra: Annotated[Note | None, Body()] = None
) -> Any:
    return [note, point, importance, extra]


case("several", "several", {"note": NOTE, "point": {"x": 1}, "importance": 3, "extra": None}, "POST /several")


case("several, wrong", "several", {"note": {}, "point": {"x": "a"}, "importance": 0}, "POST /several")


@router.post("/list")
async def list_body(notes: list[Note]) -> Any:
    return notes


case("list", "list_body", {"notes": [NOTE, NOTE]}, "POST /list", json=[NOTE, NOTE])


case("empty list", "list_body", {"notes": []}, "POST /list", json=[])


case("list, wrong", "list_body", {"notes": [NOTE, {}]}, "POST /list", json=[NOTE, {}])


@router.post("/root-model")
async def root_model(numbers: Numbers) -> Any:
    return numbers


case("root model", "root_model", {"body": [1, 2]}, "POST /root-model", json=[1, 2])


@router.post("/scalar")
async def scalar(importance: Annotated[int, Body()]) -> Any:
    return importance


case("scalar", "scalar", {"importance": 3}, "POST /scalar", json=3)


case("scalar, wrong", "scalar", {"importance": "x"}, "POST /scalar", json="x")


case("scalar, missing", "scalar", {}, "POST /scalar", params={})


@router.post("/optional-scalar")
async def optional_scalar(importance: Annotated[int | None, Body()] = 5) -> Any:
    return importance


case("optional scalar", "optional_scalar", {}, "POST /optional-scalar", params={})


@router.post("/anything")
async def anything(value: Annotated[Any, Body()]) -> Any:
    return {"value": value}


case("anything", "anything", {"value": [1, {"a": None}, "é"]}, "POST /anything", json=[1, {"a": None}, "é"])


@router.patch("/free")
async def free(changes: dict[str, Any]) -> Any:
    return changes


case("free", "free", {"changes": {"a": None, "b": [1]}}, "PATCH /free", json={"a": None, "b": [1]})


@router.delete("/notes")
async def delete_notes(ids: Annotated[list[int], Body(embed=True)]) -> Any:
    return ids


case("DELETE with a body", "delete_notes", {"ids": [1, 2]}, "DELETE /notes", json={"ids": [1, 2]})


@router.post("/collision/{id}")
async def collision(
    id: int,  # noqa: A002 - the point of it
    q: str,
    body: Collision,
    x_q: Annotated[str | None, Header(alias="q")] = None,
) -> Any:
    return [id, q, body, x_q]


case(
    "collision",
    "collision",
    {"id": 1, "q": "query", "id_body": "body", "q_body": 5, "q_header": "head"},
    "POST /collision/1",
    spellings=[{"id__path": 1, "q__query": "query", "q__header": "head", "id": "body", "q": 5}],
    params={"q": "query"},
    json={"id": "body", "q": 5},
    headers={"q": "head"},
)


@router.post("/no-body")
async def no_body() -> Any:
    return "nothing needed"


case("no body", "no_body", {}, "POST /no-body", params={})
