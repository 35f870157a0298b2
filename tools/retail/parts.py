"""Splitting of a CSV file into parts that are complete CSV files, for clients that read it in pieces."""

from __future__ import annotations

import os
from collections.abc import Iterator
from itertools import islice
from pathlib import Path
from typing import BinaryIO

__all__ = ["count_parts", "read_part"]

_ROW_END = b"\r\n"


def count_parts(path: Path, size: int) -> int:
    """Return the number of parts of about `size` bytes in a file, at least one."""
    return sum(1 for _ in _parts(path, size))


def read_part(path: Path, number: int, size: int) -> bytes | None:
    """Return a part of a file, counted from 1, with the header and whole rows; None if the file has fewer parts."""
    return next(islice(_parts(path, size), number - 1, None), None)


def _parts(path: Path, size: int) -> Iterator[bytes]:
    with path.open("rb") as file:
        header = file.readline()
        yield header + _whole_rows(file, size)
        while rows := _whole_rows(file, size):
            yield header + rows


def _whole_rows(file: BinaryIO, size: int) -> bytes:
    """Read about `size` bytes, up to the end of a row; a single row must be smaller."""
    piece = file.read(size)
    if len(piece) < size:
        return piece
    end = _last_end(piece, size)
    while piece.count(b'"', 0, end) % 2:  # a line break inside a cell
        end = _last_end(piece, end - len(_ROW_END))
    file.seek(end - size, os.SEEK_CUR)
    return piece[:end]


def _last_end(piece: bytes, before: int) -> int:
    return piece.rindex(_ROW_END, 0, before) + len(_ROW_END)
