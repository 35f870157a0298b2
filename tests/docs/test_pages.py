"""The pages about the project itself: every path that they name exists."""

from __future__ import annotations

import re

import pytest

from tests.foundation.project import PACKAGE
from tests.support import ROOT

PAGES = (
    "README.md",
    "ARCHITECTURE.md",
    "CONTRIBUTING.md",
    "SECURITY.md",
    "docs/fidelity.md",
    "docs/demo-application.md",
)
PATH = re.compile(r"`((?:[\w.-]+/)+[\w.-]*|[\w-]+\.(?:py|md|toml|lock|json))`")
WRITTEN_LATER = ("var/", "served.py", "warehouse.py")


@pytest.mark.parametrize("page", PAGES)
def test_every_path_of_a_page_exists(page: str) -> None:
    paths = PATH.findall((ROOT / page).read_text(encoding="utf-8"))
    missing = [path for path in paths if not (ROOT / path).exists() and not (PACKAGE / path).exists()]
    assert [path for path in missing if not path.startswith(WRITTEN_LATER)] == []


def test_paths_are_recognized() -> None:
    assert PATH.findall("`tests/calls`, `server/`, `a.b`, `app.py`, `/mcp` and `GET /a`") == [
        "tests/calls",
        "server/",
        "app.py",
    ]
