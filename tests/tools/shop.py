"""A shop small enough to reckon with in one's head."""

from __future__ import annotations

from copy import deepcopy
from typing import Any

SHIRT, MUG = "1000000001", "1000000002"
SHIRT_S, SHIRT_M, SHIRT_GONE, SHIRT_CHEAP = "2000000001", "2000000002", "2000000003", "2000000004"
MUG_WHITE, MUG_BLACK = "2000000011", "2000000012"
ADA, OMAR = "ada_park_1001", "omar_silva_1002"
CARD, PAYPAL, GIFT = "credit_card_1", "paypal_1", "gift_card_1"
OMARS_PAYPAL = "paypal_2"
PENDING, PAID_BY_GIFT, DELIVERED, PROCESSED, CANCELLED, MODIFIED, OMARS, LARGE = (f"#W000000{n}" for n in range(1, 9))

HOME = {
    "address1": "1 Mill Lane",
    "address2": "",
    "city": "Boston",
    "state": "MA",
    "country": "USA",
    "zip": "02110",
}
AWAY = {
    "address1": "9 Harbour Road",
    "address2": "Suite 4",
    "city": "Denver",
    "state": "CO",
    "country": "USA",
    "zip": "80202",
}


def _variant(item_id: str, price: float, *, available: bool = True, **options: str) -> dict[str, Any]:
    return {"item_id": item_id, "price": price, "available": available, "options": options}


_VARIANTS = {
    SHIRT: [
        _variant(SHIRT_S, 20.0, size="S"),
        _variant(SHIRT_M, 25.5, size="M"),
        _variant(SHIRT_GONE, 22.0, size="L", available=False),
        _variant(SHIRT_CHEAP, 12.25, size="XS"),
    ],
    MUG: [_variant(MUG_WHITE, 8.1, color="white"), _variant(MUG_BLACK, 9.9, color="black")],
}
_NAMES = {SHIRT: "Shirt", MUG: "Mug"}


def _item(item_id: str) -> dict[str, Any]:
    for product_id, variants in _VARIANTS.items():
        for variant in variants:
            if variant["item_id"] == item_id:
                kept = {key: variant[key] for key in ("item_id", "price", "options")}
                return {"name": _NAMES[product_id], "product_id": product_id, **kept}
    raise LookupError(item_id)


def _order(order_id: str, user_id: str, status: str, method: str, *item_ids: str) -> dict[str, Any]:
    items = [_item(item_id) for item_id in item_ids]
    paid = {
        "transaction_type": "payment",
        "amount": round(sum(item["price"] for item in items), 2),
        "payment_method_id": method,
    }
    return {
        "order_id": order_id,
        "user_id": user_id,
        "address": HOME,
        "items": items,
        "status": status,
        "fulfillments": [{"tracking_id": ["123456789012"], "item_ids": list(item_ids)}]
        if status == "delivered"
        else [],
        "payment_history": [paid],
        "cancel_reason": None,
        "exchange_items": None,
        "exchange_new_items": None,
        "exchange_payment_method_id": None,
        "exchange_price_difference": None,
        "return_items": None,
        "return_payment_method_id": None,
    }


_ORDERS = [
    _order(PENDING, ADA, "pending", CARD, SHIRT_S, MUG_WHITE, SHIRT_S),
    _order(PAID_BY_GIFT, ADA, "pending", GIFT, MUG_WHITE),
    _order(DELIVERED, ADA, "delivered", PAYPAL, SHIRT_S, SHIRT_M, MUG_WHITE),
    _order(PROCESSED, ADA, "processed", CARD, MUG_BLACK),
    _order(CANCELLED, ADA, "cancelled", CARD, MUG_BLACK),
    _order(MODIFIED, ADA, "pending (item modified)", CARD, MUG_WHITE),
    _order(LARGE, ADA, "pending", CARD, MUG_WHITE),
    _order(OMARS, OMAR, "pending", OMARS_PAYPAL, MUG_WHITE, SHIRT_S),
]


def _user(user_id: str, first: str, last: str, *methods: dict[str, Any]) -> dict[str, Any]:
    return {
        "user_id": user_id,
        "name": {"first_name": first, "last_name": last},
        "address": HOME,
        "email": f"{first}.{last}@Example.com",
        "payment_methods": {method["id"]: method for method in methods},
        "orders": [order["order_id"] for order in _ORDERS if order["user_id"] == user_id],
    }


_USERS = [
    _user(
        ADA,
        "Ada",
        "Park",
        {"source": "credit_card", "id": CARD, "brand": "visa", "last_four": "1234"},
        {"source": "paypal", "id": PAYPAL},
        {"source": "gift_card", "id": GIFT, "balance": 10.0},
    ),
    _user(OMAR, "Omar", "Silva", {"source": "paypal", "id": OMARS_PAYPAL}),
]


def small_shop() -> dict[str, Any]:
    """Return a new copy of the shop, in canonical shape."""
    return deepcopy(
        {
            "products": {
                product_id: {
                    "name": _NAMES[product_id],
                    "product_id": product_id,
                    "variants": {variant["item_id"]: variant for variant in variants},
                }
                for product_id, variants in _VARIANTS.items()
            },
            "users": {user["user_id"]: user for user in _USERS},
            "orders": {order["order_id"]: order for order in _ORDERS},
        }
    )
