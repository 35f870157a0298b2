"""From an operation's parameters and body to one flat set of arguments, and the way back."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from typing import Literal, TypeAlias

from toolway.catalog.schema.definitions import deref, is_object
from toolway.catalog.schema.structure import Structure, structure_of
from toolway.errors import DocumentError
from toolway.headers import is_set_by_http_client
from toolway.media_types import essence, is_json
from toolway.openapi import Body, Operation, Parameter, Schema, Serialization

__all__ = ["Argument", "BodyPlan", "Place", "body_plan", "flat_arguments"]

Place: TypeAlias = Literal["path", "query", "header", "cookie", "field", "body"]
"""Where an argument goes: ``field`` is a member of an object body, ``body`` the whole of another one."""

Encoding: TypeAlias = Literal["json", "urlencoded", "multipart", "text", "bytes", "any"]

_FORMS = frozenset({"urlencoded", "multipart"})
_LISTS_MEMBERS = frozenset(
    {"additionalProperties", "allOf", "description", "example", "examples", "properties", "required", "title", "type"}
)
_SAYS_WHICH_VALUES = frozenset({"allOf", "anyOf", "const", "enum", "oneOf", "properties"})
_ILLEGAL = re.compile(r"[^A-Za-z0-9_.-]+")
_TEXT_ENDINGS = ("xml", "yaml", "csv", "graphql", "javascript", "ndjson", "jsonl", "jsonlines")

FILE: Schema = {
    "type": "object",
    "description": "A file: its name and its content, either as base64 in 'data' or as plain text in 'text'.",
    "properties": {
        "filename": {"type": "string", "description": "The file's name, with its ending."},
        "content_type": {"type": "string", "description": "The media type, such as text/csv or image/png."},
        "data": {"type": "string", "contentEncoding": "base64", "description": "The content in base64."},
        "text": {"type": "string", "description": "The content as text, in place of 'data'."},
    },
    "additionalProperties": False,
}


@dataclass(frozen=True, slots=True)
class Argument:
    """One argument of a tool, and the place of the request that it fills."""

    name: str
    place: Place
    target: str
    """The name on the wire."""
    schema: Schema
    required: bool
    is_file: bool = False
    serialization: Serialization | None = None
    """How a remote API reads it; None for an application in this process."""
    structure: Structure | None = None
    """Where the value may hold JSON text instead of an object or a list; None for nowhere."""


@dataclass(frozen=True, slots=True)
class BodyPlan:
    """How a tool's request body is made from arguments."""

    encoding: Encoding
    media_type: str
    required: bool
    """Send a body even when no argument fills it: an object body becomes ``{}``."""
    open: bool = False
    """The body takes members that its schema does not name."""
    members: Mapping[str, Argument] = field(default_factory=dict[str, "Argument"])
    """The fields of a form, where the whole form is one argument."""
    serialization: Serialization | None = None
    """How a remote API reads fields of a form that its document does not name."""

    def member(self, name: str) -> Argument:
        """Return the field of a form with this name; an unknown one if the document does not name it."""
        return self.members.get(name) or Argument(
            name, "field", name, {}, required=False, serialization=self.serialization
        )


def body_plan(operation: Operation) -> BodyPlan | None:
    """Decide how the body is sent, or None when there is none."""
    body = _sendable_body(operation)
    if body is None:
        return None
    schema = _body_schema(body, operation)
    encoding = _encoding(body)
    flat = _is_flat(body, schema)
    is_form = encoding in _FORMS
    return BodyPlan(
        encoding=encoding,
        media_type=body.media_type if encoding != "any" else "",
        required=body.required and (flat or is_form),
        open=flat and schema.get("additionalProperties") not in (None, False),
        members={} if flat or not is_form else {entry.name: entry for entry in _members(body, schema, operation)},
        serialization=_field_serialization(body, "") if is_form else None,
    )


def flat_arguments(operation: Operation) -> list[Argument]:
    """List the arguments in the order path, query, header, cookie, body; names are unique and legal everywhere."""
    found = [*_from_parameters(operation), *_from_body(operation)]
    return [
        replace(argument, structure=structure_of(argument.schema, operation.components))
        for argument in _named_apart(found)
    ]


def _from_parameters(operation: Operation) -> Iterator[Argument]:
    order = ("path", "query", "header", "cookie")
    for parameter in sorted(operation.parameters, key=lambda entry: order.index(entry.location)):
        if parameter.source == "connection":
            _check_sent(parameter)
        elif parameter.source == "argument":
            yield Argument(
                name=parameter.name,
                place=parameter.location,
                target=parameter.name,
                schema=_described(parameter) if parameter.location == "path" else _not_empty(_described(parameter)),
                required=parameter.required,
                serialization=parameter.serialization,
            )


def _check_sent(parameter: Parameter) -> None:
    if parameter.required and not is_set_by_http_client(parameter.name.lower()):
        raise DocumentError(f"it requires the header {parameter.name!r}, which no caller of a tool can set")


