"""Playing of recorded tasks over MCP, and the differences from the record."""

from __future__ import annotations

import hashlib
import json
from collections import Counter
from collections.abc import Iterator
from typing import Any

import jsonschema
from mcp import Client
from mcp_types import CallToolResult, TextContent, TextResourceContents

from tests.tools.replay import UNTOUCHED_SHA256, Operation, Task, restore_copy
from tools.retail.database import Database
from tools.retail.store import canonical
from toolway.catalog import tool_uri

__all__ = ["Player"]

State = dict[str, dict[str, Any]]


class Player:
    """Plays tasks on one store through one client, each task on the untouched store.

    `tally` counts tasks, operations, and how many of them succeeded and failed.
    """

    def __init__(self, client: Client, store: Database) -> None:
        self.tally = Counter[str]()
        self._client = client
        self._store = store
        self._answers: dict[str, jsonschema.Draft202012Validator] = {}
        self._untouched: State = {}

    async def prepare(self) -> None:
        """Read the output schemas of the tools, and the content of the untouched store."""
        for tool in (await self._client.list_tools()).tools:
            (contents,) = (await self._client.read_resource(tool_uri(tool.name))).contents
            assert isinstance(contents, TextResourceContents)
            schema = json.loads(contents.text).get("outputSchema")
            assert schema, f"{tool.name} has no output schema"
            self._answers[tool.name] = jsonschema.Draft202012Validator(schema)
        text = await self._state()
        assert _sha256(text) == UNTOUCHED_SHA256
        self._untouched = json.loads(text)

    async def play(self, task: Task) -> list[str]:
        """Play one task on the untouched store, and return all differences from the record."""
        await restore_copy(self._store)
        self.tally["tasks"] += 1
        problems = [f"task {task.id}: {problem}" for step in task.operations if (problem := await self._call(step))]
        text = await self._state()
        if _sha256(text) != task.end_state_sha256:
            found = "\n    ".join(_differences(json.loads(text), self._recorded_end(task)))
            problems.append(f"task {task.id}: the end state differs:\n    {found}")
        return problems

    def _recorded_end(self, task: Task) -> State:
        return {section: records | task.changed.get(section, {}) for section, records in self._untouched.items()}

    async def _call(self, step: Operation) -> str | None:
        result = await self._client.call_tool(step.name, step.arguments)
        self.tally["operations"] += 1
        self.tally["failed" if result.is_error else "succeeded"] += 1
        if result.is_error is step.ok:
            return f"{step} {'failed' if result.is_error else 'succeeded'}: {_text(result)}"
        return self._unfit_refusal(result) if result.is_error else self._unfit_answer(step.name, result)

    def _unfit_answer(self, name: str, result: CallToolResult) -> str | None:
        for error in self._answers[name].iter_errors(result.structured_content):
            return f"{name} answers against its schema: {error.json_path}: {error.message}"
        if json.loads(_text(result)) != result.structured_content:
            return f"the text of {name} differs from its structured content"
        return None

    def _unfit_refusal(self, result: CallToolResult) -> str | None:
        return None if _text(result) else "a refusal without a word"

    async def _state(self) -> str:
        return "".join([piece async for piece in canonical(self._store)])


def _text(result: CallToolResult) -> str:
    return "".join(block.text for block in result.content if isinstance(block, TextContent))


def _sha256(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()


def _differences(found: State, expected: State) -> Iterator[str]:
    """Describe the records that differ."""
    for section, records in expected.items():
        for key in sorted(records.keys() | found[section].keys()):
            one, other = found[section].get(key), records.get(key)
            if one is None or other is None:
                yield f"{section} {key} is {'missing' if one is None else 'new'}"
                continue
            for field in sorted(one.keys() | other.keys()):
                if one.get(field) != other.get(field):
                    yield f"{section} {key}: {field} is {one.get(field)!r}, recorded {other.get(field)!r}"
