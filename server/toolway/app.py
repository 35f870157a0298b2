"""The rooms put together: an application in, an MCP server out.

The protocol room is imported when it is needed: the SDK behind it brings a web server and a command-line library, which
nobody wants who only imports a marker.
"""

from __future__ import annotations

import logging
from collections.abc import AsyncGenerator, Generator, Mapping, Sequence
from contextlib import (
    AbstractAsyncContextManager,
    ExitStack,
    asynccontextmanager,
    contextmanager,
    nullcontext,
)
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Never

from fastapi import APIRouter, FastAPI, params

from toolway._changes import delivering_changes_to
from toolway.app_state import state_of
from toolway.calls import EndpointRunner, Invoker, Runner, may_ask
from toolway.catalog import Catalog, Exposure, Filter, Selection, read_skills
from toolway.console.offline_docs import serve_docs_offline
from toolway.errors import ConfigurationError, NotStartedError
from toolway.lifespan import Lifespan, State, run_within
from toolway.mounts import Place, add_mcp_route, bypassing_router, check_path, remember, warn_if_late
from toolway.openapi import may_inspect_callers
from toolway.policy import Confirmation, Hooks
from toolway.settings import Settings, settings_of
from toolway.sources import Remote, Source, combined, source_of

if TYPE_CHECKING:
    from mcp.server.subscriptions import SubscriptionBus
    from starlette.types import ASGIApp

    from toolway.protocol import CallContextFactory, CatalogServer, Endpoint, Publisher, Wiring
    from toolway.tasks import TaskWorker

logger = logging.getLogger("toolway")

_REPLACED = {
    "client": "Toolway(Remote(app, client=...))",
    "http_client": "Toolway(Remote(app, client=...))",
    "description": "instructions='...'",
    "headers": "settings=Settings(forward_headers=[...])",
    "auth_config": "mount(dependencies=[Depends(...)])",
    "base_url": "settings=Settings(public_url='...')",
    "public_url": "settings=Settings(public_url='...')",
    "route_maps": "include={...} and exclude={...}",
    **{
        f"{side}_{key}": f"{side}={{{key!r}: [...]}}"
        for side in ("include", "exclude")
        for key in Filter.__annotations__
    },
}
"""Options of fastapi-mcp, of FastMCP, or from before 1.0, and their replacements."""

__all__ = ["Running", "Toolway"]


@dataclass(frozen=True, slots=True)
class Running:
    """What exists while the application runs."""

    catalog: Catalog
    calls: Invoker
    server: CatalogServer
    publisher: Publisher
    policy: Hooks
    has_tasks: bool
    """Whether the store for tasks is open."""


