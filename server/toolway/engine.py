"""The engine of a Toolway: its source, its mounts, and the MCP server that exists while the application runs.

The protocol package is imported on first use: the MCP SDK brings a web server and a command-line library, which an
application does not need that only imports a marker.
"""

from __future__ import annotations

import logging
from collections.abc import AsyncGenerator, Collection, Generator, Iterator, Sequence
from contextlib import AbstractAsyncContextManager, ExitStack, asynccontextmanager, contextmanager, nullcontext
from dataclasses import dataclass, replace
from difflib import get_close_matches
from pathlib import Path
from typing import TYPE_CHECKING

from fastapi import APIRouter, FastAPI, params

from toolway.calls import BuiltInRunner, EndpointRunner, Invoker, Runner, delivering_changes_to, may_ask
from toolway.catalog import (
    ALL_MODES,
    MODES,
    Catalog,
    CatalogMode,
    Tool,
    prepare_definitions,
    read_skills,
    too_large_for_list,
)
from toolway.catalog.naming import max_name_length
from toolway.catalog.schema.lean import count_tokens
from toolway.clients.launch import server_name
from toolway.code_mode import CODE_ORIGIN, CodeRunner, Limits, code_tool, is_code_available
from toolway.errors import ConfigurationError
from toolway.host.app_state import state_of
from toolway.host.lifespan import Lifespan, State, run_within
from toolway.mounts import McpMount, add_mcp_route, bypassing_router, check_path, remember, warn_if_late
from toolway.openapi import may_inspect_callers
from toolway.policy import Confirmation, Hooks
from toolway.search_mode import SEARCH_ORIGIN, SearchFunctions, build_search_tools
from toolway.settings import Settings
from toolway.sources import Source

if TYPE_CHECKING:
    from mcp.server.subscriptions import SubscriptionBus

    from toolway.app import Toolway
    from toolway.protocol import CatalogServer, Endpoint, Publisher
    from toolway.results import ResultLimiter
    from toolway.tasks import TaskWorker

__all__ = ["Engine", "Running"]

logger = logging.getLogger("toolway")


@dataclass(frozen=True, slots=True)
class Running:
    """The objects that exist while the application runs."""

    catalog: Catalog
    calls: Invoker
    server: CatalogServer
    publisher: Publisher
    policy: Hooks
    has_task_store: bool


