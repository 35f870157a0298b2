"""What an endpoint says about itself: as a tool, as a resource, as a prompt.

A marker changes nothing about the endpoint: it only leaves a note on the function, which the catalogue reads. An
application that would rather not import toolway writes the same fields into
``openapi_extra={"x-toolway": {...}}``; where both stand, the marker wins field by field. An endpoint may carry several
markers.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any, Literal, Never, TypeAlias, TypedDict, TypeVar

from toolway.errors import ConfigurationError

__all__ = [
    "EXTENSION",
    "TASKS",
    "Hints",
    "TaskSupport",
    "agent_prompt",
    "agent_resource",
    "agent_tool",
    "read_marker",
]

EXTENSION = "x-toolway"
_ATTRIBUTE = "__toolway__"

TaskSupport: TypeAlias = Literal["optional", "required"]
"""Whether a tool may run as a task, or runs only as one."""

TASKS: tuple[TaskSupport, ...] = ("optional", "required")

EndpointT = TypeVar("EndpointT", bound=Callable[..., Any])


class Hints(TypedDict, total=False):
    """What a tool does to the world, where the HTTP method does not say it (MCP tool annotations)."""

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
    lint_ignore: Mapping[str, str] | None = None,
) -> Callable[[EndpointT], EndpointT]:
    """Describe an endpoint as agents shall see it; put it below the route decorator.

    Args:
        name: the tool's name; the operation id otherwise.
        title: the name that people see; the summary otherwise.
        description: what the tool does; the endpoint's description otherwise.
        when_to_use: a sentence added to the description: when to take this tool, and when another.
        input_schema: what agents see of the arguments, in place of the schema that is read from the endpoint: where one
            argument decides of another (``if``, ``anyOf``), say. The endpoint checks them as ever.
        output_schema: False publishes no output schema, for a response that something outside of the endpoint reshapes.
        raw_body: whether a POST, PUT or PATCH endpoint that takes the `Request` has an argument ``body``. By default it
            has one if its code reads the body, or passes the request to a function that could.
        hints: overrides of what the HTTP method implies.
        hide: True keeps the endpoint out of the catalogue; it stays reachable over HTTP.
        task: the tool takes long. It runs as a task for clients that can wait for one (the tasks extension of
            2026-07-28), which go on meanwhile and ask for the result later; ``"required"`` refuses the other clients of
            that revision. Needs ``toolway[tasks]``.
        follow: work that the endpoint accepts (202 with a Location) is followed to its result: toolway asks for its
            state, where the Location leads within the application, until that is no longer 202. The tool has no output
            schema then. Over plain HTTP it just answers 202.
        ask_first: a tool that takes long asks its questions before its work begins: it runs within the request until it
            has asked, and becomes a task with the answers. ``confirm`` implies it.
        confirm: what the user is asked before the tool runs, which it only does after a yes; arguments stand in braces:
            ``"Cancel order {order_id}?"``. Over plain HTTP nobody is asked.
        lint_ignore: rules of ``toolway lint`` that do not hold here, each with the reason: ``{"R1": "four at most"}``.

    With ``Toolway(app, expose="marked")`` only endpoints with a marker are tools.
    """
    _refuse("agent_tool", misplaced)
    fields = {
        "name": name,
        "title": title,
        "description": description,
        "when_to_use": when_to_use,
        "input_schema": input_schema,
        "output_schema": output_schema,
        "raw_body": raw_body,
        "hints": hints,
        "hide": hide,
        "task": task,
        "follow": follow,
        "ask_first": ask_first,
        "confirm": confirm,
        "lint_ignore": lint_ignore,
    }
    return _marking({"tool": True, **_given(fields)})


def agent_resource(
    uri: str,
    *,
    name: str | None = None,
    title: str | None = None,
    description: str | None = None,
    mime_type: str | None = None,
    complete: Mapping[str, Callable[..., Any] | str] | None = None,
) -> Callable[[EndpointT], EndpointT]:
    """Let clients read a GET endpoint by URI, as a resource; it stays a tool, too, unless that is hidden.

    Args:
        uri: ``"shop://return-policy"``, or a template whose variables are arguments of the endpoint:
            ``"orders://{order_id}"`` (RFC 6570; see docs/resources-and-prompts.md for what of it can be used).
        name: the resource's name; the tool's otherwise.
        title: the name that people see; the summary otherwise.
        description: what it holds; the endpoint's description otherwise.
        mime_type: the media type in lists; the one in the application's document otherwise. A read says what came.
        complete: by variable, the endpoint (or its operation id) that suggests values: a GET that takes the text typed
            so far and answers with a list of strings. Enumerations are suggested without it.
    """
    if not isinstance(uri, str):  # pyright: ignore[reportUnnecessaryIsInstance] - a marker without its brackets
        expected = "expected a URI, such as @agent_resource('orders://{order_id}') above an endpoint"
        raise ConfigurationError(f"{expected}, got {uri!r}")
    fields = {
        "uri": uri,
        "name": name,
        "title": title,
        "description": description,
        "mime_type": mime_type,
        "complete": complete,
    }
    return _marking({"resource": _given(fields)})


def agent_prompt(
    *misplaced: Never,
    name: str | None = None,
    title: str | None = None,
    description: str | None = None,
    complete: Mapping[str, Callable[..., Any] | str] | None = None,
) -> Callable[[EndpointT], EndpointT]:
    """Offer what an endpoint writes to the people at a client, as a prompt; it is no tool unless also marked as one.

    The endpoint returns a text, a `Message`, or a list of them; a text is what the user says. Its parameters are the
    prompt's arguments.

    Args:
        name: the prompt's name; the one that it would have as a tool otherwise.
        title: the name that people see; the summary otherwise.
        description: what it is for; the endpoint's description otherwise.
        complete: by argument, the endpoint (or its operation id) that suggests values: a GET that takes the text typed
            so far and answers with a list of strings. Enumerations are suggested without it.
    """
    _refuse("agent_prompt", misplaced)
    fields = {"name": name, "title": title, "description": description, "complete": complete}
    return _marking({"prompt": _given(fields)})


def _refuse(marker: str, misplaced: Sequence[object]) -> None:
    """Refuse what is no field: Python hands the endpoint itself to a marker without brackets."""
    for given in misplaced:
        raise ConfigurationError(f"expected @{marker}() or @{marker}(name='...') above an endpoint, got {given!r}")


def _given(fields: Mapping[str, Any]) -> dict[str, Any]:
    return {key: value for key, value in fields.items() if value is not None}


def _marking(note: Mapping[str, Any]) -> Callable[[EndpointT], EndpointT]:
    def mark(endpoint: EndpointT) -> EndpointT:
        setattr(endpoint, _ATTRIBUTE, {**(read_marker(endpoint) or {}), **note})
        return endpoint

    return mark


def read_marker(endpoint: Callable[..., Any] | None) -> Mapping[str, Any] | None:
    """Return the note that markers left on an endpoint, or None; decorators above them are looked through."""
    while endpoint is not None:
        note = getattr(endpoint, _ATTRIBUTE, None)
        if note is not None:
            return note
        endpoint = getattr(endpoint, "__wrapped__", None)
    return None