class Toolway:
    """Serves the endpoints of a FastAPI application as MCP tools; or those of several applications together.

    Args:
        app: the application, or a `Remote` that runs in another process. A mapping serves several: each key is the
            prefix of its tools' names, each value an application, a `Remote`, or a Toolway with its own filters and
            settings.
        name: the server's name for clients, which put it before every tool's name; the application's title otherwise,
            and ``toolway`` for several.
        include: only these operations.
        exclude: not these operations.
        expose: ``"marked"`` serves only endpoints that carry an `agent_tool` marker.
        instructions: what agents should know before they use anything, in 2,000 bytes; the application's description
            otherwise.
        skills: a folder of skills, each a folder with a ``SKILL.md``; served under the official extension.
        output_schemas: whether tools publish their output schemas; defaults to the setting of this name.
        bus: carries word of changes to the clients that listen; within this process otherwise.
        settings: hosts, limits and the like; read from the environment (``TOOLWAY_...``) otherwise.
        header_arguments: headers and cookies that are arguments of tools, although they would come from the MCP request
            only. Defaults to the setting of this name.
        caller_headers: headers and cookies that every endpoint gets from the MCP request, and that are never arguments.
            Defaults to the setting of this name.
        hooks: objects whose method ``call`` runs around every call, whose method ``visible`` decides which tools a
            caller may see, or both; the first one is the outermost. See `toolway.policy`.

    Raises:
        ConfigurationError: a filter has an unknown key, a variable of the environment cannot be read, the client of a
            `Remote` has no base URL, a prefix is not valid, filters are given for several applications, or an option
            has another name in fastapi-mcp or before 1.0, or an object in `hooks` is not a hook.
    """

    def __init__(  # noqa: PLR0913 - each is a choice of its own
        self,
        app: FastAPI | Remote | Mapping[str, FastAPI | Remote | Toolway],
        *removed: Never,
        name: str | None = None,
        include: Filter | None = None,
        exclude: Filter | None = None,
        expose: Exposure = "all",
        instructions: str | None = None,
        skills: str | Path | None = None,
        output_schemas: bool | None = None,
        bus: SubscriptionBus | None = None,
        settings: Settings | None = None,
        header_arguments: Sequence[str] | None = None,
        caller_headers: Sequence[str] | None = None,
        hooks: Sequence[object] = (),
        **unknown: Never,
    ) -> None:
        _refuse_options(removed, unknown)
        self.settings = settings_of(settings).replaced(
            header_arguments=header_arguments, caller_headers=caller_headers, output_schemas=output_schemas
        )
        selection = Selection(include or {}, exclude or {}, expose)
        if isinstance(app, Mapping):
            self.source = _several(app, selection, self.settings, name or "toolway")
        else:
            self.source = source_of(app, selection, self.settings)
        self.app = self.source.app
        self._name = name
        self._instructions = instructions
        self._skills = Path(skills) if skills is not None else None
        self._bus = bus
        self.hooks = tuple(hooks)
        self._policy = Hooks(self.hooks, _confirmation(self.settings))
        self._guarded = False
        self._running: Running | None = None
        self._endpoint: Endpoint | None = None
        self.places: list[Place] = []
        self._is_within = False
        self._works = True
        remember(self.app, self)

    def mount(
        self,
        path: str = "/mcp",
        *,
        on: FastAPI | APIRouter | None = None,
        dependencies: Sequence[params.Depends] = (),
        offline_docs: bool = False,
    ) -> Toolway:
        """Serve MCP at a path of the application.

        This adds a route and wraps the lifespan; nothing else of the application changes. The catalog is built at
        startup, so routes may be added until then. A filter that matches nothing makes startup fail with a
        `FilterError`.

        Args:
            path: the path of the MCP endpoint; below the prefix of a router.
            on: another application, or a router that an application includes. Its own dependencies guard the path. The
                served application's lifespan runs within that of the other application, unless it is already running.
                Call ``include_router`` after ``mount`` if the router is included in another application than the
                served one, or with FastAPI before 0.137.
            dependencies: FastAPI dependencies that guard the path, whatever the method.
            offline_docs: serve Swagger UI and ReDoc from files on this machine, without a network.

        Raises:
            ConfigurationError: the path is taken or not absolute, or a dependency is not a FastAPI dependency.
        """
        from toolway.protocol import Endpoint  # noqa: PLC0415 - see the module's docstring

        target = self.app if on is None else on
        check_path(path, target)
        if self._running is None:
            warn_if_late(path, target)
        if self._endpoint is None:
            self._endpoint = Endpoint(self.settings)
        handler, route = add_mcp_route(self._endpoint, path, self.source.local, target, dependencies)
        self._guarded = self._guarded or bool(dependencies or may_inspect_callers(self.app, target))
        self._run_within(target, path)
        is_on_router = isinstance(target, APIRouter)
        site, written = (self.app, target.prefix + path) if is_on_router else (target, path)
        is_guarded = bool(dependencies) or target is not self.app
        is_direct = target is self.source.local and not dependencies
        bypass = (route, self._endpoint) if is_direct else None
        self.places.append(Place(self, site, written, handler, is_on_router, bypass, is_guarded))
        if offline_docs:
            serve_docs_offline(self.app)
        for app in (self.app, site):
            remember(app, self)
        for app in (self.app, self.site):
            state = state_of(app)
            state.mounted = state.mounted or self
        return self

    def asgi(self, path: str = "/mcp", *, dependencies: Sequence[params.Depends] = ()) -> ASGIApp:
        """Return an ASGI application that serves MCP at `path`, and none of the application's own routes.

        The served application runs within its lifespan. A server needs nothing else: ``uvicorn.run(toolway.asgi())``.

        Args:
            path: the path of the MCP endpoint.
            dependencies: FastAPI dependencies that guard the path, whatever the method.

        Raises:
            ConfigurationError: as for `mount`.
        """
        host = FastAPI(title=self.app.title, openapi_url=None)
        self.mount(path, on=host, dependencies=dependencies)
        return host

    @property
    def path(self) -> str | None:
        """Where it is mounted first, with the prefixes of routers as far as they are known; None before `mount`."""
        return self.places[0].path if self.places else None

    @property
    def site(self) -> FastAPI:
        """The application that serves MCP over HTTP: the one that it is mounted on first."""
        return self.places[0].site if self.places else self.app

    @property
    def is_running(self) -> bool:
        """Whether the application runs, and its tools with it."""
        return self._running is not None

    @property
    def catalog(self) -> Catalog:
        """The tools of the running application.

        Raises:
            NotStartedError: the application is not running.
        """
        if self._running is None:
            raise NotStartedError("the catalogue is built when the application has started; run its lifespan first")
        return self._running.catalog

    def read_catalog(self) -> Catalog:
        """Read the tools of the application as it is now, whether it runs or not.

        Raises:
            FilterError: a filter matches nothing.
            DocumentError: the application's OpenAPI document cannot be read.
            ConfigurationError: a marker asks for what cannot be, or a skill is none.
        """
        catalog = self.source.read_catalog()
        return catalog if self._skills is None else replace(catalog, skills=read_skills(self._skills))

    def refresh(self) -> None:
        """Serve what the application offers now, and tell whoever listens: for routes that were added since the start.

        Calls in flight end as they began. Before the start there is nothing to do. Errors change nothing.

        Raises:
            ConfigurationError: a tool runs as a task, and none did at the start, when the store for tasks is opened; or
                `read_catalog` raises it.
        """
        if self._running is None:
            return
        catalog = self.read_catalog()
        if self._works and not self._running.has_tasks:
            _refuse_tasks(catalog)
        differing = self._running.server.offer(catalog)
        self._running.calls.offer(catalog)
        self._running = replace(self._running, catalog=catalog)
        if self._endpoint is not None:
            self._endpoint.renew()
        self.changed(**dict.fromkeys(differing, True))

    def changed(self, *uris: str, tools: bool = False, prompts: bool = False, resources: bool = False) -> None:
        """Tell whoever listens that resources, or whole lists, are no longer what they were.

        It may be called from any thread, and does not wait. While nothing is served there is nobody to tell.

        Args:
            uris: of the resources that have changed: ``"orders://#W1"``, encoded or not.
            tools: the list of tools has changed; `refresh` says so by itself.
            prompts: the list of prompts has changed; `refresh` says so by itself.
            resources: the list of resources has changed; `refresh` says so by itself.
        """
        if self._running is not None:
            lists = {"tools": tools, "prompts": prompts, "resources": resources}
            self._running.publisher.changed(uris, [name for name, has_changed in lists.items() if has_changed])

    @asynccontextmanager
    async def running(self, *, works: bool = True) -> AsyncGenerator[Running]:
        """Run the application's lifespan without serving HTTP, as stdio and the command line need it.

        With a client the application runs elsewhere, and is not started here.

        Args:
            works: take up waiting tasks; not for who leaves in a moment.
        """
        self._works = works
        async with self.source.running() as state:
            if self._running is not None:  # mounted: the lifespan has built everything
                yield self._running
            else:
                async with self._built(state) as running:
                    yield running

    def _run_within(self, target: FastAPI | APIRouter, path: str) -> None:
        """Be built when the application has started, and see that it does when another one serves MCP."""
        from toolway.protocol.http.admission import admitting  # noqa: PLC0415 - see the module's docstring

        lifespan = Lifespan.of(self.app)
        if not self._is_within:
            self._is_within = True
            lifespan.run_within(self._serving)
            self.source.watch()
        if target is self.app:
            return

        @asynccontextmanager
        async def enter(app: FastAPI, state: State) -> AsyncGenerator[None]:
            # Which application includes a router is known only now.
            is_in_another = isinstance(target, APIRouter) and app is not self.app
            admission = admitting(app, path, is_guarded=True) if is_in_another else nullcontext()
            async with lifespan.joined(self.app) if self.source.starts_app else self._serving(state):
                with admission:
                    yield

        run_within(target.router if isinstance(target, FastAPI) else target, enter)

    @asynccontextmanager
    async def _serving(self, state: State) -> AsyncGenerator[None]:
        if self._running is not None or self._endpoint is None:
            yield
            return
        with ExitStack() as bypasses:
            for place in self.places:  # before the calls are prepared, which use it
                bypasses.enter_context(bypassing_router(place))
            async with self._built(state) as running, self._endpoint.serving(running.server, running.calls):
                self._say_who_understands_answers(running.catalog)
                with self._admitting():
                    self._log_direct_calls(running)
                    try:
                        yield
                    finally:
                        await running.server.close()

    @contextmanager
    def _admitting(self) -> Generator[None]:
        from toolway.protocol.http.admission import admitting  # noqa: PLC0415 - see the module's docstring

        with ExitStack() as stack:
            for place in self.places:
                stack.enter_context(admitting(place.site, place.written, is_guarded=place.is_guarded))
                for app in self.source.apps:  # the site may be mounted in one of them
                    if app is not place.site:
                        stack.enter_context(admitting(app, place.written, is_guarded=False))
            yield

    def _log_direct_calls(self, running: Running) -> None:
        sites = [place.site for place in self.places]
        for runner in running.calls.runners.values():
            if isinstance(runner, EndpointRunner) and (text := runner.describe_direct_calls(sites)):
                logger.info("direct calls: %s", text)

    def _say_who_understands_answers(self, catalog: Catalog) -> None:
        if not self.settings.state_keys and any(may_ask(tool) for tool in catalog.tools.values()):
            logger.info(
                "users can answer questions only to the server that asked, and until it ends; "
                "set TOOLWAY_STATE_KEYS where there are several"
            )

    @asynccontextmanager
    async def _built(self, state: State) -> AsyncGenerator[Running]:
        from toolway.protocol import CallContextFactory, Publisher  # noqa: PLC0415 - see the module's docstring

        context_of = CallContextFactory(self.settings)
        catalog, calls, server = self._parts(state, context_of)
        try:
            async with self._task_worker(catalog, calls) as worker:
                if worker is not None:
                    from toolway.protocol.handlers.tasks import add_tasks  # noqa: PLC0415 - see `_task_worker`

                    add_tasks(server, worker, calls, context_of)
                publisher = Publisher(server.wiring.bus)
                self._running = Running(catalog, calls, server, publisher, self._policy, worker is not None)
                try:
                    with delivering_changes_to(self, self.source.apps):
                        yield self._running
                finally:
                    self._running = None
        finally:
            await calls.close()

    def _parts(self, state: State, context_of: CallContextFactory) -> tuple[Catalog, Invoker, CatalogServer]:
        from toolway.protocol import CatalogServer, install_request_state  # noqa: PLC0415 - see the module's docstring

        catalog = self.read_catalog()
        settings = self.settings
        _warn_of_unknown_headers(catalog, settings.header_arguments)
        calls = Invoker(
            catalog,
            self._runners(state),
            policy=self._policy,
            progress_seconds=settings.progress_seconds,
            shutdown_seconds=settings.shutdown_seconds,
        )
        server = CatalogServer(catalog, self._wiring(catalog, calls, context_of))
        install_request_state(server, calls, settings)
        return catalog, calls, server

    def _runners(self, state: State) -> dict[str, Runner]:
        settings = self.settings
        return {
            origin: EndpointRunner(
                dispatcher,
                ignore_unknown=settings.ignore_unknown_arguments,
                follow_seconds=settings.follow_seconds,
            )
            for origin, dispatcher in self.source.dispatchers(state).items()
        }

    def _wiring(self, catalog: Catalog, calls: Invoker, context_of: CallContextFactory) -> Wiring:
        from mcp.server.subscriptions import InMemorySubscriptionBus  # noqa: PLC0415 - see the module's docstring

        from toolway.protocol import Wiring  # noqa: PLC0415 - see the module's docstring

        return Wiring(
            name=self._name or self.source.title,
            instructions=catalog.description if self._instructions is None else self._instructions,
            calls=calls,
            context_of=context_of,
            levels=context_of.levels,
            settings=self.settings,
            bus=self._bus or InMemorySubscriptionBus(),
            guarded=self._guarded or self._policy.hides_tools,
        )

    def _task_worker(self, catalog: Catalog, calls: Invoker) -> AbstractAsyncContextManager[TaskWorker | None]:
        """Return a worker for tasks, if a tool runs as a task."""
        if not self._works or all(tool.task is None for tool in catalog.tools.values()):
            return nullcontext()
        try:
            from toolway.protocol.handlers.tasks import QUESTION_CODEC  # noqa: PLC0415 - see above
            from toolway.tasks import open_worker  # noqa: PLC0415 - slow, and few tools run as tasks
        except ModuleNotFoundError as error:
            raise ConfigurationError(
                f"a tool runs as a task, which needs {error.name}: pip install 'toolway[tasks]'"
            ) from error
        return open_worker(calls, self.settings, self._name or self.source.title, QUESTION_CODEC).running()


