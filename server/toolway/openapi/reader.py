"""From an OpenAPI document to operations."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from typing import Any, cast
from urllib.parse import quote, unquote

from toolway.errors import DocumentError
from toolway.markers import EXTENSION
from toolway.openapi.model import (
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
from toolway.openapi.openapi30 import upgrade
from toolway.openapi.path_template import DocumentPaths, PathTemplate
from toolway.openapi.request_serialization import (
    choose_media_type,
    read_field_serialization,
    read_parameter_serialization,
    resolve_media_range,
)

__all__ = ["MALFORMED_ERRORS", "TemplateFor", "read_document", "resolve"]

MALFORMED_ERRORS = (AssertionError, AttributeError, KeyError, RecursionError, TypeError, ValueError)
"""What reading raises where a document is not as OpenAPI says; it costs the operation that it is read for."""

_METHODS = ("get", "put", "post", "delete", "options", "head", "patch", "trace")
_NAMED_COMPONENTS = frozenset({"parameters", "pathItems", "requestBodies", "responses", "schemas"})
_LOCATIONS = ("path", "query", "header", "cookie")

TemplateFor = Callable[[str, str, str | None], PathTemplate]
"""(method, path of the document, operation id) to the template that reaches the operation."""

_Json = Mapping[str, Any]


def read_document(document: _Json, *, prefix: str = "", template_for: TemplateFor | None = None) -> Api:
    """Read the operations of an OpenAPI 3.0 or 3.1 document.

    Args:
        document: the parsed document.
        prefix: where the API is mounted; put in front of every path.
        template_for: finds the template of an operation. Defaults to the document's own paths.

    Raises:
        DocumentError: it is no OpenAPI 3 document.
    """
    reader = _Reader(_checked(document), prefix, template_for)
    info = _object(document, "info")
    operations, skipped = reader.read()
    return Api(
        title=str(info.get("title") or ""),
        version=str(info.get("version") or ""),
        description=str(info.get("description") or ""),
        operations=tuple(operations),
        skipped=tuple(skipped),
    )


def _checked(document: _Json) -> _Json:
    version = str(document.get("openapi", ""))
    if not version.startswith("3."):
        found = f"openapi {version!r}" if version else f"the keys {sorted(map(str, document))[:8]}"
        raise DocumentError(f"expected an OpenAPI 3.0 or 3.1 document, found {found}; convert older ones first")
    _object(document, "paths")
    return _upgraded(document) if version.startswith("3.0") else document


def _upgraded(document: _Json) -> _Json:
    """Return an OpenAPI 3.0 document in the dialect of 3.1, without operations and components that are too deep."""
    paths = {path: _each(item) for path, item in _object(document, "paths").items()}
    components = {
        kind: _each(entries) if kind in _NAMED_COMPONENTS else _upgraded_part(entries)
        for kind, entries in _object(document, "components").items()
    }
    return {**document, "paths": paths, "components": components}


def _each(node: Any) -> Any:
    if not isinstance(node, Mapping):
        return node
    return {key: _upgraded_part(part) for key, part in cast("_Json", node).items()}


def _upgraded_part(part: Any) -> Any:
    try:
        return upgrade(part)
    except RecursionError:
        return "an object that is nested too deeply"


def _object(node: _Json, key: str) -> _Json:
    value: Any = node.get(key)
    if value is not None and not isinstance(value, Mapping):
        raise DocumentError(f"expected {key!r} of the OpenAPI document to be an object, found {value!r}")
    return cast("_Json", value or {})


def resolve(document: _Json, node: _Json) -> _Json:
    """Follow local references until something else stands there.

    Raises:
        DocumentError: a reference leaves the document, leads nowhere, or leads in a circle.
    """
    seen: set[str] = set()
    while isinstance(reference := _mapping(node).get("$ref"), str):
        if reference in seen:
            raise DocumentError(f"the reference {reference!r} leads in a circle")
        seen.add(reference)
        node = _look_up(document, reference)
    return node


def _mapping(node: Any) -> _Json:
    if not isinstance(node, Mapping):
        raise DocumentError(f"expected an object, found {node!r}")
    return cast("_Json", node)


def _look_up(document: _Json, reference: str) -> _Json:
    if not reference.startswith("#/"):
        raise DocumentError(f"the reference {reference!r} leaves the document; bundle it into one file first")
    node: Any = document
    for escaped in reference[2:].split("/"):
        node = _child(node, unquote(escaped).replace("~1", "/").replace("~0", "~"))
    if not isinstance(node, Mapping):
        raise DocumentError(f"the reference {reference!r} leads nowhere in the document")
    return cast("_Json", node)


def _child(node: Any, token: str) -> Any:
    """Return a member of an object, or an item of a list, that a JSON pointer names; None if there is none."""
    if isinstance(node, Mapping):
        members = cast("_Json", node)
        return members.get(token, members.get(quote(token)))
    if isinstance(node, list) and token.isdecimal():
        items = cast("list[Any]", node)
        return items[int(token)] if int(token) < len(items) else None
    return None


class _Reader:
    """Reads one document."""

    def __init__(self, document: _Json, prefix: str, template_for: TemplateFor | None) -> None:
        self._document = document
        self._prefix = prefix
        self._is_remote = template_for is None
        self._template_for = template_for or self._own_template()
        components = _object(document, "components")
        self._components = cast("Mapping[str, Schema]", _object(components, "schemas"))
        self._schemes = cast("Mapping[str, _Json]", _object(components, "securitySchemes"))

    def _own_template(self) -> TemplateFor:
        """Return a function that makes templates of the document's own paths, each aware of all the others."""
        paths = DocumentPaths(
            {str(path): self._methods(item) for path, item in _object(self._document, "paths").items()}
        )
        return lambda method, path, _operation_id: paths.template(method, path)

    def _methods(self, item: _Json) -> frozenset[str] | None:
        """Return the methods of a path, also of operations that are not offered; None where they cannot be read."""
        try:
            whole = self._path_item(item)
        except DocumentError:
            return None
        return frozenset(method.upper() for method in whole if method in _METHODS)

    def read(self) -> tuple[list[Operation], list[SkippedOperation]]:
        paths = _object(self._document, "paths")
        outcomes = [outcome for path, item in paths.items() for outcome in self._outcomes(str(path), item)]
        operations = [outcome for outcome in outcomes if isinstance(outcome, Operation)]
        return operations, [outcome for outcome in outcomes if isinstance(outcome, SkippedOperation)]

    def _outcomes(self, path: str, item: _Json) -> Iterator[Operation | SkippedOperation]:
        try:
            whole = self._path_item(item)
        except DocumentError as error:
            yield SkippedOperation("*", self._prefix + path, str(error))
            return
        for method in whole:
            if method in _METHODS:
                yield self._outcome(method.upper(), path, whole, whole[method])

    def _path_item(self, item: _Json) -> _Json:
        """Follow the reference of a path; what is written beside it takes precedence."""
        beside = {key: value for key, value in _mapping(item).items() if key != "$ref"}
        return {**resolve(self._document, item), **beside}

    def _outcome(self, method: str, path: str, item: _Json, node: _Json) -> Operation | SkippedOperation:
        try:
            return self._operation(method, path, item, resolve(self._document, node))
        except DocumentError as error:
            reason = str(error)
        except MALFORMED_ERRORS as error:
            reason = f"the document is malformed here: {error}"
        return SkippedOperation(method, self._prefix + path, reason)

    def _operation(self, method: str, path: str, item: _Json, node: _Json) -> Operation:
        template = self._template_for(method, path, node.get("operationId"))
        if template.is_unreachable:
            raise DocumentError("an earlier route of the application answers this path")
        if twice := [name for name in template.names if template.names.count(name) > 1]:
            raise DocumentError(f"the path names the parameter {twice[0]!r} twice, and one argument cannot fill both")
        parameters = self._parameters(item, node)
        operation_id = str(node.get("operationId") or "") or None
        return Operation(
            method=method,
            path=self._prefix + path,
            template=template,
            operation_id=operation_id,
            generated_suffix=_generated_suffix(operation_id, path),
            summary=str(node.get("summary") or ""),
            description=str(node.get("description") or ""),
            deprecated=bool(node.get("deprecated")),
            tags=tuple(str(tag) for tag in node.get("tags") or ()),
            parameters=(*parameters, *_undocumented(template, parameters)),
            body=self._body(node),
            responses=tuple(self._responses(node)),
            credentials=self._credentials(node),
            extension=node.get(EXTENSION),
            components=self._components,
        )

    def _parameters(self, item: _Json, node: _Json) -> tuple[Parameter, ...]:
        """The operation's own parameters override the path's (OpenAPI 3.1, Operation Object)."""
        found: dict[tuple[str, str], Parameter] = {}
        for raw in (*(item.get("parameters") or ()), *(node.get("parameters") or ())):
            entry = resolve(self._document, raw)
            if entry.get("in") in _LOCATIONS and entry.get("name"):
                found[entry["in"], entry["name"]] = self._parameter(entry)
            elif entry.get("required"):
                raise DocumentError(f"it requires a parameter in {entry.get('in')!r}, which is not supported")
        return tuple(found.values())

    def _parameter(self, entry: _Json) -> Parameter:
        if not isinstance(entry["name"], str):
            raise DocumentError(f"expected the name of a parameter, found {entry['name']!r}")
        content: Mapping[str, _Json] = entry.get("content") or {}
        described = [node for node in (entry, *content.values()) if node.get("schema")]
        schema = _schema(described[0]) if described else Schema()
        return Parameter(
            name=entry["name"],
            location=entry["in"],
            schema=schema,
            required=bool(entry.get("required")) or entry["in"] == "path",
            description=str(entry.get("description") or schema.get("description") or ""),
            deprecated=bool(entry.get("deprecated")),
            serialization=read_parameter_serialization(entry) if self._is_remote else None,
        )

    def _body(self, node: _Json) -> Body | None:
        if not node.get("requestBody"):
            return None
        entry = resolve(self._document, node["requestBody"])
        content: Mapping[str, _Json] = entry.get("content") or {}
        if not content:
            return None
        media_type = choose_media_type(content)
        schema = _schema(content[media_type])
        return Body(
            media_type=resolve_media_range(media_type, resolve(self._document, schema))
            if "*" in media_type
            else media_type,
            schema=schema,
            required=bool(entry.get("required")),
            description=str(entry.get("description") or ""),
            encoding=self._encoding(content[media_type]) if self._is_remote else None,
        )

    def _encoding(self, node: _Json) -> Mapping[str, Serialization]:
        entries = cast("Mapping[str, _Json]", node.get("encoding") or {})
        return {name: read_field_serialization(name, _mapping(entry)) for name, entry in entries.items()}

    def _responses(self, node: _Json) -> Iterator[Response]:
        responses: Mapping[str, _Json] = node.get("responses") or {}
        for status, raw in responses.items():
            response = resolve(self._document, raw)
            description = str(response.get("description") or "")
            content: Mapping[str, _Json] = response.get("content") or {}
            if not content:
                yield Response(str(status), description=description)
            for media_type, media in content.items():
                yield Response(str(status), media_type, _schema(media), description)

    def _credentials(self, node: _Json) -> Credentials:
        requirements: list[_Json] = node.get("security", self._document.get("security")) or []
        schemes = [self._scheme(name) for requirement in requirements for name in requirement]
        keys = [scheme for scheme in schemes if scheme.get("type") == "apiKey"]
        return Credentials(
            headers=frozenset(str(key.get("name")).lower() for key in keys if key.get("in") == "header"),
            query=frozenset(str(key.get("name")) for key in keys if key.get("in") == "query"),
            cookies=frozenset(str(key.get("name")) for key in keys if key.get("in") == "cookie"),
            is_satisfiable=not requirements or any(all(map(self._is_forwarded, entry)) for entry in requirements),
            authorization=any(scheme.get("type") in {"http", "oauth2", "openIdConnect"} for scheme in schemes),
        )

    def _is_forwarded(self, name: str) -> bool:
        return self._scheme(name).get("in") != "cookie"

    def _scheme(self, name: str) -> _Json:
        return resolve(self._document, self._schemes.get(name) or {})


def _undocumented(template: PathTemplate, parameters: tuple[Parameter, ...]) -> Iterator[Parameter]:
    """Placeholders that the document does not describe, such as those of a mount's own prefix."""
    known = {parameter.name for parameter in parameters if parameter.location == "path"}
    for name in template.names:
        if name not in known:
            yield Parameter(name, "path", {"type": "string"}, required=True)


def _schema(node: _Json) -> Schema:
    """The schema of a parameter or a media type; ``true`` is a schema, too, and takes everything."""
    schema = node.get("schema")
    if isinstance(schema, dict):
        return cast("Schema", schema)
    return {"not": {}} if schema is False else {}


def _generated_suffix(operation_id: str | None, path: str) -> str:
    """The part of an operation id that FastAPI generates: the path and a method, other signs as underscores."""
    if not operation_id:
        return ""
    cleaned = re.sub(r"\W", "_", path)
    tails = (f"{cleaned}_{method}" for method in _METHODS)
    return next((tail for tail in tails if operation_id.endswith(tail) and operation_id != tail), "")
