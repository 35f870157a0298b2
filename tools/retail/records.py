"""Between the tables and the records of a store, both ways.

A row here is anything that has a table's columns as attributes: what a plain query returns, or a mapped object.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any, assert_never

from tools.retail import models, schemas
from tools.retail.models import OrderRow, ProductRow, UserRow, VariantRow
from tools.retail.schemas import Address, CreditCard, GiftCard, Order, Paypal, Product, User, Variant

__all__ = [
    "ADDRESS_FIELDS",
    "Record",
    "Row",
    "fold",
    "order_of",
    "product_of",
    "rows_of",
    "user_of",
    "variant_of",
]

Record = Product | User | Order
Row = dict[str, Any]

ADDRESS_FIELDS = tuple(Address.model_fields)


def fold(text: str) -> str:
    """Return the form under which text is found whatever its case."""
    return text.casefold()


def product_of(row: Any, variants: Iterable[Any]) -> Product:
    """Return a product with its variants."""
    return Product(name=row.name, product_id=row.id, variants={variant.id: variant_of(variant) for variant in variants})


def variant_of(row: Any) -> Variant:
    """Return one variant."""
    return Variant(item_id=row.id, options=row.options, available=row.available, price=row.price)


def user_of(row: Any, payment_methods: Iterable[Any], orders: Iterable[Any]) -> User:
    """Return a user with payment methods and orders."""
    return User(
        user_id=row.id,
        name=schemas.Name(first_name=row.first_name, last_name=row.last_name),
        address=_address_of(row),
        email=row.email,
        payment_methods={method.id: _payment_method_of(method) for method in payment_methods},
        orders=[entry.order_id for entry in orders],
    )


def order_of(row: Any, items: Iterable[Any], payments: Iterable[Any], fulfillments: Iterable[Any]) -> Order:
    """Return an order with its items, payments and shipments."""
    return Order.model_validate(
        {
            "order_id": row.id,
            "user_id": row.user_id,
            "address": _address_of(row),
            "items": [_fields(item, schemas.Item) for item in items],
            "status": row.status,
            "fulfillments": [_fields(shipment, schemas.Fulfillment) for shipment in fulfillments],
            "payment_history": [_fields(payment, schemas.Payment) for payment in payments],
            **{name: getattr(row, name) for name in _AFTERMATH},
        }
    )


_AFTERMATH = tuple(name for name, field in Order.model_fields.items() if not field.is_required())


def _fields(row: Any, schema: type[schemas.Record]) -> Row:
    return {name: getattr(row, name) for name in schema.model_fields}


def _address_of(row: Any) -> Address:
    return Address.model_validate({name: getattr(row, name) for name in ADDRESS_FIELDS})


def _payment_method_of(row: Any) -> CreditCard | Paypal | GiftCard:
    schema = _PAYMENT_METHODS[row.source]
    return schema.model_validate(_fields(row, schema))


_PAYMENT_METHODS: dict[str, type[CreditCard | Paypal | GiftCard]] = {
    "credit_card": CreditCard,
    "paypal": Paypal,
    "gift_card": GiftCard,
}


def rows_of(record: Record) -> Iterator[tuple[type[models.Base], Row]]:
    """Yield every row that a record consists of, with its table."""
    match record:
        case Product():
            yield from _product_rows(record)
        case User():
            yield from _user_rows(record)
        case Order():
            yield from _order_rows(record)
        case _:
            assert_never(record)


def _product_rows(product: Product) -> Iterator[tuple[type[models.Base], Row]]:
    yield ProductRow, {"id": product.product_id, "name": product.name}
    for variant in product.variants.values():
        row = _plain(variant)
        yield VariantRow, {"id": row.pop("item_id"), "product_id": product.product_id, **row}


def _user_rows(user: User) -> Iterator[tuple[type[models.Base], Row]]:
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


def _order_rows(order: Order) -> Iterator[tuple[type[models.Base], Row]]:
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


def _plain(record: schemas.Record) -> Row:
    """The fields as they are; `model_dump` would walk and copy them."""
    return dict(record.__dict__)
