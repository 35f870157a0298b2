"""The limit on the size of results, and what an agent gets instead of a longer one."""

from __future__ import annotations

import json
import logging
from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import Any, TypeAlias

import msgspec
from anyio import to_thread
from jsonschema import Draft202012Validator
from pydantic_core import to_json

from toolway.calls import CallContext, Outcome
from toolway.catalog import WRAPPER, Tool
from toolway.content import Content, ResourceLink, TextContent
from toolway.results.result_store import ResultStore
from toolway.results.truncation import Collection, Truncated, cut_text, truncate_json
from toolway.sql_table import StoreError

__all__ = ["RESULT_URI", "TRUNCATED_KEY", "Identify", "ResultLimiter"]

logger = logging.getLogger("toolway.results")

RESULT_URI = "toolway://results/"
"""The URI of a stored result, without its handle."""
TRUNCATED_KEY = "toolway/truncated"
"""The key in ``_meta`` of a note, for programs."""
_BYTES_PER_TOKEN = 4
_NOTE_BYTES = 1200
"""The size that a note, its copy in structured content, and a link may have together."""
_UNITS = {"array": "items", "object": "entries", "text": "characters"}

Identify: TypeAlias = Callable[[CallContext], str]
"""Returns the id of a caller; empty for one that nothing identifies."""


class ResultLimiter:
    """Truncates results that are longer than an agent should read, and stores them whole for their callers.

    Args:
        store: keeps the results.
        max_tokens: the longest result, in tokens of four bytes.
        reader: how agents read more of a result: the name of the tool.
        identify: returns the caller that may read the result.
    """

    def __init__(self, store: ResultStore, max_tokens: int, reader: str, identify: Identify) -> None:
        self.store = store
        self.identify = identify
        self.max_bytes = max_tokens * _BYTES_PER_TOKEN
        self._reader = reader
        self._has_warned = False

    def exceeds(self, outcome: Outcome) -> bool:
        """Return whether an outcome is too long; costs nothing but the comparison for plain JSON."""
        structured = outcome.structured
        if structured is not None and len(structured) > self.max_bytes:
            return True
        return bool(outcome.blocks) and sum(len(text.encode()) for text in _texts(outcome)) > self.max_bytes

    async def truncate(self, tool: Tool | None, outcome: Outcome, context: CallContext) -> Outcome:
        """Return a part of an outcome that is too long, with a note on how to read the rest.

        JSON is cut between items, and remains valid under the output schema of the tool. If that is not possible, the
        outcome is an error, which clients do not validate.
        """
        return await to_thread.run_sync(self._truncate, tool, outcome, self.identify(context))

    def _truncate(self, tool: Tool | None, outcome: Outcome, caller: str) -> Outcome:
        budget = max(self.max_bytes - _NOTE_BYTES, self.max_bytes // 2)
        body = outcome.structured
        if body is None or len(body) <= self.max_bytes:
            return self._truncate_text(outcome, budget, caller)
        found = truncate_json(body, budget)
        if found is not None:
            has_room = outcome.is_error or _matches_schema(tool, _add_note(found.body, ""))
            if has_room or _matches_schema(tool, found.body):
                return self._replace_json(outcome, found, caller, has_room=has_room)
        return self._replace_by_text(tool, outcome, msgspec.json.format(body, indent=1).decode(), budget, caller)

    def _replace_json(self, outcome: Outcome, found: Truncated, caller: str, *, has_room: bool) -> Outcome:
        """Return an outcome with truncated JSON, both as structured content and as text.

        Some clients show agents only the structured content, so an object also contains the note if it `has_room`.
        """
        note, link = self._keep(found.collection, found.shown, found.total, caller, found.path)
        body = _add_note(found.body, note.text) if has_room else found.body
        changed = outcome.with_structured(body)
        return replace(changed, blocks=(*changed.content, note, *link), truncation=note.text)

    def _replace_by_text(self, tool: Tool | None, outcome: Outcome, text: str, budget: int, caller: str) -> Outcome:
        """Return JSON that cannot be cut as the beginning of a text; an error if clients expect a schema."""
        part = cut_text(text, budget)
        note, link = self._keep(Collection("text", text.encode()), len(part), len(text), caller)
        error = outcome.error
        if error is None and tool is not None and tool.promises_output:
            error = {"status": outcome.status, "detail": note.text}
        blocks = (TextContent(text=part), note, *link)
        return replace(outcome, blocks=blocks, structured=None, error=error, truncation=note.text)

    def _truncate_text(self, outcome: Outcome, budget: int, caller: str) -> Outcome:
        text = "\n".join(_texts(outcome))
        part = cut_text(text, budget)
        left = len(part)
        kept: list[Content] = []
        for block in outcome.blocks:
            if not isinstance(block, TextContent):
                kept.append(block)
            elif left > 0:
                kept.append(block.model_copy(update={"text": block.text[:left]}))
                left -= len(block.text) + 1
        note, link = self._keep(Collection("text", text.encode()), len(part), len(text), caller)
        return replace(outcome, blocks=(*kept, note, *link), truncation=note.text)

    def _keep(
        self, collection: Collection, shown: int, total: int, caller: str, path: tuple[str, ...] = ()
    ) -> tuple[TextContent, tuple[ResourceLink, ...]]:
        """Store a collection, and return the note about it and, if it was stored, a link to it."""
        unit, place = _UNITS[collection.kind], ".".join(path)
        text = f"Truncated: the first {shown:,} of {total:,} {unit}{f' of {place!r}' if place else ''} are shown."
        facts: dict[str, Any] = {"shown": shown, "total": total, "unit": unit, "path": list(path)}
        handle = self._save(collection, caller)
        if handle is None:
            text += " Request less data, e.g. with a filter or a limit."
            return TextContent(text=text, meta={TRUNCATED_KEY: facts}), ()
        text += f" Read more with {self._reader}(handle={handle!r}, offset={shown}), or request less data."
        uri = RESULT_URI + handle
        facts |= {"handle": handle, "uri": uri}
        media_type = "text/plain" if collection.kind == "text" else "application/json"
        link = ResourceLink(
            uri=uri, name="result", title="The whole result", mime_type=media_type, size=len(collection.body)
        )
        return TextContent(text=text, meta={TRUNCATED_KEY: facts}), (link,)

    def _save(self, collection: Collection, caller: str) -> str | None:
        """Return the handle of a stored collection; None if it cannot be stored."""
        try:
            return self.store.save(collection, caller)
        except StoreError as error:
            if not self._has_warned:
                self._has_warned = True
                logger.warning(
                    "long results are truncated, but the rest cannot be stored: %s; set TOOLWAY_STORE_URL", error
                )
            return None


def _texts(outcome: Outcome) -> Iterator[str]:
    return (block.text for block in outcome.blocks if isinstance(block, TextContent))


def _add_note(body: bytes, note: str) -> bytes:
    """Return JSON with a note as a member, if it is an object without such a member."""
    if not body.startswith(b"{") or b'"_truncated"' in body:
        return body
    return b'%b,"_truncated":%b}' % (body[:-1], to_json(note))


def _matches_schema(tool: Tool | None, body: bytes) -> bool:
    """Return whether structured content matches the output schema of a tool, against which clients validate it."""
    if tool is None or tool.wrapped_output_schema is None or not tool.promises_output:
        return True
    value = json.loads(body)
    content = {WRAPPER: value} if tool.wraps_output else value
    validator: Any = Draft202012Validator(tool.wrapped_output_schema)  # its methods are annotated incompletely
    return validator.is_valid(content)
