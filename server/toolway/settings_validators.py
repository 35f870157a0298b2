"""What settings may hold, beyond their types: a ValueError says what was expected."""

from __future__ import annotations

import re
from typing import Any
from urllib.parse import urlsplit

from pydantic import SecretStr, ValidationError, ValidatorFunctionWrapHandler

from toolway.headers import stays_with_connection

__all__ = ["address", "caller_names", "confirming", "forwardable", "header_values", "hosts", "long", "origins"]

_KEY_BYTES = 32
_HEADER_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]*")
_PARAMETER_NAME = re.compile(r"[A-Za-z0-9_][A-Za-z0-9._-]*")
_HOST = r"(?:\[[0-9A-Fa-f:.]+\]|[\w.-]+)(?::[0-9]{1,5})?"
_HOSTS = re.compile(rf"\*|{_HOST}")
_ORIGINS = re.compile(rf"\*|null|file://|[a-z][a-z0-9+.-]*://{_HOST}", re.IGNORECASE)


def hosts(names: list[str]) -> list[str]:
    """Return hosts as a Host header may have them, in lower case."""
    return _fitting(names, _HOSTS, "a host without a scheme or a path, such as 'api.example.com' or 'localhost:8000'")


def origins(names: list[str]) -> list[str]:
    """Return origins as browsers write them, in lower case."""
    return _fitting(names, _ORIGINS, "an origin with its scheme and without a path, such as 'https://app.example.com'")


def _fitting(names: list[str], pattern: re.Pattern[str], expected: str) -> list[str]:
    for name in names:
        if not pattern.fullmatch(name):
            raise ValueError(f"expected {expected}, got {name!r}")
    return _lower(names)


def address(url: str) -> str:
    """Return the address of a server, without a path: what stands before an application's own is its root path."""
    parts = urlsplit(url)
    if "@" in parts.netloc:
        raise ValueError("expected an address without a user or a password before its host")
    if parts.scheme not in {"http", "https"} or not re.fullmatch(_HOST, parts.netloc):
        raise ValueError(f"expected an address with its scheme, such as 'https://api.example.com', got {_bare(url)!r}")
    if parts.path.strip("/") or parts.query or parts.fragment:
        raise ValueError(
            f"expected an address without a path, got {_bare(url)!r}; what a proxy takes off is the server's to know: "
            "uvicorn --root-path /shop"
        )
    _ = parts.port  # which is a ValueError where there can be none
    return url


def _bare(url: str) -> str:
    """Return an address for a message, with its query left out, which may hold a key."""
    before, mark, _ = url.partition("?")
    return f"{before}?..." if mark else before


def _lower(names: list[str]) -> list[str]:
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
    return _lower(names)


def caller_names(names: list[str]) -> list[str]:
    """Return names of headers or cookies whose values may be arguments or come from the caller, in lower case."""
    for name in names:
        if not _PARAMETER_NAME.fullmatch(name):
            raise ValueError(f"expected the name of a header or a cookie, such as 'x-tenant', got {name!r}")
        if stays_with_connection(name.lower()) or name.lower() == "authorization":
            raise ValueError(f"{name!r} cannot be listed: it is never an argument, and toolway handles it by itself")
    return _lower(names)


def header_values(headers: dict[str, SecretStr]) -> dict[str, SecretStr]:
    """Return headers that can be sent, with their names in lower case; an error never quotes a value."""
    for name, value in headers.items():
        text = value.get_secret_value()
        if not _HEADER_NAME.fullmatch(name):
            raise ValueError(f"expected the name of a header, such as 'X-API-Key', got {name!r}")
        if not text.isprintable() or any(ord(character) > 255 for character in text):
            raise ValueError(f"the value of {name!r} has characters that a header cannot carry")
    return {name.lower(): value for name, value in headers.items()}


def confirming(value: Any, handler: ValidatorFunctionWrapHandler) -> Any:
    """Return whom to ask; Pydantic would speak of the two types that it tried."""
    try:
        return handler(value)
    except ValidationError:
        raise ValueError(f"expected true, false or if_possible, got {value!r}") from None
