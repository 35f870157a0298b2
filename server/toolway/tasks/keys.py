"""The keys that seal what tasks need: the operator's own, or one in a file beside the store."""

from __future__ import annotations

import os
from contextlib import suppress
from pathlib import Path

from toolway.errors import ConfigurationError
from toolway.settings import Settings

__all__ = ["keep_key", "key_beside", "key_file", "keys_for"]

_KEY_BYTES = 32


def keys_for(settings: Settings, store: Path | None) -> list[bytes]:
    """Return the keys for a store, which is a file or a server.

    Raises:
        ConfigurationError: there is no key that all workers know.
    """
    if settings.state_keys:
        return [key.get_secret_value().encode() for key in settings.state_keys]
    if store is not None:
        return [key_beside(key_file(store))]
    raise ConfigurationError(
        "tasks on PostgreSQL need keys that every worker knows; set TOOLWAY_STATE_KEYS to a JSON list of secrets of 32 "
        "or more characters"
    )


def key_file(store: Path) -> Path:
    """Return the path of the key beside a store."""
    return store.with_name(store.name + ".key")


def key_beside(path: Path) -> bytes:
    """Return the key in a file that only its owner may read; make it the first time.

    Raises:
        ConfigurationError: the file cannot be made or read, or is no key.
    """
    try:
        keep_key(path, os.urandom(_KEY_BYTES))
        key = path.read_bytes()
    except OSError as error:
        raise ConfigurationError(
            f"cannot keep a key at {str(path)!r}: {error.strerror}; set TOOLWAY_STATE_KEYS"
        ) from error
    if len(key) != _KEY_BYTES:
        raise ConfigurationError(f"{str(path)!r} is no key of {_KEY_BYTES} bytes; remove it, or set TOOLWAY_STATE_KEYS")
    return key


def keep_key(path: Path, key: bytes) -> None:
    """Write a key to a file, unless there is one.

    It is written aside and linked into place: of several processes one wins, and none reads half a key.
    """
    if path.exists():
        return
    aside = path.with_name(f"{path.name}.{os.getpid()}.{os.urandom(4).hex()}")
    descriptor = os.open(aside, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    try:
        with os.fdopen(descriptor, "wb") as file:
            file.write(key)
            file.flush()
            os.fsync(descriptor)
        with suppress(FileExistsError):
            os.link(aside, path)
    finally:
        aside.unlink()
