"""Passing a conversation on to people."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from tests.tools.desk import Desk, fill_store, open_desk
from tests.tools.shop import small_shop


async def test_a_hand_over_is_confirmed_and_staff_can_list_it(desk: Desk) -> None:
    given = await desk.do("transfer_to_human_agents", summary="Wants an order back that was cancelled.")
    assert given["summary"] == "Wants an order back that was cancelled."
    assert datetime.now(UTC) - datetime.fromisoformat(given["created_at"]) < timedelta(minutes=1)
    assert await desk.do("list_hand_overs") == [given]


async def test_staff_page_through_hand_overs_newest_first(desk: Desk) -> None:
    numbers = [(await desk.do("transfer_to_human_agents", summary=f"n {n}"))["hand_over_id"] for n in range(3)]
    first = await desk.do("list_hand_overs", limit=2)
    assert [row["hand_over_id"] for row in first] == [numbers[2], numbers[1]]
    rest = await desk.do("list_hand_overs", limit=2, before=numbers[1])
    assert [row["hand_over_id"] for row in rest] == [numbers[0]]


async def test_a_hand_over_changes_nothing_else_and_survives_an_import(store_url: str) -> None:
    async with open_desk(store_url) as desk:
        before = await desk.everything()
        await desk.do("transfer_to_human_agents", summary="Please call back.")
        assert await desk.everything() == before
    await fill_store(store_url, small_shop())
    async with open_desk(store_url) as desk:
        assert [row["summary"] for row in await desk.do("list_hand_overs")] == ["Please call back."]


async def test_a_summary_is_required(desk: Desk) -> None:
    await desk.refuse(422, "transfer_to_human_agents", summary="")
