"""OpenAPI documents from files and URLs."""

from __future__ import annotations

import gzip
import json
from pathlib import Path
from typing import Any, ClassVar, cast

import yaml

from toolway.errors import DocumentError

__all__ = ["is_document", "load_document", "parse_yaml"]

_SUFFIXES = (".json", ".yaml", ".yml", ".json.gz", ".yaml.gz", ".yml.gz")
_MOST_BYTES = 64 * 1024 * 1024


class _JsonLoader(yaml.SafeLoader):
    """YAML as far as JSON goes: a date is text, as it is in every JSON document."""

    yaml_implicit_resolvers: ClassVar = {
        sign: [(tag, pattern) for tag, pattern in resolvers if not tag.endswith(":timestamp")]
        for sign, resolvers in yaml.SafeLoader.yaml_implicit_resolvers.items()
    }


def is_document(source: str) -> bool:
    """Tell whether a source names an OpenAPI document, and not an application (``module:attribute``)."""
    return source.startswith(("http://", "https://")) or source.lower().endswith(_SUFFIXES)


def load_document(source: str) -> dict[str, Any]:
    """Read an OpenAPI document from a path or an http(s) URL; JSON or YAML, gzip by the name's ending.

    Raises:
        DocumentError: it cannot be fetched, is larger than 64 MiB, or is neither JSON nor YAML.
    """
    raw = _fetch(source) if source.startswith(("http://", "https://")) else _read(source)
    document = _parse(raw, source)
    if not isinstance(document, dict):
        raise DocumentError(f"expected an object at the top of {source!r}, found {type(document).__name__}")
    return cast("dict[str, Any]", document)


def _read(source: str) -> bytes:
    try:
        with gzip.open(source) if source.lower().endswith(".gz") else Path(source).open("rb") as file:
            raw = file.read(_MOST_BYTES + 1)
    except (OSError, EOFError) as error:
        raise DocumentError(f"cannot read {source!r}: {getattr(error, 'strerror', None) or error}") from error
    return _bounded(raw, source)


def _fetch(source: str) -> bytes:
    import httpx2  # noqa: PLC0415 - only documents behind URLs need an HTTP client

    try:
        answer = httpx2.get(source, follow_redirects=True, timeout=30).raise_for_status()
    except httpx2.HTTPError as error:
        raise DocumentError(f"cannot fetch {source!r}: {error}") from error
    return _bounded(answer.content, source)


def _bounded(raw: bytes, source: str) -> bytes:
    if len(raw) > _MOST_BYTES:
        raise DocumentError(f"{source!r} is larger than {_MOST_BYTES // 2**20} MiB; split the API or trim the document")
    return raw


def _parse(raw: bytes, source: str) -> Any:
    try:
        return json.loads(raw)
    except ValueError as not_json:
        if ".json" in source.lower():
            raise DocumentError(f"{source!r} is not JSON: {not_json}") from not_json
    return parse_yaml(raw, source)


def parse_yaml(raw: bytes, source: str) -> Any:
    """Read YAML as far as JSON goes; `source` is its name in an error.

    Raises:
        DocumentError: it is none.
    """
    try:
        return yaml.load(raw, _JsonLoader)  # noqa: S506 - a safe loader that knows less
    except (yaml.YAMLError, UnicodeDecodeError) as error:
        raise DocumentError(f"{source!r} is neither JSON nor YAML: {error}") from error
