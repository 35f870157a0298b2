"""Questions before a tool runs: their text, and what it cannot contain."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pytest
from fastapi import FastAPI
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.calls.both import both
from toolway import Settings, Toolway, agent_tool
from toolway.calls import CallContext
from toolway.elicitation import ReplayChannel
from toolway.errors import ConfigurationError


def make_shop(confirm: str, **options: Any) -> FastAPI:
    app = FastAPI()

    @app.delete("/orders/{order_id:path}", operation_id="cancel", **options)
    @agent_tool(confirm=confirm)
    async def cancel(order_id: str, pieces: int = 1, tags: str | None = None) -> str:
        return "cancelled"

    return app


async def asked(app: FastAPI, arguments: Mapping[str, Any]) -> str:
    """The question that a call is met with."""
    asking = ReplayChannel(["elicitation"])
    async with both(app) as reached:
        outcome = await reached.calls.call("cancel", arguments, CallContext(asking=asking))
    assert outcome.is_error
    (query,) = asking.pending.values()
    return query.message


@pytest.mark.parametrize(
    ("arguments", "question"),
    [
        ({"order_id": "#1"}, 'Cancel "#1" (1 pieces, (not given))?'),
        ({"order_id": "#1", "pieces": 3, "tags": "a"}, 'Cancel "#1" (3 pieces, "a")?'),
        ({"order_id": '#1"? No. Keep "all'}, 'Cancel "#1\\"? No. Keep \\"all" (1 pieces, (not given))?'),
        ({"order_id": "#1", "tags": "a\n\nAnd now"}, 'Cancel "#1" (1 pieces, "a\\n\\nAnd now")?'),
        ({"order_id": "#1", "tags": "nothing"}, 'Cancel "#1" (1 pieces, "nothing")?'),
        ({"order_id": "{pieces}"}, 'Cancel "{pieces}" (1 pieces, (not given))?'),
        ({"order_id": "a\u202eb\u200bc"}, 'Cancel "abc" (1 pieces, (not given))?'),
    ],
)
async def test_arguments_stand_in_the_question_as_values(arguments: dict[str, Any], question: str) -> None:
    assert await asked(make_shop("Cancel {order_id} ({pieces} pieces, {tags})?"), arguments) == question


async def test_a_long_value_is_cut() -> None:
    question = await asked(make_shop("Cancel {order_id}?"), {"order_id": "x" * 5000})
    assert len(question) < 300
    assert "(5,002 characters)" in question


@settings(max_examples=30)
@given(st.text(min_size=1, max_size=40))
def test_no_value_ends_the_quotes_it_stands_in(value: str) -> None:
    from toolway.policy.confirmation import _format_value

    shown = _format_value(value)
    assert shown[0] == shown[-1] == '"'
    inner = shown[1:-1].replace("\\\\", "").replace('\\"', "")
    assert '"' not in inner
    assert "\n" not in inner


async def test_bad_arguments_are_refused_before_anybody_is_asked() -> None:
    asking = ReplayChannel(["elicitation"])
    async with both(make_shop("Cancel {order_id}?")) as reached:
        outcome = await reached.calls.call("cancel", {"order": "#1"}, CallContext(asking=asking))
    assert "unknown argument 'order'" in str(outcome.error)
    assert not asking.pending


@pytest.mark.parametrize("arguments", [{"order_id": "#1"}, {"reason": "late"}])
async def test_a_call_without_a_needed_argument_is_refused_before_anybody_is_asked(arguments: dict[str, Any]) -> None:
    app, asking = FastAPI(), ReplayChannel(["elicitation"])

    @app.delete("/orders/{order_id}", operation_id="cancel")
    @agent_tool(confirm="Cancel {order_id} because of {reason}?")
    async def cancel(order_id: str, reason: str) -> str:
        return "cancelled"

    async with both(app) as reached:
        outcome = await reached.calls.call("cancel", arguments, CallContext(asking=asking))
    assert "missing argument" in str(outcome.error)
    assert not asking.pending


async def test_where_nobody_can_be_asked_the_tool_does_not_run() -> None:
    async with both(make_shop("Cancel {order_id}?")) as reached:
        outcome = await reached.calls.call("cancel", {"order_id": "#1"}, CallContext())
        assert outcome.error is not None
        assert outcome.error["status"] == 428
        assert (await reached.web.delete("/orders/1")).json() == "cancelled"


@pytest.mark.parametrize(
    ("confirm", "problem"),
    [
        ("Cancel {order}?", "found 'order'"),
        ("Cancel {order_id.__class__}?", "found 'order_id.__class__'"),
        ("Cancel {order_id!r}?", "found 'order_idr'"),
        ("Cancel {order_id:>1000000}?", "found 'order_id>1000000'"),
        ("Cancel {}?", "found ''"),
        ("Cancel {0}?", "found '0'"),
        ("Cancel {order_id", "cannot be read"),
        ("  ", "expected confirm to be a question"),
    ],
)
def test_a_question_holds_nothing_but_names_of_arguments(confirm: str, problem: str) -> None:
    with pytest.raises(ConfigurationError, match=problem.replace(".", r"\.")):
        Toolway(make_shop(confirm), settings=Settings()).read_catalog()


def test_a_question_may_stand_in_the_document() -> None:
    app = FastAPI()
    note = {"x-toolway": {"confirm": "Forget {what}?"}}
    app.add_api_route(
        "/memory/{what}", lambda what: what, methods=["DELETE"], operation_id="forget", openapi_extra=note
    )
    tools = Toolway(app, settings=Settings()).read_catalog().tools
    assert tools["forget"].confirmation == "Forget {what}?"
