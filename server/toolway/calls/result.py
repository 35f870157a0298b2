"""From the application's answer to what the caller gets."""

from __future__ import annotations

import logging
import re
from dataclasses import replace

from pydantic_core import from_json

from toolway.calls.dispatch import Reply
from toolway.calls.failures import phrase, refused_request, server_failure
from toolway.calls.outcome import Audio, Blob, Content, Image, Outcome, Text
from toolway.catalog import Tool

__all__ = ["outcome_of"]

logger = logging.getLogger("toolway.calls")

_CHARSET = re.compile(r"charset=\"?([\w.:-]+)", re.IGNORECASE)
_TEXTUAL = re.compile(
    r"text/.+|.+\+(xml|yaml)|application/(xml|yaml|x-yaml|javascript|graphql|sql|x-ndjson|ndjson|jsonl|x-jsonlines"
    r"|jsonlines|json-seq|x-www-form-urlencoded)"
)


def outcome_of(tool: Tool, reply: Reply) -> Outcome:
    """Turn an answer into content: JSON stays JSON, text stays text, pictures and sound are themselves.

    A tool with an output schema has promised JSON: clients refuse a success without it, so that is a failure here.
    """
    outcome = _outcome(tool, reply)
    is_null = outcome.structured == b"null" and tool.output_schema is not None  # an infinite number, written as JSON
    is_kept = tool.wrapped_output_schema is None or (outcome.structured is not None and not is_null)
    return outcome if outcome.is_error or is_kept else _unpromised(tool, outcome)


def _outcome(tool: Tool, reply: Reply) -> Outcome:
    if reply.status == 0 or reply.status >= 500:
        return server_failure(tool, reply)
    if reply.status >= 400:
        return refused_request(tool, reply)
    if reply.status >= 300:
        return Outcome((Text(_moved(reply)),), status=reply.status)
    if not reply.body:
        done = f"Done: {tool.title} ({reply.status} {phrase(reply.status)})"
        return Outcome((Text(f"{done}, but {reply.cut}" if reply.cut else done),), status=reply.status)
    return _success(tool, reply)


def _success(tool: Tool, reply: Reply) -> Outcome:
    media_type = reply.header(b"content-type").partition(";")[0].strip().lower()
    if _is_json(media_type) and not reply.cut and _parses(reply.body):
        return Outcome((Text(reply.body.decode()),), structured=reply.body, status=reply.status)
    if _TEXTUAL.fullmatch(media_type) or (_is_json(media_type) and not reply.cut):
        return Outcome((Text(_text(reply)),), status=reply.status)
    if reply.cut:
        return _too_much(tool, reply)
    return Outcome((_media(tool, reply.body, media_type),), status=reply.status)


def _moved(reply: Reply) -> str:
    target = reply.header(b"location")
    label = f"{reply.status} {phrase(reply.status)}"
    return f"{label}: continue at {target}" if target else label


def _is_json(media_type: str) -> bool:
    return media_type == "application/json" or media_type.endswith("+json")


def _parses(body: bytes) -> bool:
    """Tell whether the bytes are JSON that any client can read: no NaN, no lone surrogate, at most 200 levels."""
    try:
        from_json(body, allow_inf_nan=False)
    except ValueError:
        return False
    return True


def _text(reply: Reply) -> str:
    declared = _CHARSET.search(reply.header(b"content-type"))
    try:
        text = reply.body.decode(declared[1] if declared else "utf-8", "replace")
    except LookupError:
        text = reply.body.decode("utf-8", "replace")
    return f"{text}\n[The answer was closed here: {reply.cut}.]" if reply.cut else text


def _media(tool: Tool, body: bytes, media_type: str) -> Content:
    if media_type.startswith("image/"):
        return Image(body, media_type)
    if media_type.startswith("audio/"):
        return Audio(body, media_type)
    return Blob(body, media_type or "application/octet-stream", f"toolway:///{tool.name}")


def _unpromised(tool: Tool, outcome: Outcome) -> Outcome:
    """Show what came all the same: the endpoint may well have done its work."""
    text = f"{tool.name} may have done its work, but did not answer with the JSON that its output schema promises:"
    logger.warning("tool %r answered %s without the JSON that its response model promises", tool.name, outcome.status)
    return replace(outcome, content=(Text(text), *outcome.content), error={"status": outcome.status, "detail": text})


def _too_much(tool: Tool, reply: Reply) -> Outcome:
    """Half a document is no document: say how to ask for less."""
    text = f"The answer of {tool.name} cannot be handed on whole: {reply.cut}. Ask for less, with a filter or a limit."
    return Outcome((Text(text),), error={"status": reply.status, "detail": text}, status=reply.status)
