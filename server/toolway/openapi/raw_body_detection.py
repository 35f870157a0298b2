"""Decide whether an endpoint that takes the request itself may read a body that no OpenAPI document describes."""

from __future__ import annotations

import dis
import inspect
from collections.abc import Callable, Iterable, Iterator
from types import CodeType
from typing import Any

from fastapi.security.base import SecurityBase
from starlette.requests import Request

__all__ = ["may_read_body"]

_READING = frozenset({"body", "form", "json", "receive", "stream"})
_HARMLESS = frozenset(name for name in (*dir(Request), "scope") if not name.startswith("_")) - _READING


def may_read_body(endpoint: Callable[..., Any], dependencies: Iterable[Callable[..., Any]]) -> bool:
    """Return whether an endpoint takes a `Request`, and it or one of its dependencies may read the body.

    It may if it uses the request for anything but attributes that read no body: it calls ``request.json()``, or passes
    the request to a function that could. Decorators and security schemes pass the request by their nature: a decorator
    counts only if its own code names one of the reading methods, and a security scheme reads headers only.
    """
    names = _request_parameters(endpoint)
    if not names:
        return False
    code = _code(inspect.unwrap(endpoint))
    if code is None or not names <= {*code.co_varnames, *code.co_cellvars}:
        return True
    if _escapes(code, names) or any(_names_reader(other) for other in map(_code, _decorators(endpoint)) if other):
        return True
    return any(may_read_body(inner, ()) for inner in dependencies if not isinstance(inner, SecurityBase))


def _request_parameters(endpoint: Callable[..., Any]) -> set[str]:
    try:
        parameters = inspect.signature(endpoint, eval_str=True).parameters.values()
    except (NameError, TypeError, ValueError):
        return set()
    return {
        parameter.name
        for parameter in parameters
        if isinstance(parameter.annotation, type) and issubclass(parameter.annotation, Request)
    }


def _decorators(endpoint: Any) -> Iterator[Callable[..., Any]]:
    while hasattr(endpoint, "__wrapped__"):
        yield endpoint
        endpoint = endpoint.__wrapped__


def _code(function: Any) -> CodeType | None:
    is_callable_object = not hasattr(function, "__code__") and not isinstance(function, type)
    code = getattr(type(function).__call__ if is_callable_object else function, "__code__", None)
    return code if isinstance(code, CodeType) else None


def _nested(code: CodeType) -> Iterator[CodeType]:
    yield code
    for constant in code.co_consts:
        if isinstance(constant, CodeType):
            yield from _nested(constant)


def _names_reader(code: CodeType) -> bool:
    return any(_READING & set(inner.co_names) for inner in _nested(code))


def _escapes(code: CodeType, names: set[str]) -> bool:
    """Return whether a request is used for anything but its harmless attributes, nested functions included."""
    return any(_escapes_here(inner, names) for inner in _nested(code))


def _escapes_here(code: CodeType, names: set[str]) -> bool:
    instructions = [entry for entry in dis.get_instructions(code) if entry.opname != "CACHE"]
    following = [*instructions[1:], None]
    for entry, after in zip(instructions, following, strict=True):
        if not entry.opname.startswith("LOAD_") or not _loads(entry.argval, names) or entry.opname == "LOAD_CLOSURE":
            continue
        attribute = after.argval if after is not None and after.opname in {"LOAD_ATTR", "LOAD_METHOD"} else None
        if attribute not in _HARMLESS or _is_pair_with_first(entry.argval, names):
            return True
    return False


def _loads(argval: object, names: set[str]) -> bool:
    """Return whether an instruction loads a request; since Python 3.13 one may load two variables."""
    return argval in names if isinstance(argval, str) else isinstance(argval, tuple) and bool(names & {*argval})


def _is_pair_with_first(argval: object, names: set[str]) -> bool:
    return isinstance(argval, tuple) and argval[0] in names
