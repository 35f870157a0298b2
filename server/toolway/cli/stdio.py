"""Serving over stdin and stdout."""

from __future__ import annotations

import asyncio
import os
import signal
import socket
import sys
from collections.abc import Generator
from contextlib import contextmanager, redirect_stdout
from types import FrameType
from typing import NoReturn

import anyio

from toolway.app import Toolway
from toolway.cli.app_loader import Source, load_one
from toolway.cli.app_runner import ShutdownError, started
from toolway.cli.output import complain
from toolway.errors import ToolwayError
from toolway.protocol import standard_streams
from toolway.protocol.stdio import Serve

__all__ = ["serve_stdio"]


def serve_stdio(source: Source) -> None:
    """Serve an application until the client leaves, or until SIGTERM or SIGINT."""
    # Until the application serves, Ctrl+C ends the process at once, as SIGTERM does: asyncio's own way of handling it
    # would wait for the thread that reads stdin.
    signal.signal(signal.SIGINT, signal.SIG_DFL)
    try:
        anyio.run(_serve, source)
    except* (BrokenPipeError, ConnectionResetError):
        # The client left without waiting for its answer, and Python would complain of what is still to be written.
        _leave(0)


async def _serve(source: Source) -> None:
    # The streams come first: what the application prints from here on cannot break the protocol.
    async with standard_streams() as serve:
        try:
            with redirect_stdout(sys.stderr):
                was_interrupted = await _until_left(load_one(source), serve)
        except ToolwayError as error:
            complain(str(error))
            _leave(3 if isinstance(error, ShutdownError) else 2)
        finally:
            sys.stdout.flush()  # while it still leads to stderr
        if was_interrupted:
            _leave(0)


async def _until_left(toolway: Toolway, serve: Serve) -> bool:
    """Serve, and tell whether a signal put an end to it; the application's shutdown runs either way."""
    scope = anyio.CancelScope()
    with anyio.CancelScope(shield=True):  # also when stdout breaks
        async with started(toolway, works=True) as running:
            with scope, _signals_cancel(scope):
                await serve(running.server)
    return scope.cancelled_caught


@contextmanager
def _signals_cancel(scope: anyio.CancelScope) -> Generator[None]:
    """Let SIGTERM and SIGINT cancel a scope, in place of ending the process."""
    loop, server = asyncio.get_running_loop(), os.getpid()

    def stop(number: int, _frame: FrameType | None) -> None:
        if os.getpid() == server:
            loop.call_soon_threadsafe(scope.cancel)
        else:  # a child that an endpoint has forked is not the one who serves
            signal.signal(number, signal.SIG_DFL)
            os.kill(os.getpid(), number)

    before = {number: signal.signal(number, stop) for number in (signal.SIGTERM, signal.SIGINT)}
    try:
        with _signals_wake(loop):
            yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


@contextmanager
def _signals_wake(loop: asyncio.AbstractEventLoop) -> Generator[None]:
    """Let signals wake the loop: not all of them do, as when one comes just before it waits, or in another thread."""
    reader, writer = socket.socketpair()
    with reader, writer:
        reader.setblocking(False)
        writer.setblocking(False)
        try:
            loop.add_reader(reader, reader.recv, 4096)
        except NotImplementedError:  # Windows, where the loop watches for signals by itself
            yield
            return
        before = signal.set_wakeup_fd(writer.fileno(), warn_on_full_buffer=False)
        if before != -1:  # the application has made the loop watch for signals, which wakes it
            signal.set_wakeup_fd(before)
        try:
            yield
        finally:
            if before == -1 and (now := signal.set_wakeup_fd(-1)) != writer.fileno():
                signal.set_wakeup_fd(now)  # it has done so since
            loop.remove_reader(reader)


def _leave(code: int) -> NoReturn:
    """End the process although a thread still waits for the next line of stdin: nothing can wake it."""
    sys.stderr.flush()
    os._exit(code)
