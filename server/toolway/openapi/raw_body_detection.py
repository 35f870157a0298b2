"""Detection of endpoints that take the `Request` and may read a body missing from the OpenAPI document."""

from __future__ import annotations

import dis
import inspect
from collections.abc import Callable, Iterable, Iterator
from types import CodeType
from typing import Any

from fastapi.security.base import SecurityBase
from starlette.requests import Request

__all__ = ["may_read_body"]

_BODY_READERS = frozenset({"body", "form", "json", "receive", "stream"})
_HARMLESS = frozenset(name for name in (*dir(Request), "scope") if not name.startswith("_")) - _BODY_READERS


def may_read_body(endpoint: Callable[..., Any], dependencies: Iterable[Callable[..., Any]]) -> bool:
    """Return whether an endpoint takes a `Request`, and it or one of its dependencies may read the body.

    The bytecode decides. Any use of the request counts, unless it is an attribute that cannot read the body: the
    endpoint calls ``request.json()``, or passes the request to a function that could call it. All decorators pass the
    request on, so a decorator counts only if its own code contains the name of a reading method. Security schemes
    never count, because they only read headers.
    """
    names = _find_request_parameters(endpoint)
    if not names:
        return False
    code = _get_code(inspect.unwrap(endpoint))
    if code is None or not names <= {*code.co_varnames, *code.co_cellvars}:
        return True
    if _escapes(code, names) or any(
        _mentions_reader(other) for other in map(_get_code, _iter_decorators(endpoint)) if other
    ):
        return True
    return any(may_read_body(inner, ()) for inner in dependencies if not isinstance(inner, SecurityBase))


def _find_request_parameters(endpoint: Callable[..., Any]) -> set[str]:
    try:
        parameters = inspect.signature(endpoint, eval_str=True).parameters.values()
    except (NameError, TypeError, ValueError):
        return set()
    return {
        parameter.name
        for parameter in parameters
        if isinstance(parameter.annotation, type) and issubclass(parameter.annotation, Request)
    }


def _iter_decorators(endpoint: Any) -> Iterator[Callable[..., Any]]:
    while hasattr(endpoint, "__wrapped__"):
        yield endpoint
        endpoint = endpoint.__wrapped__


def _get_code(function: Any) -> CodeType | None:
    is_callable_object = not hasattr(function, "__code__") and not isinstance(function, type)
    code = getattr(type(function).__call__ if is_callable_object else function, "__code__", None)
    return code if isinstance(code, CodeType) else None


def _iter_nested_code(code: CodeType) -> Iterator[CodeType]:
    yield code
    for constant in code.co_consts:
        if isinstance(constant, CodeType):
            yield from _iter_nested_code(constant)


def _mentions_reader(code: CodeType) -> bool:
    return any(_BODY_READERS & set(inner.co_names) for inner in _iter_nested_code(code))


def _escapes(code: CodeType, names: set[str]) -> bool:
    """Return whether the code uses a request for anything but harmless attributes, nested functions included."""
    return any(_escapes_from(inner, names) for inner in _iter_nested_code(code))


def _escapes_from(code: CodeType, names: set[str]) -> bool:
    instructions = [entry for entry in dis.get_instructions(code) if entry.opname != "CACHE"]
    following = [*instructions[1:], None]
    for entry, after in zip(instructions, following, strict=True):
        argval: object = entry.argval
        if (
            not entry.opname.startswith("LOAD_")
            or not _is_request(entry.argval, names)
            or entry.opname == "LOAD_CLOSURE"
        ):
            continue
        attribute = after.argval if after is not None and after.opname in {"LOAD_ATTR", "LOAD_METHOD"} else None
        is_first_of_pair = isinstance(argval, tuple) and argval[0] in names
        if attribute not in _HARMLESS or is_first_of_pair:
            return True
    return False


def _is_request(argval: object, names: set[str]) -> bool:
    """Return whether an instruction loads a request; since Python 3.13, one instruction may load two variables."""
    return argval in names if isinstance(argval, str) else isinstance(argval, tuple) and bool(names & {*argval})
