"""A case: a tool call, and the plain HTTP request that it stands for."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from importlib.metadata import version
from typing import Any, Literal

from fastapi import APIRouter, FastAPI

__all__ = ["Absent", "Case", "Chapter", "SchemaSays"]

SchemaSays = Literal["yes", "no", "cannot tell"]


@dataclass(frozen=True, kw_only=True)
class Case:
    """One call.

    Only what differs from the ordinary is given: most cases are a name, a tool, its arguments and a request.
    """

    name: str
    tool: str
    arguments: Mapping[str, Any]
    """As an agent writes them that has read toolway's schema."""
    method: str
    url: str
    """The path, or for a request outside the schema everything up to the query."""
    request: Mapping[str, Any] = field(default_factory=dict[str, Any])
    """The rest of the request, in the words of an HTTP client: params, headers, json, content, data, files."""
    spellings: Sequence[Mapping[str, Any]] = ()
    """The same arguments under the conventions of other servers; the first that a server advertises counts."""
    also_called: Sequence[str] = ()
    """Other names that a server may fairly give to the tool."""
    advertised: Mapping[str, Mapping[str, Any]] = field(default_factory=dict[str, Mapping[str, Any]])
    """What the schema of an argument must at least say, with references followed."""
    promised: Mapping[str, Any] = field(default_factory=dict[str, Any])
    """What the schema of the answer must at least say, with references followed."""
    blames: Sequence[str] = ()
    """Words that a refusal must say besides the endpoint's own: the arguments that are wrong."""
    withheld: Sequence[str] = ()
    """Names that must not be advertised: credentials come with the caller."""
    schema_says: SchemaSays | None = None
    """Whether the input schema accepts the arguments; by default what the endpoint says: no for a 422."""
    may_stop_early: bool = False
    """The arguments may be refused before the endpoint is reached, because no request can carry them."""
    credentials: Mapping[str, str] = field(default_factory=dict[str, str])
    """Headers that the caller's own requests carry, the plain one and those of the MCP client."""
    credential_query: Mapping[str, str] = field(default_factory=dict[str, str])
    """Query parameters that the caller's own requests carry."""
    may_fail: bool = False
    """The plain request ends with a 5xx, or breaks off, on purpose; elsewhere that is a mistake of the application."""
    breaks_promise: bool = False
    """The answer is not what the endpoint's own model says, or breaks off; a call may fail that shows it all the same.

    Behind a `BaseHTTPMiddleware`, a response that breaks off looks whole to HTTP clients.
    """
    is_endless: bool = False
    """The answer never ends by itself; what came first is compared."""


@dataclass(frozen=True, kw_only=True)
class Absent:
    """Something of an application that is no tool."""

    name: str
    tools: Sequence[str]
    """Names under which a server might list it."""
    reported: str | None = None
    """The method and path under which the catalogue says why; None where the document hides it."""


def is_older(library: str, release: str) -> bool:
    """Tell whether a library is older than a release."""
    return _numbers(version(library)) < _numbers(release)


def _numbers(release: str) -> list[int]:
    return [int(part) for part in re.findall(r"\d+", release)[:3]]


@dataclass
class Chapter:
    """A part of FastAPI's surface: endpoints, and the cases that call them."""

    title: str
    router: APIRouter = field(default_factory=APIRouter)
    cases: list[Case | Absent] = field(default_factory=list[Case | Absent])
    left_out: list[str] = field(default_factory=list[str])
    """Names of cases that this machine's libraries are too old for."""
    installs: list[Callable[[FastAPI], None]] = field(default_factory=list[Callable[[FastAPI], None]])
    resets: list[Callable[[], None]] = field(default_factory=list[Callable[[], None]])

    def case(
        self, name: str, tool: str, arguments: Mapping[str, Any], line: str, *, needs: str = "", **more: Any
    ) -> None:
        """Add a case; `line` is the request's method and path. Words that `Case` does not know belong to the request.

        A request that says nothing has the arguments as its query, or as its JSON body when its method has one. `needs`
        names a library and a release, as "fastapi 0.136", known to do what its own document says; with an older one,
        where the plain request is already wrong, the case is left out.
        """
        if needs and is_older(*needs.split()):
            self.left_out.append(name)
            return
        method, url = line.split(" ", 1)
        own = {key: more.pop(key) for key in list(more) if key in Case.__dataclass_fields__}
        usual = {"params": arguments} if method in {"GET", "HEAD", "DELETE"} else {"json": arguments}
        self.cases.append(
            Case(name=name, tool=tool, arguments=arguments, method=method, url=url, request=more or usual, **own)
        )

    def absent(self, name: str, *tools: str, reported: str | None = None) -> None:
        """Add something that must not be listed; `reported` is the method and path the catalogue explains."""
        self.cases.append(Absent(name=name, tools=tools, reported=reported))

    def install(self, step: Callable[[FastAPI], None]) -> Callable[[FastAPI], None]:
        """Register what the chapter does to the application besides its router."""
        self.installs.append(step)
        return step

    def reset(self, step: Callable[[], None]) -> Callable[[], None]:
        """Register what puts the chapter's stores back after every case."""
        self.resets.append(step)
        return step
