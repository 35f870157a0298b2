"""Failures: refusals, handlers of exceptions, and what must not leak."""

from __future__ import annotations

from typing import Any

from fastapi import HTTPException

from tests.fidelity.case import Chapter

__all__ = ["chapter"]

chapter = Chapter("Failures")
router, case = chapter.router, chapter.case


@router.get("/deps/refusing")
async def refusing(code: int, text: str = "no") -> Any:
    raise HTTPException(code, text, headers={"x-reason": "because"})


case("404", "refusing", {"code": 404, "text": "No such thing"}, "GET /deps/refusing")


case("410 without a text", "refusing", {"code": 410, "text": ""}, "GET /deps/refusing")


case("418", "refusing", {"code": 418}, "GET /deps/refusing")


@router.get("/deps/refusing-with-facts")
async def refusing_with_facts(listed: bool = False) -> Any:
    raise HTTPException(409, ["a", {"b": 1}] if listed else {"code": "taken", "by": 5})


case("409 with an object", "refusing_with_facts", {}, "GET /deps/refusing-with-facts")


case(
    "409 with a list",
    "refusing_with_facts",
    {"listed": True},
    "GET /deps/refusing-with-facts",
    params={"listed": "true"},
)
