"""The flat arguments of a tool, and the parts of the request that they fill."""

from __future__ import annotations

import itertools
import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from typing import Literal, TypeAlias

from toolway.catalog.schema.definitions import dereference, is_object
from toolway.catalog.schema.structure import Structure, structure_of
from toolway.errors import DocumentError
from toolway.headers import is_set_by_http_client
from toolway.media_types import essence, is_json
from toolway.openapi import Body, Operation, Parameter, Schema, Serialization

__all__ = ["Argument", "ArgumentLocation", "BodyPlan", "flatten_arguments", "plan_body"]

ArgumentLocation: TypeAlias = Literal["path", "query", "header", "cookie", "field", "body"]
"""The part of the request that an argument fills: a parameter, a field of an object body, or the whole body."""

Encoding: TypeAlias = Literal["json", "urlencoded", "multipart", "text", "bytes", "any"]

_FORMS = frozenset({"urlencoded", "multipart"})
_PROPERTY_KEYWORDS = frozenset(
    {"additionalProperties", "allOf", "description", "example", "examples", "properties", "required", "title", "type"}
)
_VALUE_KEYWORDS = frozenset({"allOf", "anyOf", "const", "enum", "oneOf", "properties"})
_INVALID_CHARACTERS = re.compile(r"[^A-Za-z0-9_.-]+")
_TEXT_SUFFIXES = ("xml", "yaml", "csv", "graphql", "javascript", "ndjson", "jsonl", "jsonlines")

FILE: Schema = {
    "type": "object",
    "description": "A file: its name and its content, either as base64 in 'data' or as plain text in 'text'.",
    "properties": {
        "filename": {"type": "string", "description": "The file's name, with its ending."},
        "content_type": {"type": "string", "description": "The media type, such as text/csv or image/png."},
        "data": {"type": "string", "contentEncoding": "base64", "description": "The content in base64."},
        "text": {"type": "string", "description": "The content as text, instead of 'data'."},
    },
    "additionalProperties": False,
}


@dataclass(frozen=True, slots=True)
class Argument:
    """One argument of a tool."""

    name: str
    location: ArgumentLocation
    target: str
    """The name on the wire."""
    schema: Schema
    required: bool
    is_file: bool = False
    serialization: Serialization | None = None
    """The format that a remote API expects; None for an application in this process."""
    structure: Structure | None = None
    """Where the value may hold JSON text instead of an object or a list; None for nowhere."""


@dataclass(frozen=True, slots=True)
class BodyPlan:
    """Encoding of a request body from arguments."""

    encoding: Encoding
    media_type: str
    required: bool
    """Send a body even when no argument fills it: an object body becomes ``{}``."""
    accepts_extra: bool = False
    """Whether the body accepts fields that its schema does not name."""
    fields: Mapping[str, Argument] = field(default_factory=dict[str, "Argument"])
    """The fields of a form, if the whole form is one argument."""
    extra_file: Schema | None = None
    """The schema of these fields as file objects; None if they are not files."""
    serialization: Serialization | None = None
    """The format that a remote API expects for undocumented form fields."""

    def find_field(self, name: str) -> Argument:
        """Return the form field with this name, documented or not."""
        return self.fields.get(name) or Argument(
            name,
            "field",
            name,
            {},
            required=False,
            is_file=self.extra_file is not None,
            serialization=self.serialization,
        )


def plan_body(operation: Operation) -> BodyPlan | None:
    """Return the encoding of an operation's body, or None if it has no body."""
    body = _prepare_body(operation)
    if body is None:
        return None
    schema = _read_body_schema(body, operation)
    encoding = _choose_encoding(body)
    is_flat = _is_flat(body, schema)
    is_form = encoding in _FORMS
    return BodyPlan(
        encoding=encoding,
        media_type=body.media_type if encoding != "any" else "",
        required=body.required and (is_flat or is_form),
        accepts_extra=is_flat and schema.get("additionalProperties") not in (None, False),
        extra_file=_extra_file_schema(body, schema, operation),
        fields={} if is_flat or not is_form else {entry.name: entry for entry in _iter_fields(body, schema, operation)},
        serialization=_field_serialization(body, "") if is_form else None,
    )


def flatten_arguments(operation: Operation) -> list[Argument]:
    """Return the arguments in the order path, query, header, cookie, body; their names are unique and portable."""
    found = [*_iter_parameters(operation), *_iter_body(operation)]
    return [
        replace(argument, structure=structure_of(argument.schema, operation.components))
        for argument in _make_names_unique(found)
    ]


def _iter_parameters(operation: Operation) -> Iterator[Argument]:
    order = ("path", "query", "header", "cookie")
    for parameter in sorted(operation.parameters, key=lambda entry: order.index(entry.location)):
        if parameter.source == "connection":
            if parameter.required and not is_set_by_http_client(parameter.name.lower()):
                raise DocumentError(f"it requires the header {parameter.name!r}, which callers of a tool cannot set")
        elif parameter.source == "argument":
            yield Argument(
                name=parameter.name,
                location=parameter.location,
                target=parameter.name,
                schema=_describe_schema(parameter)
                if parameter.location == "path"
                else _require_item(_describe_schema(parameter)),
                required=parameter.required,
                serialization=parameter.serialization,
            )


