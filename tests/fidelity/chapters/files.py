"""Files: uploads with their metadata, alone, in lists, optional, as bytes, beside fields."""

from __future__ import annotations

import base64
from typing import Annotated, Any

from fastapi import Depends, File, Form, UploadFile
from pydantic import BaseModel, Field

from tests.fidelity.case import Chapter
from tests.fidelity.shared import BYTES

__all__ = ["chapter"]

chapter = Chapter("Files")
router, case = chapter.router, chapter.case


async def described(file: UploadFile | bytes | None) -> Any:
    if isinstance(file, bytes) or file is None:
        return file.hex() if file is not None else None
    return [file.filename, file.content_type, (await file.read()).hex()]


PNG = ("p.png", BYTES, "image/png")


CSV = ("c.csv", "a,é\n".encode(), "text/csv")


PNG_FILE = {"filename": "p.png", "content_type": "image/png", "data": base64.b64encode(BYTES).decode()}


CSV_FILE = {"filename": "c.csv", "content_type": "text/csv", "text": "a,é\n"}


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
    needs="fastapi 0.136",
)


# What a file says of itself.


@router.post("/files/metadata")
async def file_metadata(file: UploadFile) -> Any:
    return [file.filename, file.content_type, file.size, len(await file.read()), await file.seek(0), file.file.read(1)]


def base64_file(name: str, content: bytes, kind: str | None = None) -> dict[str, str]:
    """A file argument as an agent writes it."""
    told = {"filename": name, "data": base64.b64encode(content).decode()}
    return {**told, "content_type": kind} if kind else told


for title, name in {
    "unicode": "żółć 日本.txt",
    "blanks and marks": "a b;c=d'e.txt",
    "a path": "../../etc/passwd",
    "no ending": "Makefile",
}.items():
    case(
        f"name: {title}",
        "file_metadata",
        {"file": base64_file(name, b"abc", "text/plain")},
        "POST /files/metadata",
        files={"file": (name, b"abc", "text/plain")},
    )
case(
    "an empty file",
    "file_metadata",
    {"file": base64_file("empty.bin", b"", "application/octet-stream")},
    "POST /files/metadata",
    files={"file": ("empty.bin", b"", "application/octet-stream")},
)
case(
    "a large file",
    "file_metadata",
    {"file": base64_file("large.bin", BYTES * 8000, "application/octet-stream")},
    "POST /files/metadata",
    files={"file": ("large.bin", BYTES * 8000, "application/octet-stream")},
)
case(
    "a type with parameters",
    "file_metadata",
    {"file": base64_file("a.csv", b"a", "text/csv; charset=utf-8; header=present")},
    "POST /files/metadata",
    files={"file": ("a.csv", b"a", "text/csv; charset=utf-8; header=present")},
)
case(
    "a type by the ending",
    "file_metadata",
    {"file": base64_file("a.json", b"{}")},
    "POST /files/metadata",
    files={"file": ("a.json", b"{}")},
)
case(
    "text for a file",
    "file_metadata",
    {"file": "abc"},
    "POST /files/metadata",
    data={"file": "abc"},
    may_stop_early=True,
)
case("nothing", "file_metadata", {}, "POST /files/metadata", params={}, blames=["file"])


# Several files.


@router.post("/files/albums")
async def file_albums(
    cover: Annotated[UploadFile, File(description="The picture in front.")],
    pages: Annotated[list[UploadFile], File(min_length=1, max_length=2)],
    names: Annotated[list[str], Form()],
    spare: Annotated[list[UploadFile] | None, File()] = None,
) -> Any:
    spares = [await described(file) for file in spare or []]
    return [await described(cover), [await described(file) for file in pages], names, spares]


ALBUM = {"cover": PNG_FILE, "pages": [CSV_FILE, PNG_FILE], "names": ["a", "é&b"]}
SENT_ALBUM: list[Any] = [("cover", PNG), ("pages", CSV), ("pages", PNG)]
case(
    "several, a list of texts beside",
    "file_albums",
    ALBUM,
    "POST /files/albums",
    files=SENT_ALBUM,
    data={"names": ["a", "é&b"]},
    advertised={"pages": {"type": "array"}, "names": {"type": "array", "items": {"type": "string"}}},
)
case(
    "an optional list of files",
    "file_albums",
    {**ALBUM, "names": ["n"], "spare": [CSV_FILE]},
    "POST /files/albums",
    files=[*SENT_ALBUM, ("spare", CSV)],
    data={"names": ["n"]},
)
case(
    "too many files",
    "file_albums",
    {**ALBUM, "names": ["n"], "pages": [CSV_FILE, CSV_FILE, CSV_FILE]},
    "POST /files/albums",
    files=[("cover", PNG), ("pages", CSV), ("pages", CSV), ("pages", CSV)],
    data={"names": ["n"]},
    blames=["pages"],
)
case(
    "files missing",
    "file_albums",
    {"names": ["n"]},
    "POST /files/albums",
    data={"names": ["n"]},
    blames=["cover", "pages"],
)


@router.post("/files/alias")
async def file_alias(file: Annotated[bytes, File(alias="the-file", max_length=300)]) -> Any:
    return file.hex()


case(
    "an alias",
    "file_alias",
    {"the-file": PNG_FILE},
    "POST /files/alias",
    files={"the-file": PNG},
    needs="fastapi 0.136",
)
case(
    "bytes beyond their length",
    "file_alias",
    {"the-file": base64_file("x", bytes(301))},
    "POST /files/alias",
    files={"the-file": ("x", bytes(301))},
    schema_says="cannot tell",
    blames=["the-file"],
    needs="fastapi 0.136",
)


@router.put("/files/all-optional")
async def file_all_optional(
    file: UploadFile | None = None,
    raw: Annotated[bytes | None, File()] = None,
    note: Annotated[str | None, Form()] = None,
) -> Any:
    return [await described(file), await described(raw), note]


case("all optional: nothing", "file_all_optional", {}, "PUT /files/all-optional", params={})
case("all optional: only bytes", "file_all_optional", {"raw": CSV_FILE}, "PUT /files/all-optional", files={"raw": CSV})
case(
    "all optional: null beside a file",
    "file_all_optional",
    {"file": PNG_FILE, "raw": None, "note": None},
    "PUT /files/all-optional",
    files={"file": PNG},
)


# Models and dependencies that hold files.


class Parcel(BaseModel, extra="forbid"):
    label: str = Field(min_length=1)
    scan: UploadFile
    weight: float = 1.0


@router.post("/files/parcel")
async def file_parcel(parcel: Annotated[Parcel, Form()]) -> Any:
    return [parcel.label, await described(parcel.scan), parcel.weight]


case(
    "a form model with a file",
    "file_parcel",
    {"label": "l", "scan": PNG_FILE, "weight": 2.5},
    "POST /files/parcel",
    files={"scan": PNG},
    data={"label": "l", "weight": "2.5"},
)
case(
    "a form model without its file",
    "file_parcel",
    {"label": "l"},
    "POST /files/parcel",
    files={"label": (None, "l")},
    blames=["scan"],
)


async def picture(picture: UploadFile, caption: Annotated[str, Form()] = "-") -> list[Any]:
    return [await described(picture), caption]


@router.post("/files/dependency")
async def file_dependency(picture: Annotated[list[Any], Depends(picture)], album: str = "all") -> Any:
    return [picture, album]


case(
    "a file of a dependency",
    "file_dependency",
    {"picture": PNG_FILE, "caption": "c", "album": "x"},
    "POST /files/dependency",
    files={"picture": PNG},
    data={"caption": "c"},
    params={"album": "x"},
)
