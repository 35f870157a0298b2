"""Both lanes give equal responses to any request."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from functools import cache, partial

import pytest
from fastapi import FastAPI

from tests.lanes.application import make_server
from tests.lanes.clock import run
from tests.lanes.conformance import make_conforming, recorded
from tests.lanes.exchange import Request
from tests.lanes.fuzz import mutated
from tests.lanes.pair import Verdict, pair
from tests.lanes.permitted import PERMITTED
from tests.lanes.requests import BASES
from tests.protocol.wire import MODERN

COUNT = 4000
SEED = 7

pytestmark = pytest.mark.timeout(300)


async def compared(requests: Iterable[Request], make: Callable[..., FastAPI] = make_server) -> list[Verdict]:
    async with pair(make) as both:
        return [await both.verdict(request) for request in requests]


@cache
def ordinary() -> list[Verdict]:
    return run(compared(base.request for base in BASES))


@cache
def hostile() -> list[Verdict]:
    return run(compared(mutated(SEED, number).request for number in range(COUNT)))


def test_ordinary_requests_of_every_kind_and_revision_are_answered_alike() -> None:
    told = zip(BASES, ordinary(), strict=True)
    assert {str(base): verdict.differences for base, verdict in told if verdict.differences} == {}


def test_ordinary_requests_are_answered_alike_where_older_revisions_have_sessions() -> None:
    told = run(compared((base.request for base in BASES), partial(make_server, stateful=True)))
    found = {str(base): verdict.differences for base, verdict in zip(BASES, told, strict=True) if verdict.differences}
    assert found == {}
    assert {base.version for base, verdict in zip(BASES, told, strict=True) if verdict.was_fast} == {MODERN}


def test_requests_of_the_conformance_suite_are_answered_alike() -> None:
    requests = recorded()
    told = enumerate(run(compared(requests, make_conforming)), 1)
    assert {f"line {number}": verdict.differences for number, verdict in told if verdict.differences} == {}
    assert len(requests) > 100


def test_mutated_requests_are_answered_alike() -> None:
    """A difference is shown shrunk by ``python -m tests.lanes --seed 7 --first NUMBER --count 1``."""
    told = enumerate(hostile())
    assert {number: verdict.differences for number, verdict in told if verdict.differences} == {}


def test_the_fast_lane_answers_calls_and_lists_by_itself_and_leaves_the_rest() -> None:
    told = zip(BASES, ordinary(), strict=True)
    taken = {base.kind.split()[0] for base, verdict in told if verdict.was_fast}
    assert taken == {"call", "tools/list", "server/discover"}
    assert sum(verdict.was_fast for verdict in hostile()) > COUNT / 5


def test_every_permitted_difference_is_met() -> None:
    met = {verdict.permitted.name for verdict in (*ordinary(), *hostile()) if verdict.permitted}
    assert met == {known.name for known in PERMITTED}


def test_the_same_number_of_the_same_seed_is_the_same_request() -> None:
    assert [mutated(1, number).request for number in range(50)] == [mutated(1, number).request for number in range(50)]
    assert mutated(1, 5).request != mutated(2, 5).request
