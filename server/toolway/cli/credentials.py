"""The options ``--header`` and ``--query``: credentials of calls that arrive without HTTP."""

from __future__ import annotations

import os
import re
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any, TypeVar

import click
from pydantic import SecretStr

from toolway.errors import ConfigurationError
from toolway.settings import Settings
from toolway.settings_validators import check_header_values

__all__ = ["Credentials", "credential_options", "read_credentials", "with_credentials"]

F = TypeVar("F", bound=Callable[..., Any])
Credentials = dict[str, dict[str, SecretStr]]
"""Values of the settings `local_headers` and `local_query`."""

_VARIABLE = re.compile(r"\$\{(\w+)\}")


def credential_options(command: F) -> F:
    """Add both options to a command."""
    forms = "${VARIABLE} is replaced from the environment, and @FILE reads one per line. Can be repeated."
    for option in (
        click.option(
            "--query", multiple=True, metavar="NAME=VALUE", help=f"Send a query parameter with every call. {forms}"
        ),
        click.option(
            "--header", multiple=True, metavar="'NAME: VALUE'", help=f"Send a header with every call. {forms}"
        ),
    ):
        command = option(command)
    return command


def read_credentials(header: Sequence[str], query: Sequence[str]) -> Credentials:
    """Parse the values of both options.

    Raises:
        ConfigurationError: a variable is not set, a file cannot be read, or a value has the wrong form. The message
            never quotes a value.
    """
    headers = dict(_pairs("--header", header, ":"))
    try:
        return {"local_headers": check_header_values(headers), "local_query": dict(_pairs("--query", query, "="))}
    except ValueError as error:
        raise ConfigurationError(f"--header: {error}") from error


def with_credentials(settings: Settings, credentials: Credentials) -> Settings:
    """Return the settings with these credentials, which override those of the same name."""
    return settings.model_copy(update={name: {**getattr(settings, name), **new} for name, new in credentials.items()})


def _pairs(option: str, words: Sequence[str], separator: str) -> Iterator[tuple[str, SecretStr]]:
    for word in _lines(option, words):
        name, found, value = word.partition(separator)
        if not found or not name.strip():
            raise ConfigurationError(f"{option} expects NAME{separator} VALUE or @FILE, got text without {separator!r}")
        yield name.strip(), SecretStr(_VARIABLE.sub(lambda match: _variable(option, match[1]), value.strip()))


def _lines(option: str, words: Sequence[str]) -> Iterator[str]:
    for word in words:
        if not word.startswith("@"):
            yield word
            continue
        try:
            lines = Path(word[1:]).read_text("utf-8").splitlines()
        except (OSError, UnicodeDecodeError) as error:
            raise ConfigurationError(f"{option}: cannot read {word[1:]!r}: {error}") from error
        yield from (line for line in lines if line.strip())


def _variable(option: str, name: str) -> str:
    value = os.environ.get(name)
    if value is None:
        raise ConfigurationError(f"{option}: the environment variable {name} is not set")
    return value
