"""Messages of ``toolway serve`` at startup: what is served and where, or why startup failed."""

from __future__ import annotations

import json
import logging
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

from fastapi import FastAPI
from starlette.types import Message, Receive, Scope, Send

from toolway.app import Toolway, engine_of
from toolway.catalog import Catalog
from toolway.cli.app_runner import startup_error
from toolway.cli.catalog_output import NOTHING_EXPOSED, is_unexplained
from toolway.lint import BYTES_PER_TOKEN
from toolway.mounts import McpMount, mounts_on
from toolway.openapi import iter_applications

__all__ = ["ServerAddress", "StartupReporter", "iter_announcement"]

_LOOPBACK = {"127.0.0.1", "localhost", "::1"}
_WILDCARD_HOSTS = {"0.0.0.0": "127.0.0.1", "::": "::1"}  # noqa: S104 - compared with, never bound here


@dataclass(frozen=True, slots=True)
class ServerAddress:
    """The address that the server listens on."""

    host: str
    port: int

    @property
    def url(self) -> str:
        """The URL for a browser on this machine."""
        name = _WILDCARD_HOSTS.get(self.host, self.host)
        return f"http://{f'[{name}]' if ':' in name else name}:{self.port}"


def iter_announcement(toolway: Toolway, address: ServerAddress) -> Iterator[str]:
    """Yield the lines that describe what is served, after startup."""
    engine = engine_of(toolway)
    site = engine.site
    mounts = list(mounts_on(site)) or engine.mounts[:1]  # the application may have replaced its state
    for mount in mounts:
        tools = f"  ({_count_tools(mount.engine.toolway)})" if len(mounts) > 1 else ""
        yield f"MCP endpoint  {address.url}{mount.path}{tools}"
    for mount in _iter_not_started(site):
        yield f"Not started   {mount.path} of {mount.site.title!r}, a mounted app; use mount(on=...) to start MCP there"
    if site.docs_url and site.openapi_url:
        yield f"Swagger UI    {address.url}{site.docs_url}"
    if reminder := _allowed_hosts_hint(address.host, toolway.settings.allowed_hosts):
        yield reminder
    if is_unexplained(toolway.catalog):
        yield NOTHING_EXPOSED
    skipped = len(toolway.catalog.skipped)
    what = _count_tools(toolway) if len(mounts) == 1 else f"{len(mounts)} MCP endpoints"
    if toolway.catalog.tools and len(mounts) == 1:
        what += f" (about {_estimate_tokens(toolway.catalog):,} tokens)"
    if skipped:
        what += f", {skipped} {'operation' if skipped == 1 else 'operations'} skipped (see `toolway list`)"
    yield f"{' '.join(toolway.catalog.title.split())}: {what}. Press Ctrl+C to stop."


def _iter_not_started(site: FastAPI) -> Iterator[McpMount]:
    """Yield the mounts on applications inside the served one, whose lifespans the server does not run."""
    for app in iter_applications(site):
        yield from (mount for mount in mounts_on(app) if mount.engine.running is None)


def _count_tools(toolway: Toolway) -> str:
    number = len(toolway.catalog.tools)
    return f"{number} {'tool' if number == 1 else 'tools'}"


def _estimate_tokens(catalog: Catalog) -> int:
    """Estimate the tokens of all tool definitions."""
    text = json.dumps({"tools": catalog.definitions()["tools"]}, separators=(",", ":"), ensure_ascii=False)
    return len(text.encode("utf-8", "replace")) // BYTES_PER_TOKEN


def _allowed_hosts_hint(host: str, allowed: Sequence[str]) -> str:
    if host in {*_LOOPBACK, *allowed} or "*" in allowed:
        return ""
    if host in _WILDCARD_HOSTS and not _LOOPBACK.issuperset(allowed):
        return ""  # the operator has configured the names of this machine
    example = json.dumps([*allowed, "api.example.com" if host in _WILDCARD_HOSTS else host])
    return f"Allowed hosts: {', '.join(allowed)}. To allow others, set TOOLWAY_ALLOWED_HOSTS='{example}'"


class StartupReporter:
    """ASGI middleware that announces the startup, or reports its failure in one line."""

    def __init__(self, toolway: Toolway, announce: Callable[[], None], print_error: Callable[[str], None]) -> None:
        self._app = engine_of(toolway).site
        self._announce = announce
        self._print_error = print_error

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "lifespan":
            await self._lifespan(scope, receive, send)
        else:
            await self._app(scope, receive, send)

    async def _lifespan(self, scope: Scope, receive: Receive, send: Send) -> None:
        failures: list[Message] = []
        has_started = False

        async def observe(message: Message) -> None:
            nonlocal has_started
            if message["type"] == "lifespan.startup.failed":
                failures.append(message)  # its text is a traceback; the exception follows
                return
            await send(message)
            if message["type"] == "lifespan.startup.complete":
                has_started = True
                self._announce()

        try:
            await self._app(scope, receive, observe)
        except Exception as error:
            if has_started:
                raise
            self._print_error(str(startup_error(error)))
            logging.getLogger("uvicorn.error").setLevel(logging.CRITICAL)  # uvicorn would report it again
            failures = [{"type": "lifespan.startup.failed", "message": ""}]
        for failure in failures:
            await send(failure)
