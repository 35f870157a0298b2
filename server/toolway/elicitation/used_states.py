"""States that clients have sent back, each of which is accepted once: in this process, or in all that can read it."""

from __future__ import annotations

import hashlib
import logging
import time
from collections import OrderedDict

from anyio import to_thread

from toolway.elicitation.sealing import has_shared_keys
from toolway.settings import Settings
from toolway.sql_table import SqlTable, StoreError

__all__ = ["UsedStates"]

logger = logging.getLogger("toolway")

_MAX_REMEMBERED = 10_000


class UsedStates:
    """Remembers the states that were used.

    If other processes have the same keys, it remembers them in the store of `Settings.store_url`, which those processes
    should share. If this store cannot be used, each process remembers its own.

    Args:
        settings: the store, the keys, and the lifetime of states.
    """

    def __init__(self, settings: Settings) -> None:
        self._used: OrderedDict[str, None] = OrderedDict()
        self._seconds = settings.state_seconds
        columns = "id TEXT PRIMARY KEY, expires REAL NOT NULL"
        self._table = SqlTable(settings.store_url, "used_states", columns) if has_shared_keys(settings) else None

    async def use(self, state_id: str) -> bool:
        """Mark the id of a state as used; return whether it was unused."""
        if state_id in self._used:
            return False
        self._used[state_id] = None
        if len(self._used) > _MAX_REMEMBERED:
            self._used.popitem(last=False)
        if self._table is None:
            return True
        try:
            return await to_thread.run_sync(self._insert, self._table, hashlib.sha256(state_id.encode()).hexdigest())
        except StoreError as error:
            logger.warning("an answer may be used once in each process, as TOOLWAY_STORE_URL cannot be used: %s", error)
            return True

    def _insert(self, table: SqlTable, state_id: str) -> bool:
        now = time.time()
        insert = f"INSERT INTO {table.name} (id, expires) VALUES (?, ?) ON CONFLICT DO NOTHING RETURNING id"  # noqa: S608
        with table.connection() as connection:
            table.run(connection, f"DELETE FROM {table.name} WHERE expires <= ?", now)  # noqa: S608
            return bool(table.run(connection, insert, state_id, now + self._seconds))
