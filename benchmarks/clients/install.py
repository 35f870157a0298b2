"""The environments of the clients, and the versions installed in them."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor

from benchmarks.clients.entries import Client
from benchmarks.environments import NotInstalledError, packages_of, python_of

__all__ = ["install", "version_of"]

_AT_ONCE = 3
_VERSION = "import importlib.metadata, sys; print(importlib.metadata.version(sys.argv[1]))"


def install(clients: Sequence[Client]) -> dict[str, str]:
    """Create the missing environments; return the reasons for failures by the names of the clients."""
    first = {client.environment: client for client in reversed(clients)}
    with ThreadPoolExecutor(_AT_ONCE) as pool:
        problems = dict(zip(first, pool.map(_problem, first.values()), strict=True))
    return {client.name: problem for client in clients if (problem := problems[client.environment])}


def version_of(client: Client) -> str:
    """Return the version of a client that is installed."""
    if client.on_node:
        return json.loads((packages_of(client) / client.package / "package.json").read_text(encoding="utf-8"))[
            "version"
        ]
    command = [str(python_of(client)), "-c", _VERSION, client.package]
    return subprocess.run(command, check=True, capture_output=True, text=True).stdout.strip()


def _problem(client: Client) -> str:
    try:
        (packages_of if client.on_node else python_of)(client)
    except NotInstalledError as error:
        return str(error)
    return ""
