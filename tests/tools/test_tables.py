"""The database tables: the migrations create what the models define."""

from __future__ import annotations

from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from sqlalchemy import Connection, inspect, text

from tests.support import postgres_available, require
from tests.tools.desk import Desk
from tests.tools.places import Place, PostgresPlace
from tools.retail.desk import open_store
from tools.retail.models import Base
from tools.retail.settings import RetailSettings


async def test_the_migrations_create_the_tables_that_the_models_define(place: Place) -> None:
    def differences(connection: Connection) -> object:
        return compare_metadata(MigrationContext.configure(connection), Base.metadata)

    async with (
        open_store(RetailSettings(database_url=await place.new())) as store,
        store.rewriting() as connection,
    ):
        assert await connection.run_sync(differences) == []


async def test_opening_a_store_again_changes_nothing(store_url: str) -> None:
    for _ in range(2):
        async with open_store(RetailSettings(database_url=store_url)) as store, store.rewriting() as connection:
            tables = await connection.run_sync(lambda inner: set(inspect(inner).get_table_names()))
    assert tables == {*Base.metadata.tables, "alembic_version"}


async def test_lookups_by_email_and_name_use_an_index(desk: Desk, backend: str) -> None:
    for condition, index in [
        ("email_folded = 'x'", "ix_users_email_folded"),
        (
            "last_name_folded = 'x' AND first_name_folded = 'y' AND zip = 'z'",
            "ix_users_last_name_folded_first_name_folded_zip",
        ),
    ]:
        explain = "EXPLAIN QUERY PLAN" if backend == "sqlite" else "EXPLAIN"
        async with desk.store.reading() as session:
            if backend == "postgresql":  # a table this small would be read through
                await session.execute(text("SET LOCAL enable_seqscan = off"))
            plan = await session.execute(text(f"{explain} SELECT id FROM users WHERE {condition}"))
            assert index in str(plan.all())


async def test_money_is_whole_cents_in_the_database(desk: Desk) -> None:
    async with desk.store.reading() as session:
        assert await session.scalar(text("SELECT balance FROM payment_methods WHERE source = 'gift_card'")) == 1000


async def test_a_url_with_sslmode_reaches_postgresql() -> None:
    require(postgres_available(), "PostgreSQL does not answer at TOOLWAY_TEST_POSTGRES_URL")
    place = PostgresPlace()
    try:
        settings = RetailSettings(database_url=f"{await place.new()}?sslmode=prefer")
        async with open_store(settings) as store, store.reading() as session:
            assert await session.scalar(text("SELECT count(*) FROM users")) == 0
    finally:
        await place.clear()
