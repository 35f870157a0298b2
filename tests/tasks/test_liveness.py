"""Liveness of workers on PostgreSQL when connections are lost."""

from __future__ import annotations

import asyncio

import pytest
import sqlalchemy as sa

from tests.tasks.postgres import ask, end_connections, name_of
from toolway.tasks.liveness import PostgresLiveness
from toolway.tasks.store import StoreUnavailableError


@pytest.fixture
def engine(database: str) -> sa.Engine:
    return sa.create_engine(database.replace("postgresql:", "postgresql+psycopg:"), pool_pre_ping=True)


def wait_until_dead(liveness: PostgresLiveness) -> None:
    """Wait until the server has noticed that the connection is closed; the test's timeout ends an endless wait."""
    while liveness.is_alive("one"):
        pass


def test_a_worker_that_lost_its_connection_is_alive_again_when_the_database_is_back(
    database: str, engine: sa.Engine
) -> None:
    worker, other = PostgresLiveness(engine), PostgresLiveness(engine)
    worker.acquire("one")
    assert other.is_alive("one")
    asyncio.run(ask(f"ALTER DATABASE {name_of(database)} ALLOW_CONNECTIONS false"))
    end_connections(database)
    for _ in range(2):
        with pytest.raises(StoreUnavailableError):
            worker.renew()
    asyncio.run(ask(f"ALTER DATABASE {name_of(database)} ALLOW_CONNECTIONS true"))
    assert not other.is_alive("one")
    worker.renew()
    assert other.is_alive("one")
    worker.release()
    wait_until_dead(other)
    worker.renew()
    assert not other.is_alive("one")
    engine.dispose()


def test_a_worker_waits_for_a_lock_that_the_server_still_keeps_for_a_lost_connection(engine: sa.Engine) -> None:
    lost, worker, other = (PostgresLiveness(engine) for _ in range(3))
    lost.acquire("one")
    worker.acquire("one")
    lost.release()
    wait_until_dead(other)
    worker.renew()
    assert other.is_alive("one")
    worker.release()
    engine.dispose()
