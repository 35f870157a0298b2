"""What a tool's schemas say about values."""

from __future__ import annotations

import datetime as dt
import json
import uuid
from collections.abc import Iterable, Mapping
from functools import cache
from typing import Any, cast

from jsonschema import Draft202012Validator, FormatChecker
from jsonschema.exceptions import SchemaError
from pydantic import TypeAdapter

from tests.fidelity.case import Case

__all__ = ["advertises", "agrees", "is_schema", "named", "promises", "unadvertised"]

_FORMATS = FormatChecker(formats=())
_TYPES: dict[str, Any] = {
    "date": dt.date, "date-time": dt.datetime, "time": dt.time, "duration": dt.timedelta, "uuid": uuid.UUID,
}  # fmt: skip


def _knows(name: str) -> None:
    adapter = TypeAdapter[Any](_TYPES[name])

    @_FORMATS.checks(name, raises=ValueError)
    def fits(value: object) -> bool:  # pyright: ignore[reportUnusedFunction]
        if isinstance(value, str):
            adapter.validate_python(value)
        return True


for _name in _TYPES:
    _knows(_name)


def is_schema(schema: Mapping[str, Any]) -> bool:
    """Tell whether something is a schema of the dialect that MCP names."""
    return _is_schema(json.dumps(schema))


@cache
def _is_schema(text: str) -> bool:
    """Look at each schema once, for that takes longer than a call, and a tool is called many times."""
    try:
        Draft202012Validator.check_schema(json.loads(text))
    except SchemaError:
        return False
    return True


def agrees(schema: Mapping[str, Any], value: Any) -> bool:
    """Tell whether a value is valid under a schema, formats included."""
    return Draft202012Validator(schema, format_checker=_FORMATS).is_valid(value)


def unadvertised(schema: Mapping[str, Any], arguments: Mapping[str, Any]) -> list[str]:
    """Return the arguments that nobody would think of who has read the schema."""
    if schema.get("additionalProperties", False) is not False:
        return []
    return [name for name in arguments if name not in schema.get("properties", {})]


def named(name: str, advertised: Iterable[str]) -> str:
    """Return the name as a server advertises it: as it is, or in other signs, as ``filter[by]`` for ``filter_by``."""
    names = list(advertised)
    return name if name in names else next((other for other in names if _letters(other) == _letters(name)), name)


def _letters(name: str) -> str:
    return "".join(sign for sign in name.casefold() if sign.isalnum())


def advertises(case: Case, schema: Mapping[str, Any]) -> list[str]:
    """Return what the schema should say about the case's arguments and does not."""
    properties = schema.get("properties", {})
    problems: list[str] = []
    for known, wanted in case.advertised.items():
        name = named(known, properties)
        if name not in properties:
            problems.append(f"{name} is not advertised")
        elif not _says(properties[name], wanted, schema):
            problems.append(f"{name} is advertised as {properties[name]}, not as {dict(wanted)}")
    return problems


def promises(case: Case, schema: Mapping[str, Any] | None) -> list[str]:
    """Return what the output schema should say and does not; where it is an answer wrapped, of the answer in it."""
    if not case.promised or schema is None:
        return ["no schema of the answer is advertised"] if case.promised else []
    wrapped = schema.get("properties", {}).get("result", {})
    if any(_says(part, case.promised, schema) for part in (schema, wrapped)):
        return []
    return [f"the answer is advertised as {schema}, not as {dict(case.promised)}"]


def _says(schema: Any, wanted: Any, root: Mapping[str, Any]) -> bool:
    """Tell whether a part of a schema says at least what is wanted, behind its references too."""
    if isinstance(wanted, Mapping):
        if not isinstance(schema, Mapping):
            return False
        found = _followed(cast("Mapping[str, Any]", schema), root)
        entries = cast("Mapping[str, Any]", wanted).items()
        return all(key in found and _says(found[key], value, root) for key, value in entries)
    if isinstance(wanted, list):
        entries = cast("list[Any]", wanted)
        return (
            isinstance(schema, list)
            and len(cast("list[Any]", schema)) == len(entries)
            and all(_says(part, entry, root) for part, entry in zip(cast("list[Any]", schema), entries, strict=True))
        )
    return bool(schema == wanted)


def _followed(schema: Mapping[str, Any], root: Mapping[str, Any]) -> Mapping[str, Any]:
    reference = schema.get("$ref")
    if not isinstance(reference, str) or not reference.startswith("#/"):
        return schema
    target: Any = root
    for step in reference[2:].split("/"):
        target = target[step.replace("~1", "/").replace("~0", "~")]
    return {**_followed(target, root), **{key: value for key, value in schema.items() if key != "$ref"}}
