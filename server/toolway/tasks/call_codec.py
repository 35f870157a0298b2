"""Tool calls of tasks, and their outcomes, as bytes."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import Any

from pydantic import TypeAdapter
from pydantic_core import from_json, to_json

from toolway.calls import CallContext, Invoker, Outcome, steady
from toolway.content import Content, TextContent
from toolway.elicitation import Answer, AnyQuestion, CannotAskError, Kind, ReplayChannel
from toolway.errors import UnknownToolError
from toolway.headers import stays_with_connection
from toolway.openapi import Operation
from toolway.tasks.task import ReportProgress, ResumeState, RunCall, RunResult, TaskState

__all__ = ["QuestionCodec", "decode_missing_kind", "decode_outcome", "encode_call", "make_run_call"]

_BLOCKS = TypeAdapter[tuple[Content, ...]](tuple[Content, ...])


@dataclass(frozen=True, slots=True)
class QuestionCodec:
    """The encoding of questions and answers, which a protocol defines."""

    encode: Callable[[Mapping[str, AnyQuestion]], Mapping[str, Any]]
    """Returns questions as JSON values, by their keys."""
    decode: Callable[[Any], Answer]


def encode_call(arguments: Mapping[str, Any], context: CallContext, operation: Operation) -> bytes:
    """Encode a call of an operation. The result contains the caller's credentials."""
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


def _decode_call(call: bytes) -> tuple[dict[str, Any], CallContext, list[Kind], str | None]:
    record = from_json(call)
    context = CallContext(
        headers=[(name.encode("latin-1"), value.encode("latin-1")) for name, value in record["headers"]],
        query=tuple((name, value) for name, value in record["query"]),
        client=tuple(record["client"]) if record["client"] else None,
        scheme=record["scheme"],
        host=record.get("host", ""),  # tasks of earlier releases have none
        root_path=record["root_path"],
        root_in_path=record["keeps_root"],
    )
    return record["arguments"], context, record["kinds"], record["state"]


def make_run_call(calls: Invoker, stream_seconds: float, codec: QuestionCodec) -> RunCall:
    """Return a function that runs encoded calls, and reads streams for up to some seconds."""

    async def run_call(
        tool: str, call: bytes, resume_state: ResumeState | None, report_progress: ReportProgress
    ) -> RunResult:
        async def report(progress: float, total: float | None, message: str | None) -> None:
            amount = f"{progress:g} of {total:g}" if total is not None else f"{progress:g}"
            report_progress(f"{message} ({amount})" if message else amount)

        arguments, context, kinds, replay_state = _decode_call(call)
        answers: dict[str, Answer] = {}
        if resume_state is not None:
            replay_state = resume_state.replay_state
            answers = {key: codec.decode(answer) for key, answer in resume_state.answers.items()}
        asking = ReplayChannel(kinds, replay_state, answers)
        context = replace(context, report=steady(report), stream_seconds=stream_seconds, asking=asking, is_task=True)
        try:
            outcome = await calls.call(tool, arguments, context)
        except UnknownToolError as error:
            return RunResult(TaskState.FAILED, message=str(error))
        return _result_of(outcome, asking, codec)

    return run_call


def _result_of(outcome: Outcome, asking: ReplayChannel, codec: QuestionCodec) -> RunResult:
    if asking.missing_kind is not None:
        message = str(CannotAskError(asking.missing_kind).detail)
        return RunResult(TaskState.FAILED, result=to_json({"lacking": asking.missing_kind}), message=message)
    if asking.pending:
        questions = codec.encode(asking.pending)
        return RunResult(TaskState.INPUT_REQUIRED, questions=questions, replay_state=asking.state())
    if outcome.error is not None and "reference" in outcome.error:  # a server error, not a result of the tool
        text = " ".join(content.text for content in outcome.content if isinstance(content, TextContent))
        return RunResult(TaskState.FAILED, message=text)
    return RunResult(TaskState.COMPLETED, result=_encode_outcome(outcome))


def decode_missing_kind(result: bytes | None) -> Kind | None:
    """Return the kind of question that a failed task could not ask its client; None if it failed for another reason."""
    return from_json(result)["lacking"] if result is not None else None


def _encode_outcome(outcome: Outcome) -> bytes:
    return to_json(
        {
            "content": _BLOCKS.dump_python(outcome.blocks, mode="json"),
            "structured": outcome.structured.decode() if outcome.structured is not None else None,
            "error": outcome.error,
            "status": outcome.status,
        }
    )


def decode_outcome(result: bytes) -> Outcome:
    """Return the outcome of a completed task, in the format of this release or of an earlier one."""
    record = from_json(result)
    entries: list[dict[str, Any]] = record["content"]
    if entries and "kind" in entries[0]:
        entries = _convert_former_content(entries, has_structured=record["structured"] is not None)
    return Outcome(
        _BLOCKS.validate_python(entries),
        structured=record["structured"].encode() if record["structured"] is not None else None,
        error=record["error"],
        status=record["status"],
    )


def _convert_former_content(entries: list[dict[str, Any]], *, has_structured: bool) -> list[dict[str, Any]]:
    """Return content that release 0.1 stored as blocks of MCP; it stored structured content a second time as text."""
    if has_structured and len(entries) == 1 and entries[0]["kind"] == "text":
        return []
    return [_convert_former_entry(entry) for entry in entries]


def _convert_former_entry(entry: dict[str, Any]) -> dict[str, Any]:
    match entry["kind"]:
        case "written":
            return entry["block"]
        case "text":
            return {"type": "text", "text": entry["text"]}
        case "blob":
            resource = {"uri": entry["uri"], "mimeType": entry["media_type"], "blob": entry["data"]}
            return {"type": "resource", "resource": resource}
        case kind:
            return {"type": kind, "data": entry["data"], "mimeType": entry["media_type"]}
