"""fastapi-cache2: a decorator that adds the request and the response to an endpoint's parameters."""

from __future__ import annotations

from fastapi import FastAPI
from fastapi_cache import FastAPICache
from fastapi_cache.backends.inmemory import InMemoryBackend
from fastapi_cache.decorator import cache

from tests.fidelity.application import Application
from tests.fidelity.case import Chapter
from tests.fidelity.journal import effect
from tests.fidelity.shared import Note

_caches = Chapter("Caches")


def application() -> Application:
    """Return the application."""
    return Application(chapters=[_caches], steps=[_install])


def _install(app: FastAPI) -> None:
    FastAPICache.init(InMemoryBackend(), prefix="fidelity")


@_caches.reset
def _forget_responses() -> None:
    FastAPICache.get_backend()._store.clear()


@_caches.router.get("/caches/note")
@cache(expire=60)
async def cached_note(title: str) -> Note:
    effect("computed")
    return Note(title=title)


@_caches.router.get("/caches/words")
@cache(expire=60)
async def cached_words(text: str, most: int = 3) -> list[str]:
    effect("computed")
    return text.split()[:most]


_caches.case("computed once", "cached_note", {"title": "t"}, "GET /caches/note")
_caches.case("with a default", "cached_words", {"text": "a b c d"}, "GET /caches/words")
_caches.case("refused before it is computed", "cached_words", {"text": "a", "most": "all"}, "GET /caches/words")
