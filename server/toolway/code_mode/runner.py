"""The tool ``run_code``: its definition, and the runner of its calls."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from importlib.util import find_spec
from typing import Any

from toolway.calls import Invoker, Outcome, ToolCall, outcome_of_exception
from toolway.catalog import Tool, ToolAnnotations
from toolway.code_mode.program import Program
from toolway.code_mode.report import report_check, report_failure, report_result
from toolway.code_mode.sandbox import CheckError, Finished, Limits, ProgramError, Sandbox
from toolway.code_mode.tool_module import ToolModule
from toolway.elicitation import AnswerNeeded, ReplayChannel
from toolway.errors import ArgumentError, ConfigurationError

__all__ = ["CODE_ORIGIN", "RUN_CODE", "CodeRunner", "code_tool", "is_code_available"]

RUN_CODE = "run_code"
CODE_ORIGIN = "toolway:code"
"""The origin of the tool ``run_code``, by which its runner is found."""

_LONGEST_CODE = 100_000
_MOST_STATE_CHARACTERS = 200_000
_DESCRIPTION = """Run a Python program that calls tools, instead of calling them one by one.

import asyncio
from tools import get_order, list_orders  # search_tools finds names
orders = await list_orders(limit=50)
details = await asyncio.gather(*[get_order(order_id=o["id"]) for o in orders])
sum(d["total"] for d in details)

