"""``resources/list``, ``resources/templates/list`` and ``resources/read``.

https://modelcontextprotocol.io/specification/2026-07-28/server/resources
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

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

from toolway.calls import Document, parse_document
from toolway.catalog import Resource, Skill
from toolway.content import EmbeddedResource
from toolway.errors import ConfigurationError
from toolway.protocol.caching import read_hint
from toolway.protocol.context import Context
from toolway.protocol.errors import failed, unknown_resource
from toolway.protocol.handlers.elicitation import questions_of
from toolway.protocol.handlers.skills import SkillFiles
from toolway.protocol.pagination import check_page
from toolway.protocol.results import resource_contents
from toolway.protocol.uris import Template, canonical
from toolway.protocol.versions import revision_for
from toolway.protocol.wiring import Wiring

__all__ = ["Resources", "offer_resources"]


class Resources:
    """The resources of a catalogue, by URI.

    Raises:
        ConfigurationError: a URI is none, is taken, or has variables that are no arguments of its endpoint.
    """

    def __init__(self, resources: Sequence[Resource]) -> None:
        self._fixed: dict[str, Resource] = {}
        self._templates: dict[str, tuple[Template, Resource]] = {}
        for resource in resources:
            try:
                self._add(resource)
            except ConfigurationError as error:
                raise ConfigurationError(f"{resource.tool.operation}: {error}") from error

    def _add(self, resource: Resource) -> None:
        uri = resource.uri if resource.is_template else canonical(resource.uri)
        if uri is None:
            raise ConfigurationError(f"expected a URI such as 'shop://return-policy', got {resource.uri!r}")
        if uri in self._fixed or uri in self._templates:
            raise ConfigurationError(f"another resource has the URI {resource.uri!r} already")
        template = Template(resource.uri) if resource.is_template else None
        _check_variables(resource, template.names if template else frozenset())
        if template is None:
            self._fixed[uri] = resource
        else:
            _check_lists(resource, template)
            self._templates[uri] = (template, resource)

    def find(self, uri: str) -> tuple[Resource, Mapping[str, Any]] | None:
        """Return what stands under a URI, and the arguments that it stands for; None where there is nothing."""
        known = canonical(uri)
        if known is None:
            return None
        if known in self._fixed:
            return self._fixed[known], {}
        for template, resource in self._templates.values():
            values = template.values(known)
            if values is not None:
                return resource, {name: _several(name, value, resource) for name, value in values.items()}
        return None

    def template(self, uri: str) -> Resource | None:
        """Return the resource whose template, or whose URI, this is."""
        found = self._templates.get(uri)
        return found[1] if found else (self.find(uri) or (None,))[0]

    def listed(self) -> list[tuple[Resource, ListedResource]]:
        """Return the resources that have a URI of their own, each with its entry in ``resources/list``."""
        return [(entry, ListedResource.model_validate(entry.definition())) for entry in self._fixed.values()]

    def listed_templates(self) -> list[tuple[Resource, ResourceTemplate]]:
        """Return the resources that have a URI template, each with its entry in ``resources/templates/list``."""
        return [(entry, ResourceTemplate.model_validate(entry.definition())) for _, entry in self._templates.values()]


def _check_variables(resource: Resource, names: frozenset[str]) -> None:
    arguments = resource.tool.arguments
    if unknown := names - arguments.keys():
        takes = ", ".join(arguments) or "nothing"
        raise ConfigurationError(f"{resource.uri!r} has the variable {min(unknown)!r}, but the endpoint takes {takes}")
    if missing := {name for name, argument in arguments.items() if argument.required} - names:
        raise ConfigurationError(f"the endpoint needs {min(missing)!r}, which is no variable of {resource.uri!r}")


def _check_lists(resource: Resource, template: Template) -> None:
    if single := template.exploded - resource.lists:
        name = min(single)
        raise ConfigurationError(
            f"{name!r} stands for a list in {resource.uri!r}, but the endpoint takes one value; "
            f"for a text that holds slashes write '{{+{name}}}'"
        )


def _several(name: str, value: str | list[str], resource: Resource) -> str | list[str]:
    """Make a list of what an argument takes as one: RFC 6570 puts commas between its values."""
    return value.split(",") if name in resource.lists and isinstance(value, str) else value


def offer_resources(
    server: Server[Any], resources: Resources, skills: Sequence[Skill], files: SkillFiles, wiring: Wiring
) -> None:
    """Serve these resources and the files of these skills, in place of what the server has served so far."""
    calls, context_of = wiring.calls, wiring.context_of
    entries = [ListedResource.model_validate(skill.definition()) for skill in skills]
    listed, templates, shows = resources.listed(), resources.listed_templates(), calls.policy.shows

    async def list_resources(context: Context, params: PaginatedRequestParams) -> ListResourcesResult:
        check_page(params)
        caller = context_of(context)
        shown = [entry for resource, entry in listed if shows(resource.tool, caller)]
        return ListResourcesResult(resources=[*shown, *entries])

    async def list_templates(context: Context, params: PaginatedRequestParams) -> ListResourceTemplatesResult:
        check_page(params)
        caller = context_of(context)
        shown = [entry for resource, entry in templates if shows(resource.tool, caller)]
        return ListResourceTemplatesResult(resource_templates=shown)

    async def read(context: Context, params: ReadResourceRequestParams) -> ReadResourceResult | InputRequiredResult:
        if file := files.read(params.uri):
            return file
        found, call = resources.find(params.uri), context_of(context)
        if found is None or not shows(found[0].tool, call):
            raise unknown_resource(params.uri, revision_for(context.protocol_version))
        resource, arguments = found
        outcome = await calls.perform(resource.tool, arguments, call, parse_document)
        if questions := questions_of(call):
            return questions
        if isinstance(outcome, Document):
            is_answer = params.input_responses is not None or params.request_state is not None
            hint = CacheHint() if is_answer else read_hint(outcome, wiring.settings)
            contents = [
                resource_contents(block.resource, params.uri)
                for block in outcome.blocks
                if isinstance(block, EmbeddedResource)
            ]
            return ReadResourceResult(contents=contents, ttl_ms=hint.ttl_ms, cache_scope=hint.scope)
        if outcome.status == 404:
            detail = (outcome.error or {}).get("detail")
            raise unknown_resource(params.uri, revision_for(context.protocol_version), detail)
        raise failed(outcome, uri=params.uri)

    server.add_request_handler("resources/list", PaginatedRequestParams, list_resources)
    server.add_request_handler("resources/templates/list", PaginatedRequestParams, list_templates)
    server.add_request_handler("resources/read", ReadResourceRequestParams, read)
