"""The JSON records of a store, and the request bodies of the order desk.

The same classes are used for responses and for stored files, so that both always have the same form.
"""

from __future__ import annotations

from datetime import datetime
from decimal import Decimal
from typing import Annotated, Literal

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field, PlainSerializer

__all__ = [
    "Address",
    "Answer",
    "CancelReason",
    "Cancellation",
    "CreditCard",
    "Expression",
    "Fulfillment",
    "GiftCard",
    "HandOver",
    "HandOverRequest",
    "Item",
    "ItemReplacement",
    "ItemReturn",
    "Name",
    "Order",
    "Payment",
    "PaymentChange",
    "PaymentMethod",
    "Paypal",
    "Product",
    "Status",
    "Text",
    "User",
    "UserId",
    "Variant",
    "without_nul",
]


def _to_cents(value: object) -> object:
    """Round a float from JSON to the nearest cent."""
    return Decimal(f"{value:.2f}") if isinstance(value, int | float) and not isinstance(value, bool) else value


def without_nul(value: str) -> str:
    if "\0" in value:
        raise ValueError("must not contain the NUL character")
    return value


Money = Annotated[
    Decimal,
    Field(ge=-(10**12), le=10**12, decimal_places=2),
    BeforeValidator(_to_cents, json_schema_input_type=float),
    PlainSerializer(float, return_type=float, when_used="json"),
]
Text = Annotated[str, AfterValidator(without_nul)]
Id = Annotated[Text, Field(min_length=1, max_length=100)]

Status = Literal[
    "pending",
    "pending (item modified)",
    "processed",
    "delivered",
    "cancelled",
    "exchange requested",
    "return requested",
]
CancelReason = Literal["no longer needed", "ordered by mistake"]


class Record(BaseModel):
    """A record with exactly these fields."""

    # Responses contain every field, including null ones.
    model_config = ConfigDict(extra="forbid", json_schema_serialization_defaults_required=True)


class Variant(Record):
    """One variant of a product, which can be ordered under its item id."""

    item_id: Id = Field(description="Item id of the variant, ten digits such as '9612497925'.")
    options: dict[Text, Text] = Field(description="Options of the variant, such as {'color': 'blue', 'size': 'M'}.")
    available: bool = Field(description="Whether the variant can be ordered or exchanged for now.")
    price: Money = Field(description="Price in US dollars, two decimals.")


class Product(Record):
    """A product type with all its variants."""

    name: Text = Field(description="Name of the product type, such as 'T-Shirt'.")
    product_id: Id = Field(description="Product id, ten digits such as '9523456873'; never an item id.")
    variants: dict[Id, Variant] = Field(description="All variants, keyed by item id.")


class Name(Record):
    """A person's name."""

    first_name: Text = Field(description="Given name.")
    last_name: Text = Field(description="Family name.")


class Address(Record):
    """A postal address."""

    address1: Annotated[Text, Field(max_length=200)] = Field(
        description="Street and number, such as '986 Sunset Drive'."
    )
    address2: Annotated[Text, Field(max_length=200)] = Field(
        description="Apartment or suite, such as 'Suite 259'; or an empty string."
    )
    city: Annotated[Text, Field(max_length=200)] = Field(description="City, such as 'Denver'.")
    state: Annotated[Text, Field(max_length=200)] = Field(description="State, as its two letters such as 'CO'.")
    country: Annotated[Text, Field(max_length=200)] = Field(description="Country, such as 'USA'.")
    zip: Annotated[Text, Field(max_length=20)] = Field(description="Postal code, such as '80279'.")


class CreditCard(Record):
    """A credit card."""

    source: Literal["credit_card"] = Field(description="Always 'credit_card'.")
    id: Id = Field(description="Payment method id, such as 'credit_card_7815826'.")
    brand: Text = Field(description="Brand, such as 'mastercard'.")
    last_four: Text = Field(description="Last four digits of the card's number.")


class Paypal(Record):
    """A PayPal account."""

    source: Literal["paypal"] = Field(description="Always 'paypal'.")
    id: Id = Field(description="Payment method id, such as 'paypal_5727330'.")


class GiftCard(Record):
    """A gift card, which can pay up to its balance."""

    source: Literal["gift_card"] = Field(description="Always 'gift_card'.")
    id: Id = Field(description="Payment method id, such as 'gift_card_1725971'.")
    balance: Money = Field(description="Remaining balance in US dollars, two decimals.")


PaymentMethod = Annotated[CreditCard | Paypal | GiftCard, Field(discriminator="source")]


class User(Record):
    """A customer, with payment methods and orders."""

    user_id: Id = Field(description="User id, such as 'noah_brown_6181'.")
    name: Name = Field(description="The user's name.")
    address: Address = Field(description="The user's default address; each order has its own address.")
    email: Text = Field(description="E-mail address.")
    payment_methods: dict[Id, PaymentMethod] = Field(description="All payment methods, keyed by payment method id.")
    orders: list[Id] = Field(description="Ids of all the user's orders, in the order in which they were placed.")


