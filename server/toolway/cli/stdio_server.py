"""The stdio server process: signals, streams and exit codes."""

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
from toolway.cli.app_loader import load_and_list_others
from toolway.cli.app_runner import ShutdownError, start_app
from toolway.cli.app_source import AppSource
from toolway.cli.output_streams import print_error
from toolway.errors import ToolwayError
from toolway.protocol import standard_streams
from toolway.protocol.stdio import Serve

__all__ = ["serve_stdio"]


def serve_stdio(source: AppSource) -> None:
    """Serve an application until the client closes stdin, or until SIGTERM or SIGINT."""
    # Until startup is complete, Ctrl+C ends the process at once, like SIGTERM: asyncio's own handler would wait for
    # the thread that reads stdin.
    signal.signal(signal.SIGINT, signal.SIG_DFL)
    try:
        anyio.run(_serve, source)
    except* (BrokenPipeError, ConnectionResetError):
        # The client left without waiting for a response; at a normal exit, flushing the rest of stdout would fail.
        _exit_now(0)


async def _serve(source: AppSource) -> None:
    # Take over the streams first: from here on, output of the application cannot break the protocol.
    async with standard_streams() as serve:
        try:
            with redirect_stdout(sys.stderr):
                was_interrupted = await _serve_until_disconnect(load_and_list_others(source), serve)
        except ToolwayError as error:
            print_error(str(error))
            _exit_now(3 if isinstance(error, ShutdownError) else 2)
        finally:
            sys.stdout.flush()  # while it is still redirected to stderr
        if was_interrupted:
            _exit_now(0)


async def _serve_until_disconnect(toolway: Toolway, serve: Serve) -> bool:
    """Serve until the client leaves, run the application's shutdown, and return whether a signal ended it."""
    scope = anyio.CancelScope()
    with anyio.CancelScope(shield=True):  # also when stdout breaks
        async with start_app(toolway, run_tasks=True) as running:
            with scope, _cancel_on_signals(scope):
                await serve(running.server)
    return scope.cancelled_caught


@contextmanager
def _cancel_on_signals(scope: anyio.CancelScope) -> Generator[None]:
    """Let SIGTERM and SIGINT cancel a scope instead of ending the process."""
    loop, server = asyncio.get_running_loop(), os.getpid()

    def stop(number: int, _frame: FrameType | None) -> None:
        if os.getpid() == server:
            loop.call_soon_threadsafe(scope.cancel)
        else:  # a child process that an endpoint forked
            signal.signal(number, signal.SIG_DFL)
            os.kill(os.getpid(), number)

    before = {number: signal.signal(number, stop) for number in (signal.SIGTERM, signal.SIGINT)}
    try:
        with _wake_on_signals(loop):
            yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


@contextmanager
def _wake_on_signals(loop: asyncio.AbstractEventLoop) -> Generator[None]:
    """Wake the event loop on every signal, also on one that arrives just before it waits or in another thread."""
    reader, writer = socket.socketpair()
    with reader, writer:
        reader.setblocking(False)
        writer.setblocking(False)
        try:
            loop.add_reader(reader, reader.recv, 4096)
        except NotImplementedError:  # Windows, where the event loop itself wakes on signals
            yield
            return
        before = signal.set_wakeup_fd(writer.fileno(), warn_on_full_buffer=False)
        if before != -1:  # the application has added a signal handler to the loop, which then wakes on signals
            signal.set_wakeup_fd(before)
        try:
            yield
        finally:
            if before == -1 and (now := signal.set_wakeup_fd(-1)) != writer.fileno():
                signal.set_wakeup_fd(now)  # the application has added one meanwhile
            loop.remove_reader(reader)


def _exit_now(code: int) -> NoReturn:
    """End the process without joining the thread that reads stdin, which cannot be woken."""
    sys.stderr.flush()
    os._exit(code)
