"""Construction of the catalog from operations."""

from __future__ import annotations

import logging
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import partial
from typing import Any, cast

from toolway.catalog.arguments import Argument, flatten_arguments, plan_body
from toolway.catalog.filters import Selection
from toolway.catalog.marker_fields import (
    COMPLETE,
    FIELDS,
    read_concise_fields,
    read_confirmation,
    read_input_schema,
    read_operation_marker,
)
from toolway.catalog.metadata import build_annotations, build_description, build_title
from toolway.catalog.modes import ALL_MODES, CatalogMode
from toolway.catalog.naming import MAX_LENGTH, name_tools
from toolway.catalog.prompt import Prompt, build_prompt
from toolway.catalog.resource import Resource, build_resource
from toolway.catalog.result_shape import build_fields_schema
from toolway.catalog.schema.definitions import Definitions
from toolway.catalog.schema.output_schema import build_output_schemas
from toolway.catalog.skill import Skill
from toolway.catalog.suggestions import Completion, find_completions
from toolway.catalog.tool import EndpointTool, Tool
from toolway.catalog.view import View, read_view
from toolway.errors import ConfigurationError, DocumentError
from toolway.markers import Marker
from toolway.openapi import MALFORMED_ERRORS, Api, CallerRules, Operation, Schema, SkippedOperation

__all__ = ["Catalog", "build_catalog"]

logger = logging.getLogger("toolway.catalog")

_BODILESS_METHODS = frozenset({"HEAD", "OPTIONS", "TRACE"})


@dataclass(frozen=True, slots=True)
class Catalog:
    """The tools, resources, prompts and skills of an API, and the operations that were skipped."""

    title: str
    version: str
    description: str
    tools: Mapping[str, EndpointTool]
    skipped: tuple[SkippedOperation, ...] = ()
    resources: tuple[Resource, ...] = ()
    prompts: Mapping[str, Prompt] = field(default_factory=dict[str, Prompt])
    skills: tuple[Skill, ...] = ()
    built_in: Mapping[str, Tool] = field(default_factory=dict[str, Tool])
    """Tools of the server itself, which are not operations."""

    def listed(self, mode: CatalogMode = "list") -> Sequence[Tool]:
        """Return the tools that lists contain in a mode."""
        return [tool for tool in (*self.tools.values(), *self.built_in.values()) if mode in tool.modes]

    @property
    def views(self) -> Mapping[str, View]:
        """The views of tools, by URI."""
        return {tool.view.uri: tool.view for tool in self.tools.values() if tool.view is not None}

    def definitions(self, mode: CatalogMode = "list") -> dict[str, list[dict[str, Any]]]:
        """Return the list entries of tools, in a mode of the catalog, and of resources and prompts, by kind."""
        return {
            "tools": [tool.definition(wrapped=False) for tool in self.listed(mode)],
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
    max_name_length: int = MAX_LENGTH,
) -> Catalog:
    """Return the catalog of an API.

    Args:
        api: the API's operations.
        selection: selects the tools. It does not affect names, so a filter never renames a remaining tool.
        origin: the application's prefix in a combined catalog.
        rules: decide which headers and cookies are arguments.
        publishes_output: False leaves out all output schemas.
        max_name_length: the length to which names of tools are shortened.

    Raises:
        FilterError: an include or exclude entry matches nothing.
        ConfigurationError: a marker has an unknown field, or a value that its operation does not allow.
    """
    api = replace(api, operations=tuple(map((rules or CallerRules()).apply, api.operations)))
    selection = selection or Selection()
    selection.check(api.operations)
    api = _skip_bodiless(api)
    api, markers = _read_markers(api)
    names = name_tools(api.operations, [(marker or {}).get("name") for marker in markers], max_name_length)
    entries = [_Entry(*entry) for entry in zip(api.operations, markers, names, strict=True)]
    catalog = _Builder(api, selection, entries, origin, publishes_output=publishes_output).build()
    if api.operations and not (catalog.tools or catalog.resources or catalog.prompts):
        _warn_of_empty_catalog(api, selection)
    return catalog


