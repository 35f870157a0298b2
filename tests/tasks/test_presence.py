"""Workers on PostgreSQL, as others see them, when connections end."""

from __future__ import annotations

import asyncio

import pytest
import sqlalchemy as sa
from sqlalchemy.exc import DBAPIError

from tests.tasks.postgres import ask, end_connections, name_of
from toolway.tasks.liveness import DatabasePresence


@pytest.fixture
def engine(database: str) -> sa.Engine:
    return sa.create_engine(database.replace("postgresql:", "postgresql+psycopg:"), pool_pre_ping=True)


def wait_until_gone(presence: DatabasePresence) -> None:
    """Ask until the server has noticed that the connection is closed; the test's own limit ends a wait for nothing."""
    while presence.lives("one"):
        pass


def test_who_has_lost_the_connection_is_back_when_the_database_is(database: str, engine: sa.Engine) -> None:
    worker, other = DatabasePresence(engine), DatabasePresence(engine)
    worker.enter("one")
    assert other.lives("one")
    asyncio.run(ask(f"ALTER DATABASE {name_of(database)} ALLOW_CONNECTIONS false"))
    end_connections(database)
    for _ in range(2):
        with pytest.raises(DBAPIError):
            worker.keep()
    asyncio.run(ask(f"ALTER DATABASE {name_of(database)} ALLOW_CONNECTIONS true"))
    assert not other.lives("one")
    worker.keep()
    assert other.lives("one")
    worker.leave()
    wait_until_gone(other)
    worker.keep()
    assert not other.lives("one")
    engine.dispose()


def test_a_lock_that_the_server_still_keeps_for_a_lost_connection_is_waited_for(engine: sa.Engine) -> None:
    lost, worker, other = (DatabasePresence(engine) for _ in range(3))
    lost.enter("one")
    worker.enter("one")
    lost.leave()
    wait_until_gone(other)
    worker.keep()
    assert other.lives("one")
    worker.leave()
    engine.dispose()
