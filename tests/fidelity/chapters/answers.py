"""Answers: status codes, headers, cookies, response models, kinds of response, redirects."""

from __future__ import annotations

import asyncio
from contextlib import suppress
from decimal import Decimal
from typing import Annotated, Any, Literal

from fastapi import BackgroundTasks, Query, Response
from fastapi.responses import HTMLResponse, JSONResponse, PlainTextResponse, RedirectResponse
from pydantic import BaseModel

from tests.fidelity.case import Chapter
from tests.fidelity.journal import effect
from tests.fidelity.shared import Note

__all__ = ["chapter"]

chapter = Chapter("Answers")
router, case = chapter.router, chapter.case

PNG = b"\x89PNG\r\n\x1a\n" + bytes(range(256))


class Secretive(BaseModel):
    """An answer that says less than what the endpoint returns."""

    name: str
    nick: str | None = None
    score: int = 5


@router.delete("/answers/no-content/{number}", status_code=204, response_model=None)
async def no_content(number: int) -> None:
    effect(["deleted", number])


case("204", "no_content", {"number": 7}, "DELETE /answers/no-content/7", params={})


@router.post("/answers/created", status_code=201)
async def created(note: Note, response: Response) -> Note:
    response.headers["location"] = "/answers/created/1"
    response.set_cookie("seen", "yes")
    effect(["created", note.title])
    return note


case("201 with a header and a cookie", "created", {"title": "t"}, "POST /answers/created")


@router.put("/answers/either/{name}")
async def created_or_changed(name: str, response: Response) -> dict[str, str]:
    response.status_code = 201 if name == "new" else 200
    return {"name": name}


case("status of the moment: new", "created_or_changed", {"name": "new"}, "PUT /answers/either/new", params={})
case("status of the moment: old", "created_or_changed", {"name": "old"}, "PUT /answers/either/old", params={})


@router.post("/answers/accepted", status_code=202)
async def accepted(tasks: BackgroundTasks, amount: Annotated[int, Query(le=10)] = 2) -> dict[str, str]:
    for number in range(amount):
        tasks.add_task(effect, ["afterwards", number])
    return {"state": "accepted"}


case("202 and work afterwards", "accepted", {"amount": 3}, "POST /answers/accepted", params={"amount": 3})


@router.get("/answers/filtered", response_model=Secretive)
async def filtered() -> Any:
    return {"name": "n", "password": "hidden", "score": 3}


case("a response model drops what it does not name", "filtered", {}, "GET /answers/filtered")


@router.get("/answers/unset", response_model=Secretive, response_model_exclude_unset=True)
async def without_unset() -> Any:
    return Secretive(name="n")


case("without what is not set", "without_unset", {}, "GET /answers/unset")


@router.get("/answers/none", response_model=Secretive, response_model_exclude_none=True)
async def without_none() -> Any:
    return Secretive(name="n")


case("without null", "without_none", {}, "GET /answers/none")


@router.get("/answers/defaults", response_model=Secretive, response_model_exclude_defaults=True)
async def without_defaults() -> Any:
    return Secretive(name="n", score=5)


case("without defaults", "without_defaults", {}, "GET /answers/defaults")


@router.get("/answers/included", response_model=Secretive, response_model_include={"name"})
async def only_included() -> Any:
    return Secretive(name="n")


case("only some fields", "only_included", {}, "GET /answers/included")


@router.get("/answers/excluded", response_model=Secretive, response_model_exclude={"nick"})
async def excluded() -> Any:
    return Secretive(name="n")


case("without some fields", "excluded", {}, "GET /answers/excluded")


@router.get("/answers/list")
async def list_answer() -> list[Secretive]:
    return [Secretive(name="a"), Secretive(name="b")]


case("a list", "list_answer", {}, "GET /answers/list")


@router.get("/answers/scalar")
async def scalar_answer() -> int:
    return 42


case("a number", "scalar_answer", {}, "GET /answers/scalar")


@router.get("/answers/text-scalar")
async def text_scalar() -> str:
    return "é"


case("a text as JSON", "text_scalar", {}, "GET /answers/text-scalar")


@router.get("/answers/nothing")
async def null_answer() -> None:
    return None


case("null", "null_answer", {}, "GET /answers/nothing")


@router.get("/answers/nullable")
async def nullable_answer(there: bool = True) -> Secretive | None:
    return Secretive(name="n") if there else None


case("an object or null: there", "nullable_answer", {}, "GET /answers/nullable")
case("an object or null: null", "nullable_answer", {"there": False}, "GET /answers/nullable", params={"there": "false"})


@router.get("/answers/union")
async def union_answer(whole: bool) -> Secretive | int:
    return 3 if whole else Secretive(name="n")


case("a union: object", "union_answer", {"whole": False}, "GET /answers/union", params={"whole": "false"})
case("a union: number", "union_answer", {"whole": True}, "GET /answers/union", params={"whole": "true"})