class Engine:
    """The internal side of a `Toolway`, for the command line, the linter and tests."""

    def __init__(  # noqa: PLR0913 - the options of a Toolway
        self,
        toolway: Toolway,
        source: Source,
        settings: Settings,
        *,
        name: str | None,
        instructions: str | None,
        skills: str | Path | None,
        bus: SubscriptionBus | None,
        hooks: Sequence[object],
        pinned: Sequence[str],
    ) -> None:
        self.toolway = toolway
        self.source = source
        self.settings = settings
        self.app = source.app
        self.mounts: list[McpMount] = []
        self.max_name_length: int | None = None
        """The length to which names of tools are shortened; by default, they fit with the name of the server."""
        self.running: Running | None = None
        self._name = name
        self._instructions = instructions
        self._skills = Path(skills) if skills is not None else None
        self._bus = bus
        self.has_hooks = bool(hooks)
        confirmation = Confirmation(required=settings.confirm is True) if settings.confirm else None
        self._policy = Hooks(tuple(hooks), confirmation)
        self._code_runner = CodeRunner(
            Limits(
                seconds=settings.code_seconds,
                compute_seconds=settings.code_compute_seconds,
                memory_bytes=settings.code_memory_bytes,
                calls=settings.code_calls,
                output_bytes=4 * settings.code_output_tokens,
            ),
            allows_changes=settings.code_tools == "all",
        )
        self._pinned = frozenset(pinned)
        self._search = SearchFunctions()
        self._endpoint: Endpoint | None = None
        self._is_guarded = False
        self._runs_tasks = True
        remember(self.app, self)

    @property
    def title(self) -> str:
        """The name of the server."""
        return self._name or self.source.title

    @property
    def path(self) -> str | None:
        """The path of the first mount, with the prefixes of routers if they are known."""
        return self.mounts[0].path if self.mounts else None

    @property
    def site(self) -> FastAPI:
        """The application of the first mount, which serves MCP over HTTP."""
        return self.mounts[0].site if self.mounts else self.app

    def build_catalog(self) -> Catalog:
        """Build the catalog of the application as it is now."""
        longest = self.max_name_length or max_name_length(server_name(self.title))
        catalog = self.source.read_catalog(max_name_length=longest)
        catalog = replace(catalog, tools=prepare_definitions(catalog.tools, self.settings))
        if self._skills is not None:
            catalog = replace(catalog, skills=read_skills(self._skills))
        _check_pinned(self._pinned, catalog)
        tools = {
            name: replace(tool, modes=ALL_MODES) if name in self._pinned else tool
            for name, tool in catalog.tools.items()
        }
        catalog = replace(catalog, tools=tools)
        return replace(catalog, built_in={tool.name: tool for tool in self._built_in_tools(catalog)})

    def _built_in_tools(self, catalog: Catalog) -> Iterator[Tool]:
        """Yield the server's own tools."""
        yield from build_search_tools(catalog.tools)
        if self.settings.catalog == "code" or is_code_available():
            yield code_tool(allows_changes=self.settings.code_tools == "all")
        if self.settings.result_tokens:
            from toolway.results import build_read_result  # noqa: PLC0415 - see the module's docstring

            yield build_read_result(catalog.tools.values())

    def mount(self, path: str, target: FastAPI | APIRouter, dependencies: Sequence[params.Depends]) -> None:
        """Add the MCP endpoint to an application or a router, as `Toolway.mount` describes it."""
        from toolway.protocol import Endpoint  # noqa: PLC0415 - see the module's docstring

        check_path(path, target)
        if self.running is None:
            warn_if_late(path, target)
        endpoint = self._endpoint or Endpoint(self.settings)
        handler, route = add_mcp_route(endpoint, path, self.source.local, target, dependencies)
        self._is_guarded = self._is_guarded or bool(dependencies or may_inspect_callers(self.app, target))
        if self._endpoint is None:
            self._endpoint = endpoint
            Lifespan.of(self.app).run_within(self._serving)
            self.source.watch()
        if target is not self.app:
            self._run_within_host(target)
        is_on_router = isinstance(target, APIRouter)
        site, written = (self.app, target.prefix + path) if is_on_router else (target, path)
        has_bypass = target is self.source.local and not dependencies
        mount = McpMount(
            self,
            site,
            written,
            handler,
            is_on_router=is_on_router,
            bypass=(route, endpoint) if has_bypass else None,
            is_guarded=bool(dependencies) or target is not self.app,
        )
        self.mounts.append(mount)
        for app in (self.app, site):
            remember(app, self)
        for app in (self.app, self.site):
            state = state_of(app)
            state.mounted = state.mounted or self

    def refresh(self) -> None:
        """Replace the catalog of the running application, as `Toolway.refresh` describes it."""
        if self.running is None:
            return
        catalog = self.toolway.read_catalog()
        if self._runs_tasks and not self.running.has_task_store:
            _refuse_tasks(catalog)
        changed = self.running.server.replace_catalog(catalog)
        self.running.calls.offer(catalog)
        self._search.offer(catalog, self.running.calls)
        self.running = replace(self.running, catalog=catalog)
        if self._endpoint is not None:
            self._endpoint.refresh()
        self.running.publisher.publish((), list(changed))

    @asynccontextmanager
    async def run(self, *, tasks: bool = True) -> AsyncGenerator[Running]:
        """Run the application's lifespan without serving HTTP, for stdio and the command line.

        A `Remote` application is not started.

        Args:
            tasks: whether to work on waiting tasks.
        """
        self._runs_tasks = tasks
        async with self.source.running() as state:
            if self.running is not None:  # it is mounted, so that the lifespan has built everything
                yield self.running
            else:
                async with self._build(state) as running:
                    yield running

    def _run_within_host(self, target: FastAPI | APIRouter) -> None:
        """Start the served application within the lifespan of the one that serves MCP."""
        from toolway.protocol.http.admission import admission_installed  # noqa: PLC0415 - see the module's docstring

        lifespan = Lifespan.of(self.app)

        @asynccontextmanager
        async def enter(app: FastAPI, state: State) -> AsyncGenerator[None]:
            # Only now is it known which application includes a router.
            is_in_another = isinstance(target, APIRouter) and app is not self.app
            admission = admission_installed(app, is_guarded=True) if is_in_another else nullcontext()
            async with lifespan.joined(self.app) if self.source.starts_app else self._serving(state):
                with admission:
                    yield

        run_within(target.router if isinstance(target, FastAPI) else target, enter)

    @asynccontextmanager
    async def _serving(self, state: State) -> AsyncGenerator[None]:
        """Serve MCP at the mounts."""
        if self.running is not None or self._endpoint is None:
            yield
            return
        with ExitStack() as bypasses:
            for mount in self.mounts:  # before the calls are built, which use the bypasses
                bypasses.enter_context(bypassing_router(mount))
            async with self._build(state) as running, self._endpoint.serving(running.server, running.calls):
                self._log_scope_of_answers(running.catalog)
                with self._admitting():
                    self._log_direct_calls(running)
                    try:
                        yield
                    finally:
                        await running.server.close()

    @contextmanager
    def _admitting(self) -> Generator[None]:
        """Run the work of MCP requests outside of the middleware of all applications that they pass."""
        from toolway.protocol.http.admission import admission_installed  # noqa: PLC0415 - see the module's docstring

        with ExitStack() as stack:
            guarded = {mount.site for mount in self.mounts if mount.is_guarded}
            sites = [mount.site for mount in self.mounts]
            for app in dict.fromkeys([*sites, *self.source.apps]):  # a site may be mounted in one of the applications
                stack.enter_context(admission_installed(app, is_guarded=app in guarded))
            yield

    def _log_direct_calls(self, running: Running) -> None:
        sites = [mount.site for mount in self.mounts]
        for runner in running.calls.runners.values():
            if isinstance(runner, EndpointRunner) and (text := runner.describe_direct_calls(sites)):
                logger.info("direct calls: %s", text)

    def _log_scope_of_answers(self, catalog: Catalog) -> None:
        if not self.settings.state_keys and any(may_ask(tool) for tool in catalog.tools.values()):
            logger.info(
                "No TOOLWAY_STATE_KEYS set: only this process can read answers to its questions. "
                "Set it when running several processes."
            )

    @asynccontextmanager
    async def _build(self, state: State) -> AsyncGenerator[Running]:
        """Build the server, and open the store of tasks if a tool runs as one."""
        from toolway.protocol import Publisher  # noqa: PLC0415 - see the module's docstring

        catalog, calls, server = self.build_server(state)
        try:
            async with self._task_worker(catalog, calls) as worker:
                if worker is not None:
                    from toolway.protocol.handlers.tasks import register_tasks  # noqa: PLC0415 - see `_task_worker`

                    register_tasks(server, worker, calls)
                publisher = Publisher(server.config.bus)
                self.running = Running(catalog, calls, server, publisher, self._policy, worker is not None)
                try:
                    with delivering_changes_to(self.toolway, self.source.apps):
                        yield self.running
                finally:
                    self.running = None
        finally:
            await calls.close()
            await self._code_runner.close()

    def build_server(self, state: State) -> tuple[Catalog, Invoker, CatalogServer]:
        """Return the catalog of the application as it is now, and what serves it."""
        from mcp.server.subscriptions import InMemorySubscriptionBus  # noqa: PLC0415 - see the module's docstring

        from toolway.protocol import (  # noqa: PLC0415 - see the module's docstring
            CatalogServer,
            ServerConfig,
            install_request_state,
        )

        catalog, settings = self.toolway.read_catalog(), self.settings
        _warn_of_unknown_headers(catalog, settings.header_arguments)
        mode = self._choose_mode(catalog)
        runners: dict[str, Runner] = {
            origin: EndpointRunner(
                dispatcher, ignore_unknown=settings.ignore_unknown_arguments, follow_seconds=settings.follow_seconds
            )
            for origin, dispatcher in self.source.dispatchers(state).items()
        }
        runners[CODE_ORIGIN] = self._code_runner
        runners[SEARCH_ORIGIN] = BuiltInRunner(self._search.by_name(catalog.built_in))
        calls = Invoker(
            catalog,
            runners,
            policy=self._policy,
            mode=mode,
            progress_seconds=settings.progress_seconds,
            shutdown_seconds=settings.shutdown_seconds,
        )
        self._code_runner.call_through(calls)
        self._search.offer(catalog, calls)
        config = ServerConfig(
            name=self.title,
            instructions=catalog.description if self._instructions is None else self._instructions,
            calls=calls,
            settings=settings,
            bus=self._bus or InMemorySubscriptionBus(),
            is_guarded=self._is_guarded or self._policy.hides_tools,
            limiter=_limit_results(calls, runners, catalog, settings),
            mode=mode,
            modes=frozenset(
                mode
                for mode in MODES
                if mode == "list" or any(mode in tool.modes for tool in catalog.built_in.values())
            ),
        )
        server = CatalogServer(catalog, config)
        install_request_state(server, calls, settings)
        return catalog, calls, server

    def _choose_mode(self, catalog: Catalog) -> CatalogMode:
        """Return how the catalog is offered; a large one is searched, unless the settings choose."""
        if self.settings.catalog != "auto":
            return self.settings.catalog
        listed = catalog.listed("list")
        reason = too_large_for_list(len(listed), sum(count_tokens(tool.definition(wrapped=False)) for tool in listed))
        if not reason:
            return "list"
        logger.info("catalog: search, because %s. catalog='list' lists all tools (TOOLWAY_CATALOG)", reason)
        return "search"

    def _task_worker(self, catalog: Catalog, calls: Invoker) -> AbstractAsyncContextManager[TaskWorker | None]:
        """Return a worker for tasks, if a tool runs as a task."""
        if not self._runs_tasks or all(tool.task is None for tool in catalog.tools.values()):
            return nullcontext()
        try:
            from toolway.protocol.handlers.tasks import QUESTION_CODEC  # noqa: PLC0415 - see above
            from toolway.tasks import open_worker  # noqa: PLC0415 - slow, and few tools run as tasks
        except ModuleNotFoundError as error:
            raise ConfigurationError(
                f"a tool runs as a task, which needs {error.name}: pip install 'toolway[tasks]'"
            ) from error
        return open_worker(calls, self.settings, self.title, QUESTION_CODEC).running()


