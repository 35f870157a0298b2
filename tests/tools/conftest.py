"""An order desk with a small shop, on each of the two databases."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Iterator
from pathlib import Path

import pytest
from anyio.from_thread import start_blocking_portal

from tests.support import postgres_available, require
from tests.tools.desk import Desk, fill_store, open_desk
from tests.tools.places import Place, PostgresPlace, SqlitePlace
from tests.tools.shop import small_shop


@pytest.fixture(scope="session", params=["sqlite", "postgresql"])
def backend(request: pytest.FixtureRequest) -> str:
    """Run the test on each database."""
    if request.param == "postgresql":
        require(postgres_available(), "PostgreSQL does not answer at TOOLWAY_TEST_POSTGRES_URL")
    return request.param


@pytest.fixture(scope="session")
def stocked(backend: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """Return the URL of a store with the small shop, which is copied and never changed.

    It is made in an event loop of its own: that of an asynchronous fixture would run on beside all tests that follow.
    """
    place = make_place(backend, tmp_path_factory.mktemp("stocked"))
    with start_blocking_portal() as portal:
        url = portal.call(place.new)
        portal.call(fill_store, url, small_shop())
        yield url
        portal.call(place.clear)


@pytest.fixture
async def place(backend: str, tmp_path: Path) -> AsyncGenerator[Place, None]:
    """Yield a place for new stores."""
    place = make_place(backend, tmp_path)
    yield place
    await place.clear()


@pytest.fixture
async def store_url(place: Place, stocked: str) -> str:
    """Return the URL of a new store with the small shop."""
    return await place.copy(stocked)


@pytest.fixture
async def desk(store_url: str) -> AsyncGenerator[Desk, None]:
    """Run an order desk on a new store with the small shop."""
    async with open_desk(store_url) as desk:
        yield desk


def make_place(backend: str, folder: Path) -> Place:
    return SqlitePlace(folder) if backend == "sqlite" else PostgresPlace()
