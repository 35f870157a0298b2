"""The dependency with which an endpoint reports changes to clients, however it was called."""

from __future__ import annotations

from collections.abc import Generator, Iterable
from contextlib import contextmanager
from typing import Annotated, Protocol, TypeAlias

from fastapi import Depends, FastAPI
from starlette.requests import HTTPConnection

from toolway.app_state import state_of

__all__ = ["Changed", "Changes", "delivering_changes_to"]


class _Listener(Protocol):
    def changed(self, *uris: str, tools: bool = False, prompts: bool = False, resources: bool = False) -> None: ...


@contextmanager
def delivering_changes_to(listener: _Listener, apps: Iterable[FastAPI]) -> Generator[None]:
    """Pass the changes that endpoints of these applications report to a listener."""
    states = [state_of(app) for app in apps]
    for state in states:
        state.listeners.append(listener)
    try:
        yield
    finally:
        for state in states:
            state.listeners.remove(listener)


class Changed:
    """Notifies subscribed clients of changes; does nothing if the application does not serve MCP."""

    def __init__(self, listeners: Iterable[_Listener]) -> None:
        self._listeners = tuple(listeners)

    def __call__(self, *uris: str, tools: bool = False, prompts: bool = False, resources: bool = False) -> None:
        """Report that resources, by URI, or whole lists have changed. Safe in any thread; does not block."""
        for listener in self._listeners:
            listener.changed(*uris, tools=tools, prompts=prompts, resources=resources)


async def _changed(connection: HTTPConnection) -> Changed:
    return Changed(state_of(connection.scope["app"]).listeners)


Changes: TypeAlias = Annotated[Changed, Depends(_changed)]
"""A dependency that notifies clients of changes: ``async def cancel(changed: Changes)``, then ``changed("orders://#W1")``.

It works over MCP and over plain HTTP. It is neither an argument of the tool nor part of the OpenAPI document.
"""
