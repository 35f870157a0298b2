"""The measurements of code mode: those that do not depend on the machine meet their goals."""

from __future__ import annotations

import re

from benchmarks.agents.code_mode import compare_round_trips, measure_programs


async def test_a_program_takes_a_tenth_of_the_tokens_of_its_calls() -> None:
    table = await compare_round_trips()
    assert "| one call after another | 51 |" in table
    share = re.search(r"\| one program \| 1 \| [\d,]+ \(([\d.]+)%\) \|", table)
    assert share is not None
    assert float(share[1]) <= 10


async def test_the_state_of_a_paused_program_has_at_most_ten_kilobytes() -> None:
    size = re.search(r"\| state of the paused program \| ([\d,]+) bytes \|", await measure_programs())
    assert size is not None
    assert int(size[1].replace(",", "")) <= 10_000
