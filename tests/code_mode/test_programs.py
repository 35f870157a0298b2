"""Programs of agents: what they may use, what comes back, and how they are stopped."""

from __future__ import annotations

import asyncio
from typing import Annotated, Any

import pytest
from fastapi import Header

from tests.code_mode.shop import make_shop, running_programs, text_of
from toolway.calls import CallContext, Outcome, Proceed
from toolway.catalog import Tool
from toolway.elicitation import Answer
from toolway.policy import Call, Caller

CONFIRMED = {'Run delete_order(order_id="o1")?': Answer("accept", {"ok": True})}
SUM_OF_ALL = """
import asyncio
from tools import get_order, list_orders
orders = await list_orders(limit=50)
details = await asyncio.gather(*[get_order(order_id=order["order_id"]) for order in orders])
sum(order["total"] for order in details)
"""


async def test_a_program_calls_tools_and_returns_its_last_value() -> None:
    async with running_programs() as programs:
        assert await programs.value(SUM_OF_ALL) == "1837.5"


async def test_a_result_has_what_was_printed_and_the_last_value_as_json() -> None:
    async with running_programs() as programs:
        code = 'from tools import get_order\norder = await get_order("o3")\nprint("status:", order["status"])\norder'
        text = await programs.value(code)
    order = '{"order_id":"o3","customer":"c3","status":"shipped","total":4.5,"note":null}'
    assert text == f"status: shipped\n{order}"


@pytest.mark.parametrize(
    ("expression", "text"),
    [
        ("'text'", "text"),
        ("(1, 'a')", '[1,"a"]'),
        ("{2}", "[2]"),
        ("float('inf')", "Infinity"),
        ("b'abc'", '"abc"'),
        ("None", "The program has no result: print it, or make it the last expression."),
    ],
)
async def test_values_of_python_are_written_as_json(expression: str, text: str) -> None:
    async with running_programs() as programs:
        assert await programs.value(expression) == text


async def test_objects_of_a_program_are_written_with_their_fields() -> None:
    async with running_programs() as programs:
        code = "class Total:\n    def __init__(self):\n        self.amount = 3\nTotal()"
        assert await programs.value(code) == '{"amount":3}'


async def test_calls_run_at_the_same_time_under_gather() -> None:
    async with running_programs() as programs:
        code = "import asyncio\nfrom tools import wait_for_others\n"
        code += "await asyncio.gather(*[wait_for_others(calls=5) for _ in range(5)])"
        assert await programs.value(code) == "[5,5,5,5,5]"


async def test_a_result_that_is_not_json_is_a_string() -> None:
    async with running_programs() as programs:
        outcome, _ = await programs.converse('from tools import delete_order\nawait delete_order("o1")', [CONFIRMED])
    assert text_of(outcome) == "Done: Delete Order (204 No Content)"


async def test_a_wrong_argument_is_found_before_anything_runs() -> None:
    async with running_programs() as programs:
        code = 'from tools import add_note, get_order\nawait add_note("o1", reason="a")\nawait get_order(order=1)'
        text = await programs.failure(code)
        assert programs.effects == []
    assert text.splitlines()[:4] == [
        "The program was not run, and no tool was called:",
        "Line 3: No argument provided for required parameter `order_id` of function `get_order`",
        "Line 3: Argument `order` does not match any known parameter of function `get_order`",
        "    await get_order(order=1)",
    ]
    assert "async def get_order(order_id: str) -> " in text
    assert "add_note" not in text


async def test_a_wrong_key_of_a_result_is_found_before_anything_runs() -> None:
    async with running_programs() as programs:
        text = await programs.failure('from tools import get_order\norder = await get_order("o1")\norder["sum"]')
    assert 'Line 3: Unknown key "sum"' in text
    assert "total: float" in text


async def test_a_value_that_is_not_one_of_the_choices_is_found_before_anything_runs() -> None:
    async with running_programs() as programs:
        text = await programs.failure('from tools import list_orders\nawait list_orders(status="lost")')
    assert "Line 2" in text
    assert "Literal['pending', 'shipped']" in text


async def test_an_unknown_tool_is_refused_with_the_nearest_names() -> None:
    async with running_programs() as programs:
        assert "Did you mean 'get_order'" in await programs.failure("from tools import get_ordr")


async def test_invalid_python_is_refused_with_its_line() -> None:
    async with running_programs() as programs:
        assert "Line 2: " in await programs.failure("x = 1\nif x\n    pass")


async def test_tools_that_are_not_read_only_cannot_be_imported_by_default() -> None:
    async with running_programs(code_tools="read_only") as programs:
        text = await programs.failure('from tools import cancel_order\nawait cancel_order("o1")')
        assert "'cancel_order' is not read-only" in text
        assert programs.effects == []


async def test_a_failure_lists_the_calls_made_before_it() -> None:
    async with running_programs() as programs:
        code = 'from tools import add_note, get_order\nawait add_note("o1", reason="late")\nprint("noted")\n'
        code += 'await get_order("o99")'
        outcome = await programs.run(code)
        assert programs.effects == ["note o1"]
    assert text_of(outcome).splitlines() == [
        "The program failed. Line 4: RuntimeError: 404 Not Found: There is no order 'o99'",
        '    await get_order("o99")',
        "It printed:",
        "noted",
        "It made these calls:",
        '1. add_note(order_id="o1", reason="late"): ok',
        "2. get_order(order_id=\"o99\"): failed: 404 Not Found: There is no order 'o99'",
    ]
    assert outcome.error is not None
    assert [call["status"] for call in outcome.error["calls"]] == ["ok", "error"]


