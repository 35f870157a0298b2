"""Truncation of JSON and text: JSON stays valid and is cut between items, text is cut at the end of a line.

Items are copied from the bytes of the endpoint, so that numbers keep the form in which the endpoint wrote them.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, replace
from itertools import takewhile
from typing import Literal, TypeAlias

import msgspec
from pydantic_core import to_json

__all__ = ["Collection", "Kind", "Truncated", "count_fitting", "cut_text", "dump_array", "dump_object", "truncate_json"]

Kind: TypeAlias = Literal["array", "object", "text"]

_ARRAY = msgspec.json.Decoder(list[msgspec.Raw])
_OBJECT = msgspec.json.Decoder(dict[str, msgspec.Raw])
_STRING = msgspec.json.Decoder(str)
_MAP_MEMBERS = 20
"""The number of members from which an object counts as a map, whose entries are of one kind."""


@dataclass(frozen=True, slots=True)
class Collection:
    """A value that can be read in pages: the items of an array, the entries of an object, or a text."""

    kind: Kind
    body: bytes
    """JSON; for a text, the text in UTF-8."""

    def items(self) -> list[bytes]:
        """Return the items of an array as JSON."""
        return [bytes(item) for item in _ARRAY.decode(self.body)]

    def entries(self) -> dict[str, bytes]:
        """Return the entries of an object as JSON."""
        return {name: bytes(value) for name, value in _OBJECT.decode(self.body).items()}


@dataclass(frozen=True, slots=True)
class Truncated:
    """A truncated value, and the collection in it that was cut."""

    body: bytes
    """The truncated value as JSON."""
    collection: Collection
    """The whole collection."""
    shown: int
    """How many items, entries or characters of the collection are left."""
    total: int
    path: tuple[str, ...] = ()
    """The names of the members that lead to the collection."""


def truncate_json(body: bytes, max_bytes: int) -> Truncated | None:
    """Truncate JSON within the one array, map or text that makes it long.

    Returns:
        The truncated value, of at most `max_bytes`; None if there is no such collection, or not even its first item
        fits.
    """
    body = body.strip()
    match body[:1]:
        case b"[":
            items = Collection("array", body).items()
            shown = count_fitting(map(len, items), max_bytes)
            cut = dump_array(items[:shown])
            return Truncated(cut, Collection("array", body), shown, len(items)) if shown else None
        case b"{":
            return _truncate_object(body, max_bytes)
        case b'"':
            text = _STRING.decode(body)
            part = cut_text(text, max_bytes, lambda part: len(to_json(part)))
            return Truncated(to_json(part), Collection("text", text.encode()), len(part), len(text)) if part else None
        case _:
            return None


def _truncate_object(body: bytes, max_bytes: int) -> Truncated | None:
    """Truncate the largest member if the others fit, or else the entries of a map."""
    entries = Collection("object", body).entries()
    largest = max(entries, key=lambda name: len(entries[name]), default="")
    others = len(body) - len(entries.get(largest, b""))
    inner = truncate_json(entries[largest], max_bytes - others) if entries and others < max_bytes else None
    if inner is not None:
        cut = dump_object({**entries, largest: inner.body})
        return replace(inner, body=cut, path=(largest, *inner.path))
    if len(entries) < _MAP_MEMBERS:
        return None
    sizes = (len(to_json(name)) + 1 + len(value) for name, value in entries.items())
    shown = count_fitting(sizes, max_bytes)
    cut = dump_object(dict(list(entries.items())[:shown]))
    return Truncated(cut, Collection("object", body), shown, len(entries)) if shown else None


def count_fitting(sizes: Iterable[int], max_bytes: int) -> int:
    """Return how many values of these sizes fit into an array or object of a size."""
    used = 1  # a bracket; each value is followed by a comma or the other bracket

    def fits(size: int) -> bool:
        nonlocal used
        used += size + 1
        return used <= max_bytes

    return sum(1 for _ in takewhile(fits, sizes))


def cut_text(text: str, max_bytes: int, size: Callable[[str], int] = lambda part: len(part.encode())) -> str:
    """Return the beginning of a text with at most some bytes, at the end of a line unless that loses half of it."""
    part = text[:max_bytes]
    if size(part) > max_bytes:
        part = part[: bisect_right(range(len(part) + 1), max_bytes, key=lambda length: size(part[:length])) - 1]
    end = part.rfind("\n") + 1
    return part[:end] if len(part) < len(text) and end > len(part) // 2 else part


def dump_array(items: Iterable[bytes]) -> bytes:
    """Return an array of items that are JSON already."""
    return b"[%b]" % b",".join(items)


def dump_object(entries: Mapping[str, bytes]) -> bytes:
    """Return an object with entries whose values are JSON already."""
    return b"{%b}" % b",".join(to_json(name) + b":" + value for name, value in entries.items())
