"""One program of an agent: its calls, its output, and its state while it waits for the user."""

from __future__ import annotations

import base64
import json
import time
import zlib
from collections.abc import Mapping
from dataclasses import asdict, dataclass, replace
from typing import Any, Literal, Protocol, cast

from pydantic_core import from_json

from toolway.calls import CallContext, Outcome, ProgressCallback
from toolway.catalog import ANY_FIELD, FIELDS, EndpointTool, Tool
from toolway.catalog.stubs import Signature
from toolway.code_mode.sandbox import Limits, Reply
from toolway.content import TextContent
from toolway.elicitation import Answer, AnyQuestion, ReplayChannel
from toolway.errors import ServerShutdownError

__all__ = ["CallRecord", "Perform", "Program"]

_LONGEST_ARGUMENTS = 100
_LONGEST_ERROR = 200


class Perform(Protocol):
    """Calls a tool, and returns its outcome."""

    async def __call__(self, tool: Tool, arguments: Mapping[str, Any], context: CallContext) -> Outcome: ...


@dataclass(slots=True)
class CallRecord:
    """One call of a program."""

    function: str
    arguments: dict[str, Any]
    status: Literal["running", "waiting", "ok", "error"] = "running"
    error: str = ""
    state: str | None = None
    """The state of its questions to the user, while it waits for answers."""

    def describe(self) -> str:
        """Return the call and how it ended, for agents."""
        named = ", ".join(f"{name}={json.dumps(value, ensure_ascii=False)}" for name, value in self.arguments.items())
        named = named if len(named) <= _LONGEST_ARGUMENTS else f"{named[:_LONGEST_ARGUMENTS]}..."
        ends = {
            "running": "not finished; it may have had an effect",
            "waiting": "not run; it waits for the user",
            "ok": "ok",
            "error": f"failed: {self.error[:_LONGEST_ERROR]}",
        }
        return f"{self.function}({named}): {ends[self.status]}"

    def fail(self, error: str) -> Reply:
        """Record an error, and return it for the program."""
        self.status, self.error = "error", error
        return Reply(error=error)


class Program:
    """The host of one program: makes its calls, and keeps what it prints.

    Args:
        signatures: the functions that it may call.
        perform: calls a tool.
        context: the caller.
        limits: the limits of the program.
    """

    def __init__(
        self, signatures: Mapping[str, Signature], perform: Perform, context: CallContext, limits: Limits
    ) -> None:
        self.calls: dict[int, CallRecord] = {}
        self.output = ""
        self.cut_characters = 0
        self._signatures = signatures
        self._perform = perform
        self._context = context
        self._limits = limits
        self._spent_seconds = 0.0
        self._began = time.monotonic()
        self._finished = 0
        self._questions: dict[str, AnyQuestion] = {}
        self._answers: Mapping[str, Answer] = {}

    @property
    def seconds_left(self) -> float:
        return self._limits.seconds - self._spent_seconds - (time.monotonic() - self._began)

    @property
    def questions(self) -> Mapping[str, AnyQuestion]:
        """The questions that its calls wait for."""
        return self._questions

    def save(self, snapshot: bytes) -> str:
        """Return the state of the program after `pause` as text; the caller has to encrypt it."""
        members = {
            "calls": {call_id: asdict(record) for call_id, record in self.calls.items()},
            "output": self.output,
            "cut": self.cut_characters,
            "spent": self._spent_seconds,
        }
        packed = zlib.compress(json.dumps(members).encode() + b"\n" + snapshot)
        return base64.b85encode(packed).decode()

    def load(self, saved: str) -> bytes:
        """Take over the state of a paused program, and return its snapshot."""
        text, _, snapshot = zlib.decompress(base64.b85decode(saved)).partition(b"\n")
        members: dict[str, Any] = json.loads(text)
        self.calls = {int(call_id): CallRecord(**record) for call_id, record in members["calls"].items()}
        self.output, self.cut_characters, self._spent_seconds = members["output"], members["cut"], members["spent"]
        return snapshot

    def take_answers(self, answers: Mapping[str, Answer]) -> None:
        """Continue the clock, with the user's answers to `questions`."""
        self._answers = answers
        self._questions = {}
        self._began = time.monotonic()

    def pause(self) -> None:
        """Add the time since the start, or since the last answers, to the time that is spent."""
        now = time.monotonic()
        self._spent_seconds += now - self._began
        self._began = now

    async def call(self, call_id: int, function: str, arguments: str) -> Reply | None:
        """Make a call of the program."""
        if len(self.calls) >= self._limits.calls:
            return Reply(error=f"A program may make at most {self._limits.calls} calls (TOOLWAY_CODE_CALLS).")
        signature = self._signatures.get(function)
        if signature is None:
            return Reply(error=f"The program has not imported {function!r}.")
        try:
            values, named = cast("tuple[list[Any], dict[str, Any]]", from_json(arguments, allow_inf_nan=False))
            bound = signature.bind(values, named)
        except (ValueError, TypeError) as error:
            return Reply(error=f"{function}: {error}")
        record = self.calls[call_id] = CallRecord(function, bound)
        return await self._run(call_id, record)

    async def call_again(self, call_id: int) -> Reply | None:
        """Make a call again, with the answers to its questions."""
        record = self.calls.get(call_id)
        if record is None or record.function not in self._signatures:
            return Reply(error="The tool is not available any more.")
        return await self._run(call_id, record)

    def print(self, stream: str, text: str) -> None:
        """Keep output as far as there is room."""
        del stream
        room = self._limits.output_bytes - len(self.output)
        self.output += text[:room]
        self.cut_characters += max(0, len(text) - room)

    async def _run(self, call_id: int, record: CallRecord) -> Reply | None:
        asking = self._context.asking
        prefix = f"{call_id}."
        if asking is not None and asking.kinds:
            given = {key.removeprefix(prefix): value for key, value in self._answers.items() if key.startswith(prefix)}
            asking = ReplayChannel(asking.kinds, record.state, given)
        context = self._context
        if asking is not None or context.report is not None:  # a copy takes as long as a small endpoint
            context = replace(context, asking=asking, report=self._reporter(record))
        record.status = "running"
        try:
            tool, arguments = self._signatures[record.function].tool, record.arguments
            if isinstance(tool, EndpointTool) and tool.concise:  # programs get whole results, as their types describe
                arguments = {FIELDS: [ANY_FIELD], **arguments}
            outcome = await self._perform(tool, arguments, context)
        except ServerShutdownError as error:
            return record.fail(str(error))
        if isinstance(asking, ReplayChannel) and asking.pending:
            record.status, record.state = "waiting", asking.state()
            self._questions |= {prefix + key: query for key, query in asking.pending.items()}
            return None
        record.state = None
        texts = "\n".join(block.text for block in outcome.content if isinstance(block, TextContent))
        if outcome.is_error:
            return record.fail(texts)
        record.status = "ok"
        await self._report_finished(record)
        return Reply(json.dumps(texts) if outcome.structured is None else outcome.structured.decode())

    def _reporter(self, record: CallRecord) -> ProgressCallback | None:
        """Return what receives the progress of one call, as a part of that of the program."""
        report = self._context.report
        if report is None:
            return None

        async def report_part(progress: float, total: float | None, message: str | None) -> None:
            part = min(progress / total, 0.99) if total else 0.0
            await report(self._finished + part, None, f"{record.function}: {message}" if message else record.function)

        return report_part

    async def _report_finished(self, record: CallRecord) -> None:
        self._finished += 1
        if self._context.report is not None:
            await self._context.report(self._finished, None, record.function)
