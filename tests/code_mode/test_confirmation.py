"""Programs that wait for their user: the calls that have to be confirmed, and what comes back in another worker."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.code_mode.shop import Programs, make_shop, running_programs, text_of
from toolway.elicitation import Answer, ReplayChannel

YES, NO = Answer("accept", {"ok": True}), Answer("accept", {"ok": False})

BOTH = """
import asyncio
from tools import cancel_order, delete_order, get_order
order, _, _ = await asyncio.gather(get_order("o1"), cancel_order("o2"), delete_order("o3"))
print("first half")
await cancel_order("o4")
order["total"]
"""
CANCEL_2, DELETE_3, CANCEL_4 = 'Cancel order "o2"?', 'Run delete_order(order_id="o3")?', 'Cancel order "o4"?'


async def test_destructive_and_confirmed_tools_wait_for_the_user() -> None:
    async with running_programs() as programs:
        outcome, asked = await programs.converse(BOTH, [{CANCEL_2: YES, DELETE_3: YES}, {CANCEL_4: YES}])
        assert text_of(outcome) == "first half\n1.5"
        assert asked == [CANCEL_2, DELETE_3, CANCEL_4]
        assert sorted(programs.effects) == ["cancel o2", "cancel o4", "delete o3"]


async def test_nothing_runs_before_the_user_has_answered() -> None:
    async with running_programs() as programs:
        channel = ReplayChannel(("elicitation",))
        await programs.run(BOTH, asking=channel)
        assert [query.message for query in channel.pending.values()] == [CANCEL_2, DELETE_3]
        assert programs.effects == []


async def test_a_call_that_the_user_declines_fails_and_the_program_may_continue() -> None:
    code = 'from tools import cancel_order, purge\ntry:\n    await cancel_order("o1")\nexcept RuntimeError as error:\n'
    code += "    print(error)\nawait purge()"
    async with running_programs() as programs:
        outcome, asked = await programs.converse(code, [{'Cancel order "o1"?': NO}, {"Run purge()?": YES}])
        assert asked == ['Cancel order "o1"?', "Run purge()?"]
        assert text_of(outcome).startswith("The user declined to answer (confirm).")
        assert text_of(outcome).endswith("\npurged")
        assert programs.effects == ["purge"]


async def test_an_answer_to_another_question_confirms_nothing() -> None:
    code = 'from tools import cancel_order\nawait cancel_order("o1")\nawait cancel_order("o2")'
    async with running_programs() as programs:
        channel = ReplayChannel(("elicitation",))
        await programs.run(code, asking=channel)
        answers = {key.replace("1.", f"{number}.", 1): YES for key in channel.pending for number in range(2, 9)}
        again = ReplayChannel(("elicitation",), channel.state(), answers)
        await programs.run(code, asking=again)
        assert [query.message for query in again.pending.values()] == ['Cancel order "o1"?']
        assert programs.effects == []


async def test_an_answer_that_is_not_valid_is_asked_for_again() -> None:
    code = 'from tools import cancel_order\nawait cancel_order("o1")'
    wrong = Answer("accept", {"ok": "perhaps"})
    async with running_programs() as programs:
        outcome, asked = await programs.converse(code, [{'Cancel order "o1"?': wrong}, {}])
        assert asked[1].startswith('Cancel order "o1"?\n\nYour previous answer was not valid: ok:')
        assert not programs.effects
        assert outcome.is_error


async def test_a_user_who_cannot_be_asked_has_confirmed_nothing() -> None:
    for confirm in (True, False, "if_possible"):
        async with running_programs(confirm=confirm) as programs:
            text = await programs.failure("from tools import purge\nawait purge()")
            assert "needs a client with the 'elicitation' capability" in text
            assert programs.effects == []


async def test_a_question_of_an_endpoint_is_answered_in_the_middle_of_a_program() -> None:
    code = "from tools import greet\nfirst = await greet()\nfirst"
    async with running_programs() as programs:
        outcome, asked = await programs.converse(code, [{"Your name?": Answer("accept", {"reason": "Ann"})}])
    assert asked == ["Your name?"]
    assert text_of(outcome) == "Hello Ann"


async def test_a_program_continues_in_another_process_of_the_server() -> None:
    channel = ReplayChannel(("elicitation",))
    async with running_programs() as first:
        await first.run(BOTH, asking=channel)
        assert first.effects == []
    async with running_programs() as second:
        answers = dict.fromkeys(channel.pending, YES)
        again = ReplayChannel(("elicitation",), channel.state(), answers)
        await second.run(BOTH, asking=again)
        assert sorted(second.effects) == ["cancel o2", "delete o3"]


async def test_the_state_of_a_paused_program_has_at_most_ten_kilobytes() -> None:
    code = "from tools import list_orders, purge\norders = await list_orders(limit=50)\nawait purge()\nlen(orders)"
    async with running_programs() as programs:
        channel = ReplayChannel(("elicitation",))
        await programs.run(code, asking=channel)
        assert len(channel.state()) < 10_000


async def test_a_program_with_too_much_data_cannot_wait_for_its_user() -> None:
    code = "import random\nfrom tools import purge\nvalues = [random.random() for _ in range(100_000)]\nawait purge()"
    async with running_programs() as programs:
        channel = ReplayChannel(("elicitation",))
        outcome = await programs.run(code, asking=channel)
        assert not channel.pending
        assert "it holds" in text_of(outcome)
        assert programs.effects == []


async def test_a_failure_after_an_answer_lists_the_calls_of_both_halves() -> None:
    code = 'from tools import cancel_order, get_order\nawait get_order("o1")\nawait cancel_order("o2")\n1 / 0'
    async with running_programs() as programs:
        outcome, _ = await programs.converse(code, [{CANCEL_2: YES}])
    lines = text_of(outcome).splitlines()
    assert lines[0] == "The program failed. Line 4: ZeroDivisionError: division by zero"
    assert lines[-2:] == ['1. get_order(order_id="o1"): ok', '2. cancel_order(order_id="o2"): ok']


class Session:
    """The channel of a client in a session, which is asked during the call."""

    kinds = ("elicitation",)

    def __init__(self, effects: list[str]) -> None:
        self.asked: list[str] = []
        self._effects = effects

    async def ask(self, queries: Any) -> dict[str, Answer]:
        self.asked += [query.message for query in queries.values()]
        assert self._effects == []
        return dict.fromkeys(queries, YES)


async def test_in_a_session_the_user_is_asked_during_the_call() -> None:
    code = "import asyncio\nfrom tools import cancel_order, delete_order\n"
    code += 'await asyncio.gather(cancel_order("o2"), delete_order("o3"))\n"done"'
    async with running_programs() as programs:
        session = Session(programs.effects)
        outcome = await programs.run(code, asking=session)
        assert text_of(outcome) == "done"
        assert session.asked == [CANCEL_2, DELETE_3]
        assert sorted(programs.effects) == ["cancel o2", "delete o3"]


_tools = st.sampled_from(
    ['get_order("o1")', 'cancel_order("o2")', 'delete_order("o3")', "purge()", 'add_note("o4", reason="r")']
)
_calls = _tools.map(lambda call: f"await {call}")
_gathered = st.lists(_tools, min_size=1, max_size=4).map(lambda calls: f"await asyncio.gather({', '.join(calls)})")
_by_eval = st.sampled_from(
    [
        """eval('_call("purge", "[[], {}]")')""",
        """exec('_call("delete_order", "[[\\\\"o3\\\\"], {}]")')""",
        "[tool.name for tool in []]",
    ]
)
_caught = (_calls | _gathered).map(lambda line: f"try:\n    {line}\nexcept RuntimeError:\n    pass")
_looped = _calls.map(lambda line: f"for _ in range(2):\n    {line}")
_functions = _calls.map(lambda line: f"async def work():\n    {line}\nawait work()")
_programs = st.lists(_calls | _gathered | _by_eval | _caught | _looped | _functions, min_size=1, max_size=5).map(
    "\n".join
)
_IMPORTS = "import asyncio\nfrom tools import add_note, cancel_order, delete_order, get_order, purge\n"


@settings(max_examples=60, deadline=None)
@given(body=_programs, answers=st.lists(st.booleans(), max_size=8), can_ask=st.booleans())
async def test_no_program_makes_a_destructive_call_without_a_confirmation(
    body: str, answers: list[bool], can_ask: bool
) -> None:
    async with running_programs(make_shop()) as programs:
        confirmed = await _answer_each(programs, _IMPORTS + body, answers if can_ask else None)
        destructive = [effect for effect in programs.effects if not effect.startswith("note")]
        assert len(destructive) <= len(confirmed)
        for effect in set(destructive):
            assert destructive.count(effect) <= confirmed.count(effect)


async def _answer_each(programs: Programs, code: str, answers: list[bool] | None) -> list[str]:
    """Run a program to its end, or to its first question without an answer; return the confirmed effects."""
    effects = {CANCEL_2: "cancel o2", DELETE_3: "delete o3", "Run purge()?": "purge"}
    confirmed: list[str] = []
    if answers is None:
        await programs.run(code)
        return confirmed
    left = iter(answers)
    channel = ReplayChannel(("elicitation",))
    await programs.run(code, asking=channel)
    while channel.pending:
        replies: dict[str, Answer] = {}
        for key, query in channel.pending.items():
            ok = next(left, None)
            if ok is None:
                return confirmed
            replies[key] = YES if ok else NO
            confirmed += [effects[query.message]] if ok else []
        channel = ReplayChannel(("elicitation",), channel.state(), replies)
        await programs.run(code, asking=channel)
    return confirmed


@pytest.mark.parametrize("code", ["from tools import purge\nimport asyncio\nasyncio.run(purge())"])
async def test_calls_outside_of_the_main_coroutine_wait_as_well(code: str) -> None:
    async with running_programs() as programs:
        outcome, asked = await programs.converse(code, [{"Run purge()?": YES}])
        assert asked == ["Run purge()?"]
        assert text_of(outcome) == "purged"
