"""What settings may hold, beyond their types: a ValueError says what was expected."""

from __future__ import annotations

import re
from typing import Any

from pydantic import SecretStr, ValidationError, ValidatorFunctionWrapHandler

from toolway._headers import stays_with_connection

__all__ = ["confirming", "forwardable", "long", "lower"]

_KEY_BYTES = 32
_HEADER_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]*")


def lower(names: list[str]) -> list[str]:
    """Return names in lower case."""
    return [name.lower() for name in names]


def long(keys: list[SecretStr]) -> list[SecretStr]:
    """Return secrets that are long enough to seal with."""
    if any(len(key.get_secret_value().encode()) < _KEY_BYTES for key in keys):
        raise ValueError(
            f"expected secrets of {_KEY_BYTES} or more bytes; make one with: "
            "python -c 'import secrets; print(secrets.token_urlsafe(32))'"
        )
    return keys


def forwardable(names: list[str]) -> list[str]:
    """Return names of headers that do not belong to the connection with the caller, in lower case."""
    for name in names:
        if not _HEADER_NAME.fullmatch(name):
            raise ValueError(f"expected the name of a header, such as 'x-tenant', got {name!r}")
        if stays_with_connection(name.lower()):
            raise ValueError(f"{name!r} belongs to the connection with the caller; leave it out")
    return lower(names)


def confirming(value: Any, handler: ValidatorFunctionWrapHandler) -> Any:
    """Return whom to ask; Pydantic would speak of the two types that it tried."""
    try:
        return handler(value)
    except ValidationError:
        raise ValueError(f"expected true, false or if_possible, got {value!r}") from None
