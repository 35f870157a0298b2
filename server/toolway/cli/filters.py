"""The options that select what is served: ``--include``, ``--exclude``, ``--expose`` and ``--output-schemas``."""

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
    """Add these options to a command."""
    form = "FILTER is KEY=VALUE (operations, tags, paths or methods) or a path such as '/orders/*'. Can be repeated."
    for option in (
        click.option(
            "--output-schemas/--no-output-schemas",
            default=None,
            expose_value=False,
            callback=_set_output_schemas,
            help="Publish the output schemas of tools, or withhold them. Overrides TOOLWAY_OUTPUT_SCHEMAS.",
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


def _set_output_schemas(_context: click.Context, _option: click.Parameter, value: bool | None) -> None:
    """Set the environment variable, because the application's own Toolway and worker processes read it too."""
    if value is not None:
        os.environ["TOOLWAY_OUTPUT_SCHEMAS"] = str(value).lower()


def read_selection(include: Sequence[str], exclude: Sequence[str], expose: str) -> Selection:
    """Return the selection that these options describe."""
    return Selection(_filter("--include", include), _filter("--exclude", exclude), cast("Exposure", expose))


def _filter(option: str, words: Sequence[str]) -> Filter:
    found: dict[str, list[str]] = {}
    for word in words:
        key, equals, value = ("paths", "=", word) if word.startswith("/") else word.partition("=")
        if not equals or key not in _KEYS or not value:
            raise click.UsageError(
                f"{option} expects KEY=VALUE, where KEY is one of {', '.join(_KEYS)}, or a path; got {word!r}"
            )
        found.setdefault(key, []).append(value)
    return cast("Filter", found)
