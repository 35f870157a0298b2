"""What Python's garbage collector and the C library cannot know of what toolway makes, and take long over otherwise."""

from __future__ import annotations

import gc
from collections.abc import Generator
from contextlib import contextmanager
from functools import cache

__all__ = ["keep_freed_memory", "without_collecting"]

_LARGE = 2 * 1024 * 1024


@contextmanager
def without_collecting() -> Generator[None]:
    """Make much that stays; Python would look through all of it again and again, which takes as long as making it."""
    was_collecting = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if was_collecting:
            gc.enable()


@cache
def keep_freed_memory() -> None:
    """Have the C library keep up to 4 MiB in each of its arenas that are free for the next large answer.

    It would give the memory of an answer of 300 kB back to the system each time, which then makes every page of it
    anew: as much work as the whole call. glibc goes by the largest block that was freed (mallopt(3), M_MMAP_THRESHOLD),
    so one is: never written to, it takes no memory itself. A second one would, so this is done once. Other libraries,
    and a glibc that the environment tells otherwise, do as they do.
    """
    bytes(_LARGE)
