"""The examples as people run them, and what they see."""

from __future__ import annotations

import os
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

import anyio

from tests.support import ROOT

__all__ = ["Run", "run_example"]

_PATIENCE = 150
"""Seconds for a whole conversation; its test has a little more."""


@dataclass(frozen=True)
class Run:
    """The output and exit code of an example that has ended."""

    name: str
    code: int
    out: str
    err: str

    def assert_quiet_success(self) -> None:
        assert (self.code, self.err) == (0, ""), self

    def assert_complains(self, code: int, *words: str) -> None:
        """Require that the example ended with this exit code and one line that holds these words."""
        assert self.code == code, self
        assert self.err.startswith(f"{self.name}: ")
        assert self.err.count("\n") == 1, self.err
        assert all(word in self.err for word in words), self.err


async def run_example(name: str, *arguments: str, cwd: Path, **env: str | None) -> Run:
    """Run an example from a folder; a variable that is None is removed from the environment."""
    variables = {key: value for key, value in {**os.environ, **env}.items() if value is not None}
    command = [sys.executable, str(ROOT / "agents-examples" / name), *arguments]
    with anyio.fail_after(_PATIENCE):
        done = await anyio.run_process(command, check=False, cwd=cwd, env=variables, stdin=subprocess.DEVNULL)
    return Run(name, done.returncode, done.stdout.decode(), done.stderr.decode())
