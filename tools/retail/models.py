"""The tables: products and their variants, users and their payment methods, orders and their related rows.

Lists keep their order in ``position`` columns. Ids compare byte by byte on every database, so that a store is exported
in the same order everywhere.
"""

from __future__ import annotations

from datetime import UTC, datetime
from decimal import Decimal

from sqlalchemy import JSON, BigInteger, DateTime, ForeignKey, Index, MetaData, String, Text
from sqlalchemy.engine import Dialect
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column, relationship
from sqlalchemy.types import TypeDecorator

__all__ = [
    "AddressColumns",
    "Base",
    "FulfillmentRow",
    "HandOverRow",
    "ItemRow",
    "OrderRow",
    "PaymentMethodRow",
    "PaymentRow",
    "ProductRow",
    "UserOrderRow",
    "UserRow",
    "VariantRow",
]

Id = String().with_variant(String(collation="C"), "postgresql")
JsonList = JSON(none_as_null=True)


class Cents(TypeDecorator[Decimal]):
    """Money: whole cents in the database, an exact `Decimal` of dollars in the code."""

    impl = BigInteger
    cache_ok = True

    def process_bind_param(self, value: Decimal | None, dialect: Dialect) -> int | None:
        return None if value is None else int(value.scaleb(2))

    def process_result_value(self, value: int | None, dialect: Dialect) -> Decimal | None:
        return None if value is None else Decimal(value).scaleb(-2)


