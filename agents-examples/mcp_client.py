#!/usr/bin/env -S uv run --script
# /// script
# requires-python = ">=3.11"
# dependencies = ["mcp>=2.3,<3"]
# ///
"""A support case at the order desk, the demo application, with the official MCP client.

    python agents-examples/mcp_client.py                                    starts its own order desk (stdio)
    python agents-examples/mcp_client.py --http http://127.0.0.1:8000/mcp   calls the one that `make serve` started

A customer wants to exchange something from a delivered order. The program makes the tool calls that an agent would
make, without a language model, and prints them. Exit codes: 0 if the exchange was requested, 1 if the order desk
rejects it or nothing can be exchanged, 2 if the set-up has to be corrected.
"""

from __future__ import annotations

import argparse
import asyncio
import sys
import tempfile
from collections.abc import AsyncGenerator, Iterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from importlib.util import find_spec
from itertools import count
from pathlib import Path
from typing import Any

from mcp import Client
from mcp.client.stdio import StdioServerParameters, stdio_client
from mcp_types import CallToolResult, TextContent

PROJECT = Path(__file__).resolve().parent.parent
SECONDS_PER_CALL = 30

# Customers with delivered orders in the sample data, which are always the same.
CUSTOMERS = (
    "anton.romero8621@example.com",
    "omar.larsen2031@example.com",
    "ines.jansen2171@example.com",
    "emeka.nakamura6991@example.com",
)

Record = dict[str, Any]
"""A structured tool result: a user, an order or a product."""


class Stop(Exception):  # noqa: N818 (it ends the program, with the reason)
    """An early end of the program.

    Args:
        message: one line for the terminal.
        code: 1 if the case cannot be finished, 2 if the set-up has to be corrected.
    """

    def __init__(self, message: str, code: int) -> None:
        super().__init__(message)
        self.code = code


class Refused(Stop):
    """The order desk rejects a call; the message is its reason."""

    def __init__(self, message: str) -> None:
        super().__init__(message, code=1)


# The case -------------------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Exchange:
    """An item to return, its replacement, and the payment method for the difference."""

    item: Record
    variant: Record
    method_id: str


async def handle_case(desk: Desk, emails: Sequence[str], order_id: str | None) -> None:
    """Exchange one item of the first delivered order that allows it, of the first customer who has one."""
    for email in emails:
        user = await find_customer(desk, email)
        for each in orders_to_read(user, order_id):
            order = await read_order(desk, each)
            exchange = await choose_exchange(desk, user, order) if order["status"] == "delivered" else None
            if exchange:
                await request_exchange(desk, user, order, exchange)
                return
    raise Stop(
        "nothing can be exchanged: that needs a delivered order and another available variant of one of its items; "
        "--customer-email names another customer",
        code=1,
    )


async def find_customer(desk: Desk, email: str) -> Record:
    try:
        found = await desk.ask("Who is the customer?", "find_user_id_by_email", email=email)
    except Refused as refusal:
        raise Refused(f"{refusal} (--customer-email names another customer)") from refusal
    desk.show(found["user_id"])
    user = await desk.ask("What is known about them?", "get_user_details", user_id=found["user_id"])
    name, address = user["name"], user["address"]
    desk.show(
        f"{name['first_name']} {name['last_name']} in {address['city']}, {address['state']}; "
        f"{count_text(user['orders'], 'order')}",
        f"pays with {' or '.join(map(method_text, user['payment_methods'].values()))}",
    )
    return user


def orders_to_read(user: Record, order_id: str | None) -> list[str]:
    if order_id is None:
        return user["orders"]
    if order_id not in user["orders"]:
        raise Stop(f"{order_id!r} is not an order of this customer; the orders are {', '.join(user['orders'])}", code=2)
    return [order_id]


async def read_order(desk: Desk, order_id: str) -> Record:
    order = await desk.ask("What became of the order?", "get_order_details", order_id=order_id)
    total = sum(item["price"] for item in order["items"])
    desk.show(f"{order['status']}: {count_text(order['items'], 'item')} for {money(total)}")
    if order["status"] == "delivered":
        desk.show(*(f"  {ware_text(item['name'], item)}" for item in order["items"]))
    return order


