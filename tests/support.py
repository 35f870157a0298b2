"""Requirements of tests outside the checkout, which are skipped without them, or fail in CI."""

from __future__ import annotations

import asyncio
import os
from concurrent.futures import ThreadPoolExecutor
from functools import cache
from pathlib import Path

import asyncpg
import pytest

ROOT = Path(__file__).resolve().parent.parent
SHARED = ROOT.parent / "shared"
# Databases are made and dropped there, so a machine's own server is not touched unless it is named.
POSTGRES_URL = os.environ.get("TOOLWAY_TEST_POSTGRES_URL", "")


def require(available: bool, reason: str) -> None:
    """Skip the test if something from outside the checkout is not available; fail in CI."""
    if available:
        return
    if os.environ.get("CI") == "true":
        pytest.fail(reason)
    pytest.skip(reason, allow_module_level=True)


@cache
def postgres_available() -> bool:
    """Return whether POSTGRES_URL accepts a login."""
    if not POSTGRES_URL:
        return False
    with ThreadPoolExecutor(1) as apart:  # the caller may run in an event loop
        return apart.submit(asyncio.run, _can_log_in()).result()


async def _can_log_in() -> bool:
    try:
        await (await asyncpg.connect(POSTGRES_URL, timeout=30)).close()
    except (OSError, TimeoutError, asyncpg.PostgresError):
        return False
    return True