class UtcDateTime(TypeDecorator[datetime]):
    """A time in UTC; SQLite does not store the zone."""

    impl = DateTime(timezone=True)
    cache_ok = True

    def process_result_value(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        return None if value is None else value.replace(tzinfo=value.tzinfo or UTC).astimezone(UTC)


class Base(DeclarativeBase):
    """The base of all tables, with predictable constraint names."""

    metadata = MetaData(
        naming_convention={
            "ix": "ix_%(table_name)s_%(column_0_N_name)s",
            "uq": "uq_%(table_name)s_%(column_0_N_name)s",
            "fk": "fk_%(table_name)s_%(column_0_N_name)s",
            "pk": "pk_%(table_name)s",
        }
    )


class AddressColumns:
    """The columns of a postal address, for users and orders."""

    address1: Mapped[str]
    address2: Mapped[str]
    city: Mapped[str]
    state: Mapped[str]
    country: Mapped[str]
    zip: Mapped[str]


class ProductRow(Base):
    """A product type, such as a T-shirt."""

    __tablename__ = "products"

    id: Mapped[str] = mapped_column(Id, primary_key=True)
    name: Mapped[str] = mapped_column(unique=True)


class VariantRow(Base):
    """One variant of a product, which can be ordered under its item id."""

    __tablename__ = "variants"

    id: Mapped[str] = mapped_column(Id, primary_key=True)
    product_id: Mapped[str] = mapped_column(Id, ForeignKey(ProductRow.id), index=True)
    available: Mapped[bool]
    price: Mapped[Decimal] = mapped_column(Cents)
    options: Mapped[dict[str, str]] = mapped_column(JSON)


class UserRow(AddressColumns, Base):
    """A customer; the folded columns make lookups that ignore case use an index."""

    __tablename__ = "users"
    __table_args__ = (Index(None, "last_name_folded", "first_name_folded", "zip"),)

    id: Mapped[str] = mapped_column(Id, primary_key=True)
    first_name: Mapped[str]
    last_name: Mapped[str]
    email: Mapped[str]
    first_name_folded: Mapped[str]
    last_name_folded: Mapped[str]
    email_folded: Mapped[str] = mapped_column(index=True)
    payment_methods: Mapped[list[PaymentMethodRow]] = relationship(lazy="raise", order_by="PaymentMethodRow.id")
    orders: Mapped[list[UserOrderRow]] = relationship(lazy="raise", order_by="UserOrderRow.position")


class PaymentMethodRow(Base):
    """A payment method of a user; only a gift card has a balance."""

    __tablename__ = "payment_methods"
    __table_args__ = {"sqlite_with_rowid": False}  # noqa: RUF012 (SQLAlchemy reads it once)

    user_id: Mapped[str] = mapped_column(Id, ForeignKey(UserRow.id), primary_key=True)
    id: Mapped[str] = mapped_column(Id, primary_key=True)
    source: Mapped[str]
    brand: Mapped[str | None]
    last_four: Mapped[str | None]
    balance: Mapped[Decimal | None] = mapped_column(Cents)


class OrderRow(AddressColumns, Base):
    """An order, with the fields that a cancellation, exchange or return sets."""

    __tablename__ = "orders"

    id: Mapped[str] = mapped_column(Id, primary_key=True)
    # Checked at commit, because a stored file may list orders before users.
    user_id: Mapped[str] = mapped_column(Id, ForeignKey(UserRow.id, deferrable=True, initially="DEFERRED"), index=True)
    status: Mapped[str]
    cancel_reason: Mapped[str | None]
    exchange_items: Mapped[list[str] | None] = mapped_column(JsonList)
    exchange_new_items: Mapped[list[str] | None] = mapped_column(JsonList)
    exchange_payment_method_id: Mapped[str | None]
    exchange_price_difference: Mapped[Decimal | None] = mapped_column(Cents)
    return_items: Mapped[list[str] | None] = mapped_column(JsonList)
    return_payment_method_id: Mapped[str | None]
    items: Mapped[list[ItemRow]] = relationship(lazy="raise", order_by="ItemRow.position")
    payments: Mapped[list[PaymentRow]] = relationship(lazy="raise", order_by="PaymentRow.position")
    fulfillments: Mapped[list[FulfillmentRow]] = relationship(lazy="raise", order_by="FulfillmentRow.position")


class UserOrderRow(Base):
    """One entry in a user's list of orders."""

    __tablename__ = "user_orders"
    __table_args__ = {"sqlite_with_rowid": False}  # noqa: RUF012

    user_id: Mapped[str] = mapped_column(Id, ForeignKey(UserRow.id), primary_key=True)
    position: Mapped[int] = mapped_column(primary_key=True)
    order_id: Mapped[str] = mapped_column(
        Id, ForeignKey(OrderRow.id, deferrable=True, initially="DEFERRED"), unique=True
    )


class ItemRow(Base):
    """One item of an order, with the price and options at the time of the order."""

    __tablename__ = "order_items"
    __table_args__ = {"sqlite_with_rowid": False}  # noqa: RUF012

    order_id: Mapped[str] = mapped_column(Id, ForeignKey(OrderRow.id), primary_key=True)
    position: Mapped[int] = mapped_column(primary_key=True)
    item_id: Mapped[str]
    product_id: Mapped[str]
    name: Mapped[str]
    price: Mapped[Decimal] = mapped_column(Cents)
    options: Mapped[dict[str, str]] = mapped_column(JSON)


class PaymentRow(Base):
    """One entry in the payment history of an order."""

    __tablename__ = "order_payments"
    __table_args__ = {"sqlite_with_rowid": False}  # noqa: RUF012

    order_id: Mapped[str] = mapped_column(Id, ForeignKey(OrderRow.id), primary_key=True)
    position: Mapped[int] = mapped_column(primary_key=True)
    transaction_type: Mapped[str]
    amount: Mapped[Decimal] = mapped_column(Cents)
    payment_method_id: Mapped[str]


class FulfillmentRow(Base):
    """One shipment of an order."""

    __tablename__ = "order_fulfillments"
    __table_args__ = {"sqlite_with_rowid": False}  # noqa: RUF012

    order_id: Mapped[str] = mapped_column(Id, ForeignKey(OrderRow.id), primary_key=True)
    position: Mapped[int] = mapped_column(primary_key=True)
    tracking_id: Mapped[list[str]] = mapped_column(JSON)
    item_ids: Mapped[list[str]] = mapped_column(JSON)


class HandOverRow(Base):
    """A conversation that an agent handed over to people."""

    __tablename__ = "hand_overs"

    id: Mapped[int] = mapped_column(primary_key=True)
    summary: Mapped[str] = mapped_column(Text)
    created_at: Mapped[datetime] = mapped_column(UtcDateTime)
