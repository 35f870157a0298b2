"""The settings of the order desk, from environment variables that start with ``RETAIL_``."""

from __future__ import annotations

from pathlib import Path

from pydantic import Field, field_validator
from pydantic_settings import BaseSettings, SettingsConfigDict
from sqlalchemy import URL, make_url
from sqlalchemy.exc import ArgumentError

__all__ = ["DEFAULT_STORE", "RetailSettings"]

# Clients start the server in any folder, so the default is relative to this file.
_FOLDER = Path(__file__).resolve().parents[2] / "var" / "retail"
DEFAULT_STORE = _FOLDER / "orders.db"

_DRIVERS = {"sqlite": "sqlite+aiosqlite", "postgresql": "postgresql+asyncpg", "postgres": "postgresql+asyncpg"}
_EXPECTED = "expected sqlite:///path/to/file.db or postgresql://user@host:5432/database"


class RetailSettings(BaseSettings):
    """The settings of the order desk.

    - ``RETAIL_DATABASE_URL``: the store. Defaults to a SQLite file, which is seeded with sample data if it is empty.
    - ``RETAIL_SEED_EMPTY_STORE``: whether to seed an empty store. Defaults to true only for the default store.
    - ``RETAIL_LOCK_SECONDS``: how long a change waits for other changes before it fails.
    - ``RETAIL_EXPORT_FOLDER``: the folder of finished exports. Defaults to ``exports`` beside the store.
    - ``RETAIL_EXPORT_HOURS``: how long exports are kept.
    - ``RETAIL_EXPORT_PART_BYTES``: the size of the parts in which agents read exports.
    """

    model_config = SettingsConfigDict(env_prefix="RETAIL_", extra="ignore", hide_input_in_errors=True)

    database_url: str = Field(default=f"sqlite:///{DEFAULT_STORE}", repr=False)
    seed_empty_store: bool | None = None
    lock_seconds: float = Field(default=30, gt=0)
    export_folder: Path | None = None
    export_hours: float = Field(default=24, gt=0)
    export_part_bytes: int = Field(default=4 * 1024 * 1024, ge=4096)

    @field_validator("database_url")
    @classmethod
    def _known_database(cls, value: str) -> str:
        _parse(value)
        return value

    @property
    def url(self) -> URL:
        """The URL of the database, with its asynchronous driver."""
        return _parse(self.database_url)

    @property
    def on_default_store(self) -> bool:
        return self.url.database == str(DEFAULT_STORE)

    @property
    def exports(self) -> Path:
        """The folder of finished exports."""
        beside = Path(self.url.database or "").parent if self.url.get_backend_name() == "sqlite" else _FOLDER
        return self.export_folder or beside / "exports"

    @property
    def tasks_url(self) -> str:
        """The URL of toolway's task store, one file per store, because a task belongs to the store it started on."""
        store = Path(self.url.database or "")
        beside = store if self.url.get_backend_name() == "sqlite" else _FOLDER / store.name
        return f"sqlite:///{beside}.tasks"

    @property
    def seeds_itself(self) -> bool:
        return self.on_default_store if self.seed_empty_store is None else self.seed_empty_store


def _parse(text: str) -> URL:
    try:
        url = make_url(text)
    except ArgumentError:
        # The text may contain a password, so it is not repeated.
        raise ValueError(f"not a database URL: {_EXPECTED}") from None
    backend, _, driver = url.drivername.partition("+")
    known = _DRIVERS.get(backend)
    if known is None or driver not in {"", known.partition("+")[2]}:
        raise ValueError(f"unknown database driver {url.drivername!r}; {_EXPECTED}")
    return _with_sslmode(_on_file(url.set(drivername=known)))


def _on_file(url: URL) -> URL:
    """Reject in-memory databases, which would differ for every connection."""
    if url.get_backend_name() == "sqlite" and url.database in {None, "", ":memory:"}:
        raise ValueError("the SQLite store must be a file: sqlite:///path/to/file.db")
    return url


def _with_sslmode(url: URL) -> URL:
    """Rename ``sslmode``, which asyncpg calls ``ssl``."""
    if "sslmode" not in url.query or url.get_backend_name() != "postgresql":
        return url
    return url.difference_update_query(["sslmode"]).update_query_dict({"ssl": str(url.query["sslmode"])})
