"""Fixtures for all tests."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack
from typing import Any

import pytest

from tests.leaks import nothing_left
from tests.servers import Serve, serving, serving_apart


@pytest.fixture(scope="session")
def anyio_backend() -> str:
    """Run on asyncio only: the database drivers and the server know no other."""
    return "asyncio"


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
