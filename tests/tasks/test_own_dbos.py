"""Applications that use DBOS themselves: a process has one DBOS instance, so their tools run within their requests."""

from __future__ import annotations

import signal
import sqlite3
import sys
from pathlib import Path

import pytest

from tests.protocol.tasking import DECLARED, Client
from tests.servers import PATIENCE, running

READY = "Press Ctrl+C to stop"
# On Python 3.12 and newer, DBOS needs SQLite 3.42.
NEEDS_POSTGRES = sys.version_info >= (3, 12) and sqlite3.sqlite_version_info < (3, 42)


@pytest.fixture
def own_url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """Return the URL of a database that the application's own DBOS can use here."""
    return request.getfixturevalue("database") if NEEDS_POSTGRES else f"sqlite:///{tmp_path}/own.db"


def test_an_application_that_uses_dbos_itself_keeps_it_and_runs_no_tasks(tmp_path: Path, own_url: str) -> None:
    env = {"TOOLWAY_STORE_URL": f"sqlite:///{tmp_path}/tasks.db", "DBOS_URL": own_url}
    command = [sys.executable, "-m", "toolway", "serve", "tests.tasks.own_dbos:app", "--port", "0"]
    with running(command, env=env, ready=READY) as process:
        client = Client(process.url("MCP endpoint"))
        assert client.start("double", number=21)["structuredContent"] == 42
        params = {"name": "charge", "arguments": {"number": 1}, **DECLARED}
        error = client.peer.refusal("tools/call", params)
        assert client.start("double", number=4)["structuredContent"] == 8
        process.popen.terminate()
        assert process.popen.wait(PATIENCE) == -signal.SIGTERM
    assert error["code"] == -32603
    assert error["message"] == "This server cannot run tasks: the application already uses DBOS in this process"
    assert "'double' runs within its request instead of as a task: the application already uses DBOS" in process.output
