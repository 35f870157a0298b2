"""An API's operations, as plain values."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Literal, TypeAlias

from toolway.openapi.parameter_names import NO_PARAMETERS, ParameterNames
from toolway.openapi.path_template import PathTemplate

__all__ = [
    "Api",
    "Body",
    "Credentials",
    "Location",
    "Operation",
    "Parameter",
    "Response",
    "Schema",
    "Serialization",
    "SkippedOperation",
]

Schema: TypeAlias = dict[str, Any]
"""A JSON Schema of dialect 2020-12; references point into the document (``#/components/schemas/...``)."""

Location: TypeAlias = Literal["path", "query", "header", "cookie"]

ValueSource: TypeAlias = Literal["argument", "caller", "connection"]
"""Where a parameter's value comes from: an argument of the tool, the MCP request, or the request that is made."""


@dataclass(frozen=True, slots=True)
class Serialization:
    """How a remote API reads a value, as its OpenAPI document says (Parameter Object, Encoding Object)."""

    style: str = "form"
    """Empty for a field of a form whose style is not declared: an object in it is JSON, and a list is repeated."""
    explode: bool = True
    allow_reserved: bool = False
    media_type: str = ""
    """The media type that the value is written in; empty where `style` says how it is written."""


@dataclass(frozen=True, slots=True)
class Parameter:
    """One path, query, header or cookie parameter, under its name on the wire."""

    name: str
    location: Location
    schema: Schema
    required: bool = False
    description: str = ""
    deprecated: bool = False
    serialization: Serialization | None = None
    """None for an application in this process, which reads parameters as FastAPI does."""
    source: ValueSource = "argument"


@dataclass(frozen=True, slots=True)
class Body:
    """A request body in the media type that an agent can fill best."""

    media_type: str
    schema: Schema
    required: bool = True
    description: str = ""
    is_documented: bool = True
    """False for an endpoint that takes the raw request: it may read a body, the document does not say so."""
    encoding: Mapping[str, Serialization] | None = None
    """How a remote API reads the fields of a form, where its document declares it; None for any other application."""


@dataclass(frozen=True, slots=True)
class Response:
    """One documented answer: a status such as ``"200"`` or ``"default"``, and its content."""

    status: str
    media_type: str | None = None
    schema: Schema | None = None
    """None without content; ``{}`` where the content is not described."""
    description: str = ""


@dataclass(frozen=True, slots=True)
class Credentials:
    """Where an operation looks for its caller's credentials; they are never arguments."""

    headers: frozenset[str] = frozenset()
    query: frozenset[str] = frozenset()
    cookies: frozenset[str] = frozenset()
    is_satisfiable: bool = True
    """Whether headers and query parameters are enough, without a cookie: MCP clients keep none."""
    authorization: bool = field(default=False, compare=False)
    """Whether the OpenAPI document declares the Authorization header, which every operation gets in any case."""


@dataclass(frozen=True, slots=True)
class Operation:
    """One thing an API can do: a method on a path."""

    method: str
    path: str
    """The path template as the application's router sees it, mount prefixes included: ``/orders/{order_id}``."""
    template: PathTemplate
    operation_id: str | None = None
    generated_suffix: str = ""
    """What FastAPI appends to a function's name to generate the operation id; empty for an id somebody chose."""
    summary: str = ""
    description: str = ""
    deprecated: bool = False
    tags: tuple[str, ...] = ()
    parameters: tuple[Parameter, ...] = ()
    body: Body | None = None
    responses: tuple[Response, ...] = ()
    credentials: Credentials = Credentials()
    declared_names: ParameterNames = NO_PARAMETERS
    """What the endpoint and its dependencies declare, parameters hidden from the document included."""
    dependency_names: ParameterNames = NO_PARAMETERS
    caller_names: ParameterNames = NO_PARAMETERS
    """What reaches the endpoint from the MCP request that carries it (see `CallerRules`)."""
    extension: Any = None
    """What the document says under ``x-toolway``, as it stands there; None where it says nothing."""
    components: Mapping[str, Schema] = field(default_factory=dict[str, Schema])
    """The document's shared schemas by name."""
    may_omit_fields: bool = False
    """Whether answers may lack members that their schema requires (``response_model_exclude_unset`` and its kind)."""
    schema_mismatch: str = ""
    """Why answers may be another JSON than their schema says; empty where they are what it says."""
    endpoint: Callable[..., Any] | None = None
    """The function behind the operation, where the application runs in this process."""
    route: Any = field(default=None, compare=False)
    """FastAPI's route to it, as it is effective with what routers have added, where the application runs here."""
    dependencies: tuple[Callable[..., Any], ...] = ()
    """The functions of all its FastAPI dependencies, those of its dependencies included."""

    def __str__(self) -> str:
        return f"{self.method} {self.path}"


@dataclass(frozen=True, slots=True)
class SkippedOperation:
    """Something the API has that cannot be a tool, and why."""

    method: str
    path: str
    reason: str


@dataclass(frozen=True, slots=True)
class Api:
    """All operations of one API, in the document's order."""

    title: str
    version: str
    description: str
    operations: tuple[Operation, ...]
    skipped: tuple[SkippedOperation, ...] = ()