def _refuse_options(positional: Sequence[object], named: Mapping[str, object]) -> None:
    """Raise an error that names the replacement of an option."""
    if positional:
        raise ConfigurationError(
            "Toolway() takes one positional argument; instead of Toolway(app, client), "
            "use Toolway(Remote(app, client=client))"
        )
    for name in named:
        if name in _REPLACED:
            raise ConfigurationError(f"Toolway has no option {name!r}; use {_REPLACED[name]}")
        raise TypeError(f"Toolway() got an unexpected keyword argument {name!r}")


def _several(
    apps: Mapping[str, FastAPI | Remote | Toolway],
    selection: Selection,
    settings: Settings,
    title: str,
) -> Source:
    if selection != Selection():
        raise ConfigurationError(
            "include, exclude and expose apply to one application; set them for each one: "
            "Toolway({'shop': Toolway(shop, include=...)})"
        )
    if any(isinstance(app, Toolway) and app.hooks for app in apps.values()):
        raise ConfigurationError("hooks are around the calls of all applications; pass them to the combining Toolway")
    return combined(
        {
            prefix: app.source if isinstance(app, Toolway) else source_of(app, selection, settings)
            for prefix, app in apps.items()
        },
        title,
    )


def _confirmation(settings: Settings) -> Confirmation | None:
    return Confirmation(required=settings.confirm is True) if settings.confirm else None


def _warn_of_unknown_headers(catalog: Catalog, names: Sequence[str]) -> None:
    parameters = (entry for tool in catalog.tools.values() for entry in tool.operation.parameters)
    declared = {entry.name.lower() for entry in parameters if entry.location in {"header", "cookie"}}
    for name in names:
        if name not in declared:
            logger.warning("header_arguments names %r, but no tool has a header or cookie of this name", name)


def _refuse_tasks(catalog: Catalog) -> None:
    for tool in catalog.tools.values():
        if tool.task is not None:
            raise ConfigurationError(
                f"the tool {tool.name!r} is the first that runs as a task; add it before the start, as the store for "
                "tasks is opened then"
            )