async def test_a_program_can_catch_the_error_of_a_call() -> None:
    async with running_programs() as programs:
        code = 'from tools import get_order\ntry:\n    await get_order("o99")\n'
        code += "except RuntimeError as error:\n    print(error)"
        assert await programs.value(code) == "404 Not Found: There is no order 'o99'\n"


async def test_a_program_may_make_a_limited_number_of_calls() -> None:
    async with running_programs(code_calls=3) as programs:
        code = 'from tools import get_order\nfor _ in range(5):\n    await get_order("o1")'
        text = await programs.failure(code)
    assert "A program may make at most 3 calls" in text
    assert "3. get_order" in text
    assert "4. get_order" not in text


async def test_a_program_that_takes_too_long_is_stopped_with_its_calls() -> None:
    async with running_programs(code_seconds=0.5) as programs:
        text = await programs.failure("from tools import wait_for_others\nawait wait_for_others(calls=2)")
        assert programs.app.state.running == 0
        assert await programs.value("1 + 1") == "2"
    assert "The program was stopped after 0.5 seconds." in text
    assert "1. wait_for_others(calls=2): not finished; it may have had an effect" in text


async def test_output_is_cut_at_the_limit() -> None:
    note = "\n[{} more characters were cut off; select the values that you need]"
    async with running_programs(code_output_tokens=50) as programs:
        assert await programs.value("print('x' * 300)") == "x" * 100 + note.format(201)
        assert await programs.value("'x' * 300") == "x" * 100 + note.format(200)
        assert await programs.value("print('y' * 29)\n'x' * 300") == "y" * 29 + "\n" + "x" * 70 + note.format(230)


@pytest.mark.parametrize(
    "code", ["raise ValueError('x' * 10 ** 6)", "print('x' * 90_000)\n1 / 0", "y = '" + "x" * 90_000]
)
async def test_the_text_of_an_error_is_short(code: str) -> None:
    async with running_programs() as programs:
        assert len(await programs.failure(code)) < 6_000


async def test_progress_of_the_calls_is_progress_of_the_program() -> None:
    reports: list[tuple[float, float | None, str | None]] = []

    async def report(progress: float, total: float | None, message: str | None) -> None:
        reports.append((progress, total, message))

    async with running_programs() as programs:
        await programs.run("from tools import export\nawait export()\nawait export()", report=report)
    assert reports == [
        (0.5, None, "export: half"), (1, None, "export"), (1.5, None, "export: half"), (2, None, "export"),
    ]  # fmt: skip


async def test_a_canceled_program_cancels_its_calls() -> None:
    async with running_programs() as programs:
        run = asyncio.create_task(programs.run("from tools import wait_for_others\nawait wait_for_others(calls=2)"))
        while not programs.app.state.running:
            await asyncio.wait({run}, timeout=0.01)
        run.cancel()
        await asyncio.wait({run})
        await programs.calls.close()
        assert programs.app.state.running == 0


class Audit:
    """A hook that lists calls, and hides some tools."""

    def __init__(self) -> None:
        self.seen: list[tuple[str, dict[str, Any]]] = []

    async def call(self, call: Call, proceed: Proceed) -> Outcome:
        self.seen.append((call.tool.name, dict(call.arguments)))
        return await proceed()

    def visible(self, tool: Tool, caller: Caller) -> bool:
        return tool.name not in {"export", "purge"} or caller.headers.get("x-role") == "staff"


async def test_hooks_run_around_every_call_under_the_name_of_its_tool() -> None:
    audit = Audit()
    async with running_programs(hooks=[audit]) as programs:
        await programs.value('from tools import get_order\nawait get_order("o1")\nawait get_order("o2")')
    assert audit.seen[1:] == [("get_order", {"order_id": "o1"}), ("get_order", {"order_id": "o2"})]
    assert audit.seen[0][0] == "run_code"


async def test_hidden_tools_cannot_be_imported() -> None:
    async with running_programs(hooks=[Audit()], code_tools="read_only") as programs:
        assert "There is no tool 'purge'" in await programs.failure("from tools import purge")
        code = "from tools import export\nawait export()"
        assert "There is no tool 'export'" in await programs.failure(code)
        outcome = await programs.run(code, headers=((b"x-role", b"staff"),))
        assert text_of(outcome) == "exported"


async def test_the_credentials_of_the_caller_reach_the_endpoints() -> None:
    app = make_shop()

    @app.get("/me", operation_id="me")
    async def me(authorization: Annotated[str, Header()]) -> str:
        return authorization

    async with running_programs(app) as programs:
        outcome = await programs.run("from tools import me\nawait me()", headers=((b"authorization", b"Bearer t"),))
        assert text_of(outcome) == "Bearer t"


@pytest.mark.parametrize(
    ("arguments", "problem"),
    [({}, "expected 'code' to be a string"), ({"code": 1}, "got 1"), ({"code": "1", "x": 1}, "unknown argument 'x'")],
)
async def test_run_code_refuses_other_arguments(arguments: dict[str, Any], problem: str) -> None:
    async with running_programs() as programs:
        outcome = await programs.calls.perform(programs.tool, arguments, CallContext())
        assert outcome.is_error
        assert problem in text_of(outcome)
