"""What a server says of itself before anything of it is used."""

from __future__ import annotations

import pytest
from fastapi import FastAPI

from tests.protocol.test_mounting import asked, running
from toolway import Toolway

pytestmark = pytest.mark.anyio


async def instructions(description: str, given: str | None = None) -> str | None:
    app = FastAPI(title="Shop", description=description)
    app.add_api_route("/a", lambda: "a", operation_id="a")
    Toolway(app, instructions=given).mount()
    async with running(app):
        return (await asked(app, method="server/discover")).json()["result"].get("instructions")


async def test_they_are_the_applications_description_unless_they_are_given() -> None:
    assert await instructions("Keeps things.") == "Keeps things."
    assert await instructions("Keeps things.", "Look an order up before you change it.") == (
        "Look an order up before you change it."
    )
    assert await instructions("Keeps things.", "") is None


@pytest.mark.parametrize(
    ("text", "end"),
    [
        ("word " * 1000, "word"),
        ("A sentence. " * 1000, "A sentence."),
        ("x" * 1500 + "\n" + "y" * 1500, "x"),
        ("é" * 3000, "é"),
        ("☃" * 3000, "☃"),
    ],
)
async def test_what_clients_would_cut_is_cut_at_a_good_place_and_said_so(
    text: str, end: str, caplog: pytest.LogCaptureFixture
) -> None:
    cut = await instructions("", text)
    assert cut is not None
    assert 1000 < len(cut.encode()) <= 2000
    assert cut.endswith(end)
    assert text.startswith(cut)
    assert "truncated to the 2000 bytes" in caplog.text