def _described(parameter: Parameter) -> Schema:
    extra: Schema = {}
    if parameter.description:
        extra["description"] = parameter.description
    if parameter.deprecated:
        extra["deprecated"] = True
    return {**parameter.schema, **extra}


def _not_empty(schema: Schema) -> Schema:
    """Ask for at least one item where a list is sent as repeated values: none would mean the default."""
    if schema.get("default") == []:
        return schema
    if schema.get("type") == "array":
        return {**schema, "minItems": max(schema.get("minItems", 1), 1)}
    if not isinstance(schema.get("anyOf"), list):
        return schema
    variants: list[Schema | bool] = schema["anyOf"]
    return {**schema, "anyOf": [_not_empty(entry) if isinstance(entry, dict) else entry for entry in variants]}


def _sendable_body(operation: Operation) -> Body | None:
    """The body, as multipart when it is a form with files; FastAPI's documents do not say so of a form's model."""
    body = operation.body
    if body is None or _encoding(body) != "urlencoded":
        return body
    members = _members(replace(body, media_type="multipart/form-data"), _body_schema(body, operation), operation)
    has_files = any(member.is_file for member in members)
    return replace(body, media_type="multipart/form-data") if has_files else body


def _from_body(operation: Operation) -> Iterator[Argument]:
    body = _sendable_body(operation)
    if body is None:
        return
    schema = _body_schema(body, operation)
    if not _is_flat(body, schema):
        yield _whole(body, schema, operation)
    else:
        yield from _members(body, schema, operation)


def _members(body: Body, schema: Schema, operation: Operation) -> Iterator[Argument]:
    """Yield the members of an object body as arguments, and those of its variants."""
    variants: list[Schema] = [*schema.get("anyOf", ()), *schema.get("oneOf", ())]
    for variant in variants:
        yield from _members(body, deref(variant, operation.components), operation)
    required: list[str] = schema.get("required", [])
    members: dict[str, Schema | bool] = schema.get("properties", {})
    local = {"$defs": schema["$defs"]} if "$defs" in schema else {}
    for name, entry in members.items():
        member = {**entry, **local} if isinstance(entry, dict) else {}
        if body.encoding is not None and deref(member, operation.components).get("readOnly") is True:
            continue  # a remote API only sends it
        serialization = _field_serialization(body, name)
        media_types = serialization.media_type if serialization is not None else ""
        file_schema = _file_schema(member, operation, media_types) if _encoding(body) == "multipart" else None
        member = file_schema or member
        yield Argument(
            name=name,
            place="field",
            target=name,
            schema=member if _encoding(body) == "json" else _not_empty(member),
            required=name in required and body.required,
            is_file=file_schema is not None,
            serialization=serialization,
        )


def _field_serialization(body: Body, name: str) -> Serialization | None:
    """Return how a remote API reads a field of a form; None for JSON, and for an application in this process."""
    if body.encoding is None or _encoding(body) not in _FORMS:
        return None
    return body.encoding.get(name) or Serialization(style="")


def _body_schema(body: Body, operation: Operation) -> Schema:
    """Return the (dereferenced) schema of a body; a form that is made of several schemas becomes one."""
    schema = deref(body.schema, operation.components)
    return _merged(schema, operation) if _encoding(body) in _FORMS and "allOf" in schema else schema


def _merged(schema: Schema, operation: Operation) -> Schema:
    """Merge the parts of an ``allOf`` that only list members; return the schema itself if they say more."""
    own = {key: value for key, value in schema.items() if key != "allOf"}
    parts = [own, *(deref(part, operation.components) for part in schema["allOf"])]
    parts = [_merged(part, operation) if "allOf" in part else part for part in parts]
    if any(part.keys() - _LISTS_MEMBERS for part in parts):
        return schema
    merged: Schema = {"type": "object", "properties": {}, "required": []}
    for part in reversed(parts):
        merged = {
            **merged,
            **part,
            "properties": {**part.get("properties", {}), **merged["properties"]},
            "required": [*part.get("required", []), *merged["required"]],
        }
    return merged


def _is_flat(body: Body, schema: Schema) -> bool:
    """An object with named members lies flat; an optional one only if none of them is required."""
    if _encoding(body) not in {"json", *_FORMS} or not is_object(schema):
        return False
    if not schema.get("properties") or {"anyOf", "oneOf", "allOf", "patternProperties"} & schema.keys():
        return False
    return body.required or not schema.get("required")