def _skip_bodiless(api: Api) -> Api:
    """Skip operations whose method returns no body."""
    kept = tuple(operation for operation in api.operations if operation.method not in _BODILESS_METHODS)
    skipped = (
        SkippedOperation(operation.method, operation.path, f"{operation.method} requests have no result for an agent")
        for operation in api.operations
        if operation.method in _BODILESS_METHODS
    )
    return replace(api, operations=kept, skipped=(*api.skipped, *skipped))


def _read_markers(api: Api) -> tuple[Api, list[Marker | None]]:
    """Return the marker of each operation; an invalid one in a remote API's document only skips its operation."""
    operations: list[Operation] = []
    markers: list[Marker | None] = []
    skipped = list(api.skipped)
    for operation in api.operations:
        try:
            markers.append(read_operation_marker(operation))
            operations.append(operation)
        except ConfigurationError as error:
            if operation.route is not None:
                raise
            skipped.append(SkippedOperation(operation.method, operation.path, str(error)))
    return replace(api, operations=tuple(operations), skipped=tuple(skipped)), markers


def _warn_of_empty_catalog(api: Api, selection: Selection) -> None:
    """Log that the catalog is empty. This is not an error, because markers and routes may be added later."""
    reason = ""
    if selection.is_marked_only:
        reason = ": expose='marked' selects only endpoints with a marker, such as @agent_tool()"
    elif not any(map(selection.allows, api.operations)):
        reason = ": include and exclude filter out all of them"
    logger.warning("none of the operations of %r (%d) is offered to agents%s", api.title, len(api.operations), reason)


@dataclass(frozen=True, slots=True)
class _Entry:
    """One operation, its marker, and its name as a tool."""

    operation: Operation
    marker: Marker | None
    name: str

    def is_marked(self, kind: str) -> bool:
        return self.marker is not None and kind in self.marker


class _Builder:
    """Builds tools, resources and prompts; one operation may become several of them."""

    def __init__(
        self, api: Api, selection: Selection, entries: Sequence[_Entry], origin: str, *, publishes_output: bool
    ) -> None:
        self._publishes_output = publishes_output
        self._api = api
        self._selection = selection
        self._entries = entries
        self._origin = origin
        self._tools: dict[str, EndpointTool | None] = {}
        self._skipped: list[SkippedOperation] = []

    def build(self) -> Catalog:
        listed = [entry for entry in self._entries if self._selection.selects_tool(entry.operation, entry.marker)]
        tools = {entry.name: tool for entry in listed if (tool := self._find_tool(entry))}
        resources = tuple(build_resource(*parts) for parts in self._iter_marked("resource"))
        prompts = [build_prompt(*parts) for parts in self._iter_marked("prompt")]
        return Catalog(
            self._api.title,
            self._api.version,
            self._api.description,
            tools,
            (*self._api.skipped, *self._skipped),
            resources,
            _index_by_name(prompts),
        )

    def _find_tool(self, entry: _Entry) -> EndpointTool | None:
        """Return the tool of an operation, listed or not; None if it was skipped."""
        if entry.name not in self._tools:
            self._tools[entry.name] = self._build_tool(entry)
        return self._tools[entry.name]

    def _build_tool(self, entry: _Entry) -> EndpointTool | None:
        try:
            marker = entry.marker or {}
            publishes = self._publishes_output and marker.get("output_schema", True)
            return _build_tool(entry.operation, marker, entry.name, self._origin, publishes_output=publishes)
        except DocumentError as error:
            reason = str(error)
        except MALFORMED_ERRORS as error:
            reason = f"its schemas are malformed: {error}"
        self._skipped.append(SkippedOperation(entry.operation.method, entry.operation.path, reason))
        return None

    def _iter_marked(self, kind: str) -> Iterator[tuple[EndpointTool, Marker, Mapping[str, Completion]]]:
        for entry in self._entries:
            is_served = entry.is_marked(kind) and self._selection.allows(entry.operation)
            if is_served and (tool := self._find_tool(entry)):
                marker = entry.marker or {}
                yield tool, marker, self._find_completions(tool, marker[kind])

    def _find_completions(self, tool: EndpointTool, fields: Mapping[str, Any]) -> Mapping[str, Completion]:
        marked: object = fields.get(COMPLETE)
        named = cast("Mapping[str, Any]", marked if isinstance(marked, Mapping) else {})
        return find_completions(tool, named, partial(self._find_source, tool))

    def _find_source(self, tool: EndpointTool, reference: object) -> EndpointTool | None:
        for entry in self._entries:
            if entry.operation.endpoint is reference or entry.operation.operation_id == reference:
                return self._find_tool(entry) if self._selection.allows(entry.operation) else None
        raise ConfigurationError(
            f"{tool.operation}: complete names {reference!r}, which is not an endpoint or operation id"
        )


