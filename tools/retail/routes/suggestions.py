"""Endpoints that suggest ids, for the completion of resource and prompt arguments."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated

from fastapi import APIRouter, Query
from pydantic import AfterValidator

from tools.retail import lookup
from tools.retail.desk import Store
from tools.retail.schemas import without_nul
from toolway import agent_tool

__all__ = ["router", "suggest_order_ids", "suggest_product_ids", "suggest_user_ids"]

router = APIRouter(prefix="/suggestions")

Typed = Annotated[
    str, AfterValidator(without_nul), Query(max_length=100, description="The text typed so far; may be empty.")
]


@router.get("/orders", operation_id="suggest_order_ids")
@agent_tool(hide=True)
async def suggest_order_ids(store: Store, typed: Typed = "") -> Sequence[str]:
    """Suggest at most 100 order ids."""
    async with store.reading() as session:
        return await lookup.suggested_orders(session, typed)


@router.get("/products", operation_id="suggest_product_ids")
@agent_tool(hide=True)
async def suggest_product_ids(store: Store, typed: Typed = "") -> Sequence[str]:
    """Suggest product ids by id or name."""
    async with store.reading() as session:
        return await lookup.suggested_products(session, typed)


@router.get("/users", operation_id="suggest_user_ids")
@agent_tool(hide=True)
async def suggest_user_ids(store: Store, typed: Typed = "") -> Sequence[str]:
    """Suggest at most 100 user ids."""
    async with store.reading() as session:
        return await lookup.suggested_users(session, typed)