def _describe_schema(parameter: Parameter) -> Schema:
    extra: Schema = {}
    if parameter.description:
        extra["description"] = parameter.description
    if parameter.deprecated:
        extra["deprecated"] = True
    return {**parameter.schema, **extra}


def _require_item(schema: Schema) -> Schema:
    """Return a schema whose lists have at least one item: an empty list cannot be sent as repeated values."""
    if schema.get("default") == []:
        return schema
    if schema.get("type") == "array":
        return {**schema, "minItems": max(schema.get("minItems", 1), 1)}
    if not isinstance(schema.get("anyOf"), list):
        return schema
    variants: list[Schema | bool] = schema["anyOf"]
    return {**schema, "anyOf": [_require_item(entry) if isinstance(entry, dict) else entry for entry in variants]}


def _prepare_body(operation: Operation) -> Body | None:
    """Return the body, as multipart if it is a form with files: FastAPI documents form models as urlencoded."""
    body = operation.body
    if body is None or _choose_encoding(body) != "urlencoded":
        return body
    multipart = replace(body, media_type="multipart/form-data")
    fields = _iter_fields(multipart, _read_body_schema(body, operation), operation)
    return multipart if any(entry.is_file for entry in fields) else body


def _iter_body(operation: Operation) -> Iterator[Argument]:
    body = _prepare_body(operation)
    if body is None:
        return
    schema = _read_body_schema(body, operation)
    if not _is_flat(body, schema):
        yield _build_body_argument(body, schema, operation)
    else:
        yield from _iter_fields(body, schema, operation)


def _iter_fields(body: Body, schema: Schema, operation: Operation) -> Iterator[Argument]:
    """Yield the fields of an object body as arguments, including those of its variants."""
    variants: list[Schema] = [*schema.get("anyOf", ()), *schema.get("oneOf", ())]
    for variant in variants:
        yield from _iter_fields(body, dereference(variant, operation.components), operation)
    required: list[str] = schema.get("required", [])
    properties: dict[str, Schema | bool] = schema.get("properties", {})
    local = {"$defs": schema["$defs"]} if "$defs" in schema else {}
    for name, entry in properties.items():
        member = {**entry, **local} if isinstance(entry, dict) else {}
        if body.encoding is not None and dereference(member, operation.components).get("readOnly") is True:
            continue  # a remote API only sends this field
        serialization = _field_serialization(body, name)
        media_types = serialization.media_type if serialization is not None else ""
        file_schema = _file_schema(member, operation, media_types) if _choose_encoding(body) == "multipart" else None
        member = file_schema or member
        yield Argument(
            name=name,
            location="field",
            target=name,
            schema=member if _choose_encoding(body) == "json" else _require_item(member),
            required=name in required and body.required,
            is_file=file_schema is not None,
            serialization=serialization,
        )


def _field_serialization(body: Body, name: str) -> Serialization | None:
    """Return the format that a remote API expects for a form field; None for JSON and for local applications."""
    if body.encoding is None or _choose_encoding(body) not in _FORMS:
        return None
    return body.encoding.get(name) or Serialization(style="")


def _read_body_schema(body: Body, operation: Operation) -> Schema:
    """Return the dereferenced schema of a body; the parts of a form's ``allOf`` are merged."""
    schema = dereference(body.schema, operation.components)
    return _merge_all_of(schema, operation) if _choose_encoding(body) in _FORMS and "allOf" in schema else schema


def _merge_all_of(schema: Schema, operation: Operation) -> Schema:
    """Return one schema for an ``allOf`` whose parts only list properties; else the schema unchanged."""
    own = {key: value for key, value in schema.items() if key != "allOf"}
    parts = [own, *(dereference(part, operation.components) for part in schema["allOf"])]
    parts = [_merge_all_of(part, operation) if "allOf" in part else part for part in parts]
    if any(part.keys() - _PROPERTY_KEYWORDS for part in parts):
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
    """Return whether the fields of a body are arguments; those of an optional body must all be optional."""
    if _choose_encoding(body) not in {"json", *_FORMS} or not is_object(schema):
        return False
    if not schema.get("properties") or {"anyOf", "oneOf", "allOf", "patternProperties"} & schema.keys():
        return False
    return body.required or not schema.get("required")


def _build_body_argument(body: Body, schema: Schema, operation: Operation) -> Argument:
    encoding = _choose_encoding(body)
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
        shown = {**_replace_files(body, schema, operation), **described}
    else:
        shown = {**body.schema, **({"description": body.description} if body.description else {})}
    is_file = encoding == "bytes" and "*" in body.media_type
    if is_file:
        shown = {**FILE, "description": f"{body.media_type}. {FILE['description']}"}
    return Argument(
        name=_body_name(body), location="body", target="", schema=shown, required=body.required, is_file=is_file
    )


