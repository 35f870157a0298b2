"""Conversion between the tables and the records of a store.

A row is any object with a table's columns as attributes: the result of a query, or a mapped object.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from operator import attrgetter
from typing import Any, assert_never

from tools.retail import models, schemas
from tools.retail.models import OrderRow, ProductRow, UserRow, VariantRow
from tools.retail.schemas import Address, Order, Product, User

__all__ = [
    "ADDRESS_FIELDS",
    "Fields",
    "Record",
    "fold",
    "order_fields",
    "product_fields",
    "rows_of",
    "user_fields",
    "variant_fields",
]

Record = Product | User | Order
Fields = dict[str, Any]

ADDRESS_FIELDS = tuple(Address.model_fields)


def fold(text: str) -> str:
    """Return the case-folded form of text for lookups."""
    return text.casefold()


def product_fields(row: Any, variants: Iterable[Any]) -> Fields:
    """Return the fields of `Product`."""
    return {
        "name": row.name,
        "product_id": row.id,
        "variants": {variant.id: variant_fields(variant) for variant in variants},
    }


def variant_fields(row: Any) -> Fields:
    """Return the fields of `Variant`."""
    return {"item_id": row.id, "options": row.options, "available": row.available, "price": row.price}


def user_fields(row: Any, payment_methods: Iterable[Any], orders: Iterable[Any]) -> Fields:
    """Return the fields of `User`."""
    return {
        "user_id": row.id,
        "name": _name_fields(row),
        "address": _address_fields(row),
        "email": row.email,
        "payment_methods": {method.id: _METHOD_FIELDS[method.source](method) for method in payment_methods},
        "orders": [entry.order_id for entry in orders],
    }


def order_fields(row: Any, items: Iterable[Any], payments: Iterable[Any], fulfillments: Iterable[Any]) -> Fields:
    """Return the fields of `Order`."""
    return {
        "order_id": row.id,
        "address": _address_fields(row),
        "items": [_item_fields(item) for item in items],
        "fulfillments": [_fulfillment_fields(shipment) for shipment in fulfillments],
        "payment_history": [_payment_fields(payment) for payment in payments],
        **_own_order_fields(row),
    }


def _reader(names: Iterable[str]) -> Callable[[Any], Fields]:
    """Return a function that reads these columns, with `attrgetter` for speed on millions of rows."""
    keys = tuple(names)
    values = attrgetter(*keys)
    return lambda row: dict(zip(keys, values(row), strict=True))


_AFTERMATH = tuple(name for name, field in Order.model_fields.items() if not field.is_required())
_own_order_fields = _reader(["user_id", "status", *_AFTERMATH])
_name_fields = _reader(schemas.Name.model_fields)
_address_fields = _reader(ADDRESS_FIELDS)
_item_fields = _reader(schemas.Item.model_fields)
_payment_fields = _reader(schemas.Payment.model_fields)
_fulfillment_fields = _reader(schemas.Fulfillment.model_fields)
_METHOD_FIELDS = {
    "credit_card": _reader(schemas.CreditCard.model_fields),
    "paypal": _reader(schemas.Paypal.model_fields),
    "gift_card": _reader(schemas.GiftCard.model_fields),
}


def rows_of(record: Record) -> Iterator[tuple[type[models.Base], Fields]]:
    """Yield every row of a record, with its table."""
    match record:
        case Product():
            yield from _product_rows(record)
        case User():
            yield from _user_rows(record)
        case Order():
            yield from _order_rows(record)
        case _:
            assert_never(record)


def _product_rows(product: Product) -> Iterator[tuple[type[models.Base], Fields]]:
    yield ProductRow, {"id": product.product_id, "name": product.name}
    for variant in product.variants.values():
        row = _plain(variant)
        yield VariantRow, {"id": row.pop("item_id"), "product_id": product.product_id, **row}


def _user_rows(user: User) -> Iterator[tuple[type[models.Base], Fields]]:
    first, last = user.name.first_name, user.name.last_name
    yield (
        UserRow,
        {
            "id": user.user_id,
            "first_name": first,
            "last_name": last,
            "email": user.email,
            "first_name_folded": fold(first),
            "last_name_folded": fold(last),
            "email_folded": fold(user.email),
            **_plain(user.address),
        },
    )
    absent = {"brand": None, "last_four": None, "balance": None}
    for method in user.payment_methods.values():
        yield models.PaymentMethodRow, {"user_id": user.user_id, **absent, **_plain(method)}
    for position, order_id in enumerate(user.orders):
        yield models.UserOrderRow, {"user_id": user.user_id, "position": position, "order_id": order_id}


def _order_rows(order: Order) -> Iterator[tuple[type[models.Base], Fields]]:
    yield (
        OrderRow,
        {
            "id": order.order_id,
            "user_id": order.user_id,
            "status": order.status,
            **_plain(order.address),
            **{name: getattr(order, name) for name in _AFTERMATH},
        },
    )
    for table, entries in (
        (models.ItemRow, order.items),
        (models.PaymentRow, order.payment_history),
        (models.FulfillmentRow, order.fulfillments),
    ):
        for position, entry in enumerate(entries):
            yield table, {"order_id": order.order_id, "position": position, **_plain(entry)}


def _plain(record: schemas.Record) -> Fields:
    """Return the fields without a deep copy, which `model_dump` would make."""
    return dict(record.__dict__)
