"""Every test receives all warnings, as if it were the first of its process."""

from __future__ import annotations

import pytest

from toolway.compat.fastapi_mcp import migration_warning


@pytest.fixture(autouse=True)
def _forget_issued_warnings(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(migration_warning, "_issued", set[str]())
