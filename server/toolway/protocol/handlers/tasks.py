"""The tasks extension: calls that are answered with a handle, by which their outcome is asked for later.

https://github.com/modelcontextprotocol/ext-tasks (SEP-2663), for clients of 2026-07-28 that declare it.
"""

from __future__ import annotations

import logging
from collections.abc import Awaitable, Callable, Collection, Mapping, Sequence
from contextlib import AbstractContextManager
from datetime import UTC, datetime
from typing import Any, Literal

from mcp.shared.exceptions import MCPError
from mcp.shared.inbound import decode_header_value
from mcp_types import (
    HEADER_MISMATCH,
    INTERNAL_ERROR,
    INVALID_PARAMS,
    METHOD_NOT_FOUND,
    MISSING_REQUIRED_CLIENT_CAPABILITY,
    CallToolRequestParams,
    RequestParams,
)
from pydantic import BaseModel, Field
from starlette.requests import Request

from toolway.calls import Invoker
from toolway.catalog import Tool
from toolway.elicitation import AnyQuestion
from toolway.openapi import NO_PARAMETERS, ParameterNames
from toolway.protocol.change_events import TaskChanged
from toolway.protocol.context import Context, ContextOf
from toolway.protocol.handlers.elicitation import answer_of, asking_of, input_request, lacking_error
from toolway.protocol.principals import Identity, guard_of, identity_of
from toolway.protocol.results import tool_result
from toolway.protocol.server import CatalogServer
from toolway.protocol.versions import Revision, revision_for
from toolway.tasks import (
    Job,
    Jobs,
    JobState,
    QuestionCodec,
    QueueBusyError,
    TooManyJobsError,
    lacking_of,
    outcome_from,
    written_call,
)

__all__ = ["EXTENSION", "SPEECH", "add_tasks"]

logger = logging.getLogger("toolway.protocol")

EXTENSION = "io.modelcontextprotocol/tasks"
_POLL_MS = 1000
_UNKNOWN = "There is no such task; it may have expired"
_LOST = "There is no such task; it may have been lost, as the task store was deleted while the server was running"


class TaskParams(RequestParams):
    """Parameters of the methods that speak of one task."""

    task_id: str = Field(alias="taskId")


class UpdateParams(TaskParams):
    """Parameters of ``tasks/update``."""

    input_responses: dict[str, Any] = Field(alias="inputResponses")


class TaskNotification(BaseModel):
    """``notifications/tasks``."""

    method: Literal["notifications/tasks"] = "notifications/tasks"
    params: dict[str, Any]


def add_tasks(server: CatalogServer, jobs: Jobs, calls: Invoker, context_of: ContextOf) -> None:
    """Let a server answer calls of tools that take long with tasks."""
    tasks = _Tasks(jobs, calls, context_of)
    server.extensions[EXTENSION] = {}
    if (call := server.get_request_handler("tools/call")) is not None:
        server.add_request_handler("tools/call", CallToolRequestParams, tasks.calling(call.handler))
    server.add_request_handler("tasks/get", TaskParams, tasks.get)
    server.add_request_handler("tasks/update", UpdateParams, tasks.update)
    server.add_request_handler("tasks/cancel", TaskParams, tasks.cancel)
    server.listening.tasks = tasks