async def choose_exchange(desk: Desk, user: Record, order: Record) -> Exchange | None:
    """Look for the available variant that is nearest in price, item by item."""
    for item in order["items"]:
        product = await desk.ask("What could it become?", "get_product_details", product_id=item["product_id"])
        variants = product["variants"].values()
        others = [each for each in variants if each["available"] and each["item_id"] != item["item_id"]]
        desk.show(f"{product['name']} comes in {len(variants)} variants; {len(others)} others are available")
        for variant in sorted(others, key=lambda other: abs(other["price"] - item["price"])):
            method = next(methods_for(user, variant["price"] - item["price"]), None)
            if method:
                desk.show(f"nearest in price: {ware_text(product['name'], variant)}")
                return Exchange(item, variant, method)
    return None


def methods_for(user: Record, difference: float) -> Iterator[str]:
    """Yield the payment methods that cover a difference; a gift card needs enough balance."""
    for method_id, method in user["payment_methods"].items():
        if method["source"] != "gift_card" or method["balance"] >= difference:
            yield method_id


async def request_exchange(desk: Desk, user: Record, order: Record, exchange: Exchange) -> None:
    exchanged = await desk.ask(
        "Exchange it.",
        "exchange_delivered_order_items",
        order_id=order["order_id"],
        item_ids=[exchange.item["item_id"]],
        new_item_ids=[exchange.variant["item_id"]],
        payment_method_id=exchange.method_id,
    )
    method = method_text(user["payment_methods"][exchange.method_id])
    desk.show(f"{exchanged['status']}; {difference_text(exchanged['exchange_price_difference'], method)}")
    again = await desk.ask("What is the status of the order now?", "get_order_details", order_id=order["order_id"])
    wares = {ware["item_id"]: ware_text(exchange.item["name"], ware) for ware in (exchange.item, exchange.variant)}
    desk.show(
        again["status"],
        f"comes back: {'; '.join(wares[item_id] for item_id in again['exchange_items'])}",
        f"goes out:   {'; '.join(wares[item_id] for item_id in again['exchange_new_items'])}",
    )


# The desk -------------------------------------------------------------------------------------------------------------


class Desk:
    """The order desk's tools, and a record of the conversation on the terminal."""

    def __init__(self, client: Client) -> None:
        self._client = client
        self._numbers = count(1)

    async def ask(self, why: str, tool: str, **arguments: Any) -> Record:
        """Call a tool, and print the reason and the arguments.

        Raises:
            Refused: the result is an error.
        """
        words = " ".join(f"{name}={argument_text(value)}" for name, value in arguments.items())
        print(f"\n{next(self._numbers)}. {why}\n   agent  {tool} {words}")
        result = await self._client.call_tool(tool, arguments)
        if result.is_error:
            raise Refused(f"the desk refuses {tool}: {result_text(result)}")
        return result.structured_content

    def show(self, *lines: str) -> None:
        """Print lines of a result."""
        for line in lines:
            print(f"   desk   {line}")


async def run(options: argparse.Namespace) -> None:
    mode = "legacy" if options.era == "legacy" else "auto"
    async with (
        transport(options.http) as server,
        Client(server, mode=mode, read_timeout_seconds=SECONDS_PER_CALL) as client,
    ):
        tools = (await client.list_tools()).tools
        name = client.server_info.name if client.server_info else "A server"
        where = options.http or "stdio (own order desk with sample customers)"
        print(f"{name} over {where}\nMCP {client.protocol_version}, {len(tools)} tools")
        emails = [options.customer_email] if options.customer_email else CUSTOMERS
        await handle_case(Desk(client), emails, options.order)


