"""Sources of operations: a FastAPI application, a remote API, or several of them combined.

HTTP clients are imported on first use.
"""

from __future__ import annotations

import re
from collections.abc import AsyncGenerator, Callable, Iterable, Mapping
from contextlib import AbstractAsyncContextManager, AsyncExitStack, asynccontextmanager, nullcontext
from dataclasses import dataclass
from functools import cached_property
from itertools import chain
from typing import TYPE_CHECKING, Any, Protocol

import anyio.to_thread
from fastapi import FastAPI

from toolway.calls import Dispatcher, prepare_questions
from toolway.catalog import Catalog, Selection, build_catalog, combine_catalogs
from toolway.catalog.naming import MAX_LENGTH
from toolway.errors import ConfigurationError
from toolway.host.lifespan import Lifespan, State
from toolway.openapi import Api, CallerRules, iter_applications, load_document, read_application, read_document
from toolway.settings import Settings

if TYPE_CHECKING:
    import httpx2

    from toolway.calls.http_client import RemoteDispatcher

__all__ = ["Application", "Remote", "Source", "caller_rules", "combined", "source_of"]

_PREFIX = re.compile(r"[A-Za-z][A-Za-z0-9_-]{0,30}")


@dataclass(frozen=True, slots=True)
class Remote:
    """An API that runs in another process: ``Remote(app_or_document, client=...)``.

    Your own application, given as `FastAPI`, receives the caller's credentials, as it does in this process. An API that
    is described by an OpenAPI document receives only the client's own headers and credentials, and `forward_headers`.

    toolway never closes the client.
    """

    api: FastAPI | str | Mapping[str, Any]
    """The application; or the path or URL of an OpenAPI 3.0 or 3.1 document, which is read once, at startup; or the
    parsed document."""
    client: httpx2.AsyncClient
    """The client that sends the calls. Paths are relative to its base URL."""
    forward_headers: tuple[str, ...] = ()
    """Additional headers of the caller to send."""


class Source(Protocol):
    """Operations to serve, and the dispatchers of their calls."""

    @property
    def app(self) -> FastAPI:
        """The application whose lifespan starts the source, and on which MCP is mounted by default."""
        ...

    @property
    def local(self) -> FastAPI | None:
        """The application whose endpoints are called; None for several, and for a remote API with a document."""
        ...

    @property
    def apps(self) -> Iterable[FastAPI]:
        """All applications whose endpoints may report changes."""
        ...

    @property
    def starts_app(self) -> bool:
        """Whether the lifespan of `app` has to run in this process."""
        ...

    @property
    def title(self) -> str: ...

    def read_catalog(self, origin: str = "", *, max_name_length: int = MAX_LENGTH) -> Catalog:
        """Build the catalog, with names up to some length; `origin` is the prefix of this source among several."""
        ...

    def narrow(self, selection: Selection) -> None:
        """Serve only operations that this selection takes as well.

        Raises:
            ConfigurationError: the source is a combination.
        """
        ...

    def dispatchers(self, state: State) -> Mapping[str, Dispatcher]:
        """Return the dispatchers by the origin of a tool; `state` is the lifespan's state."""
        ...

    def watch(self) -> None:
        """Observe the lifespans of the applications, which their own servers may run."""
        ...

    def running(self) -> AbstractAsyncContextManager[State]:
        """Run the lifespan of `app`, without a server."""
        ...

    def joined(self) -> AbstractAsyncContextManager[State]:
        """Run the lifespan of `app` unless it is running."""
        ...


class Application:
    """A FastAPI application, in this process or behind an HTTP client."""

    def __init__(
        self, app: FastAPI, selection: Selection, settings: Settings, remote: Dispatcher | None = None
    ) -> None:
        self.app = app
        self.local = app
        self.starts_app = remote is None
        self.adapt: Callable[[Api], Api] = lambda api: api
        self.selection = selection
        self._remote = remote
        self._settings = settings

    @property
    def apps(self) -> Iterable[FastAPI]:
        return iter_applications(self.app)

    @property
    def title(self) -> str:
        return self.app.title

    def read_catalog(self, origin: str = "", *, max_name_length: int = MAX_LENGTH) -> Catalog:
        if self._remote is None:
            prepare_questions(self.app, self._settings)
        api = self.adapt(read_application(self.app))
        settings = self._settings
        rules = caller_rules(settings)
        return build_catalog(
            api,
            self.selection,
            origin,
            rules,
            publishes_output=settings.output_schemas is not False,
            max_name_length=max_name_length,
        )

    def narrow(self, selection: Selection) -> None:
        self.selection = self.selection.narrow(selection)

    def dispatchers(self, state: State) -> Mapping[str, Dispatcher]:
        return {"": self._remote or Dispatcher(self.app, self._settings, state)}

    def watch(self) -> None:
        Lifespan.of(self.app)

    def running(self) -> AbstractAsyncContextManager[State]:
        if self._remote is not None:
            return nullcontext()
        return self.app.router.lifespan_context(self.app)

    def joined(self) -> AbstractAsyncContextManager[State]:
        return nullcontext() if self._remote is not None else Lifespan.of(self.app).joined(self.app)