Tools are async functions with named arguments; they return JSON values, and raise RuntimeError. Types are checked \
before anything runs, and an error names the right signature. The result is what the program prints and the value of \
its last expression. It has no files, network or packages: only asyncio, collections, datetime, decimal, itertools, \
json, math and re."""


def is_code_available() -> bool:
    """Return whether the sandbox is installed."""
    return find_spec("pydantic_monty") is not None


def code_tool(*, allows_changes: bool) -> Tool:
    """Return the tool ``run_code``.

    Raises:
        ConfigurationError: pydantic-monty is not installed.
    """
    if not is_code_available():
        raise ConfigurationError("code mode needs pydantic-monty: pip install 'toolway[code]'")
    only = "" if allows_changes else " Only read-only tools can be imported."
    return Tool(
        name=RUN_CODE,
        title="Run code",
        description=_DESCRIPTION + only,
        input_schema={
            "type": "object",
            "properties": {"code": {"type": "string"}},
            "required": ["code"],
            "additionalProperties": False,
        },
        annotations=ToolAnnotations(
            read_only=not allows_changes, destructive=allows_changes, idempotent=None, open_world=False
        ),
        modes=frozenset({"code"}),
        origin=CODE_ORIGIN,
        asks_user=True,
    )


class CodeRunner:
    """Runs the programs of agents.

    Args:
        limits: the limits of each program.
        allows_changes: whether programs may call tools that are not read-only.
    """

    forwarded: frozenset[bytes] = frozenset()

    def __init__(self, limits: Limits, *, allows_changes: bool) -> None:
        self.limits = limits
        self.sandbox = Sandbox(limits)
        self._allows_changes = allows_changes
        self._invoker: Invoker | None = None
        self._module: tuple[object, ToolModule] | None = None

    def call_through(self, invoker: Invoker) -> None:
        """Make the calls of programs with this invoker."""
        self._invoker = invoker

    def offer(self, tools: Mapping[str, Tool]) -> None:
        """Do nothing: programs may import the tools of other runners."""

    def start(self, call: ToolCall) -> _CodeRun:
        """Return a run for one call; it has not begun."""
        if self._invoker is None:
            raise RuntimeError("call_through() was not called")
        return _CodeRun(self, call, self._invoker)

    async def close(self) -> None:
        """End the workers of the sandbox."""
        await self.sandbox.close()

    def module(self, invoker: Invoker) -> ToolModule:
        """Return the functions that programs may import now."""
        tools = invoker.tools
        if self._module is None or self._module[0] is not tools:
            self._module = tools, ToolModule(tools.values(), allows_changes=self._allows_changes)
        return self._module[1]


class _CodeRun:
    """One call of ``run_code``."""

    def __init__(self, runner: CodeRunner, call: ToolCall, invoker: Invoker) -> None:
        self._runner = runner
        self._call = call
        self._invoker = invoker

    def check_arguments(self) -> None:
        """Check the arguments.

        Raises:
            ArgumentError: there is no program, or it is too long.
        """
        code: Any = self._call.arguments.get("code")
        if unknown := self._call.arguments.keys() - {"code"}:
            raise ArgumentError(f"unknown argument {min(unknown)!r}; the only one is 'code'")
        if not isinstance(code, str):
            raise ArgumentError(f"expected 'code' to be a string with a Python program, got {code!r:.100}")
        if len(code) > _LONGEST_CODE:
            raise ArgumentError(f"'code' has {len(code):,} characters; at most {_LONGEST_CODE:,} are accepted")

    async def execute(self) -> None:
        """Run the program, or continue it with the answers of the user."""
        try:
            self.check_arguments()
            outcome = await self._run(self._call.arguments["code"])
        except BaseException as error:  # noqa: BLE001 - no exception may reach the caller
            outcome = outcome_of_exception(self._call.tool, error)
        await self._call.finish(outcome)

    def stop_following(self) -> bool:
        return False

    async def closed(self) -> None:
        """Do nothing: a program ends with its run."""

    async def _run(self, code: str) -> Outcome:
        context, invoker, limits = self._call.context, self._invoker, self._runner.limits
        module = self._runner.module(invoker)

        def is_visible(tool: Tool) -> bool:
            return not invoker.policy.hides_tools or invoker.policy.shows(tool, context)

        signatures = module.select(code, is_visible)
        program = Program(signatures, invoker.perform, context, limits)
        try:
            return await self._drive(program, code, list(signatures), module.stub(signatures))
        except CheckError as error:
            return report_check(error, code, signatures, lambda name: module.explain_import(name, is_visible))
        except ProgramError as error:
            return report_failure(str(error), program)
        except TimeoutError:
            return report_failure(f"The program was stopped after {limits.seconds:g} seconds.", program)

    async def _drive(self, program: Program, code: str, functions: list[str], stub: str) -> Outcome:
        """Run a program to its end, or to questions that end the call."""
        asking, sandbox = self._call.context.asking, self._runner.sandbox
        snapshot: bytes | None = None
        if isinstance(asking, ReplayChannel) and asking.saved is not None:
            snapshot = program.load(asking.saved)
            program.take_answers(asking.answers)
        while True:
            async with asyncio.timeout(max(0, program.seconds_left)):
                step = (
                    await sandbox.run(code, functions, stub, program)
                    if snapshot is None
                    else await sandbox.resume(snapshot, program)
                )
            if isinstance(step, Finished):
                return report_result(step, program, self._runner.limits.output_bytes)
            program.pause()
            if asking is None or not program.questions:
                raise ProgramError("The program waits for something that will not happen.")
            if isinstance(asking, ReplayChannel):
                asking.suspend(program.questions, _save(program, step.snapshot))
                raise AnswerNeeded(asking.describe_pending())
            program.take_answers(await asking.ask(program.questions))
            snapshot = step.snapshot


def _save(program: Program, snapshot: bytes) -> str:
    """Return the state of a paused program.

    Raises:
        ProgramError: it is too large for the client to send back.
    """
    saved = program.save(snapshot)
    if len(saved) > _MOST_STATE_CHARACTERS:
        raise ProgramError(
            f"The program cannot wait for the user: it holds {len(saved) // 1000:,} kB of data, at most "
            f"{_MOST_STATE_CHARACTERS // 1000:,} kB are possible. Keep only the values that you need before you call a "
            "tool that has to be confirmed."
        )
    return saved
