"""What is kept where others could read or change it: sealed with AES-256-GCM under keys that only the servers know.

Clients carry such state between two requests, and the store of tasks keeps what is needed to run them.
"""

from __future__ import annotations

import hashlib
import hmac
import os
import secrets
import struct
import time
from collections import OrderedDict
from collections.abc import Sequence
from contextlib import suppress
from functools import cached_property
from typing import TYPE_CHECKING

from toolway.settings import Settings

if TYPE_CHECKING:
    from cryptography.hazmat.primitives.ciphers.aead import AESGCM

__all__ = ["BrokenSealError", "ReplayCache", "Seal", "new_key", "share_key", "state_keys"]

_NONCE_BYTES = 12
_MOMENT = struct.Struct(">d")
_MOST_REMEMBERED = 10_000


class BrokenSealError(Exception):
    """None of the keys opens it: it was changed, belongs to something else, is too old, or its key is gone."""


def state_keys(settings: Settings) -> list[str]:
    """The keys that seal (the first) and open; without any in the settings, one that ends with the server."""
    return [key.get_secret_value() for key in settings.state_keys] or [_Own.key]


def new_key() -> str:
    """Make a key that nobody knows."""
    return secrets.token_urlsafe(32)


def share_key(key: str) -> None:
    """Let this process seal and open with a key that its siblings have, too, where the settings have none."""
    _Own.key = key


class _Own:
    key = new_key()


class Seal:
    """Seals with the first key and opens with all of them, so that keys can be changed while old seals are about.

    Args:
        keys: secrets of 32 or more bytes.
    """

    def __init__(self, keys: Sequence[bytes]) -> None:
        self._keys = keys
        self._marks = [_derived(key, b"fingerprint") for key in keys]

    def close(self, text: bytes, place: str) -> bytes:
        """Seal bytes for one place; they cannot be opened at another."""
        nonce = os.urandom(_NONCE_BYTES)
        return nonce + self._ciphers[0].encrypt(nonce, _MOMENT.pack(time.time()) + text, place.encode())

    def open(self, sealed: bytes, place: str, seconds: float | None = None) -> bytes:
        """Return what was sealed; with a number of seconds, only what is not that old.

        Raises:
            BrokenSealError: no key opens it here, or it was sealed too long ago.
        """
        text = self._opened(sealed, place)
        (moment,) = _MOMENT.unpack_from(text)
        if seconds is not None and time.time() >= moment + seconds:
            raise BrokenSealError
        return text[_MOMENT.size :]

    def _opened(self, sealed: bytes, place: str) -> bytes:
        from cryptography.exceptions import InvalidTag  # noqa: PLC0415 - see `_ciphers`

        nonce, rest = sealed[:_NONCE_BYTES], sealed[_NONCE_BYTES:]
        for cipher in self._ciphers:
            with suppress(InvalidTag, ValueError):
                return cipher.decrypt(nonce, rest, place.encode())
        raise BrokenSealError

    @cached_property
    def _ciphers(self) -> list[AESGCM]:
        from cryptography.hazmat.primitives.ciphers.aead import AESGCM  # noqa: PLC0415 - slow, and few endpoints ask

        return [AESGCM(_derived(key, b"seal")) for key in self._keys]

    def fingerprint(self, text: bytes) -> str:
        """A name for something secret that cannot be turned back, nor guessed without a key."""
        return hmac.digest(self._marks[0], text, "sha256").hex()

    def fits(self, fingerprint: str, text: bytes) -> bool:
        """Tell whether a fingerprint was made of this text, under any of the keys."""
        marks = [hmac.digest(mark, text, "sha256").hex() for mark in self._marks]
        return any(hmac.compare_digest(mark, fingerprint) for mark in marks)


def _derived(key: bytes, use: bytes) -> bytes:
    return hmac.digest(hashlib.sha256(key).digest(), b"toolway " + use, "sha256")


class ReplayCache:
    """Remembers what was used, so that it counts once: the last 10,000, in this process."""

    def __init__(self) -> None:
        self._used: OrderedDict[str, None] = OrderedDict()

    def use(self, number: str) -> bool:
        """Tell whether this is the first time."""
        if number in self._used:
            return False
        self._used[number] = None
        if len(self._used) > _MOST_REMEMBERED:
            self._used.popitem(last=False)
        return True
