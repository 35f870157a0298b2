"""Validators of settings; their ValueErrors name the expected value."""

from __future__ import annotations

import re
from typing import Any
from urllib.parse import urlsplit

from pydantic import SecretStr, ValidationError, ValidatorFunctionWrapHandler

from toolway.headers import stays_with_connection

__all__ = [
    "check_address",
    "check_caller_names",
    "check_confirm",
    "check_forward_headers",
    "check_header_values",
    "check_hosts",
    "check_keys",
    "check_origins",
    "check_output_schemas",
]

_KEY_BYTES = 32
_HEADER_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]*")
_PARAMETER_NAME = re.compile(r"[A-Za-z0-9_][A-Za-z0-9._-]*")
_HOST = r"(?:\[[0-9A-Fa-f:.]+\]|[\w.-]+)(?::[0-9]{1,5})?"
_HOSTS = re.compile(rf"\*|{_HOST}")
_ORIGINS = re.compile(rf"\*|null|file://|[a-z][a-z0-9+.-]*://{_HOST}", re.IGNORECASE)


def check_hosts(names: list[str]) -> list[str]:
    """Return values of a Host header, in lower case."""
    return _check_each(
        names, _HOSTS, "a host without a scheme or a path, such as 'api.example.com' or 'localhost:8000'"
    )


def check_origins(names: list[str]) -> list[str]:
    """Return origins as browsers send them, in lower case."""
    return _check_each(
        names, _ORIGINS, "an origin with its scheme and without a path, such as 'https://app.example.com'"
    )


def _check_each(names: list[str], pattern: re.Pattern[str], expected: str) -> list[str]:
    for name in names:
        if not pattern.fullmatch(name):
            raise ValueError(f"expected {expected}, got {name!r}")
    return [name.lower() for name in names]


def check_address(url: str) -> str:
    """Return the address of a server, without a path: a path prefix is the root path that the server is given."""
    parts = urlsplit(url)
    if "@" in parts.netloc:
        raise ValueError("expected an address without a user name or password")
    if parts.scheme not in {"http", "https"} or not re.fullmatch(_HOST, parts.netloc):
        raise ValueError(
            f"expected an address with its scheme, such as 'https://api.example.com', got {_without_query(url)!r}"
        )
    if parts.path.strip("/") or parts.query or parts.fragment:
        raise ValueError(
            f"expected an address without a path, got {_without_query(url)!r}; "
            "set a prefix that a proxy removes on the server: uvicorn --root-path /shop"
        )
    _ = parts.port  # raises ValueError for an invalid port
    return url


def _without_query(url: str) -> str:
    """Return an address for an error message, without its query, which may contain a key."""
    before, mark, _ = url.partition("?")
    return f"{before}?..." if mark else before


def check_keys(keys: list[SecretStr]) -> list[SecretStr]:
    """Return secrets that are long enough to be encryption keys."""
    if any(len(key.get_secret_value().encode()) < _KEY_BYTES for key in keys):
        raise ValueError(
            f"expected secrets of at least {_KEY_BYTES} bytes; generate one with: "
            "python -c 'import secrets; print(secrets.token_urlsafe(32))'"
        )
    return keys


def check_forward_headers(names: list[str]) -> list[str]:
    """Return names of headers that may be forwarded, in lower case."""
    for name in names:
        if not _HEADER_NAME.fullmatch(name):
            raise ValueError(f"expected the name of a header, such as 'x-tenant', got {name!r}")
        if stays_with_connection(name.lower()):
            raise ValueError(f"{name!r} cannot be forwarded: it describes the connection with the caller; remove it")
    return [name.lower() for name in names]


def check_caller_names(names: list[str]) -> list[str]:
    """Return names of headers or cookies that may be arguments or taken from the caller, in lower case."""
    for name in names:
        if not _PARAMETER_NAME.fullmatch(name):
            raise ValueError(f"expected the name of a header or a cookie, such as 'x-tenant', got {name!r}")
        if stays_with_connection(name.lower()) or name.lower() == "authorization":
            raise ValueError(f"{name!r} cannot be listed: it is never an argument, and toolway handles it itself")
    return [name.lower() for name in names]


def check_header_values(headers: dict[str, SecretStr]) -> dict[str, SecretStr]:
    """Return headers with their names in lower case; an error never quotes a value, which may be a secret."""
    for name, value in headers.items():
        text = value.get_secret_value()
        if not _HEADER_NAME.fullmatch(name):
            raise ValueError(f"expected the name of a header, such as 'X-API-Key', got {name!r}")
        if not text.isprintable() or any(ord(character) > 255 for character in text):
            raise ValueError(f"the value of {name!r} has characters that are not allowed in a header")
    return {name.lower(): value for name, value in headers.items()}


def check_confirm(value: Any, handler: ValidatorFunctionWrapHandler) -> Any:
    """Return a value of the setting ``confirm``; Pydantic's error would list the two types that it tried."""
    try:
        return handler(value)
    except ValidationError:
        raise ValueError(f"expected true, false or if_possible, got {value!r}") from None


def check_output_schemas(value: Any, handler: ValidatorFunctionWrapHandler) -> Any:
    """Return a value of the setting ``output_schemas``, as `check_confirm` does."""
    try:
        return handler(value)
    except ValidationError:
        raise ValueError(f"expected true, false or auto, got {value!r}") from None