@asynccontextmanager
async def transport(url: str | None) -> AsyncGenerator[Any, None]:
    """Yield what the client connects to: a URL, or a server process that ends with this program."""
    if url:
        yield url
        return
    with tempfile.TemporaryDirectory(prefix="order-desk-") as folder, (Path(folder) / "log").open("w+") as log:
        server = StdioServerParameters(
            command=python_with_toolway(),
            args=["-m", "toolway", "stdio", "tools.main:app"],
            cwd=PROJECT,
            env={"RETAIL_DATABASE_URL": f"sqlite:///{folder}/orders.db", "RETAIL_SEED_EMPTY_STORE": "true"},
        )
        try:
            yield stdio_client(server, errlog=log)
        except Exception as error:
            if isinstance(first_cause(error), Stop):
                raise
            log.seek(0)
            last_line = log.read().strip().rpartition("\n")[2] or str(first_cause(error))
            raise Stop(f"the order desk did not start, or ended early: {last_line}", code=2) from error


def python_with_toolway() -> str:
    """Return the interpreter that has the order desk installed."""
    own = PROJECT / ".venv" / "bin" / "python"
    if own.exists():
        return str(own)
    if find_spec("toolway"):
        return sys.executable
    raise Stop(f"the order desk is not installed: run `make setup` in {PROJECT}, or name a server: --http URL", code=2)


# Output --------------------------------------------------------------------------------------------------------------


def money(amount: float) -> str:
    return f"${amount:,.2f}"


def ware_text(name: str, ware: Record) -> str:
    options = ", ".join(f"{option} {value}" for option, value in ware["options"].items())
    return f"{name} ({options}), {money(ware['price'])}"


def method_text(method: Record) -> str:
    match method["source"]:
        case "credit_card":
            return f"{method['brand']} ending in {method['last_four']}"
        case "gift_card":
            return f"gift card holding {money(method['balance'])}"
        case _:
            return "PayPal"


def count_text(things: Sequence[Any], noun: str) -> str:
    return f"{len(things)} {noun}{'' if len(things) == 1 else 's'}"


def difference_text(difference: float, method: str) -> str:
    if difference == 0:
        return "at the same price"
    return f"{money(abs(difference))} to {'pay with' if difference > 0 else 'get back on'} {method}"


def argument_text(value: Any) -> str:
    return ",".join(value) if isinstance(value, list) else str(value)


def result_text(result: CallToolResult) -> str:
    return " ".join(block.text for block in result.content if isinstance(block, TextContent))


# The program ----------------------------------------------------------------------------------------------------------


def parse() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description="Exchange an item of a delivered order at the order desk, over MCP.")
    parser.add_argument("--http", metavar="URL", help="a running server, such as http://127.0.0.1:8000/mcp")
    parser.add_argument("--era", choices=["auto", "legacy"], default="auto", help="legacy speaks MCP 2025-11-25")
    parser.add_argument("--customer-email", metavar="EMAIL", help="the customer; defaults to a sample customer")
    parser.add_argument("--order", metavar="ID", help="which order of that customer, such as '#W2378156'")
    options = parser.parse_args()
    if options.order and not options.customer_email:
        parser.error("--order needs the --customer-email of its customer")
    if options.http and not options.http.startswith(("http://", "https://")):
        parser.error(f"--http {options.http!r}: expected a URL such as http://127.0.0.1:8000/mcp")
    return options


def main() -> int:
    options = parse()
    try:
        asyncio.run(run(options))
    except KeyboardInterrupt:
        return 130
    except Exception as error:  # noqa: BLE001 (a network and another process begin here)
        cause = first_cause(error)
        if not isinstance(cause, Stop):
            why = " ".join(str(cause).split()) or type(cause).__name__
            cause = Stop(f"no MCP connection with {options.http}: {why}; `make serve` starts a server", code=2)
        print(f"{Path(__file__).name}: {cause}", file=sys.stderr)
        return cause.code
    return 0


def first_cause(error: BaseException) -> BaseException:
    """Return the first of the exceptions that task groups have combined."""
    while isinstance(error, BaseExceptionGroup):
        error = error.exceptions[0]
    return error


if __name__ == "__main__":
    sys.exit(main())
