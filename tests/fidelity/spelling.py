"""How somebody writes a case's arguments who has read another server's schema.

The cases are written as toolway advertises them. Another server may call a parameter by its bare name, put the members
of a body side by side or all of them under one name, and take a file as text: that is different and not wrong.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Any, cast

from tests.fidelity.case import Case
from tests.fidelity.schemas import agrees, named, unadvertised

__all__ = ["spelled"]

_NOTHING = object()


def spelled(case: Case, schema: Mapping[str, Any]) -> Mapping[str, Any]:
    """Return the arguments in the first spelling whose names a schema advertises, or else as the case has them."""
    spellings = (case.arguments, *case.spellings, *_conventions(case, schema.get("properties", {})))
    arguments = next((spelling for spelling in spellings if not unadvertised(schema, spelling)), case.arguments)
    as_text = {name: _without_metadata(value) for name, value in arguments.items()}
    return as_text if agrees(schema, as_text) and not agrees(schema, arguments) else arguments


def _conventions(case: Case, advertised: Iterable[str]) -> Iterator[Mapping[str, Any]]:
    """Yield the arguments with other names, with the body's members among the others, and with the body as one."""
    names = list(advertised)
    yield _renamed(case.arguments, names)
    body = case.request.get("json", _NOTHING)
    if body is _NOTHING:
        return
    members = cast("Mapping[str, Any]", body) if isinstance(body, Mapping) else {}
    others = {
        name: value
        for name, value in case.arguments.items()
        if value != body and (name not in members or members[name] != value)
    }
    if members:
        yield _renamed({**others, **members}, names)
    others = _renamed(others, names)
    left = [name for name in names if name not in others]
    if len(left) == 1 and left[0] not in members:
        yield {**others, left[0]: body}


def _renamed(arguments: Mapping[str, Any], advertised: Iterable[str]) -> dict[str, Any]:
    names = list(advertised)
    return {named(name, names): value for name, value in arguments.items()}


def _without_metadata(value: Any) -> Any:
    """Return a file's content alone, as text or base64, and anything else as it is."""
    if isinstance(value, list):
        return [_without_metadata(entry) for entry in cast("list[Any]", value)]
    if isinstance(value, Mapping) and "filename" in value:
        held = cast("Mapping[str, Any]", value)
        return held.get("data", held.get("text", ""))
    return value
