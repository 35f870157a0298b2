"""Direct calls are on where FastAPI and Starlette work as in a reviewed version, and their state is logged."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import fastapi
import pytest
from fastapi import FastAPI
from fastapi import routing as fastapi_routing
from starlette.types import Receive, Scope, Send

from tests.calls.stack import IS_LOCKED, Passes, client_of, counted, is_direct, require_direct_calls
from tests.fingerprints import FILE, record
from toolway.calls.direct.fingerprints import changed_functions, known_fingerprints


def app_of(kind: type[FastAPI] = FastAPI) -> FastAPI:
    app = kind()

    @app.get("/counted", operation_id="counted")
    async def endpoint() -> Passes:
        return counted()

    @app.get("/untyped", operation_id="untyped", response_class=fastapi.Response)
    async def untyped() -> None: ...

    return app


async def logged(app: FastAPI, caplog: pytest.LogCaptureFixture, **settings: Any) -> list[str]:
    """Return what is logged about direct calls when an application starts."""
    caplog.clear()
    with caplog.at_level("INFO", logger="toolway"):
        async with client_of(app, **settings):
            pass
    return [line for line in caplog.messages if line.startswith("direct calls")]


@pytest.mark.skipif(not IS_LOCKED, reason="other versions are installed than the locked ones")
def test_the_locked_fastapi_and_starlette_are_covered() -> None:
    assert changed_functions() == [], "review and record them with: make fingerprints"


@require_direct_calls
async def test_the_number_of_tools_with_direct_calls_is_logged(caplog: pytest.LogCaptureFixture) -> None:
    assert await logged(app_of(), caplog) == ["direct calls: on for 1 of 2 tools"]


@require_direct_calls
async def test_a_release_that_changes_none_of_the_functions_is_covered(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(fastapi, "__version__", "0.999.0")
    assert await is_direct(app_of(), "counted")


@require_direct_calls
async def test_a_function_that_has_changed_is_named_in_the_log(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(fastapi_routing, "request_response", lambda _: None)
    line = "direct calls: off, fastapi.routing.request_response differs from the known versions"
    assert await logged(FastAPI(), caplog) == [line]
    monkeypatch.delattr(fastapi_routing, "run_endpoint_function")
    line = "direct calls: off, fastapi.routing.request_response and 1 other differ from the known versions"
    assert await logged(FastAPI(), caplog) == [line]


@require_direct_calls
async def test_an_application_that_is_called_in_its_own_way_is_named_in_the_log(
    caplog: pytest.LogCaptureFixture,
) -> None:
    class Own(FastAPI):
        async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
            await super().__call__(scope, receive, send)

    assert await logged(app_of(Own), caplog) == ["direct calls: off, Own overrides FastAPI.__call__"]


async def test_the_setting_that_turns_direct_calls_off_is_named_in_the_log(caplog: pytest.LogCaptureFixture) -> None:
    assert await logged(app_of(), caplog, direct=False) == ["direct calls: off, TOOLWAY_DIRECT is false"]


def test_recording_adds_to_what_is_known(tmp_path: Path) -> None:
    file = tmp_path / "fingerprints.json"
    record(known_fingerprints(), {}, "", file)
    assert file.read_text(encoding="utf-8") == FILE.read_text(encoding="utf-8")
    record({"a:b": {"1f": "fastapi==1"}}, {"a:b": "def b(): ..."}, "fastapi==2", file)
    assert '"1f": "fastapi==1",\n    "' in file.read_text(encoding="utf-8")
    assert '": "fastapi==2"' in file.read_text(encoding="utf-8")
