"""Whatever Schemathesis makes up, a tool call ends with the status of the plain HTTP request, and never with a 5xx."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Generator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from itertools import count
from pathlib import Path
from typing import Any, cast
from urllib.parse import quote

import pytest
import requests
import schemathesis
from anyio.from_thread import BlockingPortal, start_blocking_portal
from fastapi import FastAPI
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis.errors import Unsatisfiable
from mcp import Client
from mcp_types import CallToolResult
from schemathesis import Case
from schemathesis.generation import GenerationMode

from tests.generated.arguments import InexpressibleError, arguments_of
from tests.servers import serving
from tests.tools.desk import fill_store
from tests.tools.places import SqlitePlace
from tests.tools.shop import (
    ADA,
    CARD,
    DELIVERED,
    GIFT,
    LARGE,
    MUG,
    MUG_BLACK,
    MUG_WHITE,
    OMAR,
    OMARS,
    PAID_BY_GIFT,
    PAYPAL,
    PENDING,
    PROCESSED,
    SHIRT,
    SHIRT_M,
    SHIRT_S,
    small_shop,
)  # fmt: skip
from tools.main import create_app
from tools.retail.settings import RetailSettings
from toolway.catalog import Tool

pytestmark = [
    pytest.mark.timeout(300),
    pytest.mark.filterwarnings("ignore:Duplicate Operation ID:UserWarning"),  # one route, several methods
]

Known = Mapping[str, Sequence[Any]]
NOTHING: Known = {}
KNOWN: Known = {
    "user_id": [ADA, OMAR],
    "email": ["ada.park@example.com"],
    "order_id": [quote(order, safe="") for order in (PENDING, DELIVERED, PAID_BY_GIFT, PROCESSED, OMARS, LARGE)],
    "product_id": [SHIRT, MUG],
    "item_id": [SHIRT_S, MUG_WHITE],
    "item_ids": [[SHIRT_S], [MUG_WHITE], [SHIRT_S, MUG_WHITE]],
    "new_item_ids": [[SHIRT_M], [MUG_BLACK], [SHIRT_M, MUG_BLACK]],
    "payment_method_id": [CARD, PAYPAL, GIFT],
}


@dataclass
class Twins:
    """One application twice, in the same state: one is asked over plain HTTP, the other by tool calls."""

    portal: BlockingPortal
    client: Client
    web: requests.Session
    url: str
    document: dict[str, Any]
    tools: dict[tuple[str, str], Tool]
    counts: Counter[str] = field(default_factory=Counter[str])

    def differences(self, case: Case, tool: Tool) -> list[str]:
        """Send a request both ways and say what differs."""
        try:
            arguments = arguments_of(case, tool)
        except InexpressibleError as reason:
            self.counts[f"left out: {reason}"] += 1
            return []
        response = self.web.request(**case.as_transport_kwargs(base_url=self.url), timeout=10)
        result: CallToolResult = self.portal.call(self.client.call_tool, tool.name, arguments)
        self.counts["sent"] += 1
        self.counts[f"{response.status_code // 100}xx"] += 1
        problems = [f"{response.status_code} from HTTP: {response.text[:200]}"] if response.status_code >= 500 else []
        told = (result.meta or {}).get("toolway/error", {}).get("status", 0)
        if told is None:
            self.counts["refused before the endpoint"] += 1
        elif (told or 200) // 100 >= 4 or response.status_code >= 400:
            problems += (
                [f"{told} from the tool, {response.status_code} from HTTP"] if told != response.status_code else []
            )
        return [f"{tool.name}({arguments}): {problem}" for problem in problems]


@contextmanager
def twins(make: Callable[[str], FastAPI]) -> Generator[Twins]:
    """Run an application twice, on stores named "web" and "tools"."""
    app = make("tools")
    with (
        serving(make("web")) as url,
        serving(app) as tools_url,
        start_blocking_portal() as portal,
        portal.wrap_async_context_manager(Client(f"{tools_url}/mcp")) as client,
        requests.Session() as web,
    ):
        tools = app.state.toolway.catalog.tools.values()
        by_route = {(tool.operation.method, tool.operation.path): tool for tool in tools}
        twins = Twins(portal, client, web, url, app.openapi(), by_route)
        yield twins
        print(", ".join(f"{count:,} {what}" for what, count in twins.counts.most_common()))


def play(twins: Twins, examples: int, known: Known = NOTHING) -> list[str]:
    """Make up requests for every tool, valid ones and others, and return the differences.

    Every other request gets values that the application knows, for the parameters and members of these names.
    """
    differences: list[str] = []
    schema = schemathesis.openapi.from_dict(twins.document)
    for operation in (entry.ok() for entry in schema.get_all_operations()):
        tool = twins.tools.get((operation.method.upper(), operation.path))
        if tool is None or tool.name == "journal":
            continue
        for mode in GenerationMode:
            differences += _played(twins, tool, operation.as_strategy(generation_mode=mode), examples, known)
    return differences


def _played(twins: Twins, tool: Tool, cases: Any, examples: int, known: Known) -> list[str]:
    differences: list[str] = []
    number = count()

    @settings(
        max_examples=examples,
        derandomize=True,
        database=None,
        deadline=None,
        phases=[Phase.generate],
        suppress_health_check=list(HealthCheck),
    )
    @given(cases)
    def one(case: Case) -> None:
        turn, is_known = divmod(next(number), 2)
        if is_known:
            _use(known, case, turn)
        differences.extend(twins.differences(case, tool))

    with suppress(Unsatisfiable):  # an operation that takes nothing has no wrong requests
        one()
    return differences


def _use(known: Known, case: Case, turn: int) -> None:
    body = cast("dict[str, Any]", case.body) if isinstance(case.body, dict) else {}
    for place in (case.path_parameters, case.query, body):
        for name in known.keys() & place.keys():
            values = known[name]
            place[name] = values[turn % len(values)]


async def test_the_order_desk_ends_calls_as_requests(tmp_path: Path) -> None:
    place = SqlitePlace(tmp_path)
    stores = {"web": await place.new()}
    await fill_store(stores["web"], small_shop())
    stores["tools"] = await place.copy(stores["web"])

    def make(name: str) -> FastAPI:
        return create_app(RetailSettings(database_url=stores[name]))

    with twins(make) as reached:
        differences = play(reached, 60, KNOWN)
    assert differences == []
    assert reached.counts["sent"] >= 1000
