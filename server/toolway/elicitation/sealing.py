"""Authenticated encryption (AES-256-GCM) of data that others store, under keys that only the servers have.

Clients carry such data between two requests, and the task store keeps what is needed to run tasks.
"""

from __future__ import annotations

import hashlib
import hmac
import os
import secrets
import struct
import time
from collections.abc import Sequence
from contextlib import suppress
from contextvars import ContextVar
from functools import cached_property
from typing import TYPE_CHECKING

from toolway.settings import Settings

if TYPE_CHECKING:
    from cryptography.hazmat.primitives.ciphers.aead import AESGCM

__all__ = ["DecryptionError", "Seal", "has_shared_keys", "new_key", "share_key", "state_keys"]

_NONCE_BYTES = 12
_TIMESTAMP = struct.Struct(">d")

_shared_key: ContextVar[str | None] = ContextVar("toolway_shared_key", default=None)


class DecryptionError(Exception):
    """Data cannot be decrypted: it was changed, belongs to another context, has expired, or its key is unknown."""


def state_keys(settings: Settings) -> list[str]:
    """Return the keys for the data that clients carry: the first encrypts, all decrypt.

    Without keys in the settings, that is one key that ends with the server: the key that `share_key` has set, or else a
    new one for each call, so that applications in one process cannot read each other's data.
    """
    configured = [key.get_secret_value() for key in settings.state_keys]
    return configured or [_shared_key.get() or new_key()]


def has_shared_keys(settings: Settings) -> bool:
    """Return whether other processes may have the keys of this one."""
    return bool(settings.state_keys) or _shared_key.get() is not None


def new_key() -> str:
    """Return a random key."""
    return secrets.token_urlsafe(32)


def share_key(key: str) -> None:
    """Set the key for applications that start in this context and have no keys in their settings.

    The workers of ``toolway serve --workers`` share a key in this way.
    """
    _shared_key.set(key)


class Seal:
    """Encrypts with the first key and decrypts with all of them, so that keys can be rotated.

    Args:
        keys: secrets of at least 32 bytes.
    """

    def __init__(self, keys: Sequence[bytes]) -> None:
        self._keys = keys
        self._fingerprint_keys = [_derive_key(key, b"fingerprint") for key in keys]

    def encrypt(self, data: bytes, context: str) -> bytes:
        """Encrypt data for one context, such as a request or a task; it cannot be decrypted in another."""
        nonce = os.urandom(_NONCE_BYTES)
        return nonce + self._ciphers[0].encrypt(nonce, _TIMESTAMP.pack(time.time()) + data, context.encode())

    def decrypt(self, encrypted: bytes, context: str, seconds: float | None = None) -> bytes:
        """Return the data that was encrypted for a context, at most some seconds ago if they are given.

        Raises:
            DecryptionError: no key decrypts it in this context, or it is too old.
        """
        text = self._decrypt_with_any_key(encrypted, context)
        (timestamp,) = _TIMESTAMP.unpack_from(text)
        if seconds is not None and time.time() >= timestamp + seconds:
            raise DecryptionError
        return text[_TIMESTAMP.size :]

    def _decrypt_with_any_key(self, encrypted: bytes, context: str) -> bytes:
        from cryptography.exceptions import InvalidTag  # noqa: PLC0415 - see `_ciphers`

        nonce, rest = encrypted[:_NONCE_BYTES], encrypted[_NONCE_BYTES:]
        for cipher in self._ciphers:
            with suppress(InvalidTag, ValueError):
                return cipher.decrypt(nonce, rest, context.encode())
        raise DecryptionError

    @cached_property
    def _ciphers(self) -> list[AESGCM]:
        from cryptography.hazmat.primitives.ciphers.aead import AESGCM  # noqa: PLC0415 - slow, and few endpoints ask

        return [AESGCM(_derive_key(key, b"seal")) for key in self._keys]

    def fingerprint(self, secret: bytes) -> str:
        """Return a keyed hash of a secret, from which the secret cannot be guessed without a key."""
        return hmac.digest(self._fingerprint_keys[0], secret, "sha256").hex()

    def matches(self, fingerprint: str, secret: bytes) -> bool:
        """Return whether a fingerprint is that of a secret, under any of the keys."""
        hashes = [hmac.digest(key, secret, "sha256").hex() for key in self._fingerprint_keys]
        return any(hmac.compare_digest(each, fingerprint) for each in hashes)


def _derive_key(key: bytes, use: bytes) -> bytes:
    return hmac.digest(hashlib.sha256(key).digest(), b"toolway " + use, "sha256")
