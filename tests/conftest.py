"""Fixtures for all tests."""

from __future__ import annotations

import gc
import os
from collections.abc import Iterator
from contextlib import ExitStack
from typing import Any

import pytest
from hypothesis import HealthCheck, settings

from tests.leaks import nothing_left
from tests.servers import Serve, serving, serving_apart
from tests.tally import Tally

TALLY = pytest.StashKey[Tally]()

# The same examples everywhere and every time, however slow the machine is.
settings.register_profile(
    "same", deadline=None, derandomize=True, database=None, suppress_health_check=[HealthCheck.too_slow]
)
settings.load_profile("same")


def pytest_addoption(parser: pytest.Parser) -> None:
    """Let tests that make up requests make up more of them than every run can wait for."""
    parser.addoption("--examples", type=int, default=3, help="requests made up for each tool, valid and invalid ones")


def pytest_collection_finish() -> None:
    """Keep the garbage collector from looking through the tests themselves, which are over half a million objects."""
    gc.collect()
    gc.freeze()


@pytest.fixture(scope="session")
def anyio_backend() -> str:
    """Run on asyncio only: the database drivers and the server know no other."""
    return "asyncio"


@pytest.fixture(scope="session", autouse=True)
def _tasks_elsewhere(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """Keep tasks out of the checkout, and those of one run of the tests out of the next."""
    folder = tmp_path_factory.mktemp("tasks")
    with pytest.MonkeyPatch.context() as patch:
        if "TOOLWAY_STORE_URL" not in os.environ:
            patch.setenv("TOOLWAY_STORE_URL", f"sqlite:///{folder}/tasks.db")
        yield


@pytest.fixture
def serve() -> Iterator[Serve]:
    """Return a function that serves an ASGI application from a thread until the test ends, and returns its URL."""
    with ExitStack() as stack:

        def start(app: Any, **config: Any) -> str:
            return stack.enter_context(serving(app, **config))

        yield start


@pytest.fixture
def serve_apart() -> Iterator[Serve]:
    """Return a function that serves an import string from a process of its own until the test ends."""
    with ExitStack() as stack:

        def start(app: str, *arguments: str, **options: Any) -> str:
            return stack.enter_context(serving_apart(app, *arguments, **options))

        yield start


@pytest.fixture
def no_leaks() -> Iterator[None]:
    """Fail the test when it leaves a task, thread, file, socket or child process behind."""
    with nothing_left():
        yield


@pytest.fixture(scope="session")
def tally(pytestconfig: pytest.Config) -> Tally:
    """Return the counts that are printed at the end of the run."""
    return pytestconfig.stash.setdefault(TALLY, Tally())


def pytest_sessionfinish(session: pytest.Session) -> None:
    """Hand the counts of a process that had some of the tests to the one that reports."""
    output: dict[str, Any] | None = getattr(session.config, "workeroutput", None)
    if output is not None:
        output["tally"] = session.config.stash.setdefault(TALLY, Tally()).plain()


@pytest.hookimpl(optionalhook=True)
def pytest_testnodedown(node: Any) -> None:
    """Take the counts of a process that is done."""
    node.config.stash.setdefault(TALLY, Tally()).add(getattr(node, "workeroutput", {}).get("tally", {}))


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """Print the counts."""
    for table, lines in terminalreporter.config.stash.setdefault(TALLY, Tally()).told():
        terminalreporter.section(table)
        for line in lines:
            terminalreporter.write_line(line)
