"""The tool definitions of the order desk match the recorded ones."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.golden.onfile import compare
from tools.main import create_app
from tools.retail.settings import RetailSettings
from toolway.mounts import toolway_of

pytestmark = pytest.mark.anyio


async def test_every_tool_is_as_it_stands_on_file(tmp_path: Path) -> None:
    app = create_app(RetailSettings(database_url=f"sqlite:///{tmp_path / 'orders.db'}"))
    async with app.router.lifespan_context(app):
        compare(toolway_of(app).catalog.tools, Path(__file__).parent / "order_desk")
