"""The output streams of a command: stdout carries only its result, stderr everything else."""

from __future__ import annotations

import json
import logging
import os
import re
import sys
import traceback
from collections.abc import Generator
from contextlib import contextmanager, redirect_stdout
from io import TextIOWrapper
from typing import Any, NoReturn, TextIO, cast

import click

from toolway.errors import ToolwayError

__all__ = [
    "configure_logging",
    "configure_streams",
    "echo",
    "escape_controls",
    "format_json",
    "has_color",
    "is_stdout_terminal",
    "print_error",
    "redirect_application_output",
]

# Control characters except tab and line feed, which can control a terminal, and direction overrides, which can make
# text look different from what it is.
_CONTROL_CHARACTERS = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069]")

_SIGPIPE_EXIT_CODE = 141
"""The exit code that a shell reports for a command killed by SIGPIPE."""

_result_stream: TextIO | None = None
"""The real stdout while the application's output goes to stderr; set by `redirect_application_output`."""


def configure_streams() -> None:
    """Make stdout and stderr write UTF-8 in any locale, and replace closed streams by the null device.

    Without a replacement, the first file or socket that is opened would get the descriptor of a closed stream.
    """
    for number, name in enumerate(("stdin", "stdout", "stderr")):
        stream: object = getattr(sys, name)
        if stream is None:
            setattr(sys, name, open(os.devnull, "w" if number else "r", encoding="utf-8"))  # noqa: PTH123, SIM115
        elif number and isinstance(stream, TextIOWrapper):
            cast("TextIOWrapper[Any]", stream).reconfigure(encoding="utf-8", errors="backslashreplace")


def escape_controls(text: str) -> str:
    r"""Escape the characters that could control a terminal, as ``\x1b``."""
    return _CONTROL_CHARACTERS.sub(lambda found: ascii(found[0])[1:-1], text)


def format_json(value: object) -> str:
    """Format a value as indented JSON, and escape the characters that could control a terminal."""
    text = json.dumps(value, indent=2, ensure_ascii=False)
    return _CONTROL_CHARACTERS.sub(lambda found: f"\\u{ord(found[0]):04x}", text)


def has_color() -> bool:
    """Return whether output may be colored, which NO_COLOR (https://no-color.org) and dumb terminals turn off."""
    return not os.environ.get("NO_COLOR") and os.environ.get("TERM") != "dumb"


def is_stdout_terminal() -> bool:
    """Return whether the result is printed to a terminal."""
    return (_result_stream or sys.stdout).isatty()


def echo(
    text: str, *, err: bool = False, nl: bool = True, fg: str | None = None, bold: bool = False, exact: bool = False
) -> None:
    """Write text, which may be untrusted, to stdout or stderr.

    Args:
        text: the text; characters that could control a terminal are escaped.
        err: write to stderr, and ignore failures.
        nl: append a line feed.
        fg: color, if the stream is a terminal.
        bold: bold type, if the stream is a terminal.
        exact: write the text without escaping.

    Raises:
        ToolwayError: stdout cannot be written to.
        click.exceptions.Exit: the reader of stdout closed it.
    """
    stream = sys.stderr if err else _result_stream or sys.stdout
    shown = text if exact else escape_controls(text)
    if (fg is not None or bold) and stream.isatty() and has_color():
        shown = click.style(shown, fg=fg, bold=bold)
    try:
        stream.write(shown + "\n" if nl else shown)
        stream.flush()
    except OSError as error:
        if not err:
            _raise_write_error(stream, error)


def _raise_write_error(stream: TextIO, error: OSError) -> NoReturn:
    """Raise the error for a stdout that cannot be written to."""
    null = os.open(os.devnull, os.O_WRONLY)
    os.dup2(null, stream.fileno())  # discards what is still buffered, which would fail again at exit
    os.close(null)
    if isinstance(error, BrokenPipeError):
        raise click.exceptions.Exit(_SIGPIPE_EXIT_CODE) from error
    raise ToolwayError(f"cannot write to stdout: {error.strerror}") from error


def print_error(text: str) -> None:
    """Print a message on one line of stderr."""
    echo(f"toolway: {' '.join(text.split())}", err=True)


def configure_logging() -> None:
    """Escape untrusted text in toolway's log records."""
    logging.setLogRecordFactory(_EscapedRecord)


class _EscapedRecord(logging.LogRecord):
    """A log record that cannot control a terminal; records of other libraries keep their colors."""

    def __init__(self, *args: Any, **options: Any) -> None:
        super().__init__(*args, **options)
        self._is_ours = self.name.partition(".")[0] == "toolway"
        if self._is_ours and self.exc_info and self.exc_info[0]:
            self.exc_text = escape_controls("".join(traceback.format_exception(*self.exc_info))).rstrip("\n")

    def getMessage(self) -> str:  # noqa: N802 - the name in logging
        text = super().getMessage()
        return escape_controls(text) if self._is_ours else text


@contextmanager
def redirect_application_output() -> Generator[None]:
    """Redirect the output of the application and its child processes to stderr; `echo` still writes to stdout."""
    global _result_stream  # noqa: PLW0603 - a process has one stdout
    sys.stdout.flush()
    kept = os.dup(1)
    os.dup2(2, 1)
    with open(kept, "w", encoding="utf-8", errors="backslashreplace") as stream:  # noqa: PTH123 - a descriptor
        _result_stream = stream
        try:
            with redirect_stdout(sys.stderr):
                yield
        finally:
            _result_stream = None
            sys.stdout.flush()  # code may have written to the stream object directly
            os.dup2(kept, 1)
