"""What a database server knows of the workers on one of its databases, and what it can do to them."""

from __future__ import annotations

import asyncio
from urllib.parse import urlsplit

import asyncpg

from tests.support import POSTGRES_URL


async def ask(query: str, *arguments: object) -> list[asyncpg.Record]:
    connection = await asyncpg.connect(POSTGRES_URL)
    try:
        return await connection.fetch(query, *arguments)
    finally:
        await connection.close()


def end_connections(url: str) -> int:
    """End every connection to a database, wait until they are gone, and return how many there were."""
    query = "SELECT pg_terminate_backend(pid, 10000) FROM pg_stat_activity WHERE datname = $1"
    return len(asyncio.run(ask(query, name_of(url))))


def count_locks(url: str) -> int:
    """How many workers hold the lock that says that they live."""
    query = (
        "SELECT 1 FROM pg_locks JOIN pg_database ON pg_database.oid = pg_locks.database "
        "WHERE datname = $1 AND locktype = 'advisory' AND granted"
    )
    return len(asyncio.run(ask(query, name_of(url))))


def name_of(url: str) -> str:
    return urlsplit(url).path.removeprefix("/")
