"""The example with the official client handles its case over both transports, in both eras."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from tests.agents.conftest import SeededDesk
from tests.agents.runs import Run, run_example
from tests.servers import free_port

# Some hold a whole conversation, with a desk that each one starts.
pytestmark = pytest.mark.timeout(180)


async def run_client(*arguments: str, cwd: Path, **env: str | None) -> Run:
    return await run_example("mcp_client.py", *arguments, cwd=cwd, **env)


@pytest.mark.parametrize(("era", "revision"), [("auto", "2026-07-28"), ("legacy", "2025-11-25")])
async def test_it_exchanges_an_item_over_http(seeded_desk: SeededDesk, tmp_path: Path, era: str, revision: str) -> None:
    async with seeded_desk.changed() as changes:
        run = await run_client("--http", seeded_desk.endpoint, "--era", era, cwd=tmp_path)
    run.assert_quiet_success()
    assert f"MCP {revision}, 19 tools" in run.out
    ((order_id, order),) = changes.items()
    assert order["status"] == "exchange requested"
    assert (
        f"exchange_delivered_order_items order_id={order_id} item_ids={order['exchange_items'][0]} "
        f"new_item_ids={order['exchange_new_items'][0]} payment_method_id={order['exchange_payment_method_id']}"
    ) in run.out
    assert f"${abs(order['exchange_price_difference']):,.2f}" in run.out


async def test_it_starts_a_desk_of_its_own_over_stdio_and_leaves_nothing_behind(tmp_path: Path) -> None:
    temporary = tmp_path / "temporary"
    temporary.mkdir()
    run = await run_client(cwd=tmp_path, TMPDIR=str(temporary))
    run.assert_quiet_success()
    assert "over stdio" in run.out
    assert "MCP 2026-07-28, 19 tools" in run.out
    steps = re.findall(r"^\d+\. .*\n   agent  (\w+)", run.out, re.MULTILINE)
    assert steps == [
        "find_user_id_by_email",
        "get_user_details",
        "get_order_details",
        "get_product_details",
        "exchange_delivered_order_items",
        "get_order_details",
    ]
    assert re.search(
        r"desk   exchange requested\n   desk   comes back: .*, \$[\d.]+\n   desk   goes out:   .*, \$[\d.]+\n$", run.out
    )
    assert list(temporary.iterdir()) == []


async def test_a_person_can_say_which_order(seeded_desk: SeededDesk, tmp_path: Path) -> None:
    arguments = ["--http", seeded_desk.endpoint, "--customer-email", "Anton.Romero8621@example.com"]
    chosen = await run_client(*arguments, "--order", "#W1756738", cwd=tmp_path)
    chosen.assert_quiet_success()
    assert "exchange_delivered_order_items order_id=#W1756738" in chosen.out
    again = await run_client(*arguments, "--order", "#W1756738", cwd=tmp_path)
    again.assert_complains(1, "nothing can be exchanged")
    other = await run_client(*arguments, "--order", "#W1", cwd=tmp_path)
    other.assert_complains(2, "'#W1'", "#W1756738")


async def test_a_refusal_by_the_desk_is_told_in_one_line(seeded_desk: SeededDesk, tmp_path: Path) -> None:
    async with seeded_desk.changed() as changes:
        run = await run_client("--http", seeded_desk.endpoint, "--customer-email", "missing@example.com", cwd=tmp_path)
    run.assert_complains(1, "refuses", "404", "'missing@example.com'", "--customer-email")
    assert changes == {}


async def test_a_server_that_is_not_there_is_told_in_one_line(tmp_path: Path) -> None:
    url = f"http://127.0.0.1:{free_port()}/mcp"
    run = await run_client("--http", url, cwd=tmp_path)
    run.assert_complains(2, url, "make serve")
    assert run.out == ""


async def test_options_that_make_no_sense_are_told(tmp_path: Path) -> None:
    for arguments in (["--order", "#W1756738"], ["--http", "localhost:8000"], ["--era", "stone age"]):
        run = await run_client(*arguments, cwd=tmp_path)
        assert (run.code, run.out) == (2, "")
        assert arguments[0] in run.err.splitlines()[-1]