class _HostApp:
    """A source without an application of its own: an empty one serves MCP, and its lifespan starts the source."""

    local = None
    starts_app = True

    def __init__(self, title: str) -> None:
        self.app = FastAPI(title=title, openapi_url=None, lifespan=self._lifespan)

    @property
    def apps(self) -> Iterable[FastAPI]:
        return ()

    def watch(self) -> None:
        pass

    def running(self) -> AbstractAsyncContextManager[State]:
        self.watch()
        return self.app.router.lifespan_context(self.app)

    def joined(self) -> AbstractAsyncContextManager[State]:
        return nullcontext()

    @asynccontextmanager
    async def _lifespan(self, _: FastAPI) -> AsyncGenerator[Mapping[str, Any]]:
        async with self.joined() as state:
            yield state or {}


class RemoteSource(_HostApp):
    """A remote API that is described by an OpenAPI document."""

    def __init__(
        self, document: str | Mapping[str, Any], dispatcher: RemoteDispatcher, selection: Selection, settings: Settings
    ) -> None:
        super().__init__("toolway")
        self._document = document
        self._dispatcher = dispatcher
        self._publishes_output = settings.output_schemas is not False
        self._selection = selection
        self._rules = caller_rules(settings)

    @cached_property
    def _api(self) -> Api:
        document = self._document
        api = read_document(load_document(document) if isinstance(document, str) else document)
        return self._dispatcher.adopt(api)

    @property
    def title(self) -> str:
        return self._api.title

    def read_catalog(self, origin: str = "", *, max_name_length: int = MAX_LENGTH) -> Catalog:
        return build_catalog(
            self._api,
            self._selection,
            origin,
            self._rules,
            publishes_output=self._publishes_output,
            max_name_length=max_name_length,
        )

    def narrow(self, selection: Selection) -> None:
        self._selection = self._selection.narrow(selection)

    def dispatchers(self, state: State) -> Mapping[str, Dispatcher]:
        return {"": self._dispatcher}

    @asynccontextmanager
    async def joined(self) -> AsyncGenerator[State]:
        await anyio.to_thread.run_sync(lambda: self._api)  # loading a document from a URL may block
        yield {}


class CombinedSource(_HostApp):
    """Several sources, by prefix; the state of the lifespan holds the state of each one under its prefix."""

    def __init__(self, parts: Mapping[str, Source], title: str) -> None:
        super().__init__(title)
        self.title = title
        self._parts = parts

    @property
    def apps(self) -> Iterable[FastAPI]:
        return chain.from_iterable(part.apps for part in self._parts.values())

    def read_catalog(self, origin: str = "", *, max_name_length: int = MAX_LENGTH) -> Catalog:
        catalogs = {
            prefix: part.read_catalog(prefix, max_name_length=max_name_length - len(f"{prefix}_"))
            for prefix, part in self._parts.items()
        }
        return combine_catalogs(catalogs, self.title, self.app.version, max_name_length=max_name_length)

    def narrow(self, selection: Selection) -> None:
        raise ConfigurationError(
            "include, exclude and expose apply to one application; set them for each one: "
            "Toolway({'shop': Toolway(shop, include=...)})"
        )

    def dispatchers(self, state: State) -> Mapping[str, Dispatcher]:
        states = state or {}
        return {prefix: part.dispatchers(states.get(prefix))[""] for prefix, part in self._parts.items()}

    def watch(self) -> None:
        for part in self._parts.values():
            part.watch()

    @asynccontextmanager
    async def joined(self) -> AsyncGenerator[State]:
        async with AsyncExitStack() as stack:
            yield {prefix: await stack.enter_async_context(part.joined()) for prefix, part in self._parts.items()}


def source_of(app: FastAPI | Remote, selection: Selection, settings: Settings) -> Source:
    """Return the source of one application or remote API.

    Raises:
        ConfigurationError: `app` is neither of them, a client has no base URL, or a header cannot be forwarded.
    """
    if isinstance(app, Remote):
        from toolway.calls.http_client import (  # noqa: PLC0415 - few applications need HTTP clients, which load slowly
            ClientDispatcher,
            RemoteDispatcher,
        )

        if isinstance(app.api, FastAPI):
            if app.forward_headers:
                settings = settings.replaced(forward_headers=[*settings.forward_headers, *app.forward_headers])
            return Application(app.api, selection, settings, ClientDispatcher(app.client, settings))
        return RemoteSource(app.api, RemoteDispatcher(app.client, settings, app.forward_headers), selection, settings)
    if not isinstance(app, FastAPI):  # pyright: ignore[reportUnnecessaryIsInstance] - the caller's mistake
        raise ConfigurationError(f"expected a FastAPI application, a Remote, or a mapping of these, got {app!r}")
    return Application(app, selection, settings)


def combined(parts: Mapping[str, Source], title: str) -> Source:
    """Return the source of several applications.

    Raises:
        ConfigurationError: `parts` is empty, a prefix is not valid in a tool name, or a part is itself a combination.
    """
    if not parts:
        raise ConfigurationError("expected at least one application, got an empty mapping")
    for prefix, part in parts.items():
        if not _PREFIX.fullmatch(prefix):
            raise ConfigurationError(
                f"expected a prefix of up to 31 letters, digits, '_' and '-', such as 'shop', got {prefix!r}"
            )
        if isinstance(part, CombinedSource):
            raise ConfigurationError(
                f"{prefix!r} is itself a combination of applications; list each of them here instead"
            )
    return CombinedSource(parts, title)


def caller_rules(settings: Settings) -> CallerRules:
    """Return the rules of the settings for headers and cookies: arguments, or taken from the MCP request."""
    return CallerRules(frozenset(settings.header_arguments), frozenset(settings.caller_headers))
