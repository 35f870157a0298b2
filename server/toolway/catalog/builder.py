"""From operations to the catalogue."""

from __future__ import annotations

import logging
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import partial
from typing import Any, cast

from toolway.catalog.arguments import Argument, body_plan, flat_arguments
from toolway.catalog.confirmation import confirmation_of
from toolway.catalog.filters import Selection
from toolway.catalog.marker_fields import COMPLETE
from toolway.catalog.metadata import annotations_of, description_of, note_of, title_of
from toolway.catalog.naming import tool_names
from toolway.catalog.prompt import Prompt, prompt_of
from toolway.catalog.resource import Resource, resource_of
from toolway.catalog.schema.custom import given_schema
from toolway.catalog.schema.definitions import Definitions
from toolway.catalog.schema.output import output_schemas
from toolway.catalog.skill import Skill
from toolway.catalog.suggestions import Completion, completions_of
from toolway.catalog.tool import Tool
from toolway.errors import ConfigurationError, DocumentError
from toolway.openapi import MALFORMED_ERRORS, Api, CallerRules, Operation, Schema, SkippedOperation

__all__ = ["Catalog", "build_catalog"]

logger = logging.getLogger("toolway.catalog")

_BODILESS = frozenset({"HEAD", "OPTIONS", "TRACE"})


@dataclass(frozen=True, slots=True)
class Catalog:
    """What an API offers to agents, in the document's order, and what could not be offered."""

    title: str
    version: str
    description: str
    tools: Mapping[str, Tool]
    skipped: tuple[SkippedOperation, ...] = ()
    resources: tuple[Resource, ...] = ()
    prompts: Mapping[str, Prompt] = field(default_factory=dict[str, Prompt])
    skills: tuple[Skill, ...] = ()

    def definitions(self) -> dict[str, list[dict[str, Any]]]:
        """Everything as clients get it, by kind."""
        return {
            "tools": [tool.definition(wrapped=False) for tool in self.tools.values()],
            "resources": [entry.definition() for entry in (*self.resources, *self.skills)],
            "prompts": [prompt.definition() for prompt in self.prompts.values()],
        }


def build_catalog(
    api: Api,
    selection: Selection | None = None,
    origin: str = "",
    rules: CallerRules | None = None,
    *,
    publishes_output: bool = True,
) -> Catalog:
    """Turn an API's operations into tools, resources and prompts.

    Names are given before the selection, so that a filter never renames a tool that stays. `origin` tells the tools of
    several APIs apart, and `rules` tell arguments from values that the caller sends. Without `publishes_output`, no
    tool has an output schema.

    Raises:
        FilterError: an include or exclude entry matches nothing.
        ConfigurationError: an endpoint's marker has an unknown field, or asks for what cannot be.
    """
    api = replace(api, operations=tuple(map((rules or CallerRules()).apply, api.operations)))
    selection = selection or Selection()
    selection.check(api.operations)
    api = _without_bodiless(api)
    api, notes = _read_notes(api)
    names = tool_names(api.operations, [(note or {}).get("name") for note in notes])
    entries = [_Entry(*entry) for entry in zip(api.operations, notes, names, strict=True)]
    catalog = _Builder(api, selection, entries, origin, publishes_output=publishes_output).catalog()
    if api.operations and not (catalog.tools or catalog.resources or catalog.prompts):
        _warn_of_nothing(api, selection)
    return catalog


def _without_bodiless(api: Api) -> Api:
    """Skip the operations whose method has no result for an agent."""
    left = tuple(operation for operation in api.operations if operation.method not in _BODILESS)
    skipped = (
        SkippedOperation(operation.method, operation.path, f"{operation.method} requests have no result for an agent")
        for operation in api.operations
        if operation.method in _BODILESS
    )
    return replace(api, operations=left, skipped=(*api.skipped, *skipped))


def _read_notes(api: Api) -> tuple[Api, list[Mapping[str, Any] | None]]:
    """Return what each operation says of itself; a mistake in a remote API's document costs its operation."""
    operations: list[Operation] = []
    notes: list[Mapping[str, Any] | None] = []
    skipped = list(api.skipped)
    for operation in api.operations:
        try:
            notes.append(note_of(operation))
            operations.append(operation)
        except ConfigurationError as error:
            if operation.route is not None:
                raise
            skipped.append(SkippedOperation(operation.method, operation.path, str(error)))
    return replace(api, operations=tuple(operations), skipped=tuple(skipped)), notes


def _warn_of_nothing(api: Api, selection: Selection) -> None:
    """Log that no operation is offered; it is not an error, as a marker or a route may be added later."""
    why = ""
    if selection.only_marked:
        why = ": expose='marked' takes only endpoints with a marker, such as @agent_tool()"
    elif not any(map(selection.serves, api.operations)):
        why = ": include and exclude leave all of them out"
    logger.warning("none of the operations of %r (%d) is offered to agents%s", api.title, len(api.operations), why)


