"""For every request that Schemathesis generates, a tool call has the status of the HTTP request, and never a 5xx.

A run of all tests makes up a few requests for each tool; ``--examples 20`` sends more than 5,000.
"""

from __future__ import annotations

from pathlib import Path
from urllib.parse import quote

import pytest
from fastapi import FastAPI

from tests.fidelity.apps import make_app
from tests.fidelity.case import Case
from tests.fidelity.chapters import failures, streams
from tests.generated.twins import Known, play, twins
from tests.tally import Tally
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
from toolway import Settings, Toolway

pytestmark = [
    pytest.mark.timeout(1200),  # for many examples: Schemathesis takes its time over each
    pytest.mark.filterwarnings("ignore:Duplicate Operation ID:UserWarning"),  # one route, several methods
]

SENT = "generated requests, each sent over HTTP and as a tool call"
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
FAILING = {case.tool for case in failures.chapter.cases if isinstance(case, Case)}  # some of them on purpose
FAILING |= {"missing_file"}
WITHOUT_END = {case.tool for case in streams.chapter.cases if isinstance(case, Case) and case.is_endless}
BROKEN = {"breaking_stream", "yielded_wrong_lines"}  # their answers break off
UNLIKE = {"form_survey", "xml"}  # Schemathesis writes XML, and nested values in forms, in ways of its own
JOURNAL = {"journal"}  # the suite's own, which contains everything that happened before


@pytest.fixture
def examples(pytestconfig: pytest.Config) -> int:
    """Return how many valid and how many invalid requests are made up for each tool."""
    return pytestconfig.getoption("examples")


async def test_the_order_desk_ends_calls_as_requests(tmp_path: Path, examples: int, tally: Tally) -> None:
    place = SqlitePlace(tmp_path)
    stores = {"web": await place.new()}
    await fill_store(stores["web"], small_shop())
    stores["tools"] = await place.copy(stores["web"])

    def make(name: str) -> FastAPI:
        return create_app(RetailSettings(database_url=stores[name], export_folder=tmp_path / name))

    with twins(make) as reached:
        differences = play(reached, 3 * examples, known=KNOWN)
    tally.count(SENT, "the order desk", reached.counts)
    assert differences == []
    assert reached.counts["sent"] >= examples * len(reached.tools)


def test_the_fidelity_application_ends_calls_as_requests(examples: int, tally: Tally) -> None:
    def make(_: str) -> FastAPI:
        app = make_app()
        Toolway(app, settings=Settings(_env_file=None, catalog="list")).mount()
        return app

    with twins(make) as reached:
        differences = play(reached, examples, without=WITHOUT_END | BROKEN | UNLIKE | JOURNAL, failing=FAILING)
    tally.count(SENT, "the fidelity application", reached.counts)
    assert differences == []
    assert reached.counts["sent"] >= examples * len(reached.tools) // 2
