"""Answers that are large cost no more than their size: nothing in them is lost, and memory for them is used again."""

from __future__ import annotations

import platform
import subprocess
import sys
from typing import Any

import pytest
from fastapi import FastAPI
from pydantic import BaseModel

from tests.calls.stack import call, client_of
from tests.protocol.wire import ERAS
from tests.support import ROOT

FAULTS = """
import asyncio, resource
from fastapi import FastAPI
from pydantic_core import to_json
from tests.calls.test_garbage import request
from tests.protocol.wire import MODERN, headers_of, message
from toolway import Toolway

app = FastAPI()

@app.get("/texts", operation_id="texts")
async def texts() -> list[str]:
    return ['some "quoted" text of fifty characters, or of more'] * 8_000  # 400 kB

async def main():
    Toolway(app).mount()
    body = message(MODERN, "tools/call", {"name": "texts", "arguments": {}})
    headers = {name.lower(): value for name, value in headers_of(MODERN, body).items()}
    async with app.router.lifespan_context(app):
        for times in (5, 20):
            before = resource.getrusage(resource.RUSAGE_SELF).ru_minflt
            for _ in range(times):
                await request(app, "POST", "/mcp", headers, to_json(body))
            faults = (resource.getrusage(resource.RUSAGE_SELF).ru_minflt - before) / times
    print(faults)

asyncio.run(main())
"""


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


@pytest.mark.skipif(platform.libc_ver()[0] != "glibc", reason="other C libraries keep memory in their own way")
def test_memory_for_large_answers_is_not_asked_for_again() -> None:
    """A call with an answer of 400 kB would have the system make hundreds of pages."""
    done = subprocess.run([sys.executable, "-c", FAULTS], cwd=ROOT, capture_output=True, text=True, check=True)
    assert float(done.stdout) < 100
