"""How an endpoint says that something has changed, whoever called it and in whatever way."""

from __future__ import annotations

from collections.abc import Generator, Iterable
from contextlib import contextmanager
from typing import Annotated, Protocol, TypeAlias
from weakref import WeakKeyDictionary

from fastapi import Depends
from starlette.requests import HTTPConnection

__all__ = ["Changed", "Changes", "told"]


class _Teller(Protocol):
    def changed(self, *uris: str, tools: bool = False, prompts: bool = False, resources: bool = False) -> None: ...


_tellers: WeakKeyDictionary[object, list[_Teller]] = WeakKeyDictionary()


@contextmanager
def told(apps: Iterable[object], teller: _Teller) -> Generator[None]:
    """Tell whoever listens to this server of what endpoints of these applications change."""
    lists = [_tellers.setdefault(app, []) for app in apps]
    for entries in lists:
        entries.append(teller)
    try:
        yield
    finally:
        for entries in lists:
            entries.remove(teller)


class Changed:
    """Tells whoever listens what has changed; does nothing where nobody serves the application to agents."""

    def __init__(self, tellers: Iterable[_Teller]) -> None:
        self._tellers = tuple(tellers)

    def __call__(self, *uris: str, tools: bool = False, prompts: bool = False, resources: bool = False) -> None:
        """Say which resources, by URI, or which lists have changed; from any thread, and without waiting."""
        for teller in self._tellers:
            teller.changed(*uris, tools=tools, prompts=prompts, resources=resources)


async def _changed(connection: HTTPConnection) -> Changed:
    return Changed(_tellers.get(connection.scope["app"], ()))


Changes: TypeAlias = Annotated[Changed, Depends(_changed)]
"""A dependency that tells clients of changes: ``async def cancel(changed: Changes)``, then ``changed("orders://#W1")``.

It works over MCP and over plain HTTP, is no argument of the tool, and stands in no document.
"""
