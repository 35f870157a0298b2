"""What a tool says of itself: title, description and hints."""

from __future__ import annotations

from typing import Any

import pytest
from fastapi import FastAPI

from tests.catalog.looking import catalog_of, only_tool
from toolway import agent_tool

pytestmark = pytest.mark.anyio


async def described(doc: str | None = None, marker: dict[str, Any] | None = None, **route: Any) -> tuple[str, str]:
    app = FastAPI()

    async def get_stock(product: str) -> int:
        return 1

    get_stock.__doc__ = doc
    app.get("/stock/{product}", **route)(agent_tool(**marker)(get_stock) if marker else get_stock)
    tool = await only_tool(app)
    return tool.title, tool.description


async def test_the_docstring_is_the_description_and_a_generated_summary_adds_nothing() -> None:
    assert await described("Say what is in stock.") == ("Get Stock", "Say what is in stock.")


async def test_a_summary_that_somebody_wrote_stands_before_the_docstring() -> None:
    assert await described("Counts boxes too.", summary="Look into the stock") == (
        "Look into the stock",
        "Look into the stock\n\nCounts boxes too.",
    )


async def test_without_a_docstring_the_summary_describes_the_tool() -> None:
    assert (await described(summary="Look into the stock"))[1] == "Look into the stock"


async def test_a_deprecated_endpoint_says_so() -> None:
    assert "Deprecated" in (await described("Say it.", deprecated=True))[1]


async def test_a_marker_says_it_better_and_adds_when_to_use_it() -> None:
    marker = {"title": "Stock", "description": "Count a product.", "when_to_use": "Before promising anything."}
    assert await described("For developers.", marker) == (
        "Stock",
        "Count a product.\n\nBefore promising anything.",
    )


async def test_openapi_extra_says_the_same_and_the_marker_wins_field_by_field() -> None:
    extra = {"x-toolway": {"title": "From the document", "when_to_use": "Always."}}
    assert await described("Say it.", {"title": "From the marker"}, openapi_extra=extra) == (
        "From the marker",
        "Say it.\n\nAlways.",
    )


async def test_invisible_characters_fall_out_of_descriptions() -> None:
    assert (await described("Say\u200b it\u202e now\U000e0041."))[1] == "Say it now."


@pytest.mark.parametrize(
    ("method", "hints"),
    [
        ("GET", (True, False, True)),
        ("POST", (False, None, None)),
        ("PATCH", (False, None, None)),
        ("PUT", (False, None, True)),
        ("DELETE", (False, True, True)),
    ],
)
async def test_hints_follow_from_the_method(method: str, hints: tuple[bool | None, ...]) -> None:
    app = FastAPI()
    app.add_api_route("/a", lambda: None, methods=[method], operation_id="a")
    notes = (await only_tool(app)).annotations
    assert (notes.read_only, notes.destructive, notes.idempotent) == hints


async def test_an_endpoint_overrides_the_hints_of_its_method() -> None:
    app = FastAPI()

    @app.post("/search")
    @agent_tool(hints={"read_only": True})
    async def search() -> None: ...

    @app.post("/purge", openapi_extra={"x-toolway": {"hints": {"destructive": True, "open_world": True}}})
    async def purge() -> None: ...

    tools = (await catalog_of(app)).tools
    assert tools["search"].definition(wrapped=False)["annotations"] == {
        "title": "Search",
        "readOnlyHint": True,
        "destructiveHint": False,
        "idempotentHint": True,
        "openWorldHint": False,
    }
    assert tools["purge"].definition(wrapped=False)["annotations"] == {
        "title": "Purge",
        "readOnlyHint": False,
        "destructiveHint": True,
        "openWorldHint": True,
    }
