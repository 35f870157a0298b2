"""A client that writes to a stdio server exactly what a test wants written."""

from __future__ import annotations

import json
import os
import subprocess
from collections.abc import Callable, Mapping, Sequence
from typing import Any, Self

from fastapi import FastAPI

from tests.protocol.clients import speaker
from tests.protocol.wire import MODERN, message
from tests.servers import START
from tests.support import ROOT

HELLO = {"capabilities": {}, "clientInfo": {"name": "test", "version": "1"}}


class Speaker:
    """Starts a server that speaks over stdio, and shakes hands where the revision asks for it.

    Args:
        make: makes the application; or the command that serves one.
        version: the revision that is spoken.
        env: what stands in the server's environment besides.
    """

    def __init__(self, make: Callable[[], FastAPI] | Sequence[str], version: str, **env: str) -> None:
        self.version = version
        self._number = 0
        command = _command(make) if callable(make) else list(make)
        pipes = dict.fromkeys(("stdin", "stdout", "stderr"), subprocess.PIPE)
        self._process = subprocess.Popen(command, cwd=ROOT, env={**os.environ, **env}, **pipes)

    def __enter__(self) -> Self:
        if self.version < MODERN:
            answer = self.ask("initialize", {**HELLO, "protocolVersion": self.version})
            assert answer["result"]["protocolVersion"] == self.version
            self.write(json.dumps({"jsonrpc": "2.0", "method": "notifications/initialized"}).encode())
        return self

    def __exit__(self, *_: object) -> None:
        if self._process.poll() is None:
            self._process.kill()
        self._process.__exit__(None, None, None)

    def write(self, line: bytes) -> None:
        """Write a line as it is."""
        assert self._process.stdin is not None
        self._process.stdin.write(line + b"\n")
        self._process.stdin.flush()

    def say(self, method: str, params: Mapping[str, Any] | None = None) -> int:
        """Send a request and return its id without waiting for the answer."""
        self._number += 1
        self.write(json.dumps(message(self.version, method, params, self._number)).encode())
        return self._number

    def hear(self) -> dict[str, Any]:
        """The next message of the server."""
        assert self._process.stdout is not None
        return json.loads(self._process.stdout.readline())

    def ask(self, method: str, params: Mapping[str, Any] | None = None) -> dict[str, Any]:
        """Send a request and return its answer; whatever comes before it is passed over."""
        number = self.say(method, params)
        while (answer := self.hear()).get("id") != number:
            pass
        return answer

    def stop(self) -> str:
        """Close the server's input, wait for its end, and return what it has written to its log."""
        _, log = self._process.communicate(timeout=START)
        assert self._process.returncode == 0
        return log.decode()


def _command(make: Callable[[], FastAPI]) -> list[str]:
    server = speaker(make)
    return [server.command, *server.args]
