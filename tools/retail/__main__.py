"""``python -m tools.retail``: seed, import, export and measure a store."""

from __future__ import annotations

import asyncio
import signal
from collections.abc import Awaitable, Callable

import click
from pydantic import ValidationError
from sqlalchemy.exc import SQLAlchemyError

from tools.retail.database import Database
from tools.retail.desk import open_store
from tools.retail.errors import StoreError
from tools.retail.files import reading, writing
from tools.retail.progress import Progress
from tools.retail.seed import DEFAULT_SIZE, Size, seed_records
from tools.retail.settings import RetailSettings
from tools.retail.store import export_store, import_store, is_empty, replace

_COUNT = click.IntRange(min=1)


class BadInput(click.ClickException):
    """An error in the input: one line on stderr, and exit code 2."""

    exit_code = 2


@click.group()
def main() -> None:
    """Work on the order desk's store: the database in RETAIL_DATABASE_URL, or the default SQLite file."""


@main.command()
@click.option("--customers", type=_COUNT, default=DEFAULT_SIZE.customers, show_default=True)
@click.option("--orders", type=_COUNT, default=DEFAULT_SIZE.orders, show_default=True)
@click.option("--if-empty", is_flag=True, help="Do nothing if the store already has data.")
def seed(customers: int, orders: int, *, if_empty: bool) -> None:
    """Replace the content of the store with generated customers and orders, which depend only on the two numbers."""
    size = Size(customers, orders)

    async def fill(database: Database) -> None:
        async with database.rewriting() as connection:
            if if_empty and not await is_empty(connection):
                click.echo("the store is not empty; nothing was changed", err=True)
                return
            await replace(connection, seed_records(size), Progress("seeding"))

    _on_store(fill)


@main.command("import")
@click.argument("file")
def import_file(file: str) -> None:
    """Replace the content of the store with canonical JSON from FILE (- for stdin; .gz is decompressed)."""

    async def read(database: Database) -> None:
        with reading(file) as stream:
            await import_store(database, stream, Progress("importing"))

    _on_store(read)


@main.command("export")
@click.argument("file")
def export_file(file: str) -> None:
    """Write the store as canonical JSON to FILE (- for stdout; .gz is compressed)."""

    async def write(database: Database) -> None:
        with writing(file) as stream:
            await export_store(database, stream)

    _on_store(write)


@main.command()
@click.option("--orders", type=click.IntRange(min=1001), default=100_000, show_default=True)
@click.option("--calls", type=_COUNT, default=300, show_default=True)
def measure(orders: int, calls: int) -> None:
    """Time three operations on temporary stores with 1,000 and with many orders, and print the medians."""
    from tools.retail import measure as measuring  # noqa: PLC0415 (imports the whole HTTP application)

    click.echo(asyncio.run(measuring.measure(orders, calls)))


def _on_store(job: Callable[[Database], Awaitable[None]]) -> None:
    """Run a job on the store, and report errors in one line."""

    async def run() -> None:
        async with open_store(RetailSettings()) as database:
            await job(database)

    signal.signal(signal.SIGINT, _interrupt)
    try:
        asyncio.run(run())
    except ValidationError as error:
        problem = error.errors()[0]
        variable = f"RETAIL_{problem['loc'][0]}".upper()
        raise BadInput(f"{variable}: {problem['msg'].removeprefix('Value error, ')}") from None
    except (StoreError, SQLAlchemyError, OSError) as error:
        raise BadInput(str(error).partition("\n")[0]) from None


def _interrupt(_signal: int, _frame: object) -> None:
    """Stop at once, because asyncio's own handler would wait for a blocked read from a pipe."""
    raise KeyboardInterrupt


if __name__ == "__main__":
    main(prog_name="python -m tools.retail")
