"""Finding what an endpoint and its dependencies take of a request, as FastAPI's own solver does.

What a function takes, FastAPI finds out anew in each request: which parameters are lists, which functions generators.
Here that is done once, when the endpoint is first looked at. The rest, step by step, is FastAPI's: what is found first,
what is kept for others, what runs in a thread, which exit stack a generator goes to.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, TypeAlias

from fastapi import BackgroundTasks, Request
from fastapi.concurrency import run_in_threadpool
from fastapi.dependencies import models, utils
from fastapi.security import SecurityScopes
from starlette.responses import Response

from toolway.calls.request.parameters import Parameters

__all__ = ["Solver", "is_untouched", "solver_of"]

Found: TypeAlias = tuple[dict[str, Any], list[Any]]
"""Values by name, and what is wrong with others."""

_models: Any = models  # whose functions are FastAPI's own affair, in releases that were read
_utils: Any = utils  # the same
_PLACES = (
    ("path_params", "path_params", "path"),
    ("query_params", "query_params", "query"),
    ("header_params", "headers", "header"),
    ("cookie_params", "cookies", "cookie"),
)
"""The places of parameters: as a function has them, as a request has them, and as refusals call them."""


def solver_of(dependant: Any, *, embeds: bool) -> Solver | None:
    """Return what solves the requests for a function; None where that is left to FastAPI."""
    return Solver(dependant, embeds=embeds) if _is_unlimited(dependant) else None


def _is_unlimited(dependant: Any) -> bool:
    return dependant.concurrency is None and all(map(_is_unlimited, dependant.dependencies))


@dataclass(slots=True)
class _Solving:
    """One request, as far as it is solved."""

    request: Request
    document: object
    response: Response
    known: dict[Any, Any] = field(default_factory=dict[Any, Any])
    """What dependencies have returned."""
    background: BackgroundTasks | None = None


class Solver:
    """Finds the arguments of one function; `embeds` is whether a body has each of its parameters as a member."""

    def __init__(self, dependant: Any, *, embeds: bool) -> None:
        self._dependencies = [_Dependency(inner, embeds=embeds) for inner in dependant.dependencies]
        self._places = [
            (held, Parameters(fields, place)) for taken, held, place in _PLACES if (fields := getattr(dependant, taken))
        ]
        self._body = dependant.body_params
        self._embeds = embeds
        self._dependant = dependant
        self._takes_request = [
            name for name in (dependant.http_connection_param_name, dependant.request_param_name) if name
        ]
        self._takes_more = (
            dependant.background_tasks_param_name
            or dependant.response_param_name
            or dependant.security_scopes_param_name
        )
        inner = [dependency.solver for dependency in self._dependencies]
        self.takes_response: bool = bool(dependant.response_param_name) or any(one.takes_response for one in inner)
        self.takes_request: bool = bool(self._takes_request) or any(one.takes_request for one in inner)

    async def solve(self, request: Request, document: object) -> utils.SolvedDependency:
        """Solve one request, with the JSON of its body."""
        solving = _Solving(request, document, _response() if self.takes_response else _UNTOUCHED)
        values, wrong = await self.find(solving)
        return utils.SolvedDependency(values, wrong, solving.background, solving.response, solving.known)

    async def find(self, solving: _Solving) -> Found:
        """Find the arguments for a request that others, too, find theirs in."""
        values: dict[str, Any] = {}
        wrong: list[Any] = []
        for dependency in self._dependencies:
            wrong += await dependency.find(solving, values)
        for held, parameters in self._places:
            found, errors = parameters.read(getattr(solving.request, held))
            values |= found
            wrong += errors
        if self._body:
            found, errors = await utils.request_body_to_args(
                body_fields=self._body, received_body=solving.document, embed_body_fields=self._embeds
            )
            values |= found
            wrong += errors
        for name in self._takes_request:
            values[name] = solving.request
        if self._takes_more:
            self._give_more(solving, values)
        return values, wrong

    def _give_more(self, solving: _Solving, values: dict[str, Any]) -> None:
        dependant = self._dependant
        if dependant.background_tasks_param_name:
            solving.background = solving.background or BackgroundTasks()
            values[dependant.background_tasks_param_name] = solving.background
        if dependant.response_param_name:
            values[dependant.response_param_name] = solving.response
        if dependant.security_scopes_param_name:
            scopes = _models._get_oauth_scopes(dependant=dependant)  # noqa: SLF001
            values[dependant.security_scopes_param_name] = SecurityScopes(scopes=scopes)


class _Dependency:
    """One dependency of a function."""

    def __init__(self, dependant: Any, *, embeds: bool) -> None:
        self._dependant = dependant
        self._call = dependant.call
        self.solver = Solver(dependant, embeds=embeds)
        self._key = _models._get_cache_key(dependant=dependant)  # noqa: SLF001
        self._is_generator = _models._is_gen_callable(self._call) or _models._is_async_gen_callable(self._call)  # noqa: SLF001
        self._is_coroutine = _models._is_coroutine_callable(self._call)  # noqa: SLF001

    async def find(self, solving: _Solving, values: dict[str, Any]) -> list[Any]:
        """Add what it returns to the values of who depends on it; or return what is wrong with its own."""
        own, wrong = await self.solver.find(solving)
        if wrong:
            return wrong
        known, key = solving.known, self._key
        found = known[key] if self._dependant.use_cache and key in known else await self._called(solving, own)
        if self._dependant.name is not None:
            values[self._dependant.name] = found
        known.setdefault(key, found)
        return []

    async def _called(self, solving: _Solving, values: dict[str, Any]) -> Any:
        if self._is_generator:
            kind = "function" if self._dependant.scope == "function" else "inner"
            stack = solving.request.scope[f"fastapi_{kind}_astack"]
            return await _utils._solve_generator(  # noqa: SLF001
                request=solving.request, dependant=self._dependant, stack=stack, sub_values=values
            )
        if self._is_coroutine:
            return await self._call(**values)
        return await run_in_threadpool(self._call, **values)


def _response() -> Response:
    """Make the response that a function may write headers and a status to."""
    response = Response()
    del response.headers["content-length"]
    response.status_code = None  # type: ignore[assignment]
    return response


_UNTOUCHED = _response()
"""Stands for that of functions that write to none."""


def is_untouched(solved: utils.SolvedDependency) -> bool:
    """Tell whether nothing that was found for a request has anything to do with its response."""
    return solved.response is _UNTOUCHED and solved.background_tasks is None
