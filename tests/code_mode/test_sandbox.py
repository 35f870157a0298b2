"""Attacks by programs: each fails with a message, and the server runs the next program."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator

import pytest

from benchmarks.agents.attacks import ATTACKS
from tests.code_mode.shop import Programs, running_programs, text_of


@pytest.fixture(scope="module")
async def programs() -> AsyncGenerator[Programs]:
    async with running_programs(code_seconds=3, code_compute_seconds=1) as running:
        await running.value("1")
        yield running


@pytest.mark.parametrize("name", ATTACKS)
async def test_an_attack_fails_and_the_server_keeps_working(name: str, programs: Programs) -> None:
    code, problem = ATTACKS[name]
    text = await programs.failure(code)
    assert problem in text
    assert await programs.value("1 + 1") == "2"
    assert programs.effects == []


async def test_programs_do_not_share_state(programs: Programs) -> None:
    await programs.value("secret = 42")
    assert "name 'secret' is not defined" in await programs.failure("exec('print(secret)')")


async def test_a_large_result_is_cut(programs: Programs) -> None:
    text = await programs.value("'x' * 50_000_000")
    assert len(text) < 100_200
    assert text.endswith("select the values that you need]")


async def test_the_event_loop_stays_free_while_a_program_computes(programs: Programs) -> None:
    run = asyncio.create_task(programs.run("while True:\n    pass"))
    turns = 0
    while not run.done():
        await asyncio.wait({run}, timeout=0.01)
        turns += 1
    assert turns >= 20
    assert (await run).is_error


async def test_more_programs_than_workers_run_one_after_another(programs: Programs) -> None:
    outcomes = await asyncio.gather(
        *[programs.run("from tools import get_order\nawait get_order('o1')") for _ in range(20)]
    )
    assert not [text_of(outcome) for outcome in outcomes if outcome.is_error]
