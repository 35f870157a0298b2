"""The test servers: ready when they are returned, and stopped afterwards."""

from __future__ import annotations

import socket
import sys
from contextlib import ExitStack
from pathlib import Path

import pytest
from fastapi import FastAPI

from tests import web
from tests.leaks import nothing_left
from tests.servers import Serve, running, serving
from tests.support import require

APP = """
from fastapi import FastAPI

app = FastAPI()

@app.get("/who")
def who() -> str:
    return "another process"
"""


def test_an_app_is_served_on_a_real_socket_and_cleaned_up() -> None:
    app = FastAPI()

    @app.get("/who")
    def who() -> str:
        return "this process"

    with nothing_left(), serving(app) as url:
        assert web.get(f"{url}/who").json() == "this process"


def test_an_app_that_fails_to_start_raises_at_once() -> None:
    with pytest.raises(RuntimeError, match="did not start"), serving("tests.no_such_module:app"):
        pass


def test_an_import_string_is_served_from_its_own_process(serve_apart: Serve, tmp_path: Path) -> None:
    (tmp_path / "served.py").write_text(APP, encoding="utf-8")
    url = serve_apart("served:app", cwd=tmp_path)
    assert web.get(f"{url}/who").json() == "another process"


def test_a_command_that_exits_early_raises_with_its_output() -> None:
    with pytest.raises(AssertionError, match="no luck"), running([sys.executable, "-c", "print('no luck')"]):
        pass


def test_a_forgotten_socket_is_a_leak() -> None:
    with ExitStack() as forgotten:
        with pytest.raises(AssertionError, match="left open"), nothing_left():
            forgotten.enter_context(socket.create_server(("127.0.0.1", 0)))
        with nothing_left():
            pass


async def test_async_tests_run_on_asyncio(anyio_backend_name: str) -> None:
    assert anyio_backend_name == "asyncio"


@pytest.mark.parametrize(("ci", "outcome"), [("true", pytest.fail.Exception), ("", pytest.skip.Exception)])
def test_a_missing_requirement_fails_in_ci_and_skips_elsewhere(
    ci: str, outcome: type[BaseException], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("CI", ci)
    require(True, "never raised")
    with pytest.raises(outcome, match="no database here"):
        require(False, "no database here")
