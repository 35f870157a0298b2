"""Solving of an endpoint's dependencies and parameters, with the result of FastAPI's `solve_dependencies`.

FastAPI inspects the functions anew for each request: which parameters are lists, which functions are generators. Here
that happens once per endpoint, which saves a fifth to a third of the CPU time of a call. The order of calls, the cache,
threads and exit stacks are FastAPI's.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, TypeAlias

from fastapi import BackgroundTasks, Request
from fastapi.concurrency import run_in_threadpool
from fastapi.dependencies import models, utils
from fastapi.security import SecurityScopes
from starlette.responses import Response

from toolway.calls.direct.direct_endpoint import Parameters

__all__ = ["Solver", "keeps_default_response", "solver_for"]

_Values: TypeAlias = tuple[dict[str, Any], list[Any]]
"""Values by parameter name, and validation errors."""

_models: Any = models  # its private functions are covered by fingerprints
_utils: Any = utils
_LOCATIONS = (
    ("path_params", "path_params", "path"),
    ("query_params", "query_params", "query"),
    ("header_params", "headers", "header"),
    ("cookie_params", "cookies", "cookie"),
)
"""The locations of parameters: the attribute of a dependant, the attribute of a request, and the name in errors."""


def solver_for(dependant: Any, *, embeds: bool) -> Solver | None:
    """Return a solver for a function; None if a dependency limits its concurrency, which is left to FastAPI."""
    return Solver(dependant, embeds=embeds) if _is_unlimited(dependant) else None


def _is_unlimited(dependant: Any) -> bool:
    return dependant.concurrency is None and all(map(_is_unlimited, dependant.dependencies))


@dataclass(slots=True)
class _State:
    """The state of solving one request."""

    request: Request
    document: object
    response: Response
    cache: dict[Any, Any] = field(default_factory=dict[Any, Any])
    """The results of dependencies."""
    background: BackgroundTasks | None = None


class Solver:
    """Solves the parameters of one function.

    Args:
        dependant: FastAPI's description of the function.
        embeds: whether the body is an object with one member per body parameter.
    """

    def __init__(self, dependant: Any, *, embeds: bool) -> None:
        self._dependencies = [_Dependency(inner, embeds=embeds) for inner in dependant.dependencies]
        self._locations = [
            (attribute, Parameters(fields, location))
            for params, attribute, location in _LOCATIONS
            if (fields := getattr(dependant, params))
        ]
        self._body = dependant.body_params
        self._embeds = embeds
        self._dependant = dependant
        self._request_names = [
            name for name in (dependant.http_connection_param_name, dependant.request_param_name) if name
        ]
        self._takes_special = (
            dependant.background_tasks_param_name
            or dependant.response_param_name
            or dependant.security_scopes_param_name
        )
        inner = [dependency.solver for dependency in self._dependencies]
        self.takes_response: bool = bool(dependant.response_param_name) or any(one.takes_response for one in inner)
        self.takes_request: bool = bool(self._request_names) or any(one.takes_request for one in inner)

    async def solve(self, request: Request, document: object) -> utils.SolvedDependency:
        """Solve one request; `document` is the JSON of its body."""
        state = _State(request, document, _empty_response() if self.takes_response else _DEFAULT_RESPONSE)
        values, errors = await self.solve_within(state)
        return utils.SolvedDependency(values, errors, state.background, state.response, state.cache)

    async def solve_within(self, state: _State) -> _Values:
        """Solve this function's parameters as a part of solving a request."""
        values: dict[str, Any] = {}
        errors: list[Any] = []
        for dependency in self._dependencies:
            errors += await dependency.solve(state, values)
        for attribute, parameters in self._locations:
            found, more = parameters.read(getattr(state.request, attribute))
            values |= found
            errors += more
        if self._body:
            found, more = await utils.request_body_to_args(
                body_fields=self._body, received_body=state.document, embed_body_fields=self._embeds
            )
            values |= found
            errors += more
        for name in self._request_names:
            values[name] = state.request
        if self._takes_special:
            self._add_special(state, values)
        return values, errors

    def _add_special(self, state: _State, values: dict[str, Any]) -> None:
        """Add background tasks, the response, and security scopes to the values."""
        dependant = self._dependant
        if dependant.background_tasks_param_name:
            state.background = state.background or BackgroundTasks()
            values[dependant.background_tasks_param_name] = state.background
        if dependant.response_param_name:
            values[dependant.response_param_name] = state.response
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

    async def solve(self, state: _State, values: dict[str, Any]) -> list[Any]:
        """Add the dependency's result to `values`; return the validation errors of its own parameters."""
        own, errors = await self.solver.solve_within(state)
        if errors:
            return errors
        cache, key = state.cache, self._key
        is_cached = self._dependant.use_cache and key in cache
        result = cache[key] if is_cached else await self._run(state, own)
        if self._dependant.name is not None:
            values[self._dependant.name] = result
        cache.setdefault(key, result)
        return []

    async def _run(self, state: _State, values: dict[str, Any]) -> Any:
        if self._is_generator:
            kind = "function" if self._dependant.scope == "function" else "inner"
            stack = state.request.scope[f"fastapi_{kind}_astack"]
            return await _utils._solve_generator(  # noqa: SLF001
                request=state.request, dependant=self._dependant, stack=stack, sub_values=values
            )
        if self._is_coroutine:
            return await self._call(**values)
        return await run_in_threadpool(self._call, **values)


def _empty_response() -> Response:
    """Create the response whose headers and status code a function may set."""
    response = Response()
    del response.headers["content-length"]
    response.status_code = None  # type: ignore[assignment]
    return response


_DEFAULT_RESPONSE = _empty_response()
"""The response of functions that do not receive it."""


def keeps_default_response(solved: utils.SolvedDependency) -> bool:
    """Return whether no dependency could set a header or status code, or add a background task."""
    return solved.response is _DEFAULT_RESPONSE and solved.background_tasks is None