class _Tasks:
    def __init__(self, jobs: Jobs, calls: Invoker, context_of: ContextOf) -> None:
        self._jobs = jobs
        self._calls = calls
        self._context_of = context_of
        self._has_said = False

    def calling(self, plain: Callable[[Context, Any], Awaitable[Any]]) -> Callable[[Context, Any], Awaitable[Any]]:
        """Return a handler of ``tools/call`` that starts tasks, and leaves the other calls to the plain one."""

        async def call_tool(context: Context, params: CallToolRequestParams) -> Any:
            tool = self._calls.tools.get(params.name)
            revision = revision_for(context.protocol_version)
            if tool is None or tool.task is None or not revision.has_tasks_extension:
                return await plain(context, params)
            if not _declared(context) and tool.task == "required":
                raise _undeclared()
            if not _declared(context) or (params.request_state is None and self._asks_first(tool, context)):
                return await plain(context, params)
            try:
                job = await self._start(tool, params, context)
            except QueueBusyError as error:
                if tool.task == "required":
                    raise MCPError(INTERNAL_ERROR, f"There are no tasks here: {error}") from None
                self._say_once(tool, error)
                return await plain(context, params)
            return {"resultType": "task", **_task(job)}

        return call_tool

    def _say_once(self, tool: Tool, error: QueueBusyError) -> None:
        if not self._has_said:
            self._has_said = True
            logger.warning("%r runs within its request: %s", tool.name, error)

    async def _start(self, tool: Tool, params: CallToolRequestParams, context: Context) -> Job:
        call = self._context_of(context)
        hints = tool.annotations
        try:
            identity = self._identity_of(tool, guard_of(context.request))
            return await self._jobs.start(
                tool.name,
                identity.read(call),
                written_call(params.arguments or {}, call, tool.operation),
                repeatable=hints.read_only or bool(hints.idempotent),
                identity=identity.model_dump_json(),
            )
        except TooManyJobsError as error:
            raise MCPError(INVALID_PARAMS, str(error)) from error

    def _asks_first(self, tool: Tool, context: Context) -> bool:
        """Tell whether a call asks before its work begins, so that it becomes a task when there are answers."""
        if tool.confirmation is None or self._calls.confirms is False:
            return tool.ask_first
        return tool.ask_first or self._calls.confirms is True or "elicitation" in asking_of(context).kinds

    async def get(self, context: Context, params: TaskParams) -> dict[str, Any]:
        job = await self._job(context, params)
        return _task(job) | self._detail(job, revision_for(context.protocol_version))

    async def update(self, context: Context, params: UpdateParams) -> dict[str, Any]:
        await self._jobs.answer(await self._job(context, params), params.input_responses)
        return {}

    async def cancel(self, context: Context, params: TaskParams) -> dict[str, Any]:
        await self._jobs.cancel(await self._job(context, params))
        return {}

    async def own(self, context: Context, numbers: Sequence[str]) -> list[str]:
        if not _declared(context):
            raise _undeclared()
        return [number for number in numbers if await self._find(context, number) is not None]

    def watching(self, numbers: Collection[str], tell: Callable[[TaskChanged], None]) -> AbstractContextManager[None]:
        return self._jobs.watching(numbers, lambda number: tell(TaskChanged(number)))

    async def notification(self, context: Context, number: str, meta: dict[str, Any]) -> TaskNotification | None:
        job = await self._find(context, number)
        if job is None:
            return None
        detail = self._detail(job, revision_for(context.protocol_version))
        return TaskNotification(params={**_task(job), **detail, "_meta": meta})

    async def _job(self, context: Context, params: TaskParams) -> Job:
        """The task that a request speaks of, if it is the caller's own."""
        if not revision_for(context.protocol_version).has_tasks_extension:
            raise MCPError(METHOD_NOT_FOUND, "Method not found", context.method)
        if not _declared(context):
            raise _undeclared()
        _check_header(context, params.task_id)
        job = await self._find(context, params.task_id)
        if job is None:
            raise MCPError(INVALID_PARAMS, _LOST if self._jobs.has_lost_tasks else _UNKNOWN)
        return job

    async def _find(self, context: Context, number: str) -> Job | None:
        call = self._context_of(context)
        return await self._jobs.get(number, lambda job: self._recorded_identity(job).read(call))

    def _identity_of(self, tool: Tool, guard: ParameterNames = NO_PARAMETERS) -> Identity:
        return identity_of([tool.operation], [self._calls.dispatchers[tool.origin]], guard)

    def _recorded_identity(self, job: Job) -> Identity:
        """Return what the caller of a task was told apart by when it was started: its tool may be gone since then."""
        if job.identity is not None:
            return Identity.model_validate_json(job.identity)
        tool = self._calls.tools.get(job.tool)
        return self._identity_of(tool) if tool is not None else Identity()

    def _detail(self, job: Job, revision: Revision) -> dict[str, Any]:
        if job.state is JobState.COMPLETED and job.result is not None:
            result = tool_result(self._calls.tools.get(job.tool), outcome_from(job.result), revision)
            return {"result": result.model_dump(by_alias=True, mode="json", exclude_none=True)}
        if job.state is JobState.FAILED:
            return {"error": _error(job)}
        if job.state is JobState.INPUT_REQUIRED:
            return {"inputRequests": job.questions}
        return {}


def _requests(pending: Mapping[str, AnyQuestion]) -> dict[str, Any]:
    requests = {key: input_request(query) for key, query in pending.items()}
    return {key: entry.model_dump(by_alias=True, mode="json", exclude_none=True) for key, entry in requests.items()}


def _task(job: Job) -> dict[str, Any]:
    message = {"statusMessage": job.message} if job.message else {}
    return {
        "taskId": job.id,
        "status": job.state.value,
        **message,
        "createdAt": _time(job.created),
        "lastUpdatedAt": _time(job.updated),
        "ttlMs": job.expires - job.created,
        "pollIntervalMs": _POLL_MS,
    }


def _error(job: Job) -> dict[str, Any]:
    lacking = lacking_of(job.result)
    if lacking is not None:
        return lacking_error(lacking).error.model_dump(exclude_none=True)
    return {"code": INTERNAL_ERROR, "message": job.message or "The task failed"}


def _time(milliseconds: int) -> str:
    moment = datetime.fromtimestamp(milliseconds / 1000, UTC)
    return moment.isoformat(timespec="milliseconds").replace("+00:00", "Z")


def _declared(context: Context) -> bool:
    """Tell whether the client knows what to do with a task; it says so with each request."""
    capabilities = context.session.client_capabilities
    return capabilities is not None and EXTENSION in (capabilities.extensions or {})


def _undeclared() -> MCPError:
    return MCPError(
        MISSING_REQUIRED_CLIENT_CAPABILITY,
        f"This needs a client that declares the extension {EXTENSION}",
        {"requiredCapabilities": {"extensions": {EXTENSION: {}}}},
    )


def _check_header(context: Context, number: str) -> None:
    """Over HTTP the header ``Mcp-Name`` says which task it is, for whoever routes by it."""
    request: object = context.request
    if not isinstance(request, Request):
        return
    said = request.headers.get("mcp-name")
    if decode_header_value(said) != number:
        raise MCPError(HEADER_MISMATCH, f"The header Mcp-Name says {said!r}, the body's taskId {number!r}")


SPEECH = QuestionCodec(write=_requests, read=answer_of)
"""How questions of tasks and answers to them are written."""
