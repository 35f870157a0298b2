"""The two streams of a command: stdout has the answer and nothing else, stderr has everything that is said about it."""

from __future__ import annotations

import os
import sys
from collections.abc import Generator
from contextlib import contextmanager, redirect_stdout
from io import TextIOWrapper
from typing import Any, cast

import click

__all__ = ["complain", "prepare_stdout", "stdout_kept"]


def prepare_stdout() -> None:
    """Write UTF-8 whatever the locale says; text that is no Unicode (lone surrogates) is shown escaped."""
    stream: object = sys.stdout
    if isinstance(stream, TextIOWrapper):
        cast("TextIOWrapper[Any]", stream).reconfigure(encoding="utf-8", errors="backslashreplace")


def complain(text: str) -> None:
    """Say in one line what has to be corrected."""
    click.echo(f"toolway: {' '.join(text.split())}", err=True)


@contextmanager
def stdout_kept() -> Generator[None]:
    """Send what the application and its child processes print to stderr; stdout is for the answer."""
    sys.stdout.flush()
    kept = os.dup(1)
    os.dup2(2, 1)
    try:
        with redirect_stdout(sys.stderr):
            yield
    finally:
        sys.stdout.flush()  # what reached the stream itself, past the redirection
        os.dup2(kept, 1)
        os.close(kept)
