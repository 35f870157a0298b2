"""The pydantic-ai example handles its case with a scripted model, and reports what a real model lacks."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from tests.agents.conftest import SeededDesk
from tests.agents.runs import Run, run_example
from tests.servers import free_port

# Some hold a whole conversation, with a desk that each one starts.
pytestmark = pytest.mark.timeout(180)


async def run_agent(*arguments: str, cwd: Path, **env: str | None) -> Run:
    return await run_example("pydantic_ai_agent.py", *arguments, cwd=cwd, **env)


def unfolded(text: str) -> str:
    return " ".join(text.split())


async def test_it_exchanges_an_item_over_http(seeded_desk: SeededDesk, tmp_path: Path) -> None:
    async with seeded_desk.changed() as changes:
        run = await run_agent("--http", seeded_desk.endpoint, cwd=tmp_path)
    run.assert_quiet_success()
    assert f"19 tools of {seeded_desk.endpoint}" in run.out
    ((order_id, order),) = changes.items()
    assert order["status"] == "exchange requested"
    assert (
        f"exchange_delivered_order_items order_id={order_id} item_ids={order['exchange_items'][0]} "
        f"new_item_ids={order['exchange_new_items'][0]} payment_method_id={order['exchange_payment_method_id']}"
    ) in unfolded(run.out)
    assert f"agent The exchange is requested for order {order_id}" in unfolded(run.out)


async def test_it_starts_a_desk_of_its_own_over_stdio_and_leaves_nothing_behind(tmp_path: Path) -> None:
    temporary = tmp_path / "temporary"
    temporary.mkdir()
    run = await run_agent(cwd=tmp_path, TMPDIR=str(temporary))
    run.assert_quiet_success()
    assert run.out.startswith("A scripted model with 19 tools")
    assert re.search(r"^customer  Hello, my e-mail address is \S+@example\.com\.", run.out, re.MULTILINE)
    calls = re.findall(r"^agent     (\w+) \w+=", run.out, re.MULTILINE)
    assert calls == [
        "find_user_id_by_email",
        "get_user_details",
        "get_order_details",
        "get_product_details",
        "exchange_delivered_order_items",
        "get_order_details",
    ]
    assert re.search(r"^desk        \d{10} comes back, \d{10} goes out; difference -?\$[\d.]+$", run.out, re.MULTILINE)
    assert list(temporary.iterdir()) == []


async def test_a_refusal_by_the_desk_reaches_the_customer(seeded_desk: SeededDesk, tmp_path: Path) -> None:
    async with seeded_desk.changed() as changes:
        run = await run_agent("--http", seeded_desk.endpoint, "--customer-email", "missing@example.com", cwd=tmp_path)
    run.assert_complains(1, "without an exchange", "--customer-email")
    assert "desk refuses: 404 Not Found: No user has the e-mail 'missing@example.com'." in unfolded(run.out)
    assert "agent I am sorry, but the desk refuses this: 404" in unfolded(run.out)
    assert changes == {}


async def test_a_model_that_knows_nothing_of_the_case_gets_every_answer_too(tmp_path: Path) -> None:
    """pydantic-ai's own test model calls each of the tools once, at the same time and with made-up arguments."""
    run = await run_agent("--model", "test", cwd=tmp_path)
    run.assert_complains(1, "without an exchange")
    calls = re.findall(r"^agent     ([a-z_]+)(?: \w+=.*)?(?:\n {12}.*)*\ndesk      ", run.out, re.MULTILINE)
    assert len(calls) == len(set(calls)) == 19


async def test_a_server_that_is_not_there_is_told_in_one_line(tmp_path: Path) -> None:
    url = f"http://127.0.0.1:{free_port()}/mcp"
    run = await run_agent("--http", url, cwd=tmp_path)
    run.assert_complains(2, url, "make serve")
    assert run.out == ""


async def test_a_model_that_cannot_be_used_is_told_in_one_line(tmp_path: Path) -> None:
    run = await run_agent("--model", "openai:gpt-5", cwd=tmp_path, OPENAI_API_KEY=None)
    run.assert_complains(2, "'openai:gpt-5'")
    # The provider's library need not be installed here.
    assert re.search(r"Set the `OPENAI_API_KEY`|Please install the `openai` package", run.err)
