"""Tool names: valid for every client, unique, and the same in every run.

The strictest clients accept ``^[A-Za-z0-9_-]{1,64}$``, with the name of the server before that of the tool; the
specification allows more.
"""

from __future__ import annotations

import hashlib
import re
import unicodedata
from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from functools import cache
from importlib.resources import files

from toolway.openapi import Operation

__all__ = ["MAX_LENGTH", "clean_name", "hash_name", "max_name_length", "name_tools", "requested_name", "shorten_name"]

MAX_LENGTH = 64
_ILLEGAL = re.compile(r"[^A-Za-z0-9_-]+")
_WORDS = re.compile(r"[A-Z]?[a-z]+|[A-Z]+(?![a-z])|[0-9]+|.")
_FILLERS = frozenset({"a", "an", "and", "as", "by", "for", "from", "in", "of", "on", "the", "to", "with"})


def max_name_length(server: str) -> int:
    """Return how long the name of a tool may be: Claude Code shows it as ``mcp__<server>__<name>``, up to 64."""
    return MAX_LENGTH - len(f"mcp__{server}__")


def name_tools(
    operations: Sequence[Operation], marked: Sequence[str | None], max_length: int = MAX_LENGTH
) -> list[str]:
    """Return a unique name of at most `max_length` characters for every operation.

    `marked` holds the names from their markers. Each step applies only to operations whose names still collide:

    1. the marked name, or the operation id without the suffix that FastAPI generates
    2. the whole operation id, if no other operation has it
    3. the name with the method
    4. the name with the method and path
    5. the name with a hash of method and path
    """
    shared = Counter(operation.operation_id for operation in operations)
    steps: tuple[Callable[[int], str], ...] = (
        lambda at: marked[at] or _short_id(operations[at]),
        lambda at: marked[at] or (_whole_id if shared[operations[at].operation_id] == 1 else _short_id)(operations[at]),
        lambda at: f"{marked[at] or _short_id(operations[at])}_{operations[at].method.lower()}",
        lambda at: f"{marked[at] or _short_id(operations[at])}_{_path_name(operations[at])}",
    )
    names = [shorten_name(clean_name(steps[0](at)), max_length) for at in range(len(operations))]
    for step in steps[1:]:
        for at in _find_repeated(names):
            names[at] = shorten_name(clean_name(step(at)), max_length)
    for at in _find_repeated(names):
        names[at] = hash_name(names[at], operations[at], max_length=max_length)
    return names


def requested_name(operation: Operation, marked: str | None) -> str:
    """Return the name that an operation would have if no other operation had it, and if it fitted."""
    return clean_name(marked or _short_id(operation))


def clean_name(text: str) -> str:
    """Return a text in valid characters: accents are removed, other characters become underscores."""
    if _ILLEGAL.search(text) is None:
        return text or "tool"
    plain = unicodedata.normalize("NFKD", text).encode("ascii", "ignore").decode()
    return _ILLEGAL.sub("_", plain if _ILLEGAL.sub("", plain) else text).strip("_") or "tool"


def shorten_name(name: str, max_length: int = MAX_LENGTH) -> str:
    """Return a name that is not longer than `max_length`. It keeps its end, by which names differ.

    A name that fits stays as it is. In a longer one, words before the last are abbreviated, those that save the most
    characters first; then fillers are left out, and at last the middle.
    """
    if len(name) <= max_length:
        return name
    words = _WORDS.findall(re.sub(r"([_-])[_-]+", r"\1", name))
    for at in sorted(range(len(words) - 1), key=lambda at: len(_abbreviate(words[at])) - len(words[at])):
        if sum(map(len, words)) <= max_length:
            break
        words[at] = _abbreviate(words[at])
    for filler in [at for at, word in enumerate(words) if at and word.lower() in _FILLERS]:
        if sum(map(len, words)) <= max_length:
            break
        words[filler] = ""
    short = re.sub(r"([_-])[_-]+", r"\1", "".join(words))
    return short if len(short) <= max_length else _cut_middle(short, max_length)


def _abbreviate(word: str) -> str:
    """Return the usual abbreviation of a word in the same case, or the word itself."""
    short = _abbreviations().get(word.lower(), word)
    return short.capitalize() if word[:1].isupper() and not word.isupper() else short


@cache
def _abbreviations() -> dict[str, str]:
    lines = files("toolway.catalog").joinpath("abbreviations.txt").read_text("utf-8").splitlines()
    pairs = (line.split() for line in lines if line and not line.startswith("#"))
    return {word: short for short, *words in pairs for word in words}


def _cut_middle(name: str, max_length: int) -> str:
    """Return the first and the last words of a name; of a single long word, the first and the last characters."""
    tail = name[len(name) - max_length // 2 :]
    end = re.split(r"(?<=[_-])", tail, maxsplit=1)[-1] or tail
    head = name[: max_length - len(end) - 1]
    start = head.rpartition("_")[0] or head
    return f"{start.rstrip('_-')}_{end}"


def hash_name(name: str, operation: Operation, origin: str = "", *, max_length: int = MAX_LENGTH) -> str:
    """Return a name that ends in a hash of its operation, and of its application (`origin`) if there are several."""
    digest = hashlib.sha256(f"{operation.method} {operation.path} {name}{origin}".encode()).hexdigest()[:8]
    return f"{shorten_name(name, max_length - 9).rstrip('_')}_{digest}"


def _find_repeated(names: Iterable[str]) -> list[int]:
    names = list(names)
    count = Counter(names)
    return [at for at, name in enumerate(names) if count[name] > 1]


def _short_id(operation: Operation) -> str:
    """Return the chosen operation id, or the function's name without the underscore that avoids a Python keyword."""
    if not operation.operation_id:
        return _path_name(operation)
    if not operation.generated_suffix:
        return operation.operation_id
    return operation.operation_id.removesuffix(operation.generated_suffix).strip("_")


def _whole_id(operation: Operation) -> str:
    """Return the operation id with the operation's own method: FastAPI appends any method of the route."""
    if not operation.generated_suffix:
        return _short_id(operation)
    stem, _, _ = (operation.operation_id or "").rpartition("_")
    return f"{stem}_{operation.method.lower()}"


def _path_name(operation: Operation) -> str:
    return f"{operation.method.lower()}_{operation.path.strip('/')}".rstrip("_")
