"""Calling tools of an application that is served here, without and with the ASGI stack in between."""

from __future__ import annotations

import json
import sys
from collections.abc import AsyncGenerator, Callable, Sequence
from contextlib import asynccontextmanager
from types import FunctionType
from typing import Any, TypeAlias, cast

import fastapi
import httpx2
import pytest
import starlette
from fastapi import FastAPI
from pydantic import BaseModel
from starlette.types import ASGIApp

from tests import web
from tests.foundation.project import locked_requirements
from tests.protocol.wire import MODERN, headers_of, message
from toolway import Settings, Toolway
from toolway.calls.direct.fingerprints import changed_functions

IS_LOCKED = {f"fastapi=={fastapi.__version__}", f"starlette=={starlette.__version__}"} <= locked_requirements()
"""Whether these are the versions of `requirements.lock`, for which direct calls have to be on."""
IS_COVERED = not changed_functions()
require_direct_calls = pytest.mark.skipif(
    not IS_COVERED and not IS_LOCKED, reason="FastAPI or Starlette differs from the known versions"
)


def frames(function: FunctionType) -> int:
    """How often the call that is running is inside a function."""
    frame, count = sys._getframe(), 0
    while frame is not None:
        count += frame.f_code is function.__code__
        frame = frame.f_back
    return count


class Passes(BaseModel):
    count: int


def counted(*_: Any, **__: Any) -> Passes:
    return Passes(count=frames(cast("FunctionType", FastAPI.__call__)))


@asynccontextmanager
async def client_of(
    app: FastAPI, *, outer: ASGIApp | None = None, **settings: Any
) -> AsyncGenerator[httpx2.AsyncClient]:
    """Serve an application with its tools at /mcp; results are whole, unless the settings say otherwise."""
    Toolway(app, settings=Settings(_env_file=None, **{"result_tokens": 0, **settings})).mount()
    transport = httpx2.ASGITransport(app=app, raise_app_exceptions=False)
    async with (
        app.router.lifespan_context(app),
        web.AsyncClient(transport=transport, base_url="http://localhost") as client,
    ):
        yield client


async def call(client: httpx2.AsyncClient, tool: str, version: str = MODERN, **arguments: Any) -> dict[str, Any]:
    """Call a tool and return the result."""
    body = message(version, "tools/call", {"name": tool, "arguments": arguments})
    response = await client.post("/mcp", json=body, headers=headers_of(version, body))
    assert response.status_code == 200, response.text
    return response.json()["result"]


async def is_direct(app: FastAPI, tool: str, **settings: Any) -> bool:
    """Tell whether a call of an endpoint that returns `counted()` goes through the application once, or twice."""
    async with client_of(app, **settings) as client:
        result = await call(client, tool)
    assert not result["isError"], result
    return {1: True, 2: False}[result["structuredContent"]["count"]]


def without_reference(result: dict[str, Any]) -> Any:
    """Each failure has a reference of its own; some endpoints fail on old releases of FastAPI, also over HTTP."""
    reference = result.get("_meta", {}).get("toolway/error", {}).get("reference")
    return json.loads(json.dumps(result).replace(reference, "...")) if reference else result


Called: TypeAlias = tuple[str, dict[str, Any]]
"""A tool, and the arguments of a call."""


async def assert_calls_alike(
    make: Callable[[], FastAPI], calls: Sequence[Called], version: str = MODERN, **settings: Any
) -> None:
    """Call tools both ways, and find no difference in results, nor in what the application has noted meanwhile."""
    told: list[dict[str, Any]] = []
    for direct in (True, False):
        app = make()
        found: dict[str, Any] = {}
        async with client_of(app, direct=direct, max_result_bytes=200_000, **settings) as client:
            for tool, arguments in calls:
                app.state.did = []
                result = without_reference(await call(client, tool, version, **arguments))
                found[f"{tool} {arguments}"] = result, app.state.did
        told.append(found)
    assert told[0] == told[1]


Told: TypeAlias = tuple[tuple[int, str], list[str]]


async def answers_of(make: Callable[[], FastAPI], path: str, tool: str, **arguments: Any) -> Told:
    """Send a plain request, and call its tool both ways: status and body of the one, what the other two say."""
    texts: list[str] = []
    plain = 0, ""
    for direct in (True, False):
        async with client_of(make(), direct=direct) as client:
            texts.append((await call(client, tool, **arguments))["content"][0]["text"])
        async with client_of(make(), direct=direct) as client:
            response = await client.get(path)
            plain = response.status_code, response.text
    return plain, texts
