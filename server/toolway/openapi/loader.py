"""OpenAPI documents from files and URLs, within limits on size, nesting, aliases and time."""

from __future__ import annotations

import asyncio
import gzip
import http
import json
import time
import zlib
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from io import BytesIO
from pathlib import Path
from typing import Any, ClassVar, cast
from urllib.parse import urlsplit

import anyio
import yaml

from toolway.errors import DocumentError

__all__ = ["is_document", "load_document", "parse_yaml", "redact_url"]

_SUFFIXES = (".json", ".yaml", ".yml", ".json.gz", ".yaml.gz", ".yml.gz")
_MOST_BYTES = 64 * 1024 * 1024
"""Of a document, before and after decompression."""
_MOST_SECONDS = 60.0
"""For fetching a document, and for reading one in YAML."""
_MOST_ALIASED = 1_000_000
"""Nodes that the aliases of a YAML document may repeat in all."""
_DEEPEST = 500
"""Levels of nesting in a YAML document."""
_GZIP = b"\x1f\x8b"
_Loader: Any = getattr(yaml, "CSafeLoader", yaml.SafeLoader)  # libyaml is ten times as fast


class _JsonLoader(_Loader):
    """YAML as far as JSON goes: a date is text, as it is in every JSON document."""

    yaml_implicit_resolvers: ClassVar = {
        sign: [(tag, pattern) for tag, pattern in resolvers if not tag.endswith(":timestamp")]
        for sign, resolvers in yaml.SafeLoader.yaml_implicit_resolvers.items()
    }


def is_document(source: str) -> bool:
    """Tell whether a source names an OpenAPI document, and not an application (``module:attribute``)."""
    return source.startswith(("http://", "https://")) or source.lower().endswith(_SUFFIXES)


def load_document(source: str) -> dict[str, Any]:
    """Read an OpenAPI document from a path or an http(s) URL; JSON or YAML, with or without gzip.

    Raises:
        DocumentError: it cannot be fetched within a minute, is larger than 64 MiB, is nested too deeply, or is neither
            JSON nor YAML.
    """
    name = redact_url(source)
    raw = _fetch(source, name) if source.startswith(("http://", "https://")) else _read(source)
    document = _parse(_unpacked(raw, name), name)
    if not isinstance(document, dict):
        raise DocumentError(f"expected an object at the top of {name!r}, found {type(document).__name__}")
    return cast("dict[str, Any]", document)


def redact_url(source: str) -> str:
    """Return a source for messages: a URL without user, password and query."""
    if not source.startswith(("http://", "https://")):
        return source
    address = urlsplit(source)
    return f"{address.scheme}://{address.netloc.rpartition('@')[2]}{address.path}"


def _read(source: str) -> bytes:
    try:
        with Path(source).open("rb") as file:
            raw = file.read(_MOST_BYTES + 1)
    except OSError as error:
        raise DocumentError(f"cannot read {source!r}: {error.strerror or error}") from error
    _check_size(raw, source)
    if source.lower().endswith(".gz") and not raw.startswith(_GZIP):
        raise DocumentError(f"cannot read {source!r}: it is not compressed with gzip")
    return raw


def _fetch(source: str, name: str) -> bytes:
    try:
        asyncio.get_running_loop()
    except RuntimeError:
        return anyio.run(_download, source, name)
    with ThreadPoolExecutor(1) as apart:  # this thread runs an event loop already
        return apart.submit(anyio.run, _download, source, name).result()


async def _download(source: str, name: str) -> bytes:
    import httpx2  # noqa: PLC0415 - only documents behind URLs need an HTTP client

    headers = {"accept-encoding": "gzip"}  # the only compression that is read here, within the limit
    try:
        with anyio.fail_after(_MOST_SECONDS):
            async with (
                httpx2.AsyncClient(follow_redirects=True, timeout=30, headers=headers) as client,
                client.stream("GET", source) as answer,
            ):
                answer.raise_for_status()
                raw = bytearray()
                async for chunk in answer.aiter_raw():
                    raw += chunk
                    _check_size(raw, name)
                return bytes(raw)
    except TimeoutError as error:
        raise DocumentError(f"cannot fetch {name!r}: it took more than {_MOST_SECONDS:g} seconds") from error
    except httpx2.HTTPStatusError as error:
        status = error.response.status_code
        raise DocumentError(f"cannot fetch {name!r}: the server responded with status {_phrase(status)}") from None
    except (httpx2.HTTPError, httpx2.InvalidURL) as error:
        raise DocumentError(f"cannot fetch {name!r}: {error or type(error).__name__}") from error


