"""Streaming of a large JSON object of objects, in bounded memory."""

from __future__ import annotations

import json
import zlib
from collections.abc import AsyncIterable, AsyncIterator, Iterator, Sequence
from typing import Any, TextIO

from tools.retail.errors import StoreError

__all__ = ["Entry", "dump", "read_sections", "write_entries"]

Entry = tuple[str, Any]
"""A key in a section of the object, and the value under it."""

_CHUNK = 1 << 20
_SPACE = " \t\n\r"
_decoder = json.JSONDecoder()
_encoder = json.JSONEncoder(sort_keys=True, separators=(",", ":"), default=float)


def dump(value: Any) -> str:
    """Return the canonical text of a value: sorted keys, no spaces, ASCII only, money as a float."""
    return _encoder.encode(value)


async def write_entries(sections: Sequence[tuple[str, AsyncIterable[Entry]]]) -> AsyncIterator[str]:
    """Yield the canonical text of an object of objects, whose keys come sorted."""
    for index, (section, entries) in enumerate(sections):
        yield f"{',' if index else '{'}{dump(section)}:"
        opening = "{"
        async for key, value in entries:
            yield f"{opening}{dump(key)}:{dump(value)}"
            opening = ","
        yield "}" if opening == "," else "{}"
    yield "}"


def read_sections(stream: TextIO) -> Iterator[tuple[str, Iterator[Entry]]]:
    """Yield each section with an iterator over its entries, which has to be consumed before the next section.

    Raises:
        StoreError: the text is not an object of objects (the message has the position), or it cannot be read.
    """
    text = _Text(stream)
    for section in text.each_key():
        yield section, ((key, text.value()) for key in text.each_key())
    text.end()


class _Text:
    """A JSON text with only the current part in memory."""

    def __init__(self, stream: TextIO) -> None:
        self._stream = stream
        self._buffer = ""
        self._position = 0
        self._dropped = 0  # characters before the buffer
        self._whole = False

    def each_key(self) -> Iterator[str]:
        """Read an object and yield each key; the caller reads the value."""
        self._expect("{")
        if self._accept("}"):
            return
        while True:
            key = self.value()
            if not isinstance(key, str):
                raise self._broken("expected a key in double quotes")
            self._expect(":")
            yield key
            if self._accept("}"):
                return
            self._expect(",")

    def value(self) -> Any:
        """Read one value."""
        self._peek()
        while True:
            try:
                value, end = _decoder.raw_decode(self._buffer, self._position)
            except json.JSONDecodeError as error:
                if not self._more():
                    raise self._broken(error.msg, error.pos) from None
            except RecursionError:
                raise self._broken("nested too deeply") from None
            else:
                self._position = end
                return value

    def end(self) -> None:
        if self._peek():
            raise self._broken("expected nothing after the object")

    def _expect(self, character: str) -> None:
        if not self._accept(character):
            raise self._broken(f"expected {character!r}")

    def _accept(self, character: str) -> bool:
        found = self._peek() == character
        self._position += found
        return found

    def _peek(self) -> str:
        """Return the next character that is not whitespace, or an empty string at the end."""
        while True:
            while self._position < len(self._buffer):
                if self._buffer[self._position] not in _SPACE:
                    return self._buffer[self._position]
                self._position += 1
            if not self._more():
                return ""

    def _more(self) -> bool:
        """Read at least as much as is already buffered, so that a long value is not parsed too often."""
        if self._whole:
            return False
        waiting = self._buffer[self._position :]
        chunk = self._read(max(_CHUNK, len(waiting)))
        self._whole = not chunk
        self._dropped += self._position
        self._buffer, self._position = waiting + chunk, 0
        return bool(chunk)

    def _read(self, count: int) -> str:
        try:
            return self._stream.read(count)
        except (OSError, EOFError, ValueError, zlib.error) as error:  # including text that is not UTF-8 or not gzip
            raise StoreError(f"cannot read the input: {error}") from error

    def _broken(self, problem: str, position: int | None = None) -> StoreError:
        place = self._dropped + (self._position if position is None else position)
        return StoreError(f"not a stored order desk: {problem} at character {place:,}")
