"""What a Toolway serves: an application, an API that runs elsewhere, or several of these side by side.

The protocol room and HTTP clients are imported when they are needed, as in `_toolway`.
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
from toolway.errors import ConfigurationError
from toolway.openapi import Api, CallerRules, iter_applications, load_document, read_application, read_document
from toolway.settings import Settings

if TYPE_CHECKING:
    import httpx2

    from toolway.calls.http_client import RemoteDispatcher
    from toolway.protocol import State

__all__ = ["Application", "Remote", "Source", "caller_rules", "combined", "source_of"]

_PREFIX = re.compile(r"[A-Za-z][A-Za-z0-9_-]{0,30}")


@dataclass(frozen=True, slots=True)
class Remote:
    """An API that runs elsewhere, known by its OpenAPI document.

    Nothing of a caller's is sent there: the API sees the client, with the client's own headers and credentials. The
    client stays yours, nobody closes it here.
    """

    document: str | Mapping[str, Any]
    """The path or URL of an OpenAPI 3.0 or 3.1 document, read once, at the start; or the parsed document itself."""
    client: httpx2.AsyncClient
    """Sends the calls, below its base URL."""
    forward_headers: tuple[str, ...] = ()
    """Headers of the caller that are sent along all the same."""


class Source(Protocol):
    """What there is to serve, and what sends the calls to it."""

    @property
    def app(self) -> FastAPI:
        """The application whose lifespan starts everything, and which serves MCP unless another one does."""
        ...

    @property
    def local(self) -> FastAPI | None:
        """The one application whose endpoints are called in this process, if that is what is served."""
        ...

    @property
    def apps(self) -> Iterable[FastAPI]:
        """All applications whose endpoints may say here that something has changed."""
        ...

    @property
    def starts_app(self) -> bool:
        """Whether `app` has to run here."""
        ...

    @property
    def title(self) -> str: ...

    def read_catalog(self, origin: str = "") -> Catalog:
        """Read what there is; `origin` is its prefix among several."""
        ...

    def narrow(self, selection: Selection) -> None:
        """Serve only what this selection takes as well.

        Raises:
            ConfigurationError: there are several applications.
        """
        ...

    def dispatchers(self, state: State) -> Mapping[str, Dispatcher]:
        """Return what sends the calls, by the origin of a tool; `state` is what the lifespan has handed over."""
        ...

    def watch(self) -> None:
        """Notice from now on what of it is started by somebody else."""
        ...

    def running(self) -> AbstractAsyncContextManager[State]:
        """Run what is served, where nobody else does."""
        ...

    def joined(self) -> AbstractAsyncContextManager[State]:
        """See to it that what is served runs, unless it does already."""
        ...


class Application:
    """A FastAPI application, in this process or at the other end of a client."""

    def __init__(
        self, app: FastAPI, client: httpx2.AsyncClient | None, selection: Selection, settings: Settings
    ) -> None:
        self.app = app
        self.local = app
        self.starts_app = client is None
        self.adapt: Callable[[Api], Api] = lambda api: api
        self.selection = selection
        self._elsewhere = _client_dispatcher(client, settings) if client is not None else None
        self._settings = settings

    @property
    def apps(self) -> Iterable[FastAPI]:
        return iter_applications(self.app)

    @property
    def title(self) -> str:
        return self.app.title

    def read_catalog(self, origin: str = "") -> Catalog:
        if self._elsewhere is None:
            prepare_questions(self.app, self._settings)
        api = self.adapt(read_application(self.app))
        settings = self._settings
        rules = caller_rules(settings)
        return build_catalog(api, self.selection, origin, rules, publishes_output=settings.output_schemas)

    def narrow(self, selection: Selection) -> None:
        self.selection = self.selection.narrowed(selection)

    def dispatchers(self, state: State) -> Mapping[str, Dispatcher]:
        return {"": self._elsewhere or Dispatcher(self.app, self._settings, state)}

    def watch(self) -> None:
        from toolway.protocol import Lifespan  # noqa: PLC0415 - see the module's docstring

        Lifespan.of(self.app).watch()

    def running(self) -> AbstractAsyncContextManager[State]:
        if self._elsewhere is not None:
            return nullcontext()
        return self.app.router.lifespan_context(self.app)

    def joined(self) -> AbstractAsyncContextManager[State]:
        from toolway.protocol import Lifespan  # noqa: PLC0415 - see the module's docstring

        return nullcontext() if self._elsewhere is not None else Lifespan.of(self.app).joined()


class _HostApp:
    """What has no application of its own here: an empty one serves MCP, and its lifespan starts everything."""

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


class _Elsewhere(_HostApp):
    """An API that runs elsewhere."""

    def __init__(self, remote: Remote, selection: Selection, settings: Settings) -> None:
        super().__init__("toolway")
        self._remote = remote
        self._dispatcher = _remote_dispatcher(remote, settings)
        self._publishes_output = settings.output_schemas
        self._selection = selection
        self._rules = caller_rules(settings)

    @cached_property
    def _api(self) -> Api:
        document = self._remote.document
        api = read_document(load_document(document) if isinstance(document, str) else document)
        return self._dispatcher.adopt(api)

    @property
    def title(self) -> str:
        return self._api.title

    def read_catalog(self, origin: str = "") -> Catalog:
        publishes = self._publishes_output
        return build_catalog(self._api, self._selection, origin, self._rules, publishes_output=publishes)

    def narrow(self, selection: Selection) -> None:
        self._selection = self._selection.narrowed(selection)

    def dispatchers(self, state: State) -> Mapping[str, Dispatcher]:
        return {"": self._dispatcher}

    @asynccontextmanager
    async def joined(self) -> AsyncGenerator[State]:
        await anyio.to_thread.run_sync(lambda: self._api)  # a document from a URL takes its time
        yield {}


class CombinedSource(_HostApp):
    """Applications side by side; what a lifespan hands over stands under the prefix of its application."""

    def __init__(self, parts: Mapping[str, Source], title: str) -> None:
        super().__init__(title)
        self.title = title
        self._parts = parts

    @property
    def apps(self) -> Iterable[FastAPI]:
        return chain.from_iterable(part.apps for part in self._parts.values())

    def read_catalog(self, origin: str = "") -> Catalog:
        catalogs = {prefix: part.read_catalog(prefix) for prefix, part in self._parts.items()}
        return combine_catalogs(catalogs, self.title, self.app.version)

    def narrow(self, selection: Selection) -> None:
        raise ConfigurationError(
            "include, exclude and expose are for one application; here they go where each is named: "
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


def source_of(
    app: FastAPI | Remote, client: httpx2.AsyncClient | None, selection: Selection, settings: Settings
) -> Source:
    """Say how one application is served.

    Raises:
        ConfigurationError: it is none, or a client has no base URL.
    """
    if isinstance(app, Remote):
        if client is not None:
            raise ConfigurationError("Remote(...) has a client of its own; leave out the one of Toolway")
        return _Elsewhere(app, selection, settings)
    if not isinstance(app, FastAPI):  # pyright: ignore[reportUnnecessaryIsInstance] - the caller's mistake
        raise ConfigurationError(f"expected a FastAPI application, a Remote, or several of them by prefix, got {app!r}")
    return Application(app, client, selection, settings)


def combined(parts: Mapping[str, Source], title: str) -> Source:
    """Say how several applications are served together.

    Raises:
        ConfigurationError: there is none, a prefix is no beginning for a tool's name, or one holds several itself.
    """
    if not parts:
        raise ConfigurationError("expected at least one application, got an empty mapping")
    for prefix, part in parts.items():
        if not _PREFIX.fullmatch(prefix):
            raise ConfigurationError(
                f"expected a prefix of up to 31 letters, digits, '_' and '-', such as 'shop', got {prefix!r}"
            )
        if isinstance(part, CombinedSource):
            raise ConfigurationError(f"{prefix!r} holds several applications itself; name each of them here")
    return CombinedSource(parts, title)


def caller_rules(settings: Settings) -> CallerRules:
    """Return which headers and cookies are arguments, and which come from the MCP request, where settings decide."""
    return CallerRules(frozenset(settings.header_arguments), frozenset(settings.caller_headers))


def _client_dispatcher(client: httpx2.AsyncClient, settings: Settings) -> Dispatcher:
    from toolway.calls.http_client import ClientDispatcher  # noqa: PLC0415 - few bring a client, and it takes its time

    return ClientDispatcher(client, settings)


def _remote_dispatcher(remote: Remote, settings: Settings) -> RemoteDispatcher:
    from toolway.calls.http_client import RemoteDispatcher  # noqa: PLC0415 - see above

    return RemoteDispatcher(remote.client, settings, remote.forward_headers)
