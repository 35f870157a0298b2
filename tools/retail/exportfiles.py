"""Where finished exports are kept: a folder that every process of the desk sees.

A file's name is a digest of its export's id and of who asked for it, so nobody else finds it, and who sees the folder
learns no id. Its age is the file's own.
"""

from __future__ import annotations

import hashlib
import secrets
from datetime import UTC, datetime, timedelta
from pathlib import Path

from tools.retail.errors import NotFound, TooMany

__all__ = ["ExportFiles"]

_MOST = 100


class ExportFiles:
    """The exports in a folder, each for a time, at most a hundred at once; they are read in parts of so many bytes."""

    def __init__(self, folder: Path, lifetime: timedelta, part_bytes: int) -> None:
        self.part_bytes = part_bytes
        self._folder = folder
        self._lifetime = lifetime

    def new(self, caller: str) -> tuple[str, Path]:
        """Return the id of an export that is to come and the path that it shall be written to.

        Raises:
            TooMany: there is no room before others expire.
        """
        self._folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        self._remove_expired()
        if sum(1 for _ in self._folder.iterdir()) >= _MOST:
            raise TooMany(f"{_MOST} exports are kept already. Try again when the oldest of them expires.")
        export_id = secrets.token_urlsafe(24)
        return export_id, self._path(export_id, caller)

    def find(self, export_id: str, caller: str) -> Path:
        """Return the file of an export that this caller asked for.

        Raises:
            NotFound: there is none, it has expired, or it is somebody else's.
        """
        path = self._path(export_id, caller)
        if not path.exists() or self._is_expired(path):
            raise NotFound(f"Export {export_id!r} is not there, or no longer. Call export_orders for a new one.")
        return path

    def expiry(self, path: Path) -> datetime:
        """Return when a file goes away."""
        return datetime.fromtimestamp(path.stat().st_mtime, UTC) + self._lifetime

    def _path(self, export_id: str, caller: str) -> Path:
        digest = hashlib.sha256(f"{export_id}\n{caller}".encode()).hexdigest()
        return self._folder / f"{digest}.csv"

    def _remove_expired(self) -> None:
        """Files that a killed process left unfinished go the same way."""
        for path in self._folder.iterdir():
            if self._is_expired(path):
                path.unlink(missing_ok=True)

    def _is_expired(self, path: Path) -> bool:
        try:
            return self.expiry(path) <= datetime.now(UTC)
        except FileNotFoundError:  # another process was faster
            return True