def _phrase(status: int) -> str:
    try:
        return f"{status} {http.HTTPStatus(status).phrase}"
    except ValueError:
        return str(status)


def _unpacked(raw: bytes, name: str) -> bytes:
    """Decompress a document; one that is stored with gzip may also be sent with gzip."""
    for _ in range(2):
        if not raw.startswith(_GZIP):
            break
        try:
            raw = gzip.GzipFile(fileobj=BytesIO(raw)).read(_MOST_BYTES + 1)
        except (OSError, EOFError, zlib.error) as error:
            raise DocumentError(f"cannot read {name!r}: {error}") from error
        _check_size(raw, name)
    return raw


def _check_size(raw: bytes | bytearray, name: str) -> None:
    if len(raw) > _MOST_BYTES:
        raise DocumentError(f"{name!r} is larger than {_MOST_BYTES // 2**20} MiB; split the API or trim the document")


def _parse(raw: bytes, name: str) -> Any:
    try:
        return json.loads(raw)
    except RecursionError as error:
        raise DocumentError(f"{name!r} is nested too deeply") from error
    except ValueError as not_json:
        if ".json" in name.lower():
            raise DocumentError(f"{name!r} is not JSON: {not_json}") from not_json
    return parse_yaml(raw, name)


def parse_yaml(raw: bytes, source: str) -> Any:
    """Read YAML as far as JSON goes; `source` is its name in an error.

    Raises:
        DocumentError: it is not YAML, or beyond the limits.
    """
    try:
        _check_yaml(cast("Any", yaml).parse(raw, Loader=_Loader), source)
        return yaml.load(raw, _JsonLoader)  # noqa: S506 - a safe loader that knows less
    except (yaml.YAMLError, UnicodeDecodeError) as error:
        raise DocumentError(f"{source!r} is neither JSON nor YAML: {error}") from error
    except RecursionError as error:
        raise DocumentError(f"{source!r} is nested too deeply") from error


def _check_yaml(events: Iterator[Any], source: str) -> None:
    """Refuse a document that would take too much memory or time, before anything is made of it."""
    deadline = time.monotonic() + _MOST_SECONDS
    nodes = _YamlNodes()
    for event in events:
        nodes.add(event)
        if nodes.depth > _DEEPEST:
            raise DocumentError(f"{source!r} is nested too deeply: it has more than {_DEEPEST} levels")
        if nodes.aliased > _MOST_ALIASED:
            raise DocumentError(f"{source!r} has aliases that repeat more than {_MOST_ALIASED:,} nodes")
        if time.monotonic() > deadline:
            raise DocumentError(f"{source!r} took more than {_MOST_SECONDS:g} seconds to read; convert it to JSON")


class _YamlNodes:
    """Counts the nodes of a YAML document as its events come, those that aliases repeat included."""

    def __init__(self) -> None:
        self.aliased = 0
        """Nodes that aliases have repeated so far."""
        self._sizes: dict[str, int] = {}
        self._open: list[tuple[str | None, int]] = []

    @property
    def depth(self) -> int:
        return len(self._open)

    def add(self, event: Any) -> None:
        if isinstance(event, yaml.CollectionStartEvent):
            self._open.append((event.anchor, 1))
        elif isinstance(event, yaml.CollectionEndEvent):
            self._close(*self._open.pop())
        elif isinstance(event, yaml.ScalarEvent):
            self._close(event.anchor, 1)
        elif isinstance(event, yaml.AliasEvent):
            size = self._sizes.get(event.anchor, _MOST_ALIASED + 1)  # an alias of a node around it never ends
            self.aliased += size
            self._close(None, size)

    def _close(self, anchor: str | None, size: int) -> None:
        """Count a whole node as part of the one around it."""
        if anchor:
            self._sizes[anchor] = size
        if self._open:
            outer, before = self._open[-1]
            self._open[-1] = outer, before + size
