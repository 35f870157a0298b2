"""The desk itself: arithmetic, and people to turn to."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated

from fastapi import APIRouter, Query, status

from tools.retail import calculator, handovers
from tools.retail.desk import Store
from tools.retail.schemas import Answer, Expression, HandOver, HandOverRequest
from toolway import agent_tool

__all__ = ["router"]

router = APIRouter()


@router.post("/calculations", operation_id="calculate")
@agent_tool(
    hints={"read_only": True, "idempotent": True},
    when_to_use="Take this for every sum told to a customer, such as a refund or a price difference.",
)
async def calculate(question: Expression) -> Answer:
    """Calculate an arithmetic expression exactly and round it to two decimals.

    Knows digits, + - * / ( ) . and spaces, in at most 500 characters and 50 nested brackets; no value on the way may
    go beyond 1,000,000,000,000,000.
    """
    return Answer(result=calculator.calculate(question.expression))


@router.post("/hand-overs", operation_id="transfer_to_human_agents", status_code=status.HTTP_201_CREATED)
@agent_tool(when_to_use="Take this only when the customer asks for a person or no other tool can do what is needed.")
async def transfer_to_human_agents(store: Store, request: HandOverRequest) -> HandOver:
    """Hand the conversation over to people, with a summary of it.

    Records the hand-over for staff to pick up and returns its number. Nothing else changes: no order is touched.
    """
    async with store.writing() as session:
        return await handovers.hand_over(session, request.summary)


@router.get("/hand-overs", operation_id="list_hand_overs")
@agent_tool(hide=True)
async def list_hand_overs(
    store: Store,
    limit: Annotated[int, Query(ge=1, le=500, description="How many to list at most.")] = 50,
    before: Annotated[int | None, Query(description="List only those with a smaller number: the next page.")] = None,
) -> Sequence[HandOver]:
    """List what agents handed over to people, newest first; for staff, not for agents."""
    async with store.reading() as session:
        return await handovers.latest(session, limit, before)
