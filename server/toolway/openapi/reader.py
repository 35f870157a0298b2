"""Operations of an OpenAPI 3.0 or 3.1 document."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace
from typing import Any, cast

from toolway.errors import DocumentError
from toolway.markers import EXTENSION
from toolway.media_types import essence
from toolway.openapi.openapi30 import upgrade_document
from toolway.openapi.operation import (
    Api,
    Body,
    Credentials,
    Operation,
    Parameter,
    Response,
    Schema,
    Serialization,
    SkippedOperation,
)
from toolway.openapi.path_template import PathTemplate
from toolway.openapi.references import require_object, resolve_references
from toolway.openapi.request_serialization import (
    choose_media_type,
    read_field_serialization,
    read_parameter_serialization,
    read_part_headers,
    resolve_media_range,
)
from toolway.openapi.route_index import DocumentPaths

__all__ = ["MALFORMED_ERRORS", "TemplateFor", "read_document"]

MALFORMED_ERRORS = (AssertionError, AttributeError, KeyError, RecursionError, TypeError, ValueError)
"""Exceptions raised while reading a document that does not follow OpenAPI; the operation being read is skipped."""

_METHODS = ("get", "put", "post", "delete", "options", "head", "patch", "trace")
_LOCATIONS = ("path", "query", "header", "cookie")

TemplateFor = Callable[[str, str, str | None], PathTemplate]
"""Returns the path template for a method, a path of the document and an operation id."""

_Json = Mapping[str, Any]


def read_document(document: _Json, *, prefix: str = "", template_for: TemplateFor | None = None) -> Api:
    """Return the operations of an OpenAPI 3.0 or 3.1 document.

    Args:
        document: the parsed document.
        prefix: the path at which the API is mounted, prepended to every path.
        template_for: returns the path template of an operation. Defaults to templates of the document's own paths.

    Raises:
        DocumentError: this is not an OpenAPI 3 document.
    """
    reader = _DocumentReader(_check_version(document), prefix, template_for)
    info = _get_object(document, "info")
    operations, skipped = reader.read()
    return Api(
        title=str(info.get("title") or ""),
        version=str(info.get("version") or ""),
        description=str(info.get("description") or ""),
        operations=tuple(operations),
        skipped=tuple(skipped),
    )


def _check_version(document: _Json) -> _Json:
    """Return the document in the form of OpenAPI 3.1."""
    version = str(document.get("openapi", ""))
    if not version.startswith("3."):
        found = f"openapi {version!r}" if version else f"the keys {sorted(map(str, document))[:8]}"
        raise DocumentError(f"expected an OpenAPI 3.0 or 3.1 document, found {found}; convert older documents first")
    _get_object(document, "paths")
    _get_object(document, "components")
    return upgrade_document(document) if version.startswith("3.0") else document


def _get_object(node: _Json, key: str) -> _Json:
    value: Any = node.get(key)
    if value is not None and not isinstance(value, Mapping):
        raise DocumentError(f"expected {key!r} of the OpenAPI document to be an object, found {value!r}")
    return cast("_Json", value or {})


class _DocumentReader:
    """Reads the operations of one document."""

    def __init__(self, document: _Json, prefix: str, template_for: TemplateFor | None) -> None:
        self._document = document
        self._prefix = prefix
        self._is_remote = template_for is None
        self._template_for = template_for or self._document_templates()
        components = _get_object(document, "components")
        self._components = cast("Mapping[str, Schema]", _get_object(components, "schemas"))
        self._schemes = cast("Mapping[str, _Json]", _get_object(components, "securitySchemes"))

    def _document_templates(self) -> TemplateFor:
        """Return a function that returns templates of the document's own paths."""
        paths = DocumentPaths(
            {str(path): self._read_methods(item) for path, item in _get_object(self._document, "paths").items()}
        )
        return lambda method, path, _operation_id: paths.find_template(method, path)

    def _read_methods(self, item: _Json) -> frozenset[str] | None:
        """Return the methods of a path, or None if they cannot be read."""
        try:
            whole = self._resolve_path_item(item)
        except DocumentError:
            return None
        return frozenset(method.upper() for method in whole if method in _METHODS)

    def read(self) -> tuple[list[Operation], list[SkippedOperation]]:
        paths = _get_object(self._document, "paths")
        outcomes = [outcome for path, item in paths.items() for outcome in self._read_path(str(path), item)]
        operations = [outcome for outcome in outcomes if isinstance(outcome, Operation)]
        return operations, [outcome for outcome in outcomes if isinstance(outcome, SkippedOperation)]

    def _read_path(self, path: str, item: _Json) -> Iterator[Operation | SkippedOperation]:
        try:
            whole = self._resolve_path_item(item)
        except DocumentError as error:
            yield SkippedOperation("*", self._prefix + path, str(error))
            return
        for method in whole:
            if method in _METHODS:
                yield self._try_operation(method.upper(), path, whole, whole[method])

    def _resolve_path_item(self, item: _Json) -> _Json:
        """Return a path item after following its reference; fields beside the reference take precedence."""
        beside = {key: value for key, value in require_object(item).items() if key != "$ref"}
        return {**resolve_references(self._document, item), **beside}

    def _try_operation(self, method: str, path: str, item: _Json, node: _Json) -> Operation | SkippedOperation:
        try:
            return self._read_operation(method, path, item, resolve_references(self._document, node))
        except DocumentError as error:
            reason = str(error)
        except MALFORMED_ERRORS as error:
            reason = f"the OpenAPI document is malformed here: {error}"
        return SkippedOperation(method, self._prefix + path, reason)

    def _read_operation(self, method: str, path: str, item: _Json, node: _Json) -> Operation:
        template = self._template_for(method, path, node.get("operationId"))
        if template.is_unreachable:
            raise DocumentError("an earlier route of the application matches this path")
        if repeated := [name for name in template.names if template.names.count(name) > 1]:
            raise DocumentError(f"the path has the parameter {repeated[0]!r} twice, and one argument cannot fill both")
        parameters = self._read_parameters(item, node)
        operation_id = str(node.get("operationId") or "") or None
        return Operation(
            method=method,
            path=self._prefix + path,
            template=template,
            operation_id=operation_id,
            generated_suffix=_find_generated_suffix(operation_id, path),
            summary=str(node.get("summary") or ""),
            description=str(node.get("description") or ""),
            deprecated=bool(node.get("deprecated")),
            tags=tuple(str(tag) for tag in node.get("tags") or ()),
            parameters=(*parameters, *_iter_undocumented(template, parameters)),
            body=self._read_body(node),
            responses=tuple(self._read_responses(node)),
            credentials=self._read_credentials(node),
            extension=node.get(EXTENSION),
            components=self._components,
        )

    def _read_parameters(self, item: _Json, node: _Json) -> tuple[Parameter, ...]:
        """Return the parameters; the operation's override those of its path (OpenAPI 3.1, Operation Object)."""
        found: dict[tuple[str, str], Parameter] = {}
        for raw in (*(item.get("parameters") or ()), *(node.get("parameters") or ())):
            entry = resolve_references(self._document, raw)
            if entry.get("in") in _LOCATIONS and entry.get("name"):
                found[entry["in"], entry["name"]] = self._read_parameter(entry)
            elif entry.get("required"):
                raise DocumentError(f"it requires a parameter in {entry.get('in')!r}, which toolway does not support")
        return tuple(found.values())

    def _read_parameter(self, entry: _Json) -> Parameter:
        if not isinstance(entry["name"], str):
            raise DocumentError(f"expected the name of a parameter to be a string, found {entry['name']!r}")
        content: Mapping[str, _Json] = entry.get("content") or {}
        described = [node for node in (entry, *content.values()) if node.get("schema")]
        schema = _read_schema(described[0]) if described else Schema()
        return Parameter(
            name=entry["name"],
            location=entry["in"],
            schema=schema,
            required=bool(entry.get("required")) or entry["in"] == "path",
            description=str(entry.get("description") or schema.get("description") or ""),
            deprecated=bool(entry.get("deprecated")),
            serialization=read_parameter_serialization(entry) if self._is_remote else None,
        )

    def _read_body(self, node: _Json) -> Body | None:
        if not node.get("requestBody"):
            return None
        entry = resolve_references(self._document, node["requestBody"])
        content: Mapping[str, _Json] = entry.get("content") or {}
        if not content:
            return None
        media_type = choose_media_type(content)
        schema = _read_schema(content[media_type])
        if "*" in media_type:
            concrete = resolve_media_range(media_type, resolve_references(self._document, schema))
        else:
            concrete = media_type
        return Body(
            media_type=concrete,
            schema=schema,
            required=bool(entry.get("required")),
            description=str(entry.get("description") or ""),
            encoding=self._read_encoding(content[media_type], concrete) if self._is_remote else None,
        )

    def _read_encoding(self, node: _Json, media_type: str) -> Mapping[str, Serialization]:
        entries = cast("Mapping[str, _Json]", node.get("encoding") or {})
        fields = {name: read_field_serialization(name, require_object(entry)) for name, entry in entries.items()}
        if essence(media_type) != "multipart/form-data":
            return fields
        return {
            name: replace(rule, headers=read_part_headers(self._document, name, entries[name]))
            for name, rule in fields.items()
        }

    def _read_responses(self, node: _Json) -> Iterator[Response]:
        responses: Mapping[str, _Json] = node.get("responses") or {}
        for status, raw in responses.items():
            response = resolve_references(self._document, raw)
            description = str(response.get("description") or "")
            content: Mapping[str, _Json] = response.get("content") or {}
            if not content:
                yield Response(str(status), description=description)
            for media_type, media in content.items():
                yield Response(str(status), media_type, _read_schema(media), description)

    def _read_credentials(self, node: _Json) -> Credentials:
        requirements: list[_Json] = node.get("security", self._document.get("security")) or []
        schemes = [self._find_scheme(name) for requirement in requirements for name in requirement]
        keys = [scheme for scheme in schemes if scheme.get("type") == "apiKey"]
        return Credentials(
            headers=frozenset(str(key.get("name")).lower() for key in keys if key.get("in") == "header"),
            query=frozenset(str(key.get("name")) for key in keys if key.get("in") == "query"),
            cookies=frozenset(str(key.get("name")) for key in keys if key.get("in") == "cookie"),
            is_satisfiable=not requirements or any(all(map(self._is_forwarded, entry)) for entry in requirements),
            authorization=any(scheme.get("type") in {"http", "oauth2", "openIdConnect"} for scheme in schemes),
        )

    def _is_forwarded(self, name: str) -> bool:
        return self._find_scheme(name).get("in") != "cookie"

    def _find_scheme(self, name: str) -> _Json:
        return resolve_references(self._document, self._schemes.get(name) or {})


def _iter_undocumented(template: PathTemplate, parameters: tuple[Parameter, ...]) -> Iterator[Parameter]:
    """Yield parameters for placeholders missing from the document, such as those in a mount's prefix."""
    known = {parameter.name for parameter in parameters if parameter.location == "path"}
    for name in template.names:
        if name not in known:
            yield Parameter(name, "path", {"type": "string"}, required=True)


def _read_schema(node: _Json) -> Schema:
    """Return the schema of a parameter or a media type; ``true`` and ``false`` are schemas as well."""
    schema = node.get("schema")
    if isinstance(schema, dict):
        return cast("Schema", schema)
    return {"not": {}} if schema is False else {}


def _find_generated_suffix(operation_id: str | None, path: str) -> str:
    """Return the part of an operation id that FastAPI appends to the function name: the path and a method."""
    if not operation_id:
        return ""
    cleaned = re.sub(r"\W", "_", path)
    suffixes = (f"{cleaned}_{method}" for method in _METHODS)
    return next((suffix for suffix in suffixes if operation_id.endswith(suffix) and operation_id != suffix), "")
