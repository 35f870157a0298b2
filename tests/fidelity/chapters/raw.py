"""Bodies that are no JSON: text, bytes, other media types, and endpoints that read the request themselves."""

from __future__ import annotations

import base64
import json
from typing import Annotated, Any

from fastapi import Body, HTTPException, Request
from pydantic import BaseModel, ValidationError

from tests.fidelity.case import Chapter
from tests.fidelity.shared import BYTES, NOTE, Note

__all__ = ["chapter"]

chapter = Chapter("Bodies that are no JSON")
router, case = chapter.router, chapter.case

ENCODED = base64.b64encode(BYTES).decode()


def of_type(media_type: str) -> dict[str, str]:
    return {"content-type": media_type}


# Text and bytes.


@router.post("/text", response_model=None)
async def text(body: Annotated[str, Body(media_type="text/plain")]) -> Any:
    return {"text": body}


case("text", "text", {"body": "é\r\n"}, "POST /text", content="é\r\n".encode(), headers=of_type("text/plain"))
case("text, nothing", "text", {}, "POST /text", params={}, blames=["body"])
case(
    "text that looks like JSON",
    "text",
    {"body": '{"a": 1}'},
    "POST /text",
    content=b'{"a": 1}',
    headers=of_type("text/plain"),
)


@router.post("/raw/text-optional", response_model=None)
async def text_optional(body: Annotated[str | None, Body(media_type="text/csv", description="Rows.")] = None) -> Any:
    return {"text": body}


case(
    "another kind of text",
    "text_optional",
    {"body": "a,b\n1,2\n"},
    "POST /raw/text-optional",
    content=b"a,b\n1,2\n",
    headers=of_type("text/csv"),
    advertised={"body": {"type": "string", "description": "Rows."}},
)
case("optional text, nothing", "text_optional", {}, "POST /raw/text-optional", params={})


@router.put("/raw/text-number", response_model=None)
async def text_number(value: Annotated[int, Body(media_type="text/plain", le=10)]) -> Any:
    return {"value": value}


case(
    "a number as text",
    "text_number",
    {"value": "7"},
    "PUT /raw/text-number",
    content=b"7",
    headers=of_type("text/plain"),
)
case(
    "a number as text, too large",
    "text_number",
    {"value": "70"},
    "PUT /raw/text-number",
    content=b"70",
    headers=of_type("text/plain"),
    schema_says="cannot tell",
    blames=["value"],
)


@router.post("/raw/xml", response_model=None)
async def xml(body: Annotated[str, Body(media_type="application/xml; charset=utf-8")], strict: bool = False) -> Any:
    return {"xml": body, "strict": strict}


case(
    "XML with a charset, beside a query",
    "xml",
    {"body": "<a>é</a>", "strict": True},
    "POST /raw/xml",
    content="<a>é</a>".encode(),
    headers=of_type("application/xml; charset=utf-8"),
    params={"strict": "true"},
)


@router.post("/bytes")
async def octets(body: Annotated[bytes, Body(media_type="application/octet-stream")]) -> Any:
    return {"length": len(body), "hex": body.hex()}


case(
    "bytes",
    "octets",
    {"body": ENCODED},
    "POST /bytes",
    content=BYTES,
    headers=of_type("application/octet-stream"),
    advertised={"body": {"type": "string", "contentEncoding": "base64"}},
)


@router.post("/raw/image/{name}")
async def image(name: str, body: Annotated[bytes, Body(media_type="image/png")], request: Request) -> list[Any]:
    return [name, body.hex(), request.headers["content-type"]]


case(
    "a picture, beside a path",
    "image",
    {"name": "p", "body": ENCODED},
    "POST /raw/image/p",
    content=BYTES,
    headers=of_type("image/png"),
)


@router.post("/raw/text-in-json")
async def text_in_json(word: Annotated[str, Body()]) -> str:
    return word


