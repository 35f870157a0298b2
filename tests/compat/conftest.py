"""Each test is told of every difference, as if it were the first in its process."""

from __future__ import annotations

import pytest

from toolway.compat.fastapi_mcp import notice


@pytest.fixture(autouse=True)
def _nothing_told_yet(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(notice, "_told", set[str]())
