"""Bodies that are no JSON: text, bytes, and endpoints that read the request themselves."""

from __future__ import annotations

import base64
from typing import Annotated, Any

from fastapi import Body, Request

from tests.fidelity.case import Chapter
from tests.fidelity.shared import BYTES

__all__ = ["chapter"]

chapter = Chapter("Bodies that are no JSON")
router, case = chapter.router, chapter.case


@router.post("/text", response_model=None)
async def text(body: Annotated[str, Body(media_type="text/plain")]) -> Any:
    return {"text": body}


case("text", "text", {"body": "é\r\n"}, "POST /text", content="é\r\n".encode(), headers={"content-type": "text/plain"})


@router.post("/bytes")
async def octets(body: Annotated[bytes, Body(media_type="application/octet-stream")]) -> Any:
    return {"length": len(body), "hex": body.hex()}


case(
    "bytes",
    "octets",
    {"body": base64.b64encode(BYTES).decode()},
    "POST /bytes",
    content=BYTES,
    headers={"content-type": "application/octet-stream"},
)


@router.post("/raw")
async def raw(request: Request) -> Any:
    return {"type": request.headers.get("content-type"), "body": (await request.body()).decode()}
