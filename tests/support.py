"""What tests need from outside the checkout, and what happens when it is not there."""

from __future__ import annotations

import os
import socket
from pathlib import Path
from urllib.parse import urlsplit

import pytest

ROOT = Path(__file__).resolve().parent.parent
SHARED = ROOT.parent / "shared"
POSTGRES_URL = os.environ.get("TOOLWAY_TEST_POSTGRES_URL", "postgresql://root@127.0.0.1:5432/test")


def require(available: bool, reason: str) -> None:
    """Go on only when something from outside the checkout is there: skip on a user's machine, fail in CI."""
    if available:
        return
    if os.environ.get("CI") == "true":
        pytest.fail(reason)
    pytest.skip(reason, allow_module_level=True)


def postgres_available() -> bool:
    """Say whether something listens where POSTGRES_URL points."""
    url = urlsplit(POSTGRES_URL)
    try:
        socket.create_connection((url.hostname or "127.0.0.1", url.port or 5432), timeout=2).close()
    except OSError:
        return False
    return True
