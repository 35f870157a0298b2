"""Queries about the workers on a database, and ways to disconnect them."""

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
    """Close every connection to a database, wait until they are closed, and return how many there were."""
    query = "SELECT pg_terminate_backend(pid, 10000) FROM pg_stat_activity WHERE datname = $1"
    return len(asyncio.run(ask(query, name_of(url))))


def count_locks(url: str) -> int:
    """Return how many workers hold the lock that shows they are alive."""
    query = (
        "SELECT 1 FROM pg_locks JOIN pg_database ON pg_database.oid = pg_locks.database "
        "WHERE datname = $1 AND locktype = 'advisory' AND granted"
    )
    return len(asyncio.run(ask(query, name_of(url))))


def name_of(url: str) -> str:
    return urlsplit(url).path.removeprefix("/")
