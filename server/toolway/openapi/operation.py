"""Operations of an API, as plain values."""

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
"""A JSON Schema of dialect 2020-12; references point into the OpenAPI document (``#/components/schemas/...``)."""

Location: TypeAlias = Literal["path", "query", "header", "cookie"]

ValueSource: TypeAlias = Literal["argument", "caller", "connection"]
"""The source of a parameter's value: a tool argument, the MCP request, or the connection itself."""


@dataclass(frozen=True, slots=True)
class Serialization:
    """The format in which a remote API reads a value (Parameter Object, Encoding Object)."""

    style: str = "form"
    """Empty for a form field without a declared style: its objects are JSON, its lists repeated fields."""
    explode: bool = True
    allow_reserved: bool = False
    media_type: str = ""
    """The media type of the value; empty if `style` defines the format."""
    headers: tuple[tuple[str, str], ...] = ()
    """The headers of a multipart part, besides its Content-Type."""


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
    """None for an application in this process, which reads parameters in FastAPI's way."""
    source: ValueSource = "argument"


@dataclass(frozen=True, slots=True)
class Body:
    """A request body in the media type that an agent can fill best."""

    media_type: str
    schema: Schema
    required: bool = True
    description: str = ""
    is_documented: bool = True
    """False for an endpoint that takes the raw request and may read a body missing from the document."""
    encoding: Mapping[str, Serialization] | None = None
    """The declared serialization of form fields by name; None for an application in this process."""


@dataclass(frozen=True, slots=True)
class Response:
    """One documented response: a status such as ``"200"`` or ``"default"``, and its content."""

    status: str
    media_type: str | None = None
    schema: Schema | None = None
    """None without content; ``{}`` if the content has no schema."""
    description: str = ""


@dataclass(frozen=True, slots=True)
class Credentials:
    """The parameters in which an operation expects credentials; they are never arguments."""

    headers: frozenset[str] = frozenset()
    query: frozenset[str] = frozenset()
    cookies: frozenset[str] = frozenset()
    is_satisfiable: bool = True
    """Whether a caller can authenticate without cookies, which MCP clients do not keep."""
    authorization: bool = field(default=False, compare=False)
    """Whether the OpenAPI document declares the Authorization header; every operation receives it in any case."""


@dataclass(frozen=True, slots=True)
class Operation:
    """One operation of an API: a method of a path."""

    method: str
    path: str
    """The path with the prefixes of all mounts: ``/orders/{order_id}``."""
    template: PathTemplate
    operation_id: str | None = None
    generated_suffix: str = ""
    """The part that FastAPI appended to a function name to generate the id; empty for a chosen id."""
    summary: str = ""
    description: str = ""
    deprecated: bool = False
    tags: tuple[str, ...] = ()
    parameters: tuple[Parameter, ...] = ()
    body: Body | None = None
    responses: tuple[Response, ...] = ()
    credentials: Credentials = Credentials()
    declared_names: ParameterNames = NO_PARAMETERS
    """Parameters of the endpoint and its dependencies, including those hidden from the document."""
    dependency_names: ParameterNames = NO_PARAMETERS
    caller_names: ParameterNames = NO_PARAMETERS
    """Parameters that are filled from the MCP request (see `CallerRules`)."""
    extension: Any = None
    """The unchecked value of ``x-toolway`` in the document, or None."""
    components: Mapping[str, Schema] = field(default_factory=dict[str, Schema])
    """The document's shared schemas by name."""
    may_omit_fields: bool = False
    """Whether responses may lack required fields (``response_model_exclude_unset`` and similar options)."""
    schema_mismatch: str = ""
    """Why responses may not match their schema; empty if they match."""
    endpoint: Callable[..., Any] | None = None
    """The endpoint function, if the application runs in this process."""
    route: Any = field(default=None, compare=False)
    """FastAPI's effective route, with everything that its routers add, if the application runs in this process."""
    dependencies: tuple[Callable[..., Any], ...] = ()
    """The functions of all FastAPI dependencies, at any depth."""

    def __str__(self) -> str:
        return f"{self.method} {self.path}"


@dataclass(frozen=True, slots=True)
class SkippedOperation:
    """An operation that cannot be a tool, and the reason."""

    method: str
    path: str
    reason: str


@dataclass(frozen=True, slots=True)
class Api:
    """All operations of one API, in the order of its OpenAPI document."""

    title: str
    version: str
    description: str
    operations: tuple[Operation, ...]
    skipped: tuple[SkippedOperation, ...] = ()
