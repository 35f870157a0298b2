"""Stores for tasks, on each of the two databases."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support import postgres_available, require
from tests.tasks.serving import Ledger
from tests.tools.places import PostgresPlace


@pytest.fixture
def database() -> Iterator[str]:
    """Return the URL of an empty PostgreSQL database."""
    require(postgres_available(), "PostgreSQL is not reachable at TOOLWAY_TEST_POSTGRES_URL")
    place = PostgresPlace()
    yield asyncio.run(place.new())
    asyncio.run(place.clear())


@pytest.fixture(params=["sqlite", "postgresql"])
def store_url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """Return the URL of an empty store."""
    return f"sqlite:///{tmp_path}/tasks.db" if request.param == "sqlite" else request.getfixturevalue("database")


@pytest.fixture
def ledger(tmp_path: Path) -> Ledger:
    """Return an empty ledger for the endpoints to write to."""
    return Ledger(tmp_path / "ledger.txt")
