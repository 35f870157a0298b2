"""Applications in one process do not affect each other or the process."""

from __future__ import annotations

import gc
from concurrent.futures import ThreadPoolExecutor
from threading import Barrier
from typing import Any

from fastapi import FastAPI
from fastapi.openapi.utils import get_openapi

from tests.servers import PATIENCE
from toolway import Toolway


def add(app: FastAPI, name: str) -> None:
    async def endpoint() -> str:
        return name

    app.add_api_route(f"/{name}", endpoint, operation_id=name)


def test_two_applications_are_read_at_the_same_time_in_two_threads() -> None:
    both_reading = Barrier(2, timeout=PATIENCE)
    is_collecting = list[bool]()

    def make_app(name: str) -> FastAPI:
        app = FastAPI(title=name)
        add(app, name)

        def openapi() -> dict[str, Any]:
            both_reading.wait()
            is_collecting.append(gc.isenabled())
            app.openapi_schema = get_openapi(title=name, version="1", routes=app.routes)
            both_reading.wait()
            return app.openapi_schema

        app.openapi = openapi  # type: ignore[method-assign]
        return app

    toolways = [Toolway(make_app(name)).mount() for name in ("first", "second")]
    with ThreadPoolExecutor(2) as threads:
        catalogs = list(threads.map(Toolway.read_catalog, toolways))
        catalogs += threads.map(Toolway.read_catalog, toolways)
    assert [list(catalog.tools) for catalog in catalogs] == [["first"], ["second"]] * 2
    assert is_collecting == [True] * 4


def test_a_document_that_another_toolway_generated_is_not_reused() -> None:
    app = FastAPI()
    add(app, "first")
    one, other = Toolway(app), Toolway(app)
    assert list(one.read_catalog().tools) == ["first"]
    add(app, "second")
    assert list(other.read_catalog().tools) == ["first", "second"]
    assert list(app.openapi()["paths"]) == ["/first", "/second"]
