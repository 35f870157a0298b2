"""Tool names: legal for every client, unique, and the same from run to run.

Clients take ``^[A-Za-z0-9_-]{1,64}$`` (the narrowest of the known rules); the specification allows more.
"""

from __future__ import annotations

import hashlib
import re
import unicodedata
from collections import Counter
from collections.abc import Callable, Iterable, Sequence

from toolway.openapi import Operation

__all__ = ["LONGEST", "clean_name", "fit", "hashed", "tool_names"]

LONGEST = 64
_ILLEGAL = re.compile(r"[^A-Za-z0-9_-]+")


def tool_names(operations: Sequence[Operation], marked: Sequence[str | None]) -> list[str]:
    """Name every operation; each entry of `marked` is the name its endpoint asked for, if any.

    A name is tried in steps, each only for operations that still share one: the asked name or the operation id (without
    the tail that FastAPI generates), the whole id where it is one operation's own, the id with the method, and at last
    a hash of method and path, which nothing else in the application has.
    """
    shared = Counter(operation.operation_id for operation in operations)
    steps: tuple[Callable[[int], str], ...] = (
        lambda at: marked[at] or _short_id(operations[at]),
        lambda at: marked[at] or (_whole_id if shared[operations[at].operation_id] == 1 else _short_id)(operations[at]),
        lambda at: f"{marked[at] or _short_id(operations[at])}_{operations[at].method.lower()}",
        lambda at: f"{marked[at] or _short_id(operations[at])}_{_path_name(operations[at])}",
    )
    names = [fit(clean_name(steps[0](at)), operations[at]) for at in range(len(operations))]
    for step in steps[1:]:
        for at in _repeated(names):
            names[at] = fit(clean_name(step(at)), operations[at])
    for at in _repeated(names):
        names[at] = hashed(names[at], operations[at])
    return names


def clean_name(text: str) -> str:
    """Turn any text into legal characters: accents fall away, everything else illegal becomes an underscore."""
    if _ILLEGAL.search(text) is None:
        return text or "tool"
    plain = unicodedata.normalize("NFKD", text).encode("ascii", "ignore").decode()
    return _ILLEGAL.sub("_", plain if _ILLEGAL.sub("", plain) else text).strip("_") or "tool"


def fit(name: str, operation: Operation) -> str:
    """Shorten a name that is too long; the hash at its end keeps apart what differs only behind the cut."""
    return name if len(name) <= LONGEST else hashed(name, operation)


def hashed(name: str, operation: Operation, origin: str = "") -> str:
    """End a name with a hash of its operation, and of the application where there are several."""
    digest = hashlib.sha256(f"{operation.method} {operation.path} {name}{origin}".encode()).hexdigest()[:8]
    return f"{name[: LONGEST - 9].rstrip('_')}_{digest}"


def _repeated(names: Iterable[str]) -> list[int]:
    names = list(names)
    count = Counter(names)
    return [at for at, name in enumerate(names) if count[name] > 1]


def _short_id(operation: Operation) -> str:
    """The id somebody chose, or the function's name; an underscore that only avoids a word of Python's falls away."""
    if not operation.operation_id:
        return _path_name(operation)
    if not operation.generated_suffix:
        return operation.operation_id
    return operation.operation_id.removesuffix(operation.generated_suffix).strip("_")


def _whole_id(operation: Operation) -> str:
    """The id with the operation's own method at the end: FastAPI puts any of the route's there, anew in each run."""
    if not operation.generated_suffix:
        return _short_id(operation)
    stem, _, _ = (operation.operation_id or "").rpartition("_")
    return f"{stem}_{operation.method.lower()}"


def _path_name(operation: Operation) -> str:
    return f"{operation.method.lower()}_{operation.path.strip('/')}".rstrip("_")
