"""Loading of OpenAPI documents from files and URLs, with limits on size, nesting, aliases and time."""

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
_MAX_BYTES = 64 * 1024 * 1024
"""The size limit of a document, before and after decompression."""
_MAX_SECONDS = 60.0
"""The time limit for fetching a document, and for reading YAML."""
_MAX_ALIASED_NODES = 1_000_000
"""The number of nodes that all aliases of a YAML document may repeat."""
_MAX_DEPTH = 500
"""The nesting limit of a YAML document."""
_GZIP = b"\x1f\x8b"
_Loader: Any = getattr(yaml, "CSafeLoader", yaml.SafeLoader)  # libyaml is ten times as fast


class _JsonLoader(_Loader):
    """Loads the part of YAML that JSON can express: a date is a string."""

    yaml_implicit_resolvers: ClassVar = {
        sign: [(tag, pattern) for tag, pattern in resolvers if not tag.endswith(":timestamp")]
        for sign, resolvers in yaml.SafeLoader.yaml_implicit_resolvers.items()
    }


def is_document(source: str) -> bool:
    """Return whether a source is an OpenAPI document and not an application (``module:attribute``)."""
    return source.startswith(("http://", "https://")) or source.lower().endswith(_SUFFIXES)


def load_document(source: str) -> dict[str, Any]:
    """Load an OpenAPI document from a path or an http(s) URL: JSON or YAML, optionally compressed with gzip.

    Raises:
        DocumentError: the document cannot be fetched within a minute, is larger than 64 MiB, is nested too deeply, or
            is neither JSON nor YAML.
    """
    name = redact_url(source)
    raw = _fetch(source, name) if source.startswith(("http://", "https://")) else _read_file(source)
    document = _parse(_decompress(raw, name), name)
    if not isinstance(document, dict):
        raise DocumentError(f"expected an object at the top of {name!r}, found {type(document).__name__}")
    return cast("dict[str, Any]", document)


def redact_url(source: str) -> str:
    """Return a source for use in messages: a URL loses its user, password and query."""
    if not source.startswith(("http://", "https://")):
        return source
    address = urlsplit(source)
    return f"{address.scheme}://{address.netloc.rpartition('@')[2]}{address.path}"


def _read_file(source: str) -> bytes:
    try:
        with Path(source).open("rb") as file:
            raw = file.read(_MAX_BYTES + 1)
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
    with ThreadPoolExecutor(1) as executor:  # this thread already runs an event loop
        return executor.submit(anyio.run, _download, source, name).result()


async def _download(source: str, name: str) -> bytes:
    import httpx2  # noqa: PLC0415 - only documents behind URLs need an HTTP client

    headers = {"accept-encoding": "gzip"}  # the only compression whose output size is limited here
    try:
        with anyio.fail_after(_MAX_SECONDS):
            async with (
                httpx2.AsyncClient(follow_redirects=True, timeout=30, headers=headers) as client,
                client.stream("GET", source) as response,
            ):
                response.raise_for_status()
                raw = bytearray()
                async for chunk in response.aiter_raw():
                    raw += chunk
                    _check_size(raw, name)
                return bytes(raw)
    except TimeoutError as error:
        raise DocumentError(f"cannot fetch {name!r}: it took more than {_MAX_SECONDS:g} seconds") from error
    except httpx2.HTTPStatusError as error:
        status = error.response.status_code
        raise DocumentError(
            f"cannot fetch {name!r}: the server responded with status {_describe_status(status)}"
        ) from None
    except (httpx2.HTTPError, httpx2.InvalidURL) as error:
        raise DocumentError(f"cannot fetch {name!r}: {error or type(error).__name__}") from error


def _describe_status(status: int) -> str:
    try:
        return f"{status} {http.HTTPStatus(status).phrase}"
    except ValueError:
        return str(status)


def _decompress(raw: bytes, name: str) -> bytes:
    """Decompress a document, which may be both stored and sent with gzip."""
    for _ in range(2):
        if not raw.startswith(_GZIP):
            break
        try:
            raw = gzip.GzipFile(fileobj=BytesIO(raw)).read(_MAX_BYTES + 1)
        except (OSError, EOFError, zlib.error) as error:
            raise DocumentError(f"cannot read {name!r}: {error}") from error
        _check_size(raw, name)
    return raw


def _check_size(raw: bytes | bytearray, name: str) -> None:
    if len(raw) > _MAX_BYTES:
        raise DocumentError(
            f"{name!r} is larger than {_MAX_BYTES // 2**20} MiB; split the API or shorten the OpenAPI document"
        )


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
    """Parse the part of YAML that JSON can express; `source` names the text in errors.

    Raises:
        DocumentError: the text is not YAML, or exceeds a limit.
    """
    try:
        _check_yaml(cast("Any", yaml).parse(raw, Loader=_Loader), source)
        return yaml.load(raw, _JsonLoader)  # noqa: S506 - a subclass of the safe loader
    except (yaml.YAMLError, UnicodeDecodeError) as error:
        raise DocumentError(f"{source!r} is neither JSON nor YAML: {error}") from error
    except RecursionError as error:
        raise DocumentError(f"{source!r} is nested too deeply") from error


def _check_yaml(events: Iterator[Any], source: str) -> None:
    """Raise an error for a document that would take too much memory or time, before constructing any of it."""
    deadline = time.monotonic() + _MAX_SECONDS
    nodes = _YamlNodeCounter()
    for event in events:
        nodes.add(event)
        if nodes.depth > _MAX_DEPTH:
            raise DocumentError(f"{source!r} is nested too deeply: it has more than {_MAX_DEPTH} levels")
        if nodes.aliased > _MAX_ALIASED_NODES:
            raise DocumentError(f"{source!r} has aliases that repeat more than {_MAX_ALIASED_NODES:,} nodes")
        if time.monotonic() > deadline:
            raise DocumentError(f"{source!r} took more than {_MAX_SECONDS:g} seconds to read; convert it to JSON")


class _YamlNodeCounter:
    """Counts the nodes of a YAML document from its events, including those that aliases repeat."""

    def __init__(self) -> None:
        self.aliased = 0
        """Nodes repeated by aliases so far."""
        self._sizes: dict[str, int] = {}
        self._open: list[tuple[str | None, int]] = []

    @property
    def depth(self) -> int:
        return len(self._open)

    def add(self, event: Any) -> None:
        if isinstance(event, yaml.CollectionStartEvent):
            self._open.append((event.anchor, 1))
        elif isinstance(event, yaml.CollectionEndEvent):
            self._close_node(*self._open.pop())
        elif isinstance(event, yaml.ScalarEvent):
            self._close_node(event.anchor, 1)
        elif isinstance(event, yaml.AliasEvent):
            size = self._sizes.get(event.anchor, _MAX_ALIASED_NODES + 1)  # an alias inside its own node is endless
            self.aliased += size
            self._close_node(None, size)

    def _close_node(self, anchor: str | None, size: int) -> None:
        """Add the size of a finished node to its parent."""
        if anchor:
            self._sizes[anchor] = size
        if self._open:
            outer, before = self._open[-1]
            self._open[-1] = outer, before + size