@dataclass(frozen=True, slots=True)
class _Entry:
    """One operation, what its endpoint says of itself, and its name as a tool."""

    operation: Operation
    note: Mapping[str, Any] | None
    name: str

    def is_marked(self, kind: str) -> bool:
        return self.note is not None and kind in self.note


class _Builder:
    """Turns operations into what they are marked as; one operation may become several things."""

    def __init__(
        self, api: Api, selection: Selection, entries: Sequence[_Entry], origin: str, *, publishes_output: bool
    ) -> None:
        self._publishes_output = publishes_output
        self._api = api
        self._selection = selection
        self._entries = entries
        self._origin = origin
        self._tools: dict[str, Tool | None] = {}
        self._skipped: list[SkippedOperation] = []

    def catalog(self) -> Catalog:
        listed = [entry for entry in self._entries if self._selection.takes(entry.operation, entry.note)]
        tools = {entry.name: tool for entry in listed if (tool := self._tool(entry))}
        resources = tuple(resource_of(*parts) for parts in self._marked("resource"))
        prompts = [prompt_of(*parts) for parts in self._marked("prompt")]
        return Catalog(
            self._api.title,
            self._api.version,
            self._api.description,
            tools,
            (*self._api.skipped, *self._skipped),
            resources,
            _by_name(prompts),
        )

    def _tool(self, entry: _Entry) -> Tool | None:
        """The operation as a tool, whether it is listed or not; None where it cannot be one, for a reason kept."""
        if entry.name not in self._tools:
            self._tools[entry.name] = self._made(entry)
        return self._tools[entry.name]

    def _made(self, entry: _Entry) -> Tool | None:
        try:
            note = entry.note or {}
            publishes = self._publishes_output and note.get("output_schema", True)
            return _tool(entry.operation, note, entry.name, self._origin, publishes_output=publishes)
        except DocumentError as error:
            reason = str(error)
        except MALFORMED_ERRORS as error:
            reason = f"its schemas are malformed: {error}"
        self._skipped.append(SkippedOperation(entry.operation.method, entry.operation.path, reason))
        return None

    def _marked(self, kind: str) -> Iterator[tuple[Tool, Mapping[str, Any], Mapping[str, Completion]]]:
        for entry in self._entries:
            served = entry.is_marked(kind) and self._selection.serves(entry.operation)
            if served and (tool := self._tool(entry)):
                note = entry.note or {}
                yield tool, note, self._completions(tool, note[kind])

    def _completions(self, tool: Tool, fields: Mapping[str, Any]) -> Mapping[str, Completion]:
        marked: object = fields.get(COMPLETE)
        named = cast("Mapping[str, Any]", marked if isinstance(marked, Mapping) else {})
        return completions_of(tool, named, partial(self._source, tool))

    def _source(self, tool: Tool, reference: object) -> Tool | None:
        for entry in self._entries:
            if entry.operation.endpoint is reference or entry.operation.operation_id == reference:
                return self._tool(entry) if self._selection.serves(entry.operation) else None
        raise ConfigurationError(
            f"{tool.operation}: complete names {reference!r}, which is no endpoint or operation id"
        )


def _by_name(prompts: Iterable[Prompt]) -> Mapping[str, Prompt]:
    found: dict[str, Prompt] = {}
    for prompt in prompts:
        if prompt.name in found:
            raise ConfigurationError(f"{prompt.tool.operation}: another prompt has the name {prompt.name!r} already")
        found[prompt.name] = prompt
    return found


def _tool(operation: Operation, note: Mapping[str, Any], name: str, origin: str, *, publishes_output: bool) -> Tool:
    definitions = Definitions(operation.components)
    arguments = flat_arguments(operation)
    names = [argument.name for argument in arguments]
    plan = body_plan(operation)
    is_open = plan is not None and plan.open
    follow: bool = note.get("follow", False)
    publishes_output = publishes_output and not follow  # the schema would be that of the ticket
    output, wrapped, wraps = output_schemas(operation) if publishes_output else (None, None, False)
    return Tool(
        name=name,
        title=title_of(operation, note, name),
        description=description_of(operation, note),
        input_schema=given_schema(operation, note, names, is_open=is_open)
        or _input_schema(arguments, definitions, is_open=is_open),
        output_schema=output,
        wrapped_output_schema=wrapped,
        wraps_output=wraps,
        annotations=annotations_of(operation, note),
        operation=operation,
        arguments={argument.name: argument for argument in arguments},
        body=plan,
        task=note.get("task"),
        follow=follow,
        ask_first=note.get("ask_first", False),
        origin=origin,
        confirmation=confirmation_of(operation, note, names),
    )


def _input_schema(arguments: list[Argument], definitions: Definitions, *, is_open: bool) -> Schema:
    schema: Schema = {
        "type": "object",
        "properties": {entry.name: definitions.adopt(entry.schema, entry.name) for entry in arguments},
    }
    required = [entry.name for entry in arguments if entry.required]
    if required:
        schema["required"] = required
    schema["additionalProperties"] = is_open
    return definitions.attach(schema)