def _index_by_name(prompts: Iterable[Prompt]) -> Mapping[str, Prompt]:
    found: dict[str, Prompt] = {}
    for prompt in prompts:
        if prompt.name in found:
            raise ConfigurationError(
                f"{prompt.tool.operation}: the prompt name {prompt.name!r} is already taken by another operation"
            )
        found[prompt.name] = prompt
    return found


def _build_tool(
    operation: Operation, marker: Marker, name: str, origin: str, *, publishes_output: bool
) -> EndpointTool:
    definitions = Definitions(operation.components)
    arguments = flatten_arguments(operation)
    names = [argument.name for argument in arguments]
    plan = plan_body(operation)
    accepts_extra = plan is not None and plan.accepts_extra
    follow: bool = marker.get("follow", False)
    publishes_output = publishes_output and not follow  # the documented schema is that of the 202 response
    concise = read_concise_fields(operation, marker, names)
    view = read_view(operation, marker)
    has_own_schema = FIELDS in names or accepts_extra or "input_schema" in marker
    selection = None if has_own_schema else build_fields_schema(operation, concise)
    is_partial = selection is not None or bool(concise)
    output, wrapped, wraps = (
        build_output_schemas(operation, is_partial=is_partial) if publishes_output else (None, None, False)
    )
    return EndpointTool(
        name=name,
        title=build_title(operation, marker, name),
        description=build_description(operation, marker),
        input_schema=read_input_schema(operation, marker, names, accepts_extra=accepts_extra)
        or _build_input_schema(arguments, definitions, selection, (plan and plan.extra_file) or accepts_extra),
        output_schema=output,
        wrapped_output_schema=wrapped,
        wraps_output=wraps,
        annotations=build_annotations(operation, marker),
        operation=operation,
        arguments={argument.name: argument for argument in arguments},
        body=plan,
        task=marker.get("task"),
        follow=follow,
        ask_first=marker.get("ask_first", False),
        origin=origin,
        view=view,
        meta=_build_meta(marker, view),
        selects_fields=is_partial,
        concise=concise,
        confirmation=read_confirmation(operation, marker, names),
        modes=ALL_MODES if marker.get("pinned") else frozenset({"list"}),
        search_words=tuple(marker.get("search_words", ())),
    )


def _build_meta(marker: Marker, view: View | None) -> Mapping[str, Any] | None:
    """Return ``_meta`` of a tool, with the link to its view."""
    meta: Mapping[str, Any] | None = marker.get("meta")
    return meta if view is None else {"ui": {"resourceUri": view.uri}, **(meta or {})}


def _build_input_schema(
    arguments: list[Argument], definitions: Definitions, selection: Schema | None, extra: Schema | bool
) -> Schema:
    properties = {entry.name: definitions.adopt(entry.schema, entry.name) for entry in arguments}
    schema: Schema = {
        "type": "object",
        "properties": properties if selection is None else {**properties, FIELDS: selection},
    }
    required = [entry.name for entry in arguments if entry.required]
    if required:
        schema["required"] = required
    schema["additionalProperties"] = extra
    return definitions.attach(schema)
