"""Endpoints of the service itself: arithmetic, hand-overs, rules and a briefing."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated

from fastapi import APIRouter, Query, status
from fastapi.responses import PlainTextResponse

from tools.retail import calculator, handovers, lookup, policy
from tools.retail.desk import Store
from tools.retail.routes.common import PathText, problems
from tools.retail.routes.suggestions import suggest_user_ids
from tools.retail.schemas import Answer, Expression, HandOver, HandOverRequest
from toolway import agent_prompt, agent_resource, agent_tool

__all__ = ["router"]

router = APIRouter()


@router.post("/calculations", operation_id="calculate")
@agent_tool(
    hints={"read_only": True, "idempotent": True},
    when_to_use="Use this for every amount given to a customer, such as a refund or a price difference.",
)
async def calculate(question: Expression) -> Answer:
    """Calculate an arithmetic expression exactly and round it to two decimals.

    Accepts digits, + - * / ( ) . and spaces, at most 500 characters and 50 nested parentheses; no intermediate value
    may exceed 1,000,000,000,000,000.
    """
    return Answer(result=calculator.calculate(question.expression))


@router.post("/hand-overs", operation_id="transfer_to_human_agents", status_code=status.HTTP_201_CREATED)
@agent_tool(when_to_use="Use this only when the customer asks for a person or no other tool can do what is needed.")
async def transfer_to_human_agents(store: Store, request: HandOverRequest) -> HandOver:
    """Hand the conversation over to people, with a summary of it.

    Records the hand-over for staff to pick up and returns its id. No order is changed.
    """
    async with store.writing() as session:
        return await handovers.hand_over(session, request.summary)


@router.get("/policies/returns", operation_id="get_return_policy", response_class=PlainTextResponse)
@agent_tool(hide=True)
@agent_resource("policy://returns", name="return_policy", title="Return policy", mime_type="text/markdown")
async def get_return_policy() -> PlainTextResponse:
    """Read the rules for cancellations, changes, exchanges, returns and refunds."""
    return PlainTextResponse(policy.RETURNS, media_type="text/markdown")


@router.get("/briefing", operation_id="brief_support_agent", response_class=PlainTextResponse, responses=problems(404))
@agent_prompt(title="Brief a support agent", complete={"user_id": suggest_user_ids})
async def brief_support_agent(
    store: Store,
    user_id: Annotated[
        PathText | None,
        Query(min_length=1, max_length=100, description="User id of the customer, if known."),
    ] = None,
) -> str:
    """Return instructions for serving customers: the rules of the shop, and the customer if known."""
    if user_id is None:
        return policy.briefing(None)
    async with store.reading() as session:
        return policy.briefing(await lookup.user(session, user_id))


@router.get("/hand-overs", operation_id="list_hand_overs")
@agent_tool(hide=True)
async def list_hand_overs(
    store: Store,
    limit: Annotated[int, Query(ge=1, le=500, description="How many to list at most.")] = 50,
    before: Annotated[int | None, Query(description="List only those with a smaller id: the next page.")] = None,
) -> Sequence[HandOver]:
    """List hand-overs, newest first; for staff, not for agents."""
    async with store.reading() as session:
        return await handovers.latest(session, limit, before)
