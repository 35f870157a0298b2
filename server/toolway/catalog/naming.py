"""Tool names: valid for every client, unique, and the same in every run.

The strictest clients accept ``^[A-Za-z0-9_-]{1,64}$``; the specification allows more.
"""

from __future__ import annotations

import hashlib
import re
import unicodedata
from collections import Counter
from collections.abc import Callable, Iterable, Sequence

from toolway.openapi import Operation

__all__ = ["MAX_LENGTH", "clean_name", "hash_name", "name_tools", "shorten_name"]

MAX_LENGTH = 64
_ILLEGAL = re.compile(r"[^A-Za-z0-9_-]+")


def name_tools(operations: Sequence[Operation], marked: Sequence[str | None]) -> list[str]:
    """Return a unique name for every operation; `marked` holds the names from their markers.

    Each step applies only to operations whose names still collide:

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
    names = [shorten_name(clean_name(steps[0](at)), operations[at]) for at in range(len(operations))]
    for step in steps[1:]:
        for at in _find_repeated(names):
            names[at] = shorten_name(clean_name(step(at)), operations[at])
    for at in _find_repeated(names):
        names[at] = hash_name(names[at], operations[at])
    return names


def clean_name(text: str) -> str:
    """Return a text in valid characters: accents are removed, other characters become underscores."""
    if _ILLEGAL.search(text) is None:
        return text or "tool"
    plain = unicodedata.normalize("NFKD", text).encode("ascii", "ignore").decode()
    return _ILLEGAL.sub("_", plain if _ILLEGAL.sub("", plain) else text).strip("_") or "tool"


def shorten_name(name: str, operation: Operation) -> str:
    """Return a name of at most 64 characters; a shortened name ends in a hash, so that it remains unique."""
    return name if len(name) <= MAX_LENGTH else hash_name(name, operation)


def hash_name(name: str, operation: Operation, origin: str = "") -> str:
    """Return a name that ends in a hash of its operation, and of its application (`origin`) if there are several."""
    digest = hashlib.sha256(f"{operation.method} {operation.path} {name}{origin}".encode()).hexdigest()[:8]
    return f"{name[: MAX_LENGTH - 9].rstrip('_')}_{digest}"


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