class Item(Record):
    """One item of an order."""

    name: Text = Field(description="Name of the product type, such as 'T-Shirt'.")
    product_id: Id = Field(description="Product id; get_product_details lists the variants it can be changed to.")
    item_id: Id = Field(description="Item id of the ordered variant.")
    price: Money = Field(description="Price paid, in US dollars, two decimals.")
    options: dict[Text, Text] = Field(description="Options of the ordered variant.")


class Fulfillment(Record):
    """One shipment of an order."""

    tracking_id: list[Text] = Field(description="Tracking numbers of the shipment.")
    item_ids: list[Id] = Field(description="Item ids in the shipment.")


class Payment(Record):
    """One entry in the payment history of an order."""

    transaction_type: Literal["payment", "refund"] = Field(description="Whether money was charged or refunded.")
    amount: Money = Field(description="Amount in US dollars, two decimals, never negative.")
    payment_method_id: Id = Field(description="Payment method that was charged or refunded.")


class Order(Record):
    """An order."""

    order_id: Id = Field(description="Order id with its leading '#', such as '#W2378156'.")
    user_id: Id = Field(description="Id of the user who placed the order.")
    address: Address = Field(description="Where the order is sent.")
    items: list[Item] = Field(description="The ordered items; the same item id may appear more than once.")
    status: Status = Field(description="Status of the order, which determines what can be done with it.")
    fulfillments: list[Fulfillment] = Field(description="Shipments so far, oldest first.")
    payment_history: list[Payment] = Field(description="Payments and refunds, oldest first.")
    cancel_reason: CancelReason | None = Field(default=None, description="Why the order was cancelled, or null.")
    exchange_items: list[Id] | None = Field(
        default=None, description="Item ids that come back in a requested exchange, sorted, or null."
    )
    exchange_new_items: list[Id] | None = Field(
        default=None, description="Item ids that go out in a requested exchange, sorted, or null."
    )
    exchange_payment_method_id: Id | None = Field(
        default=None, description="Payment method that settles a requested exchange, or null."
    )
    exchange_price_difference: Money | None = Field(
        default=None,
        description="Price difference of a requested exchange in US dollars, negative for a refund, or null.",
    )
    return_items: list[Id] | None = Field(
        default=None, description="Item ids that come back in a requested return, sorted, or null."
    )
    return_payment_method_id: Id | None = Field(
        default=None, description="Payment method that is refunded after a requested return, or null."
    )


class UserId(Record):
    """The user that was found."""

    user_id: Id = Field(description="Id of the user, such as 'noah_brown_6181', for get_user_details.")


class Cancellation(Record):
    """Why an order is cancelled."""

    reason: CancelReason = Field(description="Why the customer cancels; exactly one of the two reasons.")


class PaymentChange(Record):
    """The new payment method of an order."""

    payment_method_id: Id = Field(
        description=(
            "Payment method of the order's user, such as 'paypal_5727330', other than the one that paid; "
            "get_user_details lists them."
        )
    )


class ItemReplacement(Record):
    """Items to replace, their new variants, and the payment method for the difference."""

    item_ids: Annotated[list[Id], Field(min_length=1, max_length=1000)] = Field(
        description="Item ids in the order, such as ['1008292230']; repeat an id to change more than one of it."
    )
    new_item_ids: Annotated[list[Id], Field(min_length=1, max_length=1000)] = Field(
        description=(
            "New item id for each entry of item_ids, in the same order: an available variant of the same product, from "
            "get_product_details."
        )
    )
    payment_method_id: Id = Field(
        description=(
            "Payment method of the order's user for the price difference, such as "
            "'gift_card_1725971'; get_user_details lists them."
        )
    )


class ItemReturn(Record):
    """Items to return, and the payment method for the refund."""

    item_ids: Annotated[list[Id], Field(min_length=1, max_length=1000)] = Field(
        description="Item ids in the order, such as ['1008292230']; repeat an id to return more than one of it."
    )
    payment_method_id: Id = Field(
        description=(
            "Payment method that gets the refund: a gift card of the order's user (get_user_details lists them), or "
            "the method that first paid the order."
        )
    )


class Expression(Record):
    """An arithmetic expression."""

    expression: str = Field(
        min_length=1,
        max_length=500,
        description="Arithmetic such as '(54.04 + 41.20) * 2'; only digits, + - * / ( ) . and spaces.",
    )


class Answer(Record):
    """The value of an expression."""

    result: float = Field(description="The value, rounded to two decimals.")


class HandOverRequest(Record):
    """A summary for the people who take over."""

    summary: Annotated[Text, Field(min_length=1, max_length=4000)] = Field(
        description="The request, the steps done so far, and the reason why a person is needed, in plain words."
    )


class HandOver(Record):
    """A conversation that was handed over to people."""

    hand_over_id: int = Field(description="Id of the hand-over, which the customer can quote.")
    summary: str = Field(description="The summary for the people who take over.")
    created_at: datetime = Field(description="When it was handed over, in UTC.")
