"""Files that a person names: plain or packed, or ``-`` for the pipes of the command."""

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
        StoreError: it cannot be opened.
    """
    with ExitStack() as stack:
        try:
            stream = sys.stdin if file == "-" else stack.enter_context(_open(Path(file), "rt", packed=_packed(file)))
        except OSError as error:
            raise StoreError(f"cannot read {file!r}: {error.strerror}") from error
        yield stream


@contextmanager
def writing(file: str) -> Generator[TextIO, None, None]:
    """Open a file, or stdout, to write text to; a file takes its name only when it is whole.

    Raises:
        StoreError: it cannot be opened, or not all of it could be written.
    """
    try:
        with _stdout() if file == "-" else _whole_or_not_at_all(Path(file), packed=_packed(file)) as stream:
            yield stream
    except OSError as error:
        raise StoreError(f"cannot write {file!r}: {error.strerror or error}") from error


@contextmanager
def _stdout() -> Generator[TextIO, None, None]:
    yield sys.stdout
    sys.stdout.flush()


@contextmanager
def _whole_or_not_at_all(path: Path, *, packed: bool) -> Generator[TextIO, None, None]:
    if path.exists() and not path.is_file():  # a device or a pipe keeps its place
        with _open(path, "wt", packed=packed) as stream:
            yield stream
        return
    target = path.resolve()
    partial = target.with_name(f".{target.name}.part")
    try:
        with _open(partial, "wt", packed=packed) as stream:
            yield stream
        partial.replace(target)
    finally:
        partial.unlink(missing_ok=True)


def _packed(file: str) -> bool:
    return file.endswith(".gz")


def _open(path: Path, mode: str, *, packed: bool) -> TextIO:
    opener = gzip.open if packed else open
    return cast("TextIO", opener(path, mode, encoding="utf-8"))