@router.get("/answers/free")
async def free_answer() -> dict[str, Any]:
    return {"result": 1, "é": [None, 0.1, {"a": "\u2028"}]}


case("a free object that holds a result", "free_answer", {}, "GET /answers/free")


@router.get("/answers/decimal")
async def decimal_answer() -> Any:
    return {"price": Decimal("1.10")}


case("a decimal without a model", "decimal_answer", {}, "GET /answers/decimal")


@router.get("/answers/large")
async def large_answer() -> list[str]:
    return ["x" * 1000] * 400


case("400,000 characters", "large_answer", {}, "GET /answers/large")


@router.get("/answers/slow")
async def slow_answer() -> str:
    """Takes longer than the limit that the suite's server sets for streams."""
    with suppress(TimeoutError):
        async with asyncio.timeout(1.2):
            await asyncio.Event().wait()
    return "at last"


case("an answer that takes its time", "slow_answer", {}, "GET /answers/slow")


@router.get("/answers/contradicting")
async def contradicting(kind: Literal["object", "list", "null", "right"] = "object") -> Secretive:
    """An answer of its own is nobody's to check: it need not be the model."""
    content: dict[str, Any] = {"object": {"other": 1}, "list": [1], "null": None, "right": {"name": "n"}}
    return JSONResponse(content[kind])  # pyright: ignore[reportReturnType]


for kind in ("object", "list", "null", "right"):
    case(
        f"an answer beside its model: {kind}",
        "contradicting",
        {"kind": kind},
        "GET /answers/contradicting",
        breaks_promise=kind != "right",
    )


@router.get("/answers/own-json", response_model=None)
async def own_json() -> Response:
    return JSONResponse({"own": [1, 2]}, headers={"x-own": "yes"})


case("a JSONResponse", "own_json", {}, "GET /answers/own-json")


@router.get("/answers/vendor", response_model=None)
async def vendor_json() -> Response:
    return Response(b'{"data":[]}', media_type="application/vnd.api+json")


case("a vendor's kind of JSON", "vendor_json", {}, "GET /answers/vendor")


@router.get("/answers/text", response_class=PlainTextResponse)
async def text_answer() -> str:
    return "plain é\nsecond"


case("text", "text_answer", {}, "GET /answers/text")


@router.get("/answers/html", response_class=HTMLResponse)
async def html_answer() -> str:
    return "<p>é</p>"


case("HTML", "html_answer", {}, "GET /answers/html")


@router.get("/answers/xml", response_model=None)
async def xml_answer() -> Response:
    return Response("<a>é</a>", media_type="application/xml")


case("XML", "xml_answer", {}, "GET /answers/xml")


@router.get("/answers/latin", response_model=None)
async def latin_answer() -> Response:
    return Response("é".encode("latin-1"), media_type="text/plain; charset=iso-8859-1")


case("text in another charset", "latin_answer", {}, "GET /answers/latin")


@router.get("/answers/empty", response_model=None)
async def empty_answer() -> Response:
    return Response()


case("200 with nothing", "empty_answer", {}, "GET /answers/empty")


@router.get("/answers/image", response_model=None)
async def image_answer() -> Response:
    return Response(PNG, media_type="image/png")


case("an image", "image_answer", {}, "GET /answers/image")


@router.get("/answers/audio", response_model=None)
async def audio_answer() -> Response:
    return Response(bytes(range(200)), media_type="audio/wav")


case("sound", "audio_answer", {}, "GET /answers/audio")


@router.get("/answers/bytes", response_model=None)
async def bytes_answer() -> Response:
    return Response(bytes(range(256)), media_type="application/octet-stream")


case("bytes", "bytes_answer", {}, "GET /answers/bytes")


@router.get("/answers/moved", response_model=None)
async def moved() -> Response:
    return RedirectResponse("/answers/either-read?name=moved")


@router.get("/answers/either-read")
async def redirect_target(name: str) -> dict[str, str]:
    return {"name": name}


case("a redirect inside the application", "moved", {}, "GET /answers/moved")


@router.post("/answers/see-other", response_model=None, status_code=303)
async def see_other(name: str) -> Response:
    effect(["posted", name])
    return RedirectResponse(f"/answers/either-read?name={name}", status_code=303)


case("a redirect after POST", "see_other", {"name": "n"}, "POST /answers/see-other", params={"name": "n"})


@router.get("/answers/documented", responses={404: {"model": Note}, 200: {"description": "All is well"}})
async def documented(there: bool = True) -> Secretive:
    if not there:
        return JSONResponse(Note(title="gone").model_dump(), status_code=404)  # pyright: ignore[reportReturnType]
    return Secretive(name="n")


case("documented answers: good", "documented", {}, "GET /answers/documented")
case("documented answers: 404", "documented", {"there": False}, "GET /answers/documented", params={"there": "false"})
