"""Answers that are not parsed again, as their types say that they are JSON, are looked through for what is left."""

from __future__ import annotations

from typing import Any

import pytest
from fastapi import FastAPI
from pydantic import BaseModel

from tests.calls.stack import call, client_of
from tests.protocol.wire import ERAS


class Row(BaseModel):
    before: str
    number: int
    after: str


def make_app() -> FastAPI:
    app = FastAPI()

    @app.get("/row", operation_id="row")
    async def row(digits: int, before: int, after: int) -> Row:
        return Row(before="x" * before, number=10 ** (digits - 1), after="y" * after)

    return app


@pytest.mark.parametrize("version", ERAS)
@pytest.mark.parametrize("digits", [1, 2149, 2150, 4300, 4301, 5000])
async def test_a_number_that_python_does_not_read_is_found_wherever_it_stands(digits: int, version: str) -> None:
    told: list[list[dict[str, Any]]] = []
    places = [(before, after) for before in range(0, 9000, 1433) for after in (0, 5000)]
    for direct in (True, False):
        async with client_of(make_app(), direct=direct) as client:
            found = [await call(client, "row", version, digits=digits, before=b, after=a) for b, a in places]
        told.append([{key: value for key, value in result.items() if key != "_meta"} for result in found])
    assert told[0] == told[1]
    assert all(result["isError"] is (digits > 4300) for result in told[0])
