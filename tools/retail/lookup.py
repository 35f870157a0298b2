"""Lookup of users, orders, products and items."""

from __future__ import annotations

from collections.abc import Sequence

from sqlalchemy import ColumnElement, select
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.orm import InstrumentedAttribute

from tools.retail.errors import Conflict, NotFound
from tools.retail.loading import load_orders, load_products, load_users
from tools.retail.models import OrderRow, ProductRow, UserRow, VariantRow
from tools.retail.records import fold, variant_fields
from tools.retail.schemas import Order, Product, User, UserId, Variant

__all__ = [
    "find_by_email",
    "find_by_name_and_zip",
    "item",
    "no_such_order",
    "no_such_user",
    "order",
    "product",
    "product_types",
    "suggested_orders",
    "suggested_products",
    "suggested_users",
    "user",
]

_MOST_SUGGESTED = 100


async def find_by_email(session: AsyncSession, email: str) -> UserId:
    """Return the id of the user with an e-mail address, ignoring case."""
    found = await _user_ids(session, UserRow.email_folded == fold(email))
    if not found:
        raise NotFound(
            f"No user has the e-mail {email!r}. Ask for the spelling, or call find_user_id_by_name_zip with the "
            "customer's first name, last name and zip code."
        )
    return _only(found, "e-mail address", "find_user_id_by_name_zip")


async def find_by_name_and_zip(session: AsyncSession, first_name: str, last_name: str, zip_code: str) -> UserId:
    """Return the id of the user with a name, ignoring case, and this zip code in the default address."""
    found = await _user_ids(
        session,
        UserRow.last_name_folded == fold(last_name),
        UserRow.first_name_folded == fold(first_name),
        UserRow.zip == zip_code,
    )
    if not found:
        raise NotFound(
            f"No user is called {first_name!r} {last_name!r} in zip code {zip_code!r}. Ask for the spelling and the "
            "zip code of the default address, or call find_user_id_by_email."
        )
    return _only(found, "name and zip code", "find_user_id_by_email")


async def _user_ids(session: AsyncSession, *conditions: ColumnElement[bool]) -> Sequence[str]:
    return (await session.scalars(select(UserRow.id).where(*conditions).limit(2))).all()


def _only(found: Sequence[str], key: str, other_tool: str) -> UserId:
    """Return the only id; guessing between users could reveal one user's account to another."""
    if len(found) > 1:
        raise Conflict(f"More than one user has this {key}. Call {other_tool} instead.")
    return UserId(user_id=found[0])


async def user(session: AsyncSession, user_id: str) -> User:
    """Return a user."""
    found = await load_users(session, UserRow.id == user_id)
    if not found:
        raise no_such_user(user_id)
    return User.model_validate(found[0])


def no_such_user(user_id: str) -> NotFound:
    """Return the error for an unknown user id."""
    return NotFound(
        f"User {user_id!r} not found. Call find_user_id_by_email or find_user_id_by_name_zip to get the user id."
    )


async def order(session: AsyncSession, order_id: str) -> Order:
    """Return an order."""
    found = await load_orders(session, OrderRow.id == order_id)
    if not found:
        raise no_such_order(order_id)
    return Order.model_validate(found[0])


def no_such_order(order_id: str) -> NotFound:
    """Return the error for an unknown order id."""
    shape = "" if order_id.startswith("#W") else " An order id starts with '#W', such as '#W2378156'."
    return NotFound(
        f"Order {order_id!r} not found.{shape} Check the id with the customer, or call get_user_details for the ids "
        "of a user's orders."
    )


async def product_types(session: AsyncSession) -> dict[str, str]:
    """Return the id of every product by its name, sorted by name."""
    rows = await session.execute(select(ProductRow.name, ProductRow.id))
    return dict(sorted((name, product_id) for name, product_id in rows))


async def product(session: AsyncSession, product_id: str) -> Product:
    """Return a product with its variants."""
    found = await load_products(session, ProductRow.id == product_id)
    if found:
        return Product.model_validate(found[0])
    variant = await session.get(VariantRow, product_id)
    if variant is not None:
        raise NotFound(
            f"{product_id!r} is an item id. Call get_item_details for it, or get_product_details with its product id "
            f"{variant.product_id!r}."
        )
    raise NotFound(f"Product {product_id!r} not found. Call list_all_product_types for the product ids.")


async def item(session: AsyncSession, item_id: str) -> Variant:
    """Return a variant by its item id."""
    row = await session.get(VariantRow, item_id)
    if row is not None:
        return Variant.model_validate(variant_fields(row))
    if await session.get(ProductRow, item_id) is not None:
        raise NotFound(f"{item_id!r} is a product id. Call get_product_details for the item ids of its variants.")
    raise NotFound(f"Item {item_id!r} not found. Item ids come from get_order_details and get_product_details.")


async def suggested_orders(session: AsyncSession, text: str) -> Sequence[str]:
    """Return order ids that start with the typed text, ignoring case and with or without '#W'."""
    return await _starting_with(session, OrderRow.id, f"#W{text.upper().lstrip('#').removeprefix('W')}")


async def suggested_users(session: AsyncSession, text: str) -> Sequence[str]:
    """Return user ids that start with the typed text."""
    return await _starting_with(session, UserRow.id, text.lower())


async def suggested_products(session: AsyncSession, text: str) -> Sequence[str]:
    """Return ids of products whose id or name contains the typed text, sorted by name."""
    typed = fold(text)
    types = await product_types(session)
    return [product_id for name, product_id in types.items() if typed in product_id or typed in fold(name)]


async def _starting_with(session: AsyncSession, column: InstrumentedAttribute[str], start: str) -> Sequence[str]:
    """Query a range, which uses the index on every database."""
    query = select(column).where(column >= start, column < f"{start}\U0010ffff").order_by(column).limit(_MOST_SUGGESTED)
    return (await session.scalars(query)).all()
