"""Finished exports, in a folder that all processes of the order desk share.

A file name is a digest of the export's id and the caller, so other callers cannot find it, and the folder reveals no
ids. An export is as old as its file.
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
    """The exports in a folder, at most a hundred, which expire and are read in parts of `part_bytes`."""

    def __init__(self, folder: Path, lifetime: timedelta, part_bytes: int) -> None:
        self.part_bytes = part_bytes
        self._folder = folder
        self._lifetime = lifetime

    def new(self, caller: str) -> tuple[str, Path]:
        """Return the id of a new export and the path to write it to.

        Raises:
            TooMany: the limit is reached until an export expires.
        """
        self._folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        self._remove_expired()
        if sum(1 for _ in self._folder.iterdir()) >= _MOST:
            raise TooMany(f"The limit of {_MOST} exports is reached. Try again when the oldest of them expires.")
        export_id = secrets.token_urlsafe(24)
        return export_id, self._path(export_id, caller)

    def find(self, export_id: str, caller: str) -> Path:
        """Return the file of an export that this caller asked for.

        Raises:
            NotFound: the export does not exist, has expired, or belongs to another caller.
        """
        path = self._path(export_id, caller)
        if not path.exists() or self._is_expired(path):
            raise NotFound(f"Export {export_id!r} does not exist or has expired. Call export_orders for a new one.")
        return path

    def expiry(self, path: Path) -> datetime:
        """Return when a file expires."""
        return datetime.fromtimestamp(path.stat().st_mtime, UTC) + self._lifetime

    def _path(self, export_id: str, caller: str) -> Path:
        digest = hashlib.sha256(f"{export_id}\n{caller}".encode()).hexdigest()
        return self._folder / f"{digest}.csv"

    def _remove_expired(self) -> None:
        """Remove expired files, including unfinished ones of a killed process."""
        for path in self._folder.iterdir():
            if self._is_expired(path):
                path.unlink(missing_ok=True)

    def _is_expired(self, path: Path) -> bool:
        try:
            return self.expiry(path) <= datetime.now(UTC)
        except FileNotFoundError:  # another process was faster
            return True