def _check_pinned(names: Collection[str], catalog: Catalog) -> None:
    for name in names:
        if name not in catalog.tools:
            near = get_close_matches(name, catalog.tools, n=1)
            hint = f"; did you mean {near[0]!r}?" if near else ""
            raise ConfigurationError(f"pinned names {name!r}, but there is no such tool{hint}")


def _limit_results(
    calls: Invoker, runners: dict[str, Runner], catalog: Catalog, settings: Settings
) -> ResultLimiter | None:
    """Return what truncates long results, and add the runner of the tool that reads the rest."""
    if not settings.result_tokens:
        return None
    from toolway.protocol import Principals  # noqa: PLC0415 - see the module's docstring
    from toolway.results import (  # noqa: PLC0415 - see the module's docstring
        READ_RESULT_ORIGIN,
        ReadResultRunner,
        ResultLimiter,
        ResultStore,
    )

    principals = Principals(calls)
    limiter = ResultLimiter(
        ResultStore(settings.store_url, settings.result_seconds),
        settings.result_tokens,
        next(name for name, tool in catalog.built_in.items() if tool.origin == READ_RESULT_ORIGIN),
        lambda context: principals.for_call(context) or "",
    )
    runners[READ_RESULT_ORIGIN] = ReadResultRunner(limiter)
    return limiter


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
                f"tool {tool.name!r} runs as a task, but no task store was opened at startup; add the first task tool "
                "before startup"
            )