def _replace_files(body: Body, schema: Schema, operation: Operation) -> Schema:
    """Return the schema of a multipart form with files as file objects."""
    shown = dict(schema)
    if "properties" in schema:
        own = {key: value for key, value in schema.items() if key not in {"anyOf", "oneOf"}}
        shown["properties"] = {entry.name: entry.schema for entry in _iter_fields(body, own, operation)}
    if file := _extra_file_schema(body, schema, operation):
        shown["additionalProperties"] = file
    for key in {"anyOf", "oneOf"} & schema.keys():
        shown[key] = [_replace_files(body, dereference(part, operation.components), operation) for part in schema[key]]
    return shown


def _extra_file_schema(body: Body, schema: Schema, operation: Operation) -> Schema | None:
    """Return the schema of file objects for the undeclared fields of a form, if these are files."""
    extra: Schema | bool | None = schema.get("additionalProperties")
    if not isinstance(extra, dict) or _choose_encoding(body) != "multipart":
        return None
    return _file_schema(extra, operation)


def _body_name(body: Body) -> str:
    """Return the name of a single body parameter from the title that FastAPI gives it, or 'body'."""
    title = body.schema.get("title")
    if "$ref" in body.schema or not isinstance(title, str) or not re.fullmatch(r"[A-Za-z][A-Za-z0-9 ]*", title):
        return "body"
    return title.lower().replace(" ", "_")


def _choose_encoding(body: Body) -> Encoding:
    media_type = essence(body.media_type)
    if not body.is_documented:
        return "any"
    if is_json(media_type) or media_type == "text/json":
        return "json"
    if media_type == "multipart/form-data":
        return "multipart"
    if media_type == "application/x-www-form-urlencoded":
        return "urlencoded"
    is_text = media_type.startswith("text/") or media_type.endswith(_TEXT_SUFFIXES)
    if media_type.startswith("multipart/"):
        raise DocumentError(f"its body is {media_type!r}; multipart/form-data is the only supported multipart type")
    return "text" if is_text else "bytes"


def _file_schema(member: Schema, operation: Operation, media_types: str = "") -> Schema | None:
    """Return the schema of a file object for a binary string, a list of them, or a nullable one; None for other values.

    `media_types` are the field's content types in the document's ``encoding``.
    """
    plain = dereference(member, operation.components)
    if _is_binary(plain, media_types):
        return (
            {**FILE, "description": f"{plain['description']} ({FILE['description']})"}
            if plain.get("description")
            else FILE
        )
    kept = {key: plain[key] for key in ("title", "description", "minItems", "maxItems") if key in plain}
    if plain.get("type") == "array" and _is_binary(
        dereference(plain.get("items", True), operation.components), media_types
    ):
        return {**kept, "type": "array", "items": FILE}
    variants: list[Schema] = plain.get("anyOf") or []
    inner = [_file_schema(variant, operation, media_types) for variant in variants]
    if any(inner):
        return {**kept, "anyOf": [new or old for new, old in zip(inner, variants, strict=True)]}
    return None


def _is_binary(schema: Schema, media_types: str) -> bool:
    """Return whether a value is a file: binary, or with a media type that is neither text nor JSON."""
    if "contentEncoding" in schema or schema.get("type", "string") != "string":
        return False
    if schema.get("format") == "binary":
        return True
    declared: str = schema.get("contentMediaType") or ("" if schema.keys() & _VALUE_KEYWORDS else media_types)
    return bool(declared) and not any(_is_textual(media_type) for media_type in declared.split(","))


def _is_textual(media_type: str) -> bool:
    name = essence(media_type)
    return name.startswith("text/") or name.endswith(("json", "xml", "yaml", "x-www-form-urlencoded"))


def _make_names_unique(arguments: Iterable[Argument]) -> Iterator[Argument]:
    """Yield arguments with unique names: repeated names get their location as a suffix (``id``, ``id_body``)."""
    taken: set[str] = set()
    for argument in arguments:
        name = _clean_name(argument.name)
        if name in taken:
            name = _clean_name(f"{name}_{'body' if argument.location == 'field' else argument.location}")
        free = next(candidate for candidate in _iter_candidates(name) if candidate not in taken)
        taken.add(free)
        yield replace(argument, name=free)


def _iter_candidates(name: str) -> Iterator[str]:
    yield name
    for suffix in itertools.count(2):
        yield f"{name[:60]}_{suffix}"


def _clean_name(name: str) -> str:
    """Return a name that clients accept (``^[a-zA-Z0-9_.-]{1,64}$``); a valid name is unchanged."""
    cleaned = _INVALID_CHARACTERS.sub("_", name)
    return (cleaned if cleaned == name else cleaned.strip("_"))[:64] or "argument"
