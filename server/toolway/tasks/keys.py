"""The keys that encrypt tasks: those in the settings, or one in a file next to the store."""

from __future__ import annotations

import os
from contextlib import suppress
from pathlib import Path

from toolway.errors import ConfigurationError
from toolway.settings import Settings

__all__ = ["key_path", "read_keys", "read_or_create_key", "write_key_once"]

_KEY_BYTES = 32


def read_keys(settings: Settings, store_file: Path | None) -> list[bytes]:
    """Return the keys for a store, which is a file or, if None, a database server.

    Raises:
        ConfigurationError: the workers do not share a key.
    """
    if settings.state_keys:
        return [key.get_secret_value().encode() for key in settings.state_keys]
    if store_file is not None:
        return [read_or_create_key(key_path(store_file))]
    raise ConfigurationError(
        "tasks on PostgreSQL need keys that all workers share; set TOOLWAY_STATE_KEYS to a JSON list of secrets of at "
        "least 32 characters"
    )


def key_path(store_file: Path) -> Path:
    """Return the path of the key file of a store."""
    return store_file.with_name(store_file.name + ".key")


def read_or_create_key(path: Path) -> bytes:
    """Return the key in a file that only its owner may read; create the file if it does not exist.

    Raises:
        ConfigurationError: the file cannot be created or read, or has another size than a key.
    """
    try:
        write_key_once(path, os.urandom(_KEY_BYTES))
        key = path.read_bytes()
    except OSError as error:
        raise ConfigurationError(
            f"cannot read or create the key file {str(path)!r}: {error.strerror}; make it accessible, or set "
            "TOOLWAY_STATE_KEYS"
        ) from error
    if len(key) != _KEY_BYTES:
        raise ConfigurationError(
            f"the key file {str(path)!r} has {len(key)} bytes instead of {_KEY_BYTES}; delete it, or set "
            "TOOLWAY_STATE_KEYS"
        )
    return key


def write_key_once(path: Path, key: bytes) -> None:
    """Write a key to a file, unless the file exists.

    The key is written to a temporary file that is then linked to its path: of several processes one succeeds, and none
    reads an incomplete key.
    """
    if path.exists():
        return
    temporary = path.with_name(f"{path.name}.{os.getpid()}.{os.urandom(4).hex()}")
    descriptor = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    try:
        with os.fdopen(descriptor, "wb") as file:
            file.write(key)
            file.flush()
            os.fsync(descriptor)
        with suppress(FileExistsError):
            os.link(temporary, path)
    finally:
        temporary.unlink()
