"""Where the store is."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import pytest
from pydantic import ValidationError

from tests.support import ROOT
from tools.main import create_app
from tools.retail.settings import DEFAULT_STORE, RetailSettings
from toolway.mounts import toolway_of


@pytest.fixture(autouse=True)
def _no_settings(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("RETAIL_DATABASE_URL", raising=False)
    monkeypatch.delenv("RETAIL_SEED_EMPTY_STORE", raising=False)


def test_the_default_store_depends_on_the_project_and_not_on_the_working_directory(tmp_path: Path) -> None:
    code = f"import sys; sys.path.insert(0, {str(ROOT)!r}); from tools.retail.settings import *; print(DEFAULT_STORE)"
    output = subprocess.run([sys.executable, "-c", code], cwd=tmp_path, check=True, capture_output=True, text=True)
    assert output.stdout.strip() == str(ROOT / "var" / "retail" / "orders.db") == str(DEFAULT_STORE)


def test_only_the_default_store_is_filled_by_default(monkeypatch: pytest.MonkeyPatch) -> None:
    assert RetailSettings().seeds_itself
    assert not RetailSettings(seed_empty_store=False).seeds_itself
    monkeypatch.setenv("RETAIL_DATABASE_URL", "postgresql://shop@localhost/orders")
    assert not RetailSettings().seeds_itself
    monkeypatch.setenv("RETAIL_SEED_EMPTY_STORE", "1")
    assert RetailSettings().seeds_itself


@pytest.mark.parametrize(
    ("given", "used"),
    [
        ("postgresql://u:p@h:5/d", "postgresql+asyncpg://u:p@h:5/d"),
        ("postgres://u@h/d", "postgresql+asyncpg://u@h/d"),
        ("postgresql+asyncpg://u@h/d", "postgresql+asyncpg://u@h/d"),
        ("postgresql://u@h/d?sslmode=require", "postgresql+asyncpg://u@h/d?ssl=require"),
        ("sqlite:///some/file.db", "sqlite+aiosqlite:///some/file.db"),
        ("sqlite+aiosqlite:////tmp/file.db", "sqlite+aiosqlite:////tmp/file.db"),
    ],
)
def test_common_forms_of_database_urls_are_accepted(given: str, used: str) -> None:
    assert RetailSettings(database_url=given).url.render_as_string(hide_password=False) == used


def test_exports_and_tasks_are_stored_next_to_the_database(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("TOOLWAY_STORE_URL", raising=False)
    settings = RetailSettings(database_url=f"sqlite:///{tmp_path}/orders.db")
    assert settings.exports == tmp_path / "exports"
    assert toolway_of(create_app(settings)).settings.store_url == f"sqlite:///{tmp_path}/orders.db.tasks"
    monkeypatch.setenv("TOOLWAY_STORE_URL", "sqlite:///elsewhere.db")
    assert toolway_of(create_app(settings)).settings.store_url == "sqlite:///elsewhere.db"
    remote = RetailSettings(database_url="postgresql://u@h/shop", export_folder=tmp_path)
    assert remote.exports == tmp_path
    assert remote.tasks_url == f"sqlite:///{DEFAULT_STORE.parent}/shop.tasks"


@pytest.mark.parametrize(
    "url", ["", "mysql://h/d", "postgresql+psycopg2://h/d", "sqlite://", "sqlite:///:memory:", "x"]
)
def test_unsupported_urls_are_rejected_with_the_expected_form(url: str) -> None:
    with pytest.raises(ValidationError, match=re.escape("sqlite:///path/to/file.db")):
        RetailSettings(database_url=url)


def test_a_password_is_never_shown() -> None:
    assert "hunter2" not in repr(RetailSettings(database_url="postgresql://u:hunter2@h/d"))
    with pytest.raises(ValidationError) as refused:
        RetailSettings(database_url="mysql://u:hunter2@h/d")
    assert "hunter2" not in str(refused.value)
