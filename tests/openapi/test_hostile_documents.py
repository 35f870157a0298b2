"""A hostile document is refused within limits of size, nesting, aliases and time, or costs the operation it is in."""

from __future__ import annotations

import gzip
import json
from pathlib import Path
from typing import Any

import pytest

from tests.calls.upstream import document, operation, parameter
from tests.servers import Serve
from toolway.catalog import Catalog, build_catalog
from toolway.errors import DocumentError
from toolway.openapi import load_document, loader, read_document

LAUGHS = "a0: &a0 [x, x, x, x, x, x, x, x, x]\n" + "".join(
    f"a{level}: &a{level} [{', '.join([f'*a{level - 1}'] * 9)}]\n" for level in range(1, 20)
)
MANY_SPACES = gzip.compress(b" " * (65 * 2**20))


def load(folder: Path, name: str, content: bytes | str) -> dict[str, Any]:
    file = folder / name
    file.write_bytes(content.encode() if isinstance(content, str) else content)
    return load_document(str(file))


BOMBS: dict[str, tuple[str, bytes | str, str]] = {
    "aliases of aliases": ("a.yaml", LAUGHS, "aliases that repeat more than"),
    "a list in itself": ("a.yaml", "a: &a [*a]", "aliases"),
    "an object merged into itself": ("a.yaml", "a: &a\n  <<: *a\n", "aliases"),
    "lists without an end": ("a.yaml", "[" * 100_000, "nested too deeply"),
    "deep objects in YAML": ("a.yaml", "a: " + "{a: " * 600 + "}" * 600, "nested too deeply"),
    "deep lists in JSON": ("a.json", '{"a": ' + "[" * 100_000 + "]" * 100_000 + "}", "nested too deeply"),
    "gzip": ("a.json.gz", MANY_SPACES, "larger than 64 MiB"),
    "gzip in gzip": ("a.json.gz", gzip.compress(MANY_SPACES), "larger than 64 MiB"),
    "half of a gzip file": ("a.json.gz", gzip.compress(b"{}")[:-6], "cannot read"),
}


@pytest.mark.parametrize(("name", "content", "words"), BOMBS.values(), ids=BOMBS)
def test_a_document_beyond_the_limits_is_refused(tmp_path: Path, name: str, content: bytes | str, words: str) -> None:
    with pytest.raises(DocumentError, match=words):
        load(tmp_path, name, content)


def test_aliases_within_the_limits_are_read(tmp_path: Path) -> None:
    found = load(tmp_path, "a.yaml", "base: &base {type: string}\na: *base\nb:\n  <<: *base\n  title: B\n")
    assert found == {"base": {"type": "string"}, "a": {"type": "string"}, "b": {"type": "string", "title": "B"}}


def serving(body: bytes, *headers: tuple[bytes, bytes], ends: bool = True) -> Any:
    """Return an ASGI application that answers with this body, and waits for its client to leave if it never ends."""

    async def app(scope: Any, receive: Any, send: Any) -> None:
        await send({"type": "http.response.start", "status": 200, "headers": headers})
        await send({"type": "http.response.body", "body": body, "more_body": not ends})
        while not ends and (await receive())["type"] != "http.disconnect":
            pass

    return app


def test_a_compressed_response_is_not_unpacked_beyond_the_limit(serve: Serve) -> None:
    url = serve(serving(MANY_SPACES, (b"content-encoding", b"gzip")), lifespan="off")
    with pytest.raises(DocumentError, match="larger than 64 MiB"):
        load_document(f"{url}/openapi.json")


def test_a_compressed_response_is_read(serve: Serve) -> None:
    url = serve(serving(gzip.compress(b'{"a": 1}'), (b"content-encoding", b"gzip")), lifespan="off")
    assert load_document(f"{url}/openapi.json") == {"a": 1}


def test_a_document_that_never_ends_is_given_up(serve: Serve, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(loader, "_MAX_SECONDS", 0.2)
    url = serve(serving(b"{", ends=False), lifespan="off")
    with pytest.raises(DocumentError, match=r"more than 0\.2 seconds"):
        load_document(f"{url}/openapi.json")


@pytest.mark.anyio
async def test_a_document_can_be_read_where_an_event_loop_runs(serve: Serve) -> None:
    url = serve(serving(b'{"a": 1}'), lifespan="off")
    assert load_document(f"{url}/openapi.json") == {"a": 1}


def test_an_error_about_an_address_shows_no_password_and_no_token() -> None:
    with pytest.raises(DocumentError) as caught:
        load_document("http://joe:hunter2@127.0.0.1:9/openapi.json?token=abc")
    assert "http://127.0.0.1:9/openapi.json" in str(caught.value)
    assert not any(secret in str(caught.value) for secret in ("hunter2", "abc"))


def deep(levels: int, key: str = "items") -> dict[str, Any]:
    schema: dict[str, Any] = {"type": "string"}
    for _ in range(levels):
        schema = {key: schema}
    return schema


def listed(levels: int) -> list[Any]:
    value: list[Any] = []
    for _ in range(levels):
        value = [value]
    return value


def catalog_of(schema: dict[str, Any], version: str, **components: Any) -> Catalog:
    """Return the catalog of a document whose first operation has this schema."""
    first = operation("first", parameters=[parameter("q", "query", schema)])
    paths = {"/first": {"get": first}, "/second": {"get": operation("second")}}
    return build_catalog(read_document(document(paths, version=version, components={"schemas": components})))


@pytest.mark.parametrize("version", ["3.0.3", "3.1.0"])
@pytest.mark.parametrize("levels", [70, 400, 900])
def test_a_schema_that_is_too_deep_costs_its_operation(version: str, levels: int) -> None:
    for catalog in (
        catalog_of(deep(levels), version),
        catalog_of({"$ref": "#/components/schemas/Deep"}, version, Deep=deep(levels)),
        catalog_of({"type": "array", "default": listed(levels)}, version),
    ):
        assert list(catalog.tools) == ["second"]
        json.dumps(catalog.definitions())


def test_an_extension_that_is_wrong_costs_its_operation() -> None:
    paths = {
        "/first": {"get": operation("first", **{"x-toolway": {"foo": 1}})},
        "/second": {"get": operation("second")},
    }
    catalog = build_catalog(read_document(document(paths)))
    assert list(catalog.tools) == ["second"]
    assert "'foo'" in catalog.skipped[0].reason
