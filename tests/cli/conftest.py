"""Fixtures: folders with applications."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.cli.shell import NOISY, write


@pytest.fixture(scope="session")
def noisy(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder whose ``main:app`` prints wherever it can."""
    return write(tmp_path_factory.mktemp("noisy"), {"main.py": NOISY})
