#!/usr/bin/env -S uv run --script
# /// script
# requires-python = ">=3.11"
# dependencies = ["pydantic-ai-slim[mcp,anthropic,google,openai]>=2.60"]
# ///
"""A pydantic-ai agent that handles a support case with the tools of the order desk, the demo application.

    python agents-examples/pydantic_ai_agent.py                       a scripted model: no network, no key
    python agents-examples/pydantic_ai_agent.py --model openai:gpt-5  a real model; its key in OPENAI_API_KEY
    python agents-examples/pydantic_ai_agent.py --http http://127.0.0.1:8000/mcp
                                                                      on the desk that `make serve` started

A customer wants to exchange something from a delivered order. The agent gets the order desk's tools from the MCP server
and decides which to call. Without --model, a script replaces the model, and everything else is the same. Exit codes: 0
if the exchange was requested, 1 if it was not, 2 if the set-up has to be corrected.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import sys
import tempfile
import textwrap
from collections.abc import AsyncGenerator, Generator, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from fastmcp.client.transports import StdioTransport
from pydantic_ai import Agent, RunContext, UsageLimits
from pydantic_ai.exceptions import ToolFailed
from pydantic_ai.mcp import CallToolFunc, MCPToolset
from pydantic_ai.messages import ModelMessage, ModelRequest, ModelResponse, TextPart, ToolCallPart, ToolReturnPart
from pydantic_ai.models import Model, infer_model
from pydantic_ai.models.function import AgentInfo, FunctionModel

PROJECT = Path(__file__).resolve().parent.parent
CUSTOMER = "robin.chen7771@example.com"  # has delivered orders in the sample data
SECONDS_TO_CONNECT = 60
REQUESTS_AT_MOST = 40

INSTRUCTIONS = """
You are a support agent at a shop's order desk. Use the tools for all facts about customers, orders and products. Do
what the customer asks, once and without further questions, and read the order again at the end to verify it. Then
explain to the customer in a sentence or two what happens next.
"""
REQUEST = """
Hello, my e-mail address is {email}. Please exchange one item of a delivered order of mine for another variant of the
same product: one that is available, and nearest in price to what I have. Settle the difference with one of my payment
methods.
"""

Record = dict[str, Any]
"""A structured tool result: a user, an order or a product."""


class Stop(Exception):  # noqa: N818 (it ends the program, with the reason)
    """An early end of the program, with one line for the terminal and the exit code."""

    def __init__(self, message: str, code: int) -> None:
        super().__init__(message)
        self.code = code


# The agent ------------------------------------------------------------------------------------------------------------


async def run(model: Model, url: str | None, email: str) -> None:
    """Let the agent handle the case, and print the conversation as it goes."""
    log = Conversation()
    async with order_desk(url, log) as desk:
        print(f"{model.model_name} with {len(await desk.list_tools())} tools of {url or 'an order desk of its own'}\n")
        request = " ".join(REQUEST.format(email=email).split())
        show("customer", request)
        agent = Agent(model, instructions=INSTRUCTIONS, toolsets=[desk])
        result = await agent.run(request, usage_limits=UsageLimits(request_limit=REQUESTS_AT_MOST))
        print()
        show("agent", *result.output.splitlines())
    if "exchange_delivered_order_items" not in log.done:
        raise Stop("the agent ended without an exchange; --customer-email names another customer", code=1)


class Conversation:
    """A log that prints every tool call with its result, and keeps the names of successful calls."""

    def __init__(self) -> None:
        self.done: set[str] = set()

    async def call(self, _ctx: RunContext[None], call: CallToolFunc, name: str, arguments: dict[str, Any]) -> Any:
        """Make one call, and print it together with its result, because calls may overlap."""
        words = [name, *(f"{key}={argument_text(value)}" for key, value in arguments.items())]
        try:
            answer = await call(name, arguments)
        except ToolFailed as refusal:
            self._print(words, [f"refuses: {refusal.message}"])
            raise
        self._print(words, answer_lines(answer))
        self.done.add(name)
        return answer

    def _print(self, words: Sequence[str], answer: Sequence[str]) -> None:
        print()
        show("agent", " ".join(words))
        show("desk", *answer)


# A script instead of a model ------------------------------------------------------------------------------------------

Script = Generator[ToolCallPart, Any, str]
"""A generator that yields tool calls, receives their results, and returns the reply to the customer."""


def scripted(email: str) -> FunctionModel:
    """Return a model that follows the script.

    Like a real model it knows only the messages so far: the script starts again each time and passes the results that
    it already has, up to the next call.
    """

    def respond(messages: list[ModelMessage], _info: AgentInfo) -> ModelResponse:
        script = exchange_something(email)
        try:
            call = next(script)
            for answer in tool_answers(messages):
                if answer.outcome != "success":
                    return ModelResponse([TextPart(f"I am sorry, but the desk refuses this: {answer.content}")])
                call = script.send(answer.content)
        except StopIteration as end:
            return ModelResponse([TextPart(end.value)])
        return ModelResponse([call])

    return FunctionModel(respond, model_name="A scripted model")


def tool_answers(messages: Sequence[ModelMessage]) -> list[ToolReturnPart]:
    requests = (message for message in messages if isinstance(message, ModelRequest))
    return [part for request in requests for part in request.parts if isinstance(part, ToolReturnPart)]


def exchange_something(email: str) -> Script:
    """Exchange an item of the first delivered order that allows it."""
    found = yield ToolCallPart("find_user_id_by_email", {"email": email})
    user = yield ToolCallPart("get_user_details", {"user_id": found["user_id"]})
    for order_id in user["orders"]:
        order = yield ToolCallPart("get_order_details", {"order_id": order_id})
        for item in order["items"] if order["status"] == "delivered" else []:
            product = yield ToolCallPart("get_product_details", {"product_id": item["product_id"]})
            variant = nearest_variant(item, product)
            method = paying_method(user, variant["price"] - item["price"]) if variant else None
            if variant and method:
                return (yield from request_exchange(order_id, item, variant, method))
    return "I am sorry, but none of your orders has anything in it that could be exchanged now."


def request_exchange(order_id: str, item: Record, variant: Record, method: str) -> Script:
    yield ToolCallPart(
        "exchange_delivered_order_items",
        {
            "order_id": order_id,
            "item_ids": [item["item_id"]],
            "new_item_ids": [variant["item_id"]],
            "payment_method_id": method,
        },
    )
    order = yield ToolCallPart("get_order_details", {"order_id": order_id})
    difference = order["exchange_price_difference"]
    settled = f"{money(abs(difference))} will be {'charged' if difference > 0 else 'refunded'}" if difference else ""
    return (
        f"The exchange is requested for order {order_id}: your {item['name']} ({options_text(item)}) for one that is "
        f"{options_text(variant)}. {settled or 'The price is the same'}."
    )


def nearest_variant(item: Record, product: Record) -> Record | None:
    """Return the available variant that is nearest in price to an item, other than the item."""
    variants = product["variants"].values()
    others = [each for each in variants if each["available"] and each["item_id"] != item["item_id"]]
    return min(others, key=lambda other: abs(other["price"] - item["price"]), default=None)


def paying_method(user: Record, difference: float) -> str | None:
    """Return a payment method that can settle a difference: a gift card pays only what it holds."""
    for method_id, method in user["payment_methods"].items():
        if method["source"] != "gift_card" or method["balance"] >= difference:
            return method_id
    return None


# Output --------------------------------------------------------------------------------------------------------------


def show(who: str, *lines: str) -> None:
    """Print the lines of one speaker."""
    for line in lines:
        print(textwrap.fill(line, 120, initial_indent=f"{who:<10}", subsequent_indent=" " * 12))


def answer_lines(answer: Any) -> list[str]:
    """Return a summary of a tool result in a few lines."""
    match answer:
        case {"order_id": order_id, "status": status, "items": items, **rest}:
            total = money(sum(item["price"] for item in items))
            wares = [f"  {item['name']} ({options_text(item)}), {money(item['price'])}" for item in items]
            return [f"order {order_id}: {status}, {total}", *wares, *exchange_lines(rest)]
        case {"variants": variants, "name": name}:
            available = sum(variant["available"] for variant in variants.values())
            return [f"{name}: {available} of {len(variants)} variants are available"]
        case {"name": {"first_name": first, "last_name": last}, "orders": orders, "payment_methods": methods}:
            return [f"{first} {last}", f"  orders {', '.join(orders)}", f"  pays with {', '.join(methods)}"]
        case {"user_id": user_id}:
            return [f"user {user_id}"]
        case other:
            # A result may contain images in addition to its data.
            return [textwrap.shorten(other if isinstance(other, str) else json.dumps(other, default=type_name), 200)]


def type_name(value: object) -> str:
    return type(value).__name__


def exchange_lines(order: Record) -> list[str]:
    if order.get("exchange_items") is None:
        return []
    back, out = ", ".join(order["exchange_items"]), ", ".join(order["exchange_new_items"])
    return [f"  {back} comes back, {out} goes out; difference {money(order['exchange_price_difference'])}"]


def money(amount: float) -> str:
    return f"{'-' if amount < 0 else ''}${abs(amount):,.2f}"


def options_text(ware: Record) -> str:
    return ", ".join(f"{option} {value}" for option, value in ware["options"].items())


def argument_text(value: Any) -> str:
    return ",".join(map(str, value)) if isinstance(value, list) else str(value)


# The program ----------------------------------------------------------------------------------------------------------


@asynccontextmanager
async def order_desk(url: str | None, log: Conversation) -> AsyncGenerator[MCPToolset, None]:
    """Connect to a server by its URL, or to a server process that ends with this program."""
    with tempfile.TemporaryDirectory(prefix="order-desk-") as folder:
        errors = Path(folder) / "errors"
        desk = MCPToolset(
            url or own_server(folder, errors),
            id="order-desk",
            init_timeout=SECONDS_TO_CONNECT,
            tool_error_behavior="failed",  # the model reads the reason, and decides what to do
            process_tool_call=log.call,
        )
        async with AsyncExitStack() as stack:
            try:
                await stack.enter_async_context(desk)
            except Exception as error:
                raise Stop(no_desk(url, errors, error), code=2) from error
            yield desk


def own_server(folder: str, errors: Path) -> StdioTransport:
    return StdioTransport(
        python_with_toolway(),
        ["-m", "toolway", "stdio", "tools.main:app"],
        cwd=str(PROJECT),
        env={"RETAIL_DATABASE_URL": f"sqlite:///{folder}/orders.db", "RETAIL_SEED_EMPTY_STORE": "true"},
        keep_alive=False,
        log_file=errors,
    )


def no_desk(url: str | None, errors: Path, error: Exception) -> str:
    """Return the reason why the connection failed."""
    if url:
        return f"no MCP server answers at {url}: {one_line(first_cause(error))}; `make serve` starts one"
    last_line = errors.read_text().strip().rpartition("\n")[2] if errors.exists() else ""
    return f"the order desk did not start: {last_line or one_line(first_cause(error))}"


def python_with_toolway() -> str:
    """Return the interpreter that has the order desk installed."""
    own = PROJECT / ".venv" / "bin" / "python"
    if own.exists():
        return str(own)
    if find_spec("toolway"):
        return sys.executable
    raise Stop(f"the order desk is not installed: run `make setup` in {PROJECT}, or name a server: --http URL", code=2)


def choose_model(name: str | None, email: str) -> Model:
    """Return the model with this name; the default is the scripted one."""
    if name is None:
        return scripted(email)
    try:
        return infer_model(name)
    except Exception as error:
        raise Stop(f"cannot use the model {name!r}: {one_line(error)}", code=2) from error


def parse() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description="Let an agent exchange an item of a delivered order, over MCP.")
    parser.add_argument("--model", metavar="PROVIDER:NAME", help="a real model, such as openai:gpt-5; needs its key")
    parser.add_argument("--http", metavar="URL", help="a running server, such as http://127.0.0.1:8000/mcp")
    parser.add_argument("--customer-email", metavar="EMAIL", default=CUSTOMER, help="who the customer is")
    options = parser.parse_args()
    if options.http and not options.http.startswith(("http://", "https://")):
        parser.error(f"--http {options.http!r}: expected a URL such as http://127.0.0.1:8000/mcp")
    return options


def main() -> int:
    options = parse()
    try:
        model = choose_model(options.model, options.customer_email)
        asyncio.run(run(model, options.http, options.customer_email))
    except KeyboardInterrupt:
        return 130
    except Exception as error:  # noqa: BLE001 (a network, a model and another process begin here)
        cause = first_cause(error)
        if not isinstance(cause, Stop):
            cause = Stop(f"the conversation broke off: {one_line(cause)}", code=2)
        print(f"{Path(__file__).name}: {cause}", file=sys.stderr)
        return cause.code
    return 0


def first_cause(error: BaseException) -> BaseException:
    """Return the first of the exceptions that task groups have combined."""
    while isinstance(error, BaseExceptionGroup):
        error = error.exceptions[0]
    return error


def one_line(error: BaseException) -> str:
    return " ".join(str(error).split()) or type(error).__name__


if __name__ == "__main__":
    sys.exit(main())
