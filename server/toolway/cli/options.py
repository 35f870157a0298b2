"""Options and arguments that several commands share, and parsing of their values."""

from __future__ import annotations

import json
import os
import re
from collections.abc import Callable, Iterable, Iterator, Sequence
from pathlib import Path
from typing import Any, TypeVar, cast, get_args

import click
from pydantic import SecretStr

from toolway.catalog import CatalogChoice, Exposure, Filter, Selection
from toolway.cli.app_source import Credentials
from toolway.errors import ArgumentError, ConfigurationError
from toolway.settings import SchemaProfile
from toolway.settings_validators import check_header_values

__all__ = [
    "credential_options",
    "filter_options",
    "parse_credentials",
    "parse_json_arguments",
    "parse_pairs",
    "parse_selection",
]

F = TypeVar("F", bound=Callable[..., Any])

_FILTER_KEYS = tuple(Filter.__annotations__)
_VARIABLE = re.compile(r"\$\{(\w+)\}")


def filter_options(command: F) -> F:
    """Add the options that select what is served, and how: ``--include``, ``--exclude``, ``--catalog`` and others."""
    form = "FILTER is KEY=VALUE (operations, tags, paths or methods) or a path such as '/orders/*'. Can be repeated."
    for option in (
        click.option(
            "--catalog",
            type=click.Choice(get_args(CatalogChoice)),
            expose_value=False,
            callback=_set_catalog_mode,
            help="List all tools, or only tools that find and call the others. Overrides TOOLWAY_CATALOG.",
        ),
        click.option(
            "--output-schemas/--no-output-schemas",
            default=None,
            expose_value=False,
            callback=_set_output_schemas,
            help="Publish the output schemas of tools, or withhold them. Overrides TOOLWAY_OUTPUT_SCHEMAS.",
        ),
        click.option(
            "--schemas",
            type=click.Choice(get_args(SchemaProfile)),
            expose_value=False,
            callback=_set_schemas,
            help="How definitions of tools are listed. Overrides TOOLWAY_SCHEMAS.",
        ),
        click.option(
            "--expose",
            type=click.Choice(get_args(Exposure)),
            default="all",
            help="Expose all operations, or only marked ones, such as those with @agent_tool.",
        ),
        click.option("--exclude", multiple=True, metavar="FILTER", help=f"Exclude matching operations. {form}"),
        click.option("--include", multiple=True, metavar="FILTER", help=f"Include only matching operations. {form}"),
    ):
        command = option(command)
    return command


def _set_catalog_mode(_context: click.Context, _option: click.Parameter, value: str | None) -> None:
    """Set the environment variable, because the application's own Toolway and worker processes read it too."""
    if value is not None:
        os.environ["TOOLWAY_CATALOG"] = value


def _set_schemas(_context: click.Context, _option: click.Parameter, value: str | None) -> None:
    """Set the environment variable, as `_set_output_schemas` does."""
    if value is not None:
        os.environ["TOOLWAY_SCHEMAS"] = value


def _set_output_schemas(_context: click.Context, _option: click.Parameter, value: bool | None) -> None:
    """Set the environment variable, because the application's own Toolway and worker processes read it too."""
    if value is not None:
        os.environ["TOOLWAY_OUTPUT_SCHEMAS"] = str(value).lower()


def parse_selection(include: Sequence[str], exclude: Sequence[str], expose: str) -> Selection:
    """Return the selection that these options describe."""
    return Selection(_parse_filter("--include", include), _parse_filter("--exclude", exclude), cast("Exposure", expose))


def _parse_filter(option: str, words: Sequence[str]) -> Filter:
    found: dict[str, list[str]] = {}
    for word in words:
        key, equals, value = ("paths", "=", word) if word.startswith("/") else word.partition("=")
        if not equals or key not in _FILTER_KEYS or not value:
            raise click.UsageError(
                f"{option} expects KEY=VALUE, where KEY is one of {', '.join(_FILTER_KEYS)}, or a path; got {word!r}"
            )
        found.setdefault(key, []).append(value)
    return cast("Filter", found)


def credential_options(command: F) -> F:
    """Add ``--header`` and ``--query``: credentials of calls that arrive without HTTP."""
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


def parse_credentials(header: Sequence[str], query: Sequence[str]) -> Credentials:
    """Parse the values of ``--header`` and ``--query``.

    Raises:
        ConfigurationError: a variable is not set, a file cannot be read, or a value has the wrong form. The message
            never quotes a value.
    """
    headers = dict(_parse_credential_pairs("--header", header, ":"))
    try:
        return {
            "local_headers": check_header_values(headers),
            "local_query": dict(_parse_credential_pairs("--query", query, "=")),
        }
    except ValueError as error:
        raise ConfigurationError(f"--header: {error}") from error


def _parse_credential_pairs(option: str, words: Sequence[str], separator: str) -> Iterator[tuple[str, SecretStr]]:
    for word in _iter_lines(option, words):
        name, found, value = word.partition(separator)
        if not found or not name.strip():
            raise ConfigurationError(f"{option} expects NAME{separator} VALUE or @FILE, got text without {separator!r}")
        yield name.strip(), SecretStr(_VARIABLE.sub(lambda match: _read_variable(option, match[1]), value.strip()))


def _iter_lines(option: str, words: Sequence[str]) -> Iterator[str]:
    for word in words:
        if not word.startswith("@"):
            yield word
            continue
        try:
            lines = Path(word[1:]).read_text("utf-8").splitlines()
        except (OSError, UnicodeDecodeError) as error:
            raise ConfigurationError(f"{option}: cannot read {word[1:]!r}: {error}") from error
        yield from (line for line in lines if line.strip())


def _read_variable(option: str, name: str) -> str:
    value = os.environ.get(name)
    if value is None:
        raise ConfigurationError(f"{option}: the environment variable {name} is not set")
    return value


def parse_json_arguments(text: str | None) -> dict[str, Any]:
    """Return the arguments in the JSON object of ``--json``.

    Raises:
        ArgumentError: the text is not JSON, or not an object.
    """
    if text is None:
        return {}
    try:
        found = json.loads(text)
    except (ValueError, RecursionError) as error:
        raise ArgumentError(f"--json is not valid JSON: {error}") from error
    if not isinstance(found, dict):
        raise ArgumentError(f'--json expects an object of arguments, such as \'{{"name": "value"}}\', got {text!r}')
    return cast("dict[str, Any]", found)


def parse_pairs(words: Iterable[str]) -> dict[str, str]:
    """Split words of the form ``KEY=VALUE``; the last value of a repeated key wins.

    Raises:
        ArgumentError: a word has no ``=``, or nothing before it.
    """
    pairs: dict[str, str] = {}
    for word in words:
        name, equals, text = word.partition("=")
        if not equals or not name:
            raise ArgumentError(f"expected KEY=VALUE after the tool name, got {word!r}")
        pairs[name] = text
    return pairs
