"""The two streams of a command: stdout has the answer and nothing else, stderr everything else."""

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
    "complain",
    "echo",
    "has_color",
    "is_terminal",
    "json_text",
    "prepare_logging",
    "prepare_streams",
    "printable",
    "stdout_kept",
]

# Control characters (besides tab and line feed), with which text can steer a terminal, and direction overrides, with
# which it can show something else than it says.
_STEERING = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069]")

_READER_LEFT = 141
"""The exit code that a shell gives to a command that SIGPIPE ends."""

_answer: TextIO | None = None
"""Where answers go while the application has stdout; set by `stdout_kept`."""


def prepare_streams() -> None:
    """Write UTF-8 whatever the locale is, with lone surrogates escaped; a stream that was closed becomes a null device.

    Otherwise the first file or socket that is opened would get its descriptor.
    """
    for number, name in enumerate(("stdin", "stdout", "stderr")):
        stream: object = getattr(sys, name)
        if stream is None:
            setattr(sys, name, open(os.devnull, "w" if number else "r", encoding="utf-8"))  # noqa: PTH123, SIM115
        elif number and isinstance(stream, TextIOWrapper):
            cast("TextIOWrapper[Any]", stream).reconfigure(encoding="utf-8", errors="backslashreplace")


def printable(text: str) -> str:
    r"""Return the text with the characters escaped (as ``\x1b``) that could steer a terminal."""
    return _STEERING.sub(lambda found: ascii(found[0])[1:-1], text)


def json_text(value: object) -> str:
    """Lay a value out as JSON, with the characters escaped that could steer a terminal."""
    text = json.dumps(value, indent=2, ensure_ascii=False)
    return _STEERING.sub(lambda found: f"\\u{ord(found[0]):04x}", text)


def has_color() -> bool:
    """Tell whether colors are wanted: https://no-color.org and dumb terminals turn them off."""
    return not os.environ.get("NO_COLOR") and os.environ.get("TERM") != "dumb"


def is_terminal() -> bool:
    """Tell whether the answer goes to a terminal."""
    return (_answer or sys.stdout).isatty()


def echo(
    text: str, *, err: bool = False, nl: bool = True, fg: str | None = None, bold: bool = False, exact: bool = False
) -> None:
    """Write text that may come from elsewhere, on one of the two streams.

    Args:
        text: written printable.
        err: write it to stderr; a failure is ignored.
        nl: end it with a line feed.
        fg: color, where the stream is a terminal.
        bold: weight, where the stream is a terminal.
        exact: write the text as it is.

    Raises:
        ToolwayError: stdout cannot be written; `click.exceptions.Exit` where its reader left.
    """
    stream = sys.stderr if err else _answer or sys.stdout
    shown = text if exact else printable(text)
    if (fg is not None or bold) and stream.isatty() and has_color():
        shown = click.style(shown, fg=fg, bold=bold)
    try:
        stream.write(shown + "\n" if nl else shown)
        stream.flush()
    except OSError as error:
        if not err:
            _lose(stream, error)


def _lose(stream: TextIO, error: OSError) -> NoReturn:
    """End the command because nothing can be written to stdout."""
    null = os.open(os.devnull, os.O_WRONLY)
    os.dup2(null, stream.fileno())  # takes what is still buffered, of which Python would complain at exit
    os.close(null)
    if isinstance(error, BrokenPipeError):
        raise click.exceptions.Exit(_READER_LEFT) from error
    raise ToolwayError(f"cannot write to stdout: {error.strerror}") from error


def complain(text: str) -> None:
    """Print in one line what has to be corrected."""
    echo(f"toolway: {' '.join(text.split())}", err=True)


def prepare_logging() -> None:
    """Keep what toolway logs of foreign text printable."""
    logging.setLogRecordFactory(_PrintableRecord)


class _PrintableRecord(logging.LogRecord):
    """A record that cannot steer a terminal; records of other libraries keep their colors."""

    def __init__(self, *args: Any, **options: Any) -> None:
        super().__init__(*args, **options)
        self._is_ours = self.name.partition(".")[0] == "toolway"
        if self._is_ours and self.exc_info and self.exc_info[0]:
            self.exc_text = printable("".join(traceback.format_exception(*self.exc_info))).rstrip("\n")

    def getMessage(self) -> str:  # noqa: N802 - the name in logging
        text = super().getMessage()
        return printable(text) if self._is_ours else text


@contextmanager
def stdout_kept() -> Generator[None]:
    """Send what the application and its child processes print to stderr; answers still go to stdout."""
    global _answer  # noqa: PLW0603 - a process has one stdout
    sys.stdout.flush()
    kept = os.dup(1)
    os.dup2(2, 1)
    with open(kept, "w", encoding="utf-8", errors="backslashreplace") as answer:  # noqa: PTH123 - a descriptor
        _answer = answer
        try:
            with redirect_stdout(sys.stderr):
                yield
        finally:
            _answer = None
            sys.stdout.flush()  # what reached the stream itself, past the redirection
            os.dup2(kept, 1)
