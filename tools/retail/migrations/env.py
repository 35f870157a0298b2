"""Alembic environment, which uses the connection and transaction of `migrate`."""

from __future__ import annotations

from alembic import context

from tools.retail.models import Base

context.configure(connection=context.config.attributes["connection"], target_metadata=Base.metadata)
with context.begin_transaction():
    context.run_migrations()
