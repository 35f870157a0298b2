"""A check that a piece of work leaves nothing open behind it."""

from __future__ import annotations

import asyncio
import gc
import threading
from collections.abc import Generator
from contextlib import contextmanager

import psutil


@contextmanager
def nothing_left() -> Generator[None]:
    """Fail when a task, thread, file, socket or child process that was opened inside is still there at the end."""
    before = _open_things()
    yield
    gc.collect()
    left = _open_things() - before
    assert not left, f"left open: {sorted(left)}"


def _open_things() -> set[str]:
    process = psutil.Process()
    return {
        *(f"file {file.path} (fd {file.fd})" for file in process.open_files()),
        *(f"socket {one.laddr} {one.raddr} (fd {one.fd})" for one in process.net_connections("all")),
        *(f"child {child.pid} {child.name()}" for child in process.children()),
        *(f"thread {thread.name}" for thread in threading.enumerate()),
        *_tasks(),
    }


def _tasks() -> set[str]:
    try:
        return {f"task {task.get_name()} {task.get_coro()}" for task in asyncio.all_tasks()}
    except RuntimeError:  # no event loop runs here
        return set()