def _whole(body: Body, schema: Schema, operation: Operation) -> Argument:
    encoding = _encoding(body)
    description = body.description or schema.get("description")
    described = {"description": description} if description else {}
    if encoding == "bytes":
        hint = description or f"The request body ({body.media_type}), in base64."
        shown: Schema = {"type": "string", "contentEncoding": "base64", "description": hint}
    elif encoding == "text":
        shown = {"type": "string", "description": f"The request body ({body.media_type}).", **described}
    elif encoding == "any":
        shown = {"description": "The raw request body: text is sent as it is, anything else as JSON."}
    elif encoding == "multipart":
        shown = {**_with_files(body, schema, operation), **described}
    else:
        shown = {**body.schema, **({"description": body.description} if body.description else {})}
    is_file = encoding == "bytes" and "*" in body.media_type
    if is_file:
        shown = {**FILE, "description": f"{body.media_type}. {FILE['description']}"}
    return Argument(
        name=_body_name(body), place="body", target="", schema=shown, required=body.required, is_file=is_file
    )


def _with_files(body: Body, schema: Schema, operation: Operation) -> Schema:
    """Return the schema of a whole multipart form, in which files are file objects."""
    shown = dict(schema)
    if "properties" in schema:
        own = {key: value for key, value in schema.items() if key not in {"anyOf", "oneOf"}}
        shown["properties"] = {member.name: member.schema for member in _members(body, own, operation)}
    for key in {"anyOf", "oneOf"} & schema.keys():
        shown[key] = [_with_files(body, deref(part, operation.components), operation) for part in schema[key]]
    return shown


def _body_name(body: Body) -> str:
    """A single body parameter's own name, as FastAPI's title tells it; 'body' where it tells nothing."""
    title = body.schema.get("title")
    if "$ref" in body.schema or not isinstance(title, str) or not re.fullmatch(r"[A-Za-z][A-Za-z0-9 ]*", title):
        return "body"
    return title.lower().replace(" ", "_")


def _encoding(body: Body) -> Encoding:
    media_type = essence(body.media_type)
    if not body.is_documented:
        return "any"
    if is_json(media_type) or media_type == "text/json":
        return "json"
    if media_type == "multipart/form-data":
        return "multipart"
    if media_type == "application/x-www-form-urlencoded":
        return "urlencoded"
    is_text = media_type.startswith("text/") or media_type.endswith(_TEXT_ENDINGS)
    if media_type.startswith("multipart/"):
        raise DocumentError(f"its body is {media_type!r}; of multipart bodies, only multipart/form-data can be sent")
    return "text" if is_text else "bytes"


def _file_schema(member: Schema, operation: Operation, media_types: str = "") -> Schema | None:
    """The file object in place of a binary string, also within a list or beside null; None for anything else.

    `media_types` are those that the document's `encoding` gives the field.
    """
    plain = deref(member, operation.components)
    if _is_binary(plain, media_types):
        return (
            {**FILE, "description": f"{plain['description']} ({FILE['description']})"}
            if plain.get("description")
            else FILE
        )
    kept = {key: plain[key] for key in ("title", "description", "minItems", "maxItems") if key in plain}
    if plain.get("type") == "array" and _is_binary(deref(plain.get("items", True), operation.components), media_types):
        return {**kept, "type": "array", "items": FILE}
    variants: list[Schema] = plain.get("anyOf") or []
    inner = [_file_schema(variant, operation, media_types) for variant in variants]
    if any(inner):
        return {**kept, "anyOf": [new or old for new, old in zip(inner, variants, strict=True)]}
    return None


def _is_binary(schema: Schema, media_types: str) -> bool:
    """Tell whether a value is a file: binary, or of a media type that is neither text nor JSON."""
    if "contentEncoding" in schema or schema.get("type", "string") != "string":
        return False
    if schema.get("format") == "binary":
        return True
    declared: str = schema.get("contentMediaType") or ("" if schema.keys() & _SAYS_WHICH_VALUES else media_types)
    return bool(declared) and not any(_is_textual(media_type) for media_type in declared.split(","))


def _is_textual(media_type: str) -> bool:
    name = essence(media_type)
    return name.startswith("text/") or name.endswith(("json", "xml", "yaml", "x-www-form-urlencoded"))


def _named_apart(arguments: Iterable[Argument]) -> Iterator[Argument]:
    """The first place keeps a shared name; later ones get their place as a suffix (``id``, then ``id_body``)."""
    taken: set[str] = set()
    for argument in arguments:
        name = _legal(argument.name)
        if name in taken:
            name = _legal(f"{name}_{'body' if argument.place == 'field' else argument.place}")
        free = next(option for option in _options(name) if option not in taken)
        taken.add(free)
        yield replace(argument, name=free)


def _options(name: str) -> Iterator[str]:
    yield name
    number = 2
    while True:
        yield f"{name[:60]}_{number}"
        number += 1


def _legal(name: str) -> str:
    """Clients take ``^[a-zA-Z0-9_.-]{1,64}$`` as a property name; a name that fits stays as it is."""
    cleaned = _ILLEGAL.sub("_", name)
    return (cleaned if cleaned == name else cleaned.strip("_"))[:64] or "argument"