case("text as JSON", "text_in_json", {"word": 'é"\n'}, "POST /raw/text-in-json", json='é"\n')
case("text as JSON, empty", "text_in_json", {"word": ""}, "POST /raw/text-in-json", json="")
case("text as JSON, wrong", "text_in_json", {"word": 5}, "POST /raw/text-in-json", json=5, blames=["word"])


# JSON under other names.


@router.post("/raw/vendor")
async def vendor(note: Annotated[Note, Body(media_type="application/vnd.api+json")], request: Request) -> list[Any]:
    return [note, request.headers["content-type"]]


case(
    "a vendor's kind of JSON",
    "vendor",
    NOTE,
    "POST /raw/vendor",
    content=json.dumps(NOTE),
    headers=of_type("application/vnd.api+json"),
)
case(
    "a vendor's kind of JSON, wrong",
    "vendor",
    {"title": 5},
    "POST /raw/vendor",
    content=b'{"title":5}',
    headers=of_type("application/vnd.api+json"),
    blames=["title"],
)


@router.patch("/raw/merge")
async def merge(changes: Annotated[dict[str, Any], Body(media_type="application/merge-patch+json")]) -> Any:
    return changes


case(
    "a merge patch that clears a member",
    "merge",
    {"changes": {"a": None, "b": {"c": 1}}},
    "PATCH /raw/merge",
    content=b'{"a":null,"b":{"c":1}}',
    headers=of_type("application/merge-patch+json"),
)


# Endpoints that read the request themselves.


@router.post("/raw")
async def raw(request: Request) -> Any:
    return {"type": request.headers.get("content-type"), "body": (await request.body()).decode()}


case(
    "raw: text",
    "raw",
    {"body": "some\ntext é"},
    "POST /raw",
    content="some\ntext é".encode(),
    headers=of_type("text/plain; charset=utf-8"),
)
case(
    "raw: JSON",
    "raw",
    {"body": {"a": [1, None]}},
    "POST /raw",
    content=b'{"a":[1,null]}',
    headers=of_type("application/json"),
)
case("raw: nothing", "raw", {}, "POST /raw", params={})


@router.delete("/raw/{number}")
async def raw_delete(number: int, request: Request, dry: bool = False) -> Any:
    pieces = [piece.decode() async for piece in request.stream()]
    return {"number": number, "dry": dry, "body": "".join(pieces)}


case(
    "raw: DELETE has no body, beside a path and a query",
    "raw_delete",
    {"number": 4, "dry": True},
    "DELETE /raw/4",
    params={"dry": "true"},
    withheld=["body"],
)


@router.get("/raw/query")
async def raw_query(request: Request) -> dict[str, str]:
    return dict(request.query_params)


case("raw: GET has nothing to read", "raw_query", {}, "GET /raw/query")


class Bag(BaseModel):
    title: str
    count: int = 1


@router.post("/raw/described", openapi_extra={
    "requestBody": {
        "required": True,
        "content": {"application/json": {"schema": {
            "type": "object",
            "required": ["title"],
            "properties": {"title": {"type": "string"}, "count": {"type": "integer"}},
        }}},
    },
})  # fmt: skip
async def raw_described(request: Request) -> Any:
    try:
        return Bag.model_validate_json(await request.body())
    except ValidationError as error:
        raise HTTPException(422, error.errors(include_url=False, include_input=False, include_context=False)) from error


case(
    "raw: described by the document",
    "raw_described",
    {"title": "t", "count": 2},
    "POST /raw/described",
    advertised={"title": {"type": "string"}, "count": {"type": "integer"}},
)


@router.post("/raw/yaml", openapi_extra={
    "requestBody": {
        "required": True, "content": {"application/x-yaml": {"schema": {"type": "object", "required": ["title"]}}},
    },
})  # fmt: skip
async def raw_yaml(request: Request) -> list[str]:
    return [request.headers["content-type"], (await request.body()).decode()]


case(
    "raw: YAML by the document",
    "raw_yaml",
    {"body": "title: t\ncount: 2\n"},
    "POST /raw/yaml",
    content=b"title: t\ncount: 2\n",
    headers=of_type("application/x-yaml"),
    advertised={"body": {"type": "string"}},
)
