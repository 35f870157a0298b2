"""What is served: ``--include``, ``--exclude``, ``--expose`` and ``--output-schemas``."""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from typing import Any, TypeVar, cast, get_args

import click

from toolway.catalog import Exposure, Filter, Selection

__all__ = ["filter_options", "read_selection"]

F = TypeVar("F", bound=Callable[..., Any])

_KEYS = tuple(Filter.__annotations__)


def filter_options(command: F) -> F:
    """Add the options to a command."""
    shape = "KEY=VALUE or a path such as '/orders/*'; KEY is operations, tags, paths or methods; may be repeated."
    for option in (
        click.option(
            "--output-schemas/--no-output-schemas",
            default=None,
            expose_value=False,
            callback=_set_output_schemas,
            help="Whether tools publish their output schemas (TOOLWAY_OUTPUT_SCHEMAS).",
        ),
        click.option(
            "--expose", type=click.Choice(get_args(Exposure)), default="all", help="Serve all or marked only."
        ),
        click.option("--exclude", multiple=True, metavar="FILTER", help=f"Leave these operations out: {shape}"),
        click.option("--include", multiple=True, metavar="FILTER", help=f"Only these operations: {shape}"),
    ):
        command = option(command)
    return command


def _set_output_schemas(_context: click.Context, _option: click.Parameter, value: bool | None) -> None:
    """Set the variable, which the application's own Toolway and the processes of the server read as well."""
    if value is not None:
        os.environ["TOOLWAY_OUTPUT_SCHEMAS"] = str(value).lower()


def read_selection(include: Sequence[str], exclude: Sequence[str], expose: str) -> Selection:
    """Read the values of the three options."""
    return Selection(_filter("--include", include), _filter("--exclude", exclude), cast("Exposure", expose))


def _filter(option: str, words: Sequence[str]) -> Filter:
    found: dict[str, list[str]] = {}
    for word in words:
        key, equals, value = ("paths", "=", word) if word.startswith("/") else word.partition("=")
        if not equals or key not in _KEYS or not value:
            raise click.UsageError(
                f"{option} takes KEY=VALUE, where KEY is one of {', '.join(_KEYS)}, or a path; got {word!r}"
            )
        found.setdefault(key, []).append(value)
    return cast("Filter", found)
