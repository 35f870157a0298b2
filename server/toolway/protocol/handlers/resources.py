"""``resources/list``, ``resources/templates/list`` and ``resources/read``.

https://modelcontextprotocol.io/specification/2026-07-28/server/resources
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Protocol

from anyio import to_thread
from mcp.server.caching import CacheHint
from mcp.server.lowlevel import Server
from mcp_types import (
    InputRequiredResult,
    ListResourcesResult,
    ListResourceTemplatesResult,
    PaginatedRequestParams,
    ReadResourceRequestParams,
    ReadResourceResult,
    ResourceTemplate,
)
from mcp_types import (
    Resource as ListedResource,
)

from toolway.calls import CallContext, Document, Invoker, parse_document
from toolway.catalog import VIEW_MEDIA_TYPE, Resource, Skill, View
from toolway.content import EmbeddedResource, ResourceContents
from toolway.errors import ConfigurationError
from toolway.protocol.caching import read_hint
from toolway.protocol.call_context import CallContextFactory
from toolway.protocol.handlers.elicitation import input_required_result
from toolway.protocol.handlers.skills import SkillFiles
from toolway.protocol.handlers.tool_definitions import ToolDefinitions
from toolway.protocol.requests import RequestContext, check_cursor
from toolway.protocol.results import outcome_error, resource_contents, resource_not_found
from toolway.protocol.uris import Template, canonical
from toolway.protocol.versions import revision_for
from toolway.results import RESULT_URI, ResultLimiter
from toolway.settings import Settings

__all__ = ["Resources", "register_resource_lists", "register_resource_reads"]


class ResourceConfig(Protocol):
    """Settings for reads of resources, and the store of truncated results."""

    @property
    def settings(self) -> Settings: ...
    @property
    def limiter(self) -> ResultLimiter | None:
        """Has the store of truncated results."""
        ...


class Resources:
    """The resources of a catalog, by URI, and the views of its tools.

    Raises:
        ConfigurationError: a URI is invalid or duplicate, or has a variable that is not an argument of its endpoint.
    """

    def __init__(self, resources: Sequence[Resource], views: Mapping[str, View]) -> None:
        self._views = views
        self._fixed: dict[str, Resource] = {}
        self._templates: dict[str, tuple[Template, Resource]] = {}
        for resource in resources:
            try:
                self._add(resource)
            except ConfigurationError as error:
                raise ConfigurationError(f"{resource.tool.operation}: {error}") from error

    def read_view(self, uri: str) -> ReadResourceResult | None:
        """Return the document of a view, which is in no list; None if there is no such view."""
        view = self._views.get(uri)
        if view is None:
            return None
        contents = ResourceContents(uri=uri, mime_type=VIEW_MEDIA_TYPE, text=view.html)
        return ReadResourceResult(contents=[resource_contents(contents, uri)], ttl_ms=0, cache_scope="public")

    def _add(self, resource: Resource) -> None:
        uri = resource.uri if resource.is_template else canonical(resource.uri)
        if uri is None:
            raise ConfigurationError(f"expected a URI such as 'shop://return-policy', got {resource.uri!r}")
        if uri in self._fixed or uri in self._templates:
            raise ConfigurationError(f"another resource already has the URI {resource.uri!r}")
        template = Template(resource.uri) if resource.is_template else None
        _check_variables(resource, template.names if template else frozenset())
        if template is None:
            self._fixed[uri] = resource
        else:
            _check_lists(resource, template)
            self._templates[uri] = (template, resource)

    def find(self, uri: str) -> tuple[Resource, Mapping[str, Any]] | None:
        """Return the resource at a URI, and the arguments in the URI; None if there is none."""
        known = canonical(uri)
        if known is None:
            return None
        if known in self._fixed:
            return self._fixed[known], {}
        for template, resource in self._templates.values():
            values = template.values(known)
            if values is not None:
                return resource, {name: _split_list(name, value, resource) for name, value in values.items()}
        return None

    def template(self, uri: str) -> Resource | None:
        """Return the resource with this URI template or URI; None if there is none."""
        found = self._templates.get(uri)
        return found[1] if found else (self.find(uri) or (None,))[0]

    def list_fixed(self) -> list[tuple[Resource, ListedResource]]:
        """Return the resources with a fixed URI, each with its entry in ``resources/list``."""
        return [(entry, ListedResource.model_validate(entry.definition())) for entry in self._fixed.values()]

    def list_templates(self) -> list[tuple[Resource, ResourceTemplate]]:
        """Return the resources with a URI template, each with its entry in ``resources/templates/list``."""
        return [(entry, ResourceTemplate.model_validate(entry.definition())) for _, entry in self._templates.values()]


def _check_variables(resource: Resource, names: frozenset[str]) -> None:
    arguments = resource.tool.arguments
    if unknown := names - arguments.keys():
        expected = ", ".join(arguments) or "none"
        raise ConfigurationError(
            f"{resource.uri!r} has the variable {min(unknown)!r}, but its endpoint has no such argument. "
            f"Arguments: {expected}"
        )
    if missing := {name for name, argument in arguments.items() if argument.required} - names:
        raise ConfigurationError(
            f"the endpoint requires {min(missing)!r}; expected it as a variable in the URI {resource.uri!r}"
        )


def _check_lists(resource: Resource, template: Template) -> None:
    if single := template.exploded - resource.lists:
        name = min(single)
        raise ConfigurationError(
            f"{name!r} is a list in {resource.uri!r}, but the endpoint takes a single value; "
            f"for a text that contains slashes use '{{+{name}}}'"
        )


def _split_list(name: str, value: str | list[str], resource: Resource) -> str | list[str]:
    """Split the value of a list argument at its commas (RFC 6570)."""
    return value.split(",") if name in resource.lists and isinstance(value, str) else value


def register_resource_lists(
    server: Server[Any],
    resources: Resources,
    skills: Sequence[Skill],
    definitions: ToolDefinitions,
    calls: Invoker,
    call_contexts: CallContextFactory,
) -> None:
    """Serve the lists of these resources, of the files of these skills, and of the definitions of tools."""
    entries = [ListedResource.model_validate(skill.definition()) for skill in skills]
    fixed, templates, shows = resources.list_fixed(), resources.list_templates(), calls.policy.shows

    async def list_resources(context: RequestContext, params: PaginatedRequestParams) -> ListResourcesResult:
        check_cursor(params)
        caller = call_contexts.create(context)
        shown = [entry for resource, entry in fixed if shows(resource.tool, caller)]
        return ListResourcesResult(resources=[*shown, *entries])

    async def list_templates(context: RequestContext, params: PaginatedRequestParams) -> ListResourceTemplatesResult:
        check_cursor(params)
        caller = call_contexts.create(context)
        shown = [entry for resource, entry in templates if shows(resource.tool, caller)]
        return ListResourceTemplatesResult(resource_templates=[*shown, *definitions.templates])

    server.add_request_handler("resources/list", PaginatedRequestParams, list_resources)
    server.add_request_handler("resources/templates/list", PaginatedRequestParams, list_templates)


def register_resource_reads(
    server: Server[Any],
    resources: Resources,
    files: SkillFiles,
    definitions: ToolDefinitions,
    calls: Invoker,
    call_contexts: CallContextFactory,
    config: ResourceConfig,
) -> None:
    """Serve reads of these resources, the files of skills, the definitions of tools, and truncated results."""
    shows = calls.policy.shows

    async def read_resource(
        context: RequestContext, params: ReadResourceRequestParams
    ) -> ReadResourceResult | InputRequiredResult:
        if file := files.read(params.uri) or resources.read_view(params.uri):
            return file
        if config.limiter is not None and params.uri.startswith(RESULT_URI):
            return await _read_stored_result(config.limiter, params.uri, call_contexts.create(context), context)
        found, call = resources.find(params.uri), call_contexts.create(context)
        tool = definitions.find(params.uri) if found is None else None
        if tool is not None and shows(tool, call):
            return definitions.read(tool, params.uri, revision_for(context.protocol_version))
        if found is None or not shows(found[0].tool, call):
            raise resource_not_found(params.uri, revision_for(context.protocol_version))
        resource, arguments = found
        outcome = await calls.perform(resource.tool, arguments, call, parse_document)
        if questions := input_required_result(call):
            return questions
        if isinstance(outcome, Document):
            has_answers = params.input_responses is not None or params.request_state is not None
            hint = CacheHint() if has_answers else read_hint(outcome, config.settings)
            contents = [
                resource_contents(block.resource, params.uri)
                for block in outcome.blocks
                if isinstance(block, EmbeddedResource)
            ]
            return ReadResourceResult(contents=contents, ttl_ms=hint.ttl_ms, cache_scope=hint.scope)
        if outcome.status == 404:
            detail = (outcome.error or {}).get("detail")
            raise resource_not_found(params.uri, revision_for(context.protocol_version), detail)
        raise outcome_error(outcome, uri=params.uri)

    server.add_request_handler("resources/read", ReadResourceRequestParams, read_resource)


async def _read_stored_result(
    limiter: ResultLimiter, uri: str, call: CallContext, context: RequestContext
) -> ReadResourceResult:
    """Return a stored result whole, to the caller that got a part of it."""
    found = await to_thread.run_sync(limiter.store.load, uri.removeprefix(RESULT_URI), limiter.identify(call))
    if found is None:
        raise resource_not_found(uri, revision_for(context.protocol_version), "it has expired, or is another caller's")
    media_type = "text/plain" if found.kind == "text" else "application/json"
    contents = ResourceContents(uri=uri, mime_type=media_type, text=found.body.decode())
    return ReadResourceResult(contents=[resource_contents(contents, uri)], ttl_ms=0, cache_scope="private")
