"""Endpoints for products and their variants."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter

from tools.retail import lookup
from tools.retail.desk import Store
from tools.retail.routes.common import PathText, problems, text_path
from tools.retail.routes.suggestions import suggest_product_ids
from tools.retail.schemas import Product, Variant
from toolway import agent_resource

__all__ = ["router"]

router = APIRouter()


@router.get("/products", operation_id="list_all_product_types")
async def list_all_product_types(store: Store) -> dict[str, str]:
    """List every product type with its product id, sorted by name.

    Call get_product_details with a product id for its variants, their prices and whether they are available.
    """
    async with store.reading() as session:
        return await lookup.product_types(session)


@router.get("/products/{product_id}", operation_id="get_product_details", responses=problems(404))
@agent_resource("products://{product_id}", name="product", complete={"product_id": suggest_product_ids})
async def get_product_details(
    store: Store,
    product_id: Annotated[
        PathText,
        text_path(
            "Product id, ten digits such as '9523456873', from list_all_product_types or an order's items; never an "
            "item id."
        ),
    ],
) -> Product:
    """Get a product with all its variants: options, price in US dollars, and whether each is available.

    Variants are keyed by item id, which modify_pending_order_items and exchange_delivered_order_items take.
    """
    async with store.reading() as session:
        return await lookup.product(session, product_id)


@router.get("/items/{item_id}", operation_id="get_item_details", responses=problems(404))
async def get_item_details(
    store: Store,
    item_id: Annotated[
        PathText,
        text_path(
            "Item id of a variant, ten digits such as '9612497925', from get_order_details or get_product_details; "
            "never a product id."
        ),
    ],
) -> Variant:
    """Get one variant by its item id: options, current price in US dollars, and whether it is available.

    The price in an order may differ, because an order keeps the price paid.
    """
    async with store.reading() as session:
        return await lookup.item(session, item_id)
