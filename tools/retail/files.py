"""Files on the command line: plain or gzipped, or ``-`` for stdin and stdout."""

from __future__ import annotations

import gzip
import sys
from collections.abc import Generator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import TextIO, cast

from tools.retail.errors import StoreError

__all__ = ["reading", "writing"]


@contextmanager
def reading(file: str) -> Generator[TextIO, None, None]:
    """Open a file, or stdin, to read text from.

    Raises:
        StoreError: the file cannot be opened.
    """
    with ExitStack() as stack:
        try:
            stream = sys.stdin if file == "-" else stack.enter_context(_open(Path(file), "rt", gzipped=_is_gzip(file)))
        except OSError as error:
            raise StoreError(f"cannot read {file!r}: {error.strerror}") from error
        yield stream


@contextmanager
def writing(file: str) -> Generator[TextIO, None, None]:
    """Open a file, or stdout, to write text to; a file appears under its name only when it is complete.

    Raises:
        StoreError: the file cannot be opened or written.
    """
    try:
        with _stdout() if file == "-" else _atomic_file(Path(file), gzipped=_is_gzip(file)) as stream:
            yield stream
    except OSError as error:
        raise StoreError(f"cannot write {file!r}: {error.strerror or error}") from error


@contextmanager
def _stdout() -> Generator[TextIO, None, None]:
    yield sys.stdout
    sys.stdout.flush()


@contextmanager
def _atomic_file(path: Path, *, gzipped: bool) -> Generator[TextIO, None, None]:
    if path.exists() and not path.is_file():  # a device or a pipe cannot be replaced
        with _open(path, "wt", gzipped=gzipped) as stream:
            yield stream
        return
    target = path.resolve()
    partial = target.with_name(f".{target.name}.part")
    try:
        with _open(partial, "wt", gzipped=gzipped) as stream:
            yield stream
        partial.replace(target)
    finally:
        partial.unlink(missing_ok=True)


def _is_gzip(file: str) -> bool:
    return file.endswith(".gz")


def _open(path: Path, mode: str, *, gzipped: bool) -> TextIO:
    opener = gzip.open if gzipped else open
    return cast("TextIO", opener(path, mode, encoding="utf-8"))
