"""An order desk that runs for the examples."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Generator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any

import pytest

from tests.replay.servers import http_desk
from tests.tools.desk import read_store


@dataclass(frozen=True)
class SeededDesk:
    """An order desk with made-up customers, served over HTTP."""

    endpoint: str
    store_url: str

    @asynccontextmanager
    async def changed(self) -> AsyncGenerator[dict[str, Any], None]:
        """Fill the dictionary, when the block ends, with the records that were changed in the meantime."""
        changes: dict[str, Any] = {}
        before = await read_store(self.store_url)
        yield changes
        after = await read_store(self.store_url)
        for section, records in after.items():
            changes |= {key: record for key, record in records.items() if record != before[section][key]}


@pytest.fixture(scope="module")
def seeded_desk(tmp_path_factory: pytest.TempPathFactory) -> Generator[SeededDesk, None, None]:
    """Serve an order desk with made-up customers."""
    store_url = f"sqlite:///{tmp_path_factory.mktemp('desk')}/orders.db"
    with http_desk(store_url, RETAIL_SEED_EMPTY_STORE="true") as url:
        yield SeededDesk(f"{url}/mcp", store_url)
