"""The order desk's first tables."""

from __future__ import annotations

from typing import Any, TypeAlias

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None

Column: TypeAlias = sa.Column[Any]

ID = sa.String().with_variant(sa.String(collation="C"), "postgresql")


def upgrade() -> None:
    op.create_table("products", _id(), _text("name", unique=True))
    op.create_table(
        "variants",
        _id(),
        _reference("product_id", "products.id", index=True),
        sa.Column("available", sa.Boolean, nullable=False),
        _cents("price"),
        _json("options"),
    )
    op.create_table(
        "users",
        _id(),
        *[_text(name) for name in ("first_name", "last_name", "email", "first_name_folded", "last_name_folded")],
        _text("email_folded", index=True),
        *_address(),
    )
    op.create_index(None, "users", ["last_name_folded", "first_name_folded", "zip"])
    op.create_table(
        "payment_methods",
        _reference("user_id", "users.id", primary_key=True),
        _id(),
        _text("source"),
        _text("brand", nullable=True),
        _text("last_four", nullable=True),
        _cents("balance", nullable=True),
        sqlite_with_rowid=False,
    )
    op.create_table(
        "orders",
        _id(),
        _reference("user_id", "users.id", at_commit=True, index=True),
        _text("status"),
        *_address(),
        _text("cancel_reason", nullable=True),
        _json("exchange_items", nullable=True),
        _json("exchange_new_items", nullable=True),
        _text("exchange_payment_method_id", nullable=True),
        _cents("exchange_price_difference", nullable=True),
        _json("return_items", nullable=True),
        _text("return_payment_method_id", nullable=True),
    )
    _create_list("user_orders", "users", _reference("order_id", "orders.id", at_commit=True, unique=True))
    _create_list(
        "order_items", "orders", _text("item_id"), _text("product_id"), _text("name"), _cents("price"), _json("options")
    )
    _create_list("order_payments", "orders", _text("transaction_type"), _cents("amount"), _text("payment_method_id"))
    _create_list("order_fulfillments", "orders", _json("tracking_id"), _json("item_ids"))
    op.create_table(
        "hand_overs",
        sa.Column("id", sa.Integer, primary_key=True),
        sa.Column("summary", sa.Text, nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
    )


def downgrade() -> None:
    for table in (
        "hand_overs",
        "order_fulfillments",
        "order_payments",
        "order_items",
        "user_orders",
        "orders",
        "payment_methods",
        "users",
        "variants",
        "products",
    ):
        op.drop_table(table)


def _create_list(table: str, owners: str, *columns: Column) -> None:
    """Create a table of entries that belong to an owner and keep their position."""
    owner = _reference(f"{owners[:-1]}_id", f"{owners}.id", primary_key=True)
    position = sa.Column("position", sa.Integer, primary_key=True)
    op.create_table(table, owner, position, *columns, sqlite_with_rowid=False)


def _id() -> Column:
    return sa.Column("id", ID, primary_key=True)


def _reference(
    name: str,
    target: str,
    *,
    at_commit: bool = False,
    primary_key: bool = False,
    unique: bool | None = None,
    index: bool | None = None,
) -> Column:
    key = sa.ForeignKey(target, deferrable=True, initially="DEFERRED") if at_commit else sa.ForeignKey(target)
    return sa.Column(name, ID, key, primary_key=primary_key, unique=unique, index=index, nullable=False)


def _text(name: str, *, nullable: bool = False, unique: bool | None = None, index: bool | None = None) -> Column:
    return sa.Column(name, sa.String, nullable=nullable, unique=unique, index=index)


def _cents(name: str, *, nullable: bool = False) -> Column:
    return sa.Column(name, sa.BigInteger, nullable=nullable)


def _json(name: str, *, nullable: bool = False) -> Column:
    return sa.Column(name, sa.JSON, nullable=nullable)


def _address() -> list[Column]:
    return [_text(name) for name in ("address1", "address2", "city", "state", "country", "zip")]
