"""Generated products, customers and orders, which depend only on the requested numbers.

Everything about the n-th customer is derived from n, so that only one customer is in memory at a time.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from decimal import Decimal
from math import gcd
from random import Random

from tools.retail.schemas import (
    Address,
    CancelReason,
    CreditCard,
    Fulfillment,
    GiftCard,
    Item,
    Name,
    Order,
    Payment,
    Paypal,
    Product,
    Status,
    User,
)
from tools.retail.wares import make_products

__all__ = ["DEFAULT_SIZE", "Size", "seed_records"]


@dataclass(frozen=True)
class Size:
    """The number of customers and orders to generate."""

    customers: int = 500
    orders: int = 1000


DEFAULT_SIZE = Size()

_FIRST = """
Ada Amira Anton Beatriz Bruno Carla Chidi Clara Dario Divya Elias Emeka Esther Fatima Felix Greta Hana Hugo Ines Ivan
Jonas Julia Kenji Leila Linus Lucia Malik Marta Milan Nadia Nils Noor Olga Omar Paula Pedro Quinn Rania Robin Rosa
Samir Selma Tariq Tessa Tomas Uma Vera Viktor Wanda Yusra
"""
_LAST = """
Abbas Almeida Becker Bianchi Castillo Chen Costa Dubois Eriksen Fischer Fofana Gupta Haddad Hansen Ivanov Jansen Kaya
Kowalski Larsen Lopez Marino Mensah Meyer Nakamura Novak Okafor Olsen Park Pereira Petrov Ramos Richter Rojas Romero
Sato Schmid Sharma Silva Tanaka Torres Varga Vogel Weber Yilmaz Zhang
"""
_FIRST_NAMES, _LAST_NAMES = _FIRST.split(), _LAST.split()
_STREETS = (
    "Maple Street", "Harbour Road", "Mill Lane", "Station Road", "Orchard Avenue", "Bridge Street", "Garden Row",
)  # fmt: skip
_PLACES = (
    ("Austin", "TX", 78701),
    ("Boston", "MA", 2108),
    ("Chicago", "IL", 60601),
    ("Denver", "CO", 80202),
    ("Miami", "FL", 33101),
    ("Phoenix", "AZ", 85003),
    ("Portland", "OR", 97201),
    ("Seattle", "WA", 98101),
)
_BRANDS = ("mastercard", "visa")
_REASONS: tuple[CancelReason, ...] = ("no longer needed", "ordered by mistake")
_STATUSES: dict[Status, int] = {
    "pending": 8,
    "delivered": 7,
    "processed": 3,
    "cancelled": 2,
}  # with their relative frequencies
_ORDERS_PER_CUSTOMER = (2, 1, 4, 0, 3, 1, 2, 6, 0, 1)  # repeated for all customers; only the proportions matter

Method = CreditCard | Paypal | GiftCard


def seed_records(size: Size) -> Iterator[Product | User | Order]:
    """Yield the records of a generated store: products, then each customer with their orders."""
    products = make_products()
    yield from products
    shelf = [
        Item(
            name=product.name,
            product_id=product.product_id,
            item_id=variant.item_id,
            price=variant.price,
            options=variant.options,
        )
        for product in products
        for variant in product.variants.values()
    ]
    for index, indexes in enumerate(_shares(size)):
        random = Random(index)  # noqa: S311 (nothing here is a secret)
        user = _user(index, size, [_order_id(each, size) for each in indexes], random)
        yield user
        for order_id in user.orders:
            yield _order(order_id, user, shelf, random)


def _shares(size: Size) -> Iterator[range]:
    """Yield the range of order indexes of each customer."""
    rounds, rest = divmod(size.customers, len(_ORDERS_PER_CUSTOMER))
    weight = rounds * sum(_ORDERS_PER_CUSTOMER) + sum(_ORDERS_PER_CUSTOMER[:rest])
    passed = first = 0
    for index in range(size.customers):
        passed += _ORDERS_PER_CUSTOMER[index % len(_ORDERS_PER_CUSTOMER)]
        end = size.orders * passed // weight
        yield range(first, end)
        first = end


def _order_id(index: int, size: Size) -> str:
    return f"#W{_scattered(index, size.orders, digits=7)}"


def _scattered(index: int, count: int, digits: int) -> int:
    """Return a random-looking number that is unique for every ``index`` below ``count``."""
    digits = max(digits, len(str(count)) + 1)
    lowest, span = 10 ** (digits - 1), 9 * 10 ** (digits - 1)
    step = int(span * 0.618) | 1
    while gcd(step, span) != 1:
        step += 2
    return lowest + index * step % span


def _user(index: int, size: Size, order_ids: list[str], random: Random) -> User:
    first, last = random.choice(_FIRST_NAMES), random.choice(_LAST_NAMES)
    number = _scattered(index, size.customers, digits=4)
    methods = _methods(random)
    return User(
        user_id=f"{first}_{last}_{number}".lower(),
        name=Name(first_name=first, last_name=last),
        address=_address(random),
        email=f"{first}.{last}{number}@example.com".lower(),
        payment_methods={method.id: method for method in methods},
        orders=order_ids,
    )


def _address(random: Random) -> Address:
    city, state, first_zip = random.choice(_PLACES)
    return Address(
        address1=f"{random.randint(1, 999)} {random.choice(_STREETS)}",
        address2=f"Suite {random.randint(100, 999)}" if random.random() < 0.5 else "",
        city=city,
        state=state,
        country="USA",
        zip=f"{first_zip + random.randint(0, 90):05}",
    )


def _methods(random: Random) -> list[Method]:
    """Return one to three payment methods of different kinds."""
    methods: list[Method] = [
        CreditCard(
            source="credit_card",
            id=f"credit_card_{_digits(random, 7)}",
            brand=random.choice(_BRANDS),
            last_four=_digits(random, 4),
        ),
        Paypal(source="paypal", id=f"paypal_{_digits(random, 7)}"),
        GiftCard(source="gift_card", id=f"gift_card_{_digits(random, 7)}", balance=_cents(random.randint(0, 20_000))),
    ]
    return random.sample(methods, random.randint(1, 3))


def _digits(random: Random, count: int) -> str:
    return str(random.randrange(10 ** (count - 1), 10**count))


def _cents(cents: int) -> Decimal:
    return Decimal(cents).scaleb(-2)


def _order(order_id: str, user: User, shelf: Sequence[Item], random: Random) -> Order:
    items = random.choices(shelf, k=random.randint(1, 5))
    status = random.choices(list(_STATUSES), list(_STATUSES.values()))[0]
    return Order(
        order_id=order_id,
        user_id=user.user_id,
        address=user.address,
        items=items,
        status=status,
        fulfillments=_fulfillments(items, random) if status in {"processed", "delivered"} else [],
        payment_history=_payments(items, user, random, refunded=status == "cancelled"),
        cancel_reason=random.choice(_REASONS) if status == "cancelled" else None,
    )


def _fulfillments(items: Sequence[Item], random: Random) -> list[Fulfillment]:
    return [Fulfillment(tracking_id=[_digits(random, 12)], item_ids=[item.item_id for item in items])]


def _payments(items: Sequence[Item], user: User, random: Random, *, refunded: bool) -> list[Payment]:
    total = sum((item.price for item in items), Decimal(0))
    method = random.choice(list(user.payment_methods))
    payment = Payment(transaction_type="payment", amount=total, payment_method_id=method)
    return [payment, payment.model_copy(update={"transaction_type": "refund"})] if refunded else [payment]
