"""Start the order desk on stdio and record the client's messages: python -m benchmarks.clients.relay STORE_URL FILE.

A client starts this instead of the order desk, from any folder and with an environment of its own choice.
"""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
COMMAND = [sys.executable, "-m", "toolway", "stdio", "tools.main:app", "--app-dir", str(ROOT)]


def main(store_url: str, file: str) -> int:
    """Forward each line as it arrives; return the exit code of the order desk."""
    environment = {**os.environ, "RETAIL_DATABASE_URL": store_url}
    with (
        subprocess.Popen(COMMAND, stdin=subprocess.PIPE, env=environment) as desk,
        Path(file).open("ab", buffering=0) as kept,
    ):
        assert desk.stdin is not None
        for line in sys.stdin.buffer:
            kept.write(line)
            desk.stdin.write(line)
            desk.stdin.flush()
        desk.stdin.close()
        return desk.wait()


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
