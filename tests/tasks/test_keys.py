"""The key file of a store on disk."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from toolway.errors import ConfigurationError
from toolway.tasks.keys import read_or_create_key


def test_a_key_is_created_once_and_only_its_owner_may_read_it(tmp_path: Path) -> None:
    path = tmp_path / "tasks.key"
    with ThreadPoolExecutor(8) as threads:
        keys = set(threads.map(read_or_create_key, [path] * 40))
    assert len(keys) == 1
    assert path.stat().st_mode & 0o777 == 0o600
    assert [file.name for file in tmp_path.iterdir()] == ["tasks.key"]


def test_a_file_of_another_size_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "tasks.key"
    path.write_bytes(b"short")
    with pytest.raises(ConfigurationError, match="has 5 bytes instead of 32"):
        read_or_create_key(path)
