"""Where the stores under test live: files on SQLite, databases of their own on PostgreSQL."""

from __future__ import annotations

import os
import shutil
from itertools import count
from pathlib import Path
from typing import Protocol
from urllib.parse import urlsplit, urlunsplit

import asyncpg

from tests.support import POSTGRES_URL

__all__ = ["Place", "PostgresPlace", "SqlitePlace"]


class Place(Protocol):
    """Makes new stores, empty or as copies, and clears them all away."""

    async def new(self) -> str: ...
    async def copy(self, url: str) -> str: ...
    async def clear(self) -> None: ...


class SqlitePlace:
    """Stores in a folder."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._numbers = count()

    async def new(self) -> str:
        return f"sqlite:///{self._folder}/store{next(self._numbers)}.db"

    async def copy(self, url: str) -> str:
        target = await self.new()
        shutil.copy(url.removeprefix("sqlite:///"), target.removeprefix("sqlite:///"))
        return target

    async def clear(self) -> None:
        for file in self._folder.glob("store*.db*"):
            file.unlink()


class PostgresPlace:
    """Stores as databases with a name of their own, beside the database that tests are given."""

    _numbers = count()

    def __init__(self) -> None:
        self._made: list[str] = []

    async def new(self) -> str:
        return await self._create("template1")

    async def copy(self, url: str) -> str:
        return await self._create(urlsplit(url).path.removeprefix("/"))

    async def clear(self) -> None:
        for name in self._made:
            await _execute(f'DROP DATABASE "{name}" WITH (FORCE)')
        self._made.clear()

    async def _create(self, template: str) -> str:
        name = f"order_desk_{os.getpid()}_{next(self._numbers)}"
        await _execute(f'CREATE DATABASE "{name}" TEMPLATE "{template}"')
        self._made.append(name)
        return urlunsplit(urlsplit(POSTGRES_URL)._replace(path=f"/{name}"))


async def _execute(statement: str) -> None:
    connection = await asyncpg.connect(POSTGRES_URL)
    try:
        await connection.execute(statement)
    finally:
        await connection.close()
