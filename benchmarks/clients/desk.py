"""The order desk that the clients connect to, and the records that they have to look up."""

from __future__ import annotations

from collections.abc import Generator, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import quote

import anyio
import httpx2

from benchmarks.clients.recorder import Recorder
from tests.servers import serving
from tests.tools.desk import read_store
from tools.main import create_app
from tools.retail.settings import RetailSettings
from toolway import Settings, Toolway
from toolway.mounts import toolway_of

__all__ = ["Desk", "open_desk"]

_WITH_SESSIONS = "/sessions"
_CUSTOMER = "anton.romero8621@example.com"  # in the made-up store, wherever it is seeded


@dataclass(frozen=True)
class Desk:
    """A running order desk, and the expected results of a client's lists, calls and reads."""

    base: str
    store_url: str
    recorder: Recorder
    tools: frozenset[str]
    tool: str
    arguments: dict[str, Any]
    answer: Any
    """The response of the same endpoint to a plain HTTP request."""
    uri: str
    text: str
    """The response of the resource's endpoint to a plain HTTP request."""
    pending: Iterator[str]
    """Orders that can be canceled, each for one client."""

    def url(self, name: str) -> str:
        """Return the URL at which a client is recorded under a name."""
        return f"{self.base}/via/{name}/mcp"

    def session_url(self, name: str) -> str:
        """Return the same with sessions, which elicitation needs before MCP 2026-07-28."""
        return f"{self.base}/via/{name}{_WITH_SESSIONS}"

    def is_cancelled(self, order_id: str) -> bool:
        """Return whether an order was canceled."""
        with httpx2.Client(base_url=self.base) as http:
            return _get(http, f"/retail/orders/{quote(order_id, safe='')}").json()["status"] == "cancelled"


@contextmanager
def open_desk(folder: Path) -> Generator[Desk]:
    """Serve an order desk with sample customers, whose store is in a folder, until the block ends."""
    store_url = f"sqlite:///{folder}/orders.db"
    retail = RetailSettings(database_url=store_url, seed_empty_store=True)
    app = create_app(retail)
    Toolway(app, settings=Settings(stateful=True, store_url=retail.tasks_url)).mount(_WITH_SESSIONS)
    recorder = Recorder(app)
    with serving(recorder) as base, httpx2.Client(base_url=base) as http:
        user_id = _get(http, "/retail/users/by-email", email=_CUSTOMER).json()["user_id"]
        yield Desk(
            base=base,
            store_url=store_url,
            recorder=recorder,
            tools=frozenset(toolway_of(app).catalog.tools),
            tool="get_user_details",
            arguments={"user_id": user_id},
            answer=_get(http, f"/retail/users/{user_id}").json(),
            uri="policy://returns",
            text=_get(http, "/retail/policies/returns").text,
            pending=iter(anyio.run(_pending, store_url)),
        )


async def _pending(store_url: str) -> list[str]:
    orders = (await read_store(store_url))["orders"]
    return [order_id for order_id, order in orders.items() if order["status"] == "pending"]


def _get(http: httpx2.Client, path: str, **params: str) -> httpx2.Response:
    return http.get(path, params=params).raise_for_status()
