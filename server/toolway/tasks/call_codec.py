"""Calls of tools as jobs: what is needed to run one later, and what came of it, as bytes."""

from __future__ import annotations

import base64
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, replace
from typing import Any

from pydantic_core import from_json, to_json

from toolway.calls import Audio, Blob, CallContext, Content, Image, Invoker, McpContent, Outcome, Text, steady
from toolway.elicitation import Answer, AnyQuestion, CannotAskError, Kind, ReplayChannel
from toolway.errors import UnknownToolError
from toolway.headers import stays_with_connection
from toolway.openapi import Operation
from toolway.tasks.model import JobState, ResumeState, RunResult
from toolway.tasks.worker import Perform

__all__ = ["QuestionCodec", "lacking_of", "outcome_from", "performing", "written_call"]

_CONTENT: Mapping[str, type[Content]] = {
    "text": Text,
    "image": Image,
    "audio": Audio,
    "blob": Blob,
    "written": McpContent,
}
_NAMES = {kind: name for name, kind in _CONTENT.items()}


@dataclass(frozen=True, slots=True)
class QuestionCodec:
    """How questions and answers are written: that is for a protocol to say."""

    write: Callable[[Mapping[str, AnyQuestion]], Mapping[str, Any]]
    read: Callable[[Any], Answer]


def written_call(arguments: Mapping[str, Any], context: CallContext, operation: Operation) -> bytes:
    """Write down what a call of an operation brings with it. It holds the caller's credentials."""
    asking = context.asking
    headers = [(name.decode("latin-1"), value.decode("latin-1")) for name, value in context.headers]
    cookies = [("cookie", pair.decode("latin-1")) for _, pair in context.cookies(operation.caller_names.cookies)]
    return to_json(
        {
            "arguments": arguments,
            "headers": [*(pair for pair in headers if not stays_with_connection(pair[0])), *cookies],
            "query": context.query,
            "client": context.client,
            "scheme": context.scheme,
            "host": context.host,
            "root_path": context.root_path,
            "keeps_root": context.root_in_path,
            "kinds": list(asking.kinds) if asking is not None else [],
            "state": asking.state() if isinstance(asking, ReplayChannel) else None,
        }
    )


def performing(calls: Invoker, seconds: float, speech: QuestionCodec) -> Perform:
    """Return what runs written calls; streams are followed for so many seconds."""

    async def perform(tool: str, call: bytes, memory: ResumeState | None, tell: Callable[[str], None]) -> RunResult:
        arguments, context, kinds, state = _read_call(call)
        given = {key: speech.read(answer) for key, answer in memory.given.items()} if memory is not None else {}
        asking = ReplayChannel(kinds, memory.state if memory is not None else state, given)
        report = steady(_reporting(tell))
        context = replace(context, report=report, stream_seconds=seconds, asking=asking, is_task=True)
        try:
            outcome = await calls.call(tool, arguments, context)
        except UnknownToolError as error:
            return RunResult(JobState.FAILED, message=str(error))
        return _asked(asking, speech) or _ended(outcome)

    return perform


def _asked(asking: ReplayChannel, speech: QuestionCodec) -> RunResult | None:
    """How a run ended whose endpoint has asked something; None where it has not."""
    if asking.lacking is not None:
        message = str(CannotAskError(asking.lacking).detail)
        return RunResult(JobState.FAILED, result=to_json({"lacking": asking.lacking}), message=message)
    if asking.pending:
        return RunResult(JobState.INPUT_REQUIRED, questions=speech.write(asking.pending), memory=asking.state())
    return None


def _ended(outcome: Outcome) -> RunResult:
    if outcome.error is not None and "reference" in outcome.error:  # nothing that the tool has to say
        return RunResult(JobState.FAILED, message=_words(outcome))
    return RunResult(JobState.COMPLETED, result=_written(outcome))


def _words(outcome: Outcome) -> str:
    return " ".join(content.text for content in outcome.content if isinstance(content, Text))


def outcome_from(written: bytes) -> Outcome:
    """Read what came of a call."""
    record = from_json(written)
    return Outcome(
        content=tuple(_content(entry) for entry in record["content"]),
        structured=record["structured"].encode() if record["structured"] is not None else None,
        error=record["error"],
        status=record["status"],
    )


def lacking_of(written: bytes | None) -> Kind | None:
    """Read what the caller of a failed call would have to be able to be asked, if that was the reason."""
    return from_json(written)["lacking"] if written is not None else None


def _read_call(call: bytes) -> tuple[dict[str, Any], CallContext, list[Kind], str | None]:
    record = from_json(call)
    context = CallContext(
        headers=[(name.encode("latin-1"), value.encode("latin-1")) for name, value in record["headers"]],
        query=tuple((name, value) for name, value in record["query"]),
        client=tuple(record["client"]) if record["client"] else None,
        scheme=record["scheme"],
        host=record.get("host", ""),  # tasks of an earlier release have none
        root_path=record["root_path"],
        root_in_path=record["keeps_root"],
    )
    return record["arguments"], context, record["kinds"], record["state"]


def _reporting(tell: Callable[[str], None]) -> Callable[[float, float | None, str | None], Awaitable[None]]:
    async def report(progress: float, total: float | None, message: str | None) -> None:
        far = f"{progress:g} of {total:g}" if total is not None else f"{progress:g}"
        tell(f"{message} ({far})" if message else far)

    return report


def _written(outcome: Outcome) -> bytes:
    return to_json(
        {
            "content": [_entry(content) for content in outcome.content],
            "structured": outcome.structured.decode() if outcome.structured is not None else None,
            "error": outcome.error,
            "status": outcome.status,
        }
    )


def _entry(content: Content) -> dict[str, Any]:
    values = {name: getattr(content, name) for name in content.__slots__}
    if not isinstance(content, Text | McpContent):
        values["data"] = base64.b64encode(content.data).decode()
    return {"kind": _NAMES[type(content)], **values}


def _content(entry: dict[str, Any]) -> Content:
    values = {name: value for name, value in entry.items() if name != "kind"}
    if "data" in values:
        values["data"] = base64.b64decode(values["data"])
    return _CONTENT[entry["kind"]](**values)
