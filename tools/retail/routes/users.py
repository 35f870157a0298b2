"""Endpoints for users."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Query
from pydantic import AfterValidator

from tools.retail import lookup, orders
from tools.retail.desk import Store
from tools.retail.routes.common import UserIdPath, problems
from tools.retail.schemas import Address, User, UserId, without_nul
from toolway import agent_tool

__all__ = ["router"]

router = APIRouter(prefix="/users")

QueryText = Annotated[str, AfterValidator(without_nul)]


@router.get("/by-email", operation_id="find_user_id_by_email", responses=problems(404, 409))
@agent_tool(when_to_use="Use this first: identify the customer before looking up or changing anything.")
async def find_user_id_by_email(
    store: Store,
    email: Annotated[
        QueryText,
        Query(min_length=1, max_length=320, description="The customer's e-mail address; case is ignored."),
    ],
) -> UserId:
    """Find a user's id by e-mail address.

    Case is ignored. If no user is found, ask the customer to check the spelling, or use find_user_id_by_name_zip.
    """
    async with store.reading() as session:
        return await lookup.find_by_email(session, email)


@router.get("/by-name", operation_id="find_user_id_by_name_zip", responses=problems(404, 409))
@agent_tool(when_to_use="Use this when the customer does not know the e-mail address of the account.")
async def find_user_id_by_name_zip(
    store: Store,
    first_name: Annotated[
        QueryText,
        Query(min_length=1, max_length=200, description="The customer's first name; case is ignored."),
    ],
    last_name: Annotated[
        QueryText,
        Query(min_length=1, max_length=200, description="The customer's last name; case is ignored."),
    ],
    zip_code: Annotated[
        QueryText,
        Query(
            alias="zip", min_length=1, max_length=20, description="Zip code of the default address, such as '80279'."
        ),
    ],
) -> UserId:
    """Find a user's id by first name, last name and zip code.

    Case is ignored in names; the zip code must be exactly that of the user's default address.
    """
    async with store.reading() as session:
        return await lookup.find_by_name_and_zip(session, first_name, last_name, zip_code)


@router.get("/{user_id}", operation_id="get_user_details", responses=problems(404))
@agent_tool(lint_ignore={"A4": "no user's id is by-email or by-name"})
async def get_user_details(store: Store, user_id: UserIdPath) -> User:
    """Get a user's name, e-mail, default address, payment methods and order ids.

    Gift cards have their balance in US dollars. Call find_user_id_by_email or find_user_id_by_name_zip first.
    """
    async with store.reading() as session:
        return await lookup.user(session, user_id)


@router.put("/{user_id}/address", operation_id="modify_user_address", responses=problems(404))
@agent_tool(
    when_to_use=(
        "Use this for the address of future orders. An existing order keeps its own address; use "
        "modify_pending_order_address for that."
    ),
    confirm=(
        "Make {address1}, {address2}, {city}, {state} {zip}, {country} the default address of {user_id}? Existing "
        "orders keep theirs."
    ),
)
async def modify_user_address(store: Store, user_id: UserIdPath, address: Address) -> User:
    """Replace a user's default address.

    All six fields are replaced together. Returns the whole user with the new address.
    """
    async with store.writing() as session:
        return await orders.change_user_address(session, user_id, address)
