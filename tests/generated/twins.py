"""An application twice: made-up requests are sent to the one, and the tool calls that stand for them to the other."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Collection, Generator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from itertools import count
from typing import Any, cast

import requests
import schemathesis
from anyio.from_thread import BlockingPortal, start_blocking_portal
from fastapi import FastAPI
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis.errors import Unsatisfiable
from mcp import Client
from mcp_types import CallToolResult
from schemathesis import Case
from schemathesis.generation import GenerationMode

from tests.fidelity.player import Caller, over_http
from tests.generated.arguments import InexpressibleError, arguments_of, credentials_of
from tests.servers import serving
from toolway.catalog import Tool
from toolway.mounts import toolway_of

__all__ = ["Known", "Twins", "play", "twins"]

Known = Mapping[str, Sequence[Any]]
Names = Collection[str]
NOTHING: Known = {}
PATIENCE = 30
"""Seconds for one request; a longer one counts as hanging."""


@dataclass
class Twins:
    """One application twice, in the same state: one is asked over plain HTTP, the other by tool calls."""

    portal: BlockingPortal
    client: Client
    caller: Caller
    web: requests.Session
    url: str
    document: dict[str, Any]
    tools: dict[tuple[str, str], Tool]
    counts: Counter[str] = field(default_factory=Counter[str])

    def differences(self, case: Case, tool: Tool, *, may_fail: bool) -> list[str]:
        """Send a request both ways and yield the differences, and a 5xx unless it is allowed."""
        try:
            arguments = arguments_of(case, tool)
        except InexpressibleError as reason:
            self.counts[f"left out: {reason}"] += 1
            return []
        request, response = self._sent(case)
        self.caller.headers, self.caller.query = credentials_of(request, tool)
        result: CallToolResult = self.portal.call(self.client.call_tool, tool.name, arguments)
        if response is None:
            self.counts["left out: the answer was lost, as it came before the body and closed the connection"] += 1
            return []
        problems = list(self._compared(response.status_code, result))
        if response.status_code >= 500 and not may_fail:
            problems.append(f"{response.status_code} from HTTP")
        return [f"{tool.name}({arguments}): {problem}" for problem in problems]

    def _sent(self, case: Case) -> tuple[requests.PreparedRequest, requests.Response | None]:
        """Send a request over plain HTTP; there is no response where what was on its way to the server reset it."""
        try:
            response = self.web.request(**case.as_transport_kwargs(base_url=self.url), timeout=PATIENCE)
        except requests.ConnectionError as error:
            if "ConnectionResetError" not in str(error) or error.request is None:
                raise
            return error.request, None
        return (response.history or [response])[0].request, response

    def _compared(self, status: int, result: CallToolResult) -> Generator[str]:
        self.counts["sent"] += 1
        self.counts[f"{status // 100}xx"] += 1
        told = result.meta["toolway/error"]["status"] if result.is_error and result.meta else 200
        if told is None and status >= 400:
            self.counts["refused before the endpoint"] += 1
        elif told != (status if status >= 400 else 200):
            yield f"{told} from the tool, {status} from HTTP"


@contextmanager
def twins(make: Callable[[str], FastAPI]) -> Generator[Twins]:
    """Run an application twice, on stores named "web" and "tools"."""
    app = make("tools")
    caller = Caller()
    with (
        serving(make("web")) as url,
        serving(app) as tools_url,
        start_blocking_portal() as portal,
        portal.wrap_async_context_manager(over_http(f"{tools_url}/mcp", "auto", caller)) as client,
        requests.Session() as web,
    ):
        web.headers["Connection"] = "close"  # uvicorn closes one on which an application has failed
        tools = toolway_of(app).catalog.tools.values()
        by_route = {(tool.operation.method, tool.operation.path): tool for tool in tools}
        yield Twins(portal, client, caller, web, url, app.openapi(), by_route)


def play(twins: Twins, examples: int, *, known: Known = NOTHING, without: Names = (), failing: Names = ()) -> list[str]:
    """Make up requests for every tool, valid ones and others, and return the differences, and what fails with a 5xx.

    Every other request gets values that the application knows, for the parameters and members of these names. Tools
    named in `without` are left out; those named in `failing` may end with a 5xx, if both ways do.
    """
    differences: list[str] = []
    schema = schemathesis.openapi.from_dict(twins.document)
    for operation in (entry.ok() for entry in schema.get_all_operations()):
        tool = twins.tools.get((operation.method.upper(), operation.path))
        if tool is None or tool.name in without:
            continue
        for mode in GenerationMode:
            cases = operation.as_strategy(generation_mode=mode)
            differences += _played(twins, tool, cases, examples, known, may_fail=tool.name in failing)
    return differences


def _played(twins: Twins, tool: Tool, cases: Any, examples: int, known: Known, *, may_fail: bool) -> list[str]:
    differences: list[str] = []
    number = count()

    @settings(
        max_examples=examples,
        derandomize=True,
        database=None,
        deadline=None,
        phases=[Phase.generate],
        suppress_health_check=list(HealthCheck),
    )
    @given(cases)
    def one(case: Case) -> None:
        turn, is_known = divmod(next(number), 2)
        if is_known:
            _use(known, case, turn)
        differences.extend(twins.differences(case, tool, may_fail=may_fail))

    with suppress(Unsatisfiable):  # an operation that takes nothing has no wrong requests
        one()
    return differences


def _use(known: Known, case: Case, turn: int) -> None:
    body = cast("dict[str, Any]", case.body) if isinstance(case.body, dict) else {}
    for place in (case.path_parameters, case.query, body):
        for name in known.keys() & place.keys():
            values = known[name]
            place[name] = values[turn % len(values)]
