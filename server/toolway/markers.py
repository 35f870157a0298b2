"""Decorators that mark an endpoint as a tool, a resource or a prompt.

A marker does not change the endpoint: it stores fields on the function, which the catalog reads. An application that
prefers not to import toolway writes the same fields into ``openapi_extra={"x-toolway": {...}}``. If both are present,
the decorator's fields take precedence. An endpoint may have several markers.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any, Literal, Never, TypeAlias, TypedDict, TypeVar, cast

from toolway.errors import ConfigurationError

__all__ = [
    "EXTENSION",
    "TASKS",
    "Hints",
    "Marker",
    "TaskSupport",
    "agent_prompt",
    "agent_resource",
    "agent_tool",
    "check_marker",
    "read_marker",
]

EXTENSION = "x-toolway"
_ATTRIBUTE = "__toolway__"

TaskSupport: TypeAlias = Literal["optional", "required"]
"""Whether a tool may run as a task, or only as a task."""

TASKS: tuple[TaskSupport, ...] = ("optional", "required")

Marker: TypeAlias = Mapping[str, Any]
"""The fields of all markers of one endpoint."""

EndpointT = TypeVar("EndpointT", bound=Callable[..., Any])


class Hints(TypedDict, total=False):
    """Effects of a tool that its HTTP method does not imply (MCP tool annotations)."""

    read_only: bool
    destructive: bool
    idempotent: bool
    open_world: bool


def agent_tool(  # noqa: PLR0913 - each is a field of the marker
    *misplaced: Never,
    name: str | None = None,
    title: str | None = None,
    description: str | None = None,
    when_to_use: str | None = None,
    input_schema: Mapping[str, Any] | None = None,
    output_schema: bool | None = None,
    raw_body: bool | None = None,
    hints: Hints | None = None,
    hide: bool | None = None,
    task: TaskSupport | None = None,
    follow: bool | None = None,
    ask_first: bool | None = None,
    confirm: str | None = None,
    concise: Sequence[str] | None = None,
    pinned: bool | None = None,
    search_words: Sequence[str] | None = None,
    ui: str | None = None,
    meta: Mapping[str, Any] | None = None,
    lint_ignore: Mapping[str, str] | None = None,
) -> Callable[[EndpointT], EndpointT]:
    """Describe an endpoint to agents; place it below the route decorator. docs/your-application.md has examples.

    Args:
        name, title, description: override the operation id, the summary and the description.
        when_to_use: a sentence that agents read after the description: when to use this tool, and when another.
        input_schema: the schema that agents see, for example to relate arguments (``if``, ``anyOf``).
        output_schema: False publishes no output schema, for a response that other code reshapes.
        raw_body: whether an endpoint that takes the `Request` has an argument ``body``; by default, its code decides.
        hints: override what the HTTP method implies.
        hide: True keeps the endpoint out of the catalog; it remains reachable over HTTP.
        task: runs a long call as a task (needs ``toolway[tasks]``); "required" rejects clients without tasks.
        follow: True polls the Location of a 202 response for the result; the tool has no output schema.
        ask_first: True asks its questions within the request and becomes a task afterwards; implied by `confirm`.
        confirm: a question that the user must confirm before the call: ``"Cancel order {order_id}?"``.
        concise: the fields of the result that agents get unless they name others: ``["order_id", "lines[].sku"]``.
        pinned: True lists the tool in every mode of the catalog, also in ``search`` and ``code``.
        search_words: more words by which ``search_tools`` finds the tool: ``["buy", "basket"]``.
        ui: an HTML file beside the endpoint's module that shows results to users of clients with MCP Apps.
        meta: ``_meta`` of the tool, for particular clients: ``{"anthropic/maxResultSizeChars": 200_000}``.
        lint_ignore: rules of ``toolway lint`` to suppress, each with its reason: ``{"R1": "at most four"}``.
    """
    fields = locals()
    _reject_positional("agent_tool", fields.pop("misplaced"))
    return _mark({"tool": True, **_without_none(fields)})


def agent_resource(
    uri: str,
    *,
    name: str | None = None,
    title: str | None = None,
    description: str | None = None,
    mime_type: str | None = None,
    complete: Mapping[str, Callable[..., Any] | str] | None = None,
) -> Callable[[EndpointT], EndpointT]:
    """Offer a GET endpoint as a resource. The endpoint also remains a tool unless that is hidden.

    Args:
        uri: ``"shop://return-policy"``, or a template (RFC 6570) whose variables are arguments of the endpoint:
            ``"orders://{order_id}"``. docs/resources-and-prompts.md lists what a template may contain.
        name: the resource's name. Defaults to the tool's name.
        title: the name shown to people. Defaults to the summary.
        description: the content. Defaults to the endpoint's description.
        mime_type: the media type in lists. Defaults to the one in the OpenAPI document.
        complete: for each variable, the endpoint (or its operation id) that suggests values: a GET that takes
            the text typed so far and returns a list of strings. Enumerations are suggested without it.
    """
    fields = locals()
    if not isinstance(uri, str):  # pyright: ignore[reportUnnecessaryIsInstance] - a decorator without parentheses
        expected = "expected a URI, such as @agent_resource('orders://{order_id}') above an endpoint"
        raise ConfigurationError(f"{expected}, got {uri!r}")
    return _mark({"resource": _without_none(fields)})


def agent_prompt(
    *misplaced: Never,
    name: str | None = None,
    title: str | None = None,
    description: str | None = None,
    complete: Mapping[str, Callable[..., Any] | str] | None = None,
) -> Callable[[EndpointT], EndpointT]:
    """Offer an endpoint as a prompt, which users pick in their client. It is not a tool unless also marked as one.

    The endpoint returns a text, a `Message`, or a list of them; a text becomes a message of the user. Its parameters
    are the prompt's arguments.

    Args:
        name: the prompt's name. Defaults to the name that the endpoint would have as a tool.
        title: the name shown to people. Defaults to the summary.
        description: the purpose. Defaults to the endpoint's description.
        complete: for each argument, the endpoint (or its operation id) that suggests values: a GET that takes
            the text typed so far and returns a list of strings. Enumerations are suggested without it.
    """
    fields = locals()
    _reject_positional("agent_prompt", fields.pop("misplaced"))
    return _mark({"prompt": _without_none(fields)})


def _reject_positional(marker: str, arguments: Sequence[object]) -> None:
    """Raise an error for positional arguments: Python passes the endpoint if the parentheses are missing."""
    for argument in arguments:
        raise ConfigurationError(f"expected @{marker}() or @{marker}(name='...') above an endpoint, got {argument!r}")


def _without_none(fields: Mapping[str, Any]) -> dict[str, Any]:
    return {key: value for key, value in fields.items() if value is not None}


def _mark(fields: Marker) -> Callable[[EndpointT], EndpointT]:
    def decorate(endpoint: EndpointT) -> EndpointT:
        setattr(endpoint, _ATTRIBUTE, {**(read_marker(endpoint) or {}), **fields})
        return endpoint

    return decorate


def read_marker(endpoint: Callable[..., Any] | None) -> Marker | None:
    """Return the fields that markers stored on an endpoint or below its other decorators, or None."""
    while endpoint is not None:
        marker = getattr(endpoint, _ATTRIBUTE, None)
        if marker is not None:
            return marker
        endpoint = getattr(endpoint, "__wrapped__", None)
    return None


_FIELD_TYPES = {
    "name": str,
    "title": str,
    "description": str,
    "when_to_use": str,
    "input_schema": Mapping,
    "output_schema": bool,
    "raw_body": bool,
    "hints": Mapping,
    "hide": bool,
    "task": str,
    "follow": bool,
    "ask_first": bool,
    "confirm": str,
    "concise": Sequence,
    "pinned": bool,
    "search_words": Sequence,
    "ui": str,
    "meta": Mapping,
    "lint_ignore": Mapping,
    "tool": bool,
    "resource": Mapping,
    "prompt": Mapping,
}
_TYPE_NAMES: Mapping[type, str] = {str: "a string", bool: "true or false", Mapping: "an object", Sequence: "a list"}


def check_marker(marker: Marker, subject: object) -> None:
    """Check the fields of a marker; `subject` is the operation that error messages name.

    Raises:
        ConfigurationError: a field is unknown or has the wrong type.
    """
    for key, value in marker.items():
        if key not in _FIELD_TYPES:
            known = ", ".join(_FIELD_TYPES)
            raise ConfigurationError(f"{subject}: {key!r} is not a field of {EXTENSION}; its fields are {known}")
        if not isinstance(value, _FIELD_TYPES[key]):
            expected = _TYPE_NAMES[_FIELD_TYPES[key]]
            raise ConfigurationError(f"{subject}: expected {key} to be {expected}, found {value!r}")
    if "task" in marker and marker["task"] not in TASKS:
        expected = " or ".join(map(repr, TASKS))
        raise ConfigurationError(f"{subject}: expected task to be {expected}, found {marker['task']!r}")
    words = cast("Sequence[object]", marker.get("search_words", ()))
    if isinstance(words, str) or not all(isinstance(word, str) for word in words):
        raise ConfigurationError(f"{subject}: expected search_words to be a list of strings, found {words!r}")
    _check_hints(marker.get("hints", {}), subject)
    for rule, reason in cast("Mapping[object, object]", marker.get("lint_ignore", {})).items():
        if not isinstance(reason, str) or not reason.strip():
            raise ConfigurationError(f"{subject}: expected a reason for {rule!r} in lint_ignore, found {reason!r}")


def _check_hints(hints: Mapping[str, object], subject: object) -> None:
    for hint, value in hints.items():
        if hint not in Hints.__annotations__:
            known = ", ".join(Hints.__annotations__)
            raise ConfigurationError(f"{subject}: {hint!r} is not a hint; the hints are {known}")
        if not isinstance(value, bool):
            raise ConfigurationError(f"{subject}: expected the hint {hint} to be true or false, found {value!r}")
