"""The store of long results, from which callers read what was truncated: a table of SQLite or PostgreSQL.

A result is encrypted under its handle, for its caller. The store has neither handles nor readable results, and needs no
key of the server, so that every process with the same store can serve every handle.
"""

from __future__ import annotations

import hashlib
import secrets
import time
import zlib

from toolway.elicitation import DecryptionError, Seal
from toolway.results.truncation import Collection, Kind
from toolway.sql_table import SqlTable

__all__ = ["ResultStore"]

_MOST_PER_CALLER = 100
_KINDS: tuple[Kind, ...] = ("array", "object", "text")


class ResultStore:
    """The results of one store; nothing is opened or created before the first one.

    Methods block, and may be called in several threads at a time. They raise `StoreError` if the database cannot
    be used.

    Args:
        url: ``sqlite:///path`` or ``postgresql://...``.
        seconds: how long a result is kept.
    """

    def __init__(self, url: str, seconds: float) -> None:
        columns = "id TEXT PRIMARY KEY, owner TEXT NOT NULL, expires REAL NOT NULL, body BLOB NOT NULL"
        self._table = SqlTable(url, "stored_results", columns, indexes=("owner", "expires"))
        self._seconds = seconds

    def save(self, collection: Collection, caller: str) -> str:
        """Store a collection for a caller, and return its handle."""
        handle = secrets.token_urlsafe(24)
        kind = _KINDS.index(collection.kind)
        body = Seal([handle.encode()]).encrypt(bytes([kind]) + zlib.compress(collection.body, 1), caller)
        now, owner = time.time(), _hash(caller)
        table = self._table
        newest = f"SELECT id FROM {table.name} WHERE owner = ? ORDER BY expires DESC LIMIT {_MOST_PER_CALLER}"  # noqa: S608
        insert = f"INSERT INTO {table.name} (id, owner, expires, body) VALUES (?, ?, ?, ?)"  # noqa: S608
        delete_oldest = f"DELETE FROM {table.name} WHERE owner = ? AND id NOT IN ({newest})"  # noqa: S608
        with table.connection() as connection:
            table.run(connection, f"DELETE FROM {table.name} WHERE expires <= ?", now)  # noqa: S608
            table.run(connection, insert, _hash(handle), owner, now + self._seconds, body)
            table.run(connection, delete_oldest, owner, owner)
        return handle

    def load(self, handle: str, caller: str) -> Collection | None:
        """Return the collection of a handle; None if it does not exist, has expired, or belongs to another caller."""
        if not self._table.exists:
            return None
        with self._table.connection() as connection:
            found = self._table.run(connection, f"SELECT body FROM {self._table.name} WHERE id = ?", _hash(handle))  # noqa: S608
        if not found:
            return None
        try:
            plain = Seal([handle.encode()]).decrypt(bytes(found[0][0]), caller, self._seconds)
        except DecryptionError:
            return None
        return Collection(_KINDS[plain[0]], zlib.decompress(plain[1:]))


def _hash(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()
