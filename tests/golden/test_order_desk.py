"""What agents see of the order desk is on file, one tool per file: a change of it is seen, and meant.

After a change that is meant: ``UPDATE_GOLDEN=1 make test ARGS=tests/golden``, and read the difference.
"""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

import pytest

from tools.main import create_app
from tools.retail.settings import RetailSettings

FOLDER = Path(__file__).parent / "order_desk"

pytestmark = pytest.mark.anyio


async def definitions(folder: Path) -> dict[str, dict[str, Any]]:
    app = create_app(RetailSettings(database_url=f"sqlite:///{folder / 'orders.db'}"))
    async with app.router.lifespan_context(app):
        return {
            name: {"2026-07-28": tool.definition(wrapped=False), "2025-11-25": tool.definition(wrapped=True)}
            for name, tool in app.state.toolway.catalog.tools.items()
        }


async def test_every_tool_is_as_it_stands_on_file(tmp_path: Path) -> None:
    found = await definitions(tmp_path)
    if os.environ.get("UPDATE_GOLDEN"):
        write(found)
    assert found == {file.stem: json.loads(file.read_text("utf-8")) for file in sorted(FOLDER.glob("*.json"))}


def write(found: dict[str, dict[str, Any]]) -> None:
    FOLDER.mkdir(exist_ok=True)
    for file in FOLDER.glob("*.json"):
        file.unlink()
    for name, definition in found.items():
        (FOLDER / f"{name}.json").write_text(json.dumps(definition, indent=2, sort_keys=True) + "\n", "utf-8")
