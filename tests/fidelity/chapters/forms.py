"""Forms and files: urlencoded forms, form models, uploads with their metadata."""

from __future__ import annotations

import base64
from typing import Annotated, Any

from fastapi import File, Form, UploadFile
from pydantic import BaseModel

from tests.fidelity.case import Chapter
from tests.fidelity.shared import BYTES

__all__ = ["chapter"]

chapter = Chapter("Forms and files")
router, case = chapter.router, chapter.case


class Sheet(BaseModel):
    title: str
    copies: int = 1
    tags: list[str] = []


async def described(file: UploadFile | bytes | None) -> Any:
    if isinstance(file, bytes) or file is None:
        return file.hex() if file is not None else None
    return [file.filename, file.content_type, (await file.read()).hex()]


PNG = ("p.png", BYTES, "image/png")


CSV = ("c.csv", "a,é\n".encode(), "text/csv")


PNG_FILE = {"filename": "p.png", "content_type": "image/png", "data": base64.b64encode(BYTES).decode()}


CSV_FILE = {"filename": "c.csv", "content_type": "text/csv", "text": "a,é\n"}


@router.post("/form")
async def form(
    name: Annotated[str, Form()],
    count: Annotated[int, Form()] = 1,
    tags: Annotated[list[str] | None, Form()] = None,
) -> Any:
    return [name, count, tags]


case(
    "form",
    "form",
    {"name": "n", "count": 2, "tags": ["a", "b&c"]},
    "POST /form",
    data={"name": "n", "count": 2, "tags": ["a", "b&c"]},
)


case("form, wrong", "form", {"count": "x"}, "POST /form", data={"count": "x"})


@router.post("/form-model")
async def form_model(sheet: Annotated[Sheet, Form()]) -> Any:
    return sheet


case(
    "form model",
    "form_model",
    {"title": "t", "tags": ["a", "b"]},
    "POST /form-model",
    data={"title": "t", "tags": ["a", "b"]},
)


@router.post("/file/{folder}")
async def one_file(folder: str, file: UploadFile, note: Annotated[str, Form()], public: bool = False) -> Any:
    return [folder, await described(file), note, public]


case(
    "file, form and query",
    "one_file",
    {"folder": "f", "file": PNG_FILE, "note": "n", "public": True},
    "POST /file/f",
    files={"file": PNG},
    data={"note": "n"},
    params={"public": "true"},
)


case("file missing", "one_file", {"folder": "f", "note": "n"}, "POST /file/f", files={"note": (None, "n")})


@router.post("/files")
async def several_files(files: list[UploadFile], note: Annotated[str | None, Form()] = None) -> Any:
    return [[await described(file) for file in files], note]


case(
    "several files",
    "several_files",
    {"files": [PNG_FILE, CSV_FILE]},
    "POST /files",
    files=[("files", PNG), ("files", CSV)],
)


@router.post("/optional-file")
async def optional_file(file: UploadFile | None = None, note: Annotated[str, Form()] = "-") -> Any:
    return [await described(file), note]


case("optional file, given", "optional_file", {"file": CSV_FILE}, "POST /optional-file", files={"file": CSV})


case("optional file, missing", "optional_file", {"note": "x"}, "POST /optional-file", files={"note": (None, "x")})


case("optional file, null", "optional_file", {"file": None}, "POST /optional-file", params={})


@router.post("/bytes-file")
async def bytes_file(file: Annotated[bytes, File()], more: Annotated[list[bytes] | None, File()] = None) -> Any:
    return [await described(file), [await described(entry) for entry in more or []]]


case(
    "file as bytes",
    "bytes_file",
    {"file": PNG_FILE, "more": [CSV_FILE, CSV_FILE]},
    "POST /bytes-file",
    files=[("file", PNG), ("more", CSV), ("more", CSV)],
)
