"""Endpoints for orders."""

from __future__ import annotations

from fastapi import APIRouter

from tools.retail import exchanges, lookup, orders
from tools.retail.desk import Store
from tools.retail.routes.common import OrderIdPath, problems
from tools.retail.routes.suggestions import suggest_order_ids
from tools.retail.schemas import Address, Cancellation, ItemReplacement, ItemReturn, Order, PaymentChange
from toolway import agent_resource, agent_tool

__all__ = ["router"]

router = APIRouter(prefix="/orders/{order_id}")


@router.get("", operation_id="get_order_details", responses=problems(404))
@agent_tool(ui="order_card.html")
@agent_resource("orders://{order_id}", name="order", complete={"order_id": suggest_order_ids})
async def get_order_details(store: Store, order_id: OrderIdPath) -> Order:
    """Get an order with its status, items, address, shipments and payment history.

    Money is in US dollars. The status decides what can be done: a 'pending' order can be cancelled or changed, a
    'delivered' one exchanged or returned.
    """
    async with store.reading() as session:
        return await lookup.order(session, order_id)


@router.post("/cancellation", operation_id="cancel_pending_order", responses=problems(404, 409))
@agent_tool(
    hints={"destructive": True},
    confirm=(
        "Cancel order {order_id} with the reason {reason}? All payments are refunded to their payment methods. "
        "This cannot be undone."
    ),
)
async def cancel_pending_order(store: Store, order_id: OrderIdPath, cancellation: Cancellation) -> Order:
    """Cancel a pending order and refund everything that was paid for it.

    Only an order whose status is exactly 'pending' can be cancelled, and it cannot be undone. Every payment is
    refunded to its method, to a gift card at once. Returns the whole order.
    """
    async with store.writing() as session:
        return await orders.cancel(session, order_id, cancellation.reason)


@router.put("/address", operation_id="modify_pending_order_address", responses=problems(404, 409))
@agent_tool(
    when_to_use="It does not change the user's default address; use modify_user_address for that.",
    confirm="Send order {order_id} to {address1}, {address2}, {city}, {state} {zip}, {country}?",
)
async def modify_pending_order_address(store: Store, order_id: OrderIdPath, address: Address) -> Order:
    """Replace the shipping address of a pending order.

    Works while the status is 'pending' or 'pending (item modified)'. All six fields are replaced together. Returns
    the whole order.
    """
    async with store.writing() as session:
        return await orders.change_address(session, order_id, address)


@router.post("/payments", operation_id="modify_pending_order_payment", responses=problems(404, 409))
@agent_tool(
    confirm=(
        "Pay order {order_id} with {payment_method_id} instead? The previous method is refunded. This works only once."
    )
)
async def modify_pending_order_payment(store: Store, order_id: OrderIdPath, change: PaymentChange) -> Order:
    """Pay a pending order with another payment method of its user.

    Works once per order, while the status is 'pending' or 'pending (item modified)' and the payment history is a
    single payment. The new method pays the same amount in US dollars (a gift card must cover it), and the old one is
    refunded; gift card balances change at once. Returns the whole order.
    """
    async with store.writing() as session:
        return await orders.change_payment(session, order_id, change.payment_method_id)


@router.patch("/items", operation_id="modify_pending_order_items", responses=problems(404, 409))
@agent_tool(
    hints={"destructive": True},
    when_to_use="It works only once per order, so collect all items to change before calling it.",
    confirm=(
        "Change the items {item_ids} of order {order_id} to {new_item_ids}? The difference is settled with "
        "{payment_method_id} at once. This works only once, and the order cannot be cancelled afterwards."
    ),
)
async def modify_pending_order_items(store: Store, order_id: OrderIdPath, replacement: ItemReplacement) -> Order:
    """Change items of a pending order to other variants of the same products.

    Only an order whose status is exactly 'pending' can be changed; afterwards it is 'pending (item modified)' and can
    neither be changed again nor cancelled. The price difference in US dollars is charged or refunded at once; a gift
    card must cover the charge. Call get_product_details first for available variants. Returns the whole order.
    """
    async with store.writing() as session:
        return await exchanges.change_items(session, order_id, replacement)


@router.post("/exchange", operation_id="exchange_delivered_order_items", responses=problems(404, 409))
@agent_tool(
    when_to_use="It works only once per order, so collect all items to exchange before calling it.",
    confirm=(
        "Exchange the items {item_ids} of order {order_id} for {new_item_ids}? The difference is settled with "
        "{payment_method_id} later. This works only once."
    ),
)
async def exchange_delivered_order_items(store: Store, order_id: OrderIdPath, replacement: ItemReplacement) -> Order:
    """Request an exchange of delivered items for variants of the same products.

    Only a 'delivered' order can be exchanged; afterwards it is 'exchange requested'. Nothing is charged yet, but a
    gift card must cover a positive price difference. Call get_product_details first for available variants.
    Returns the whole order with the difference in US dollars.
    """
    async with store.writing() as session:
        return await exchanges.request_exchange(session, order_id, replacement)


@router.post("/return", operation_id="return_delivered_order_items", responses=problems(404, 409))
@agent_tool(
    when_to_use="It works only once per order, so collect all items to return before calling it.",
    confirm=(
        "Return the items {item_ids} of order {order_id}? {payment_method_id} is refunded once they are back. "
        "This works only once."
    ),
)
async def return_delivered_order_items(store: Store, order_id: OrderIdPath, items: ItemReturn) -> Order:
    """Request the return of delivered items for a refund.

    Only a 'delivered' order can be returned; afterwards it is 'return requested'. The refund goes to a gift card of
    the user or to the order's first payment method, once the items are back. Returns the whole order.
    """
    async with store.writing() as session:
        return await exchanges.request_return(session, order_id, items)
