"""The tasks extension: a tool call returns a task id, with which the client polls for the result.

https://github.com/modelcontextprotocol/ext-tasks (SEP-2663), for clients of MCP 2026-07-28 that declare the extension.
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
from toolway.catalog import EndpointTool
from toolway.elicitation import AnyQuestion
from toolway.errors import UnknownToolError
from toolway.openapi import NO_PARAMETERS, ParameterNames
from toolway.protocol.call_context import CallContextFactory
from toolway.protocol.change_events import TaskChanged
from toolway.protocol.handlers.elicitation import (
    input_request,
    missing_capability_error,
    read_answer,
)
from toolway.protocol.principals import Identity, guard_parameters, identity_for
from toolway.protocol.requests import RequestContext
from toolway.protocol.results import tool_result
from toolway.protocol.server import CatalogServer
from toolway.protocol.versions import revision_for
from toolway.results import ResultLimiter
from toolway.tasks import (
    QuestionCodec,
    QueueBusyError,
    Task,
    TaskState,
    TaskWorker,
    TooManyTasksError,
    decode_missing_kind,
    decode_outcome,
    encode_call,
)

__all__ = ["EXTENSION", "QUESTION_CODEC", "register_tasks"]

logger = logging.getLogger("toolway.protocol")

EXTENSION = "io.modelcontextprotocol/tasks"
_POLL_MS = 1000
_UNKNOWN = "Unknown task; it may have expired."
_LOST = "Unknown task; it may have been lost, as the task store was deleted while the server was running."


class TaskParams(RequestParams):
    """Parameters of a request about one task."""

    task_id: str = Field(alias="taskId")


class UpdateParams(TaskParams):
    """Parameters of ``tasks/update``."""

    input_responses: dict[str, Any] = Field(alias="inputResponses")


class TaskNotification(BaseModel):
    """``notifications/tasks``."""

    method: Literal["notifications/tasks"] = "notifications/tasks"
    params: dict[str, Any]


def register_tasks(server: CatalogServer, worker: TaskWorker, calls: Invoker) -> None:
    """Serve the tasks extension, and run calls of long-running tools as tasks."""
    handlers = TaskHandlers(worker, calls, server.call_contexts, server.config.limiter)
    server.extensions[EXTENSION] = {}
    if (call := server.get_request_handler("tools/call")) is not None:
        server.add_request_handler("tools/call", CallToolRequestParams, handlers.wrap_tool_calls(call.handler))
    server.add_request_handler("tasks/get", TaskParams, handlers.get)
    server.add_request_handler("tasks/update", UpdateParams, handlers.update)
    server.add_request_handler("tasks/cancel", TaskParams, handlers.cancel)
    server.subscriptions.tasks = handlers


class TaskHandlers:
    """The handlers of the extension's methods, and the source of its notifications."""

    def __init__(
        self, worker: TaskWorker, calls: Invoker, call_contexts: CallContextFactory, limiter: ResultLimiter | None
    ) -> None:
        self._worker = worker
        self._calls = calls
        self._call_contexts = call_contexts
        self._limiter = limiter
        self._has_warned = False

    def wrap_tool_calls(
        self, call_in_request: Callable[[RequestContext, Any], Awaitable[Any]]
    ) -> Callable[[RequestContext, Any], Awaitable[Any]]:
        """Return a handler of ``tools/call`` that starts tasks, and passes other calls to the given handler."""

        async def call_tool(context: RequestContext, params: CallToolRequestParams) -> Any:
            tool, arguments = self._resolve(context, params)
            revision = revision_for(context.protocol_version)
            if tool is None or tool.task is None or not revision.has_tasks_extension:
                return await call_in_request(context, params)
            if not _declares_extension(context) and tool.task == "required":
                raise _extension_required()
            if not _declares_extension(context) or (params.request_state is None and self._asks_first(tool, context)):
                return await call_in_request(context, params)
            try:
                task = await self._start(tool, arguments, context)
            except QueueBusyError as error:
                if tool.task == "required":
                    raise MCPError(INTERNAL_ERROR, f"This server cannot run tasks: {error}") from None
                if not self._has_warned:
                    self._has_warned = True
                    logger.warning("%r runs within its request instead of as a task: %s", tool.name, error)
                return await call_in_request(context, params)
            return {"resultType": "task", **_describe_task(task)}

        return call_tool

    def _resolve(
        self, context: RequestContext, params: CallToolRequestParams
    ) -> tuple[EndpointTool | None, Mapping[str, Any]]:
        """Return the endpoint that a call runs, and its arguments; None for any other tool."""
        try:
            call = self._calls.resolve(params.name, params.arguments or {}, self._call_contexts.create(context))
        except UnknownToolError:  # reported by the handler of other calls
            return None, {}
        if call.fields is not None or not isinstance(call.tool, EndpointTool):  # a task stores no selection
            return None, {}
        return call.tool, call.arguments

    async def _start(self, tool: EndpointTool, arguments: Mapping[str, Any], context: RequestContext) -> Task:
        call = self._call_contexts.create(context)
        hints = tool.annotations
        try:
            identity = self._identity_for(tool, guard_parameters(context.request))
            return await self._worker.start(
                tool.name,
                identity.read(call),
                encode_call(arguments, call, tool.operation),
                repeatable=hints.read_only or bool(hints.idempotent),
                identity=identity.model_dump_json(),
            )
        except TooManyTasksError as error:
            raise MCPError(INVALID_PARAMS, str(error)) from error

    def _asks_first(self, tool: EndpointTool, context: RequestContext) -> bool:
        """Return whether a call asks questions before it does its work; it becomes a task once they are answered."""
        return tool.ask_first or self._calls.policy.asks_first(tool, self._call_contexts.create(context))

    async def get(self, context: RequestContext, params: TaskParams) -> dict[str, Any]:
        task = await self._require_task(context, params)
        return _describe_task(task) | await self._describe_state(task, context)

    async def update(self, context: RequestContext, params: UpdateParams) -> dict[str, Any]:
        await self._worker.answer(await self._require_task(context, params), params.input_responses)
        return {}

    async def cancel(self, context: RequestContext, params: TaskParams) -> dict[str, Any]:
        await self._worker.cancel(await self._require_task(context, params))
        return {}

    async def filter_own(self, context: RequestContext, task_ids: Sequence[str]) -> list[str]:
        if not _declares_extension(context):
            raise _extension_required()
        return [task_id for task_id in task_ids if await self._find(context, task_id) is not None]

    def watch(self, task_ids: Collection[str], notify: Callable[[TaskChanged], None]) -> AbstractContextManager[None]:
        return self._worker.watch(task_ids, lambda task_id: notify(TaskChanged(task_id)))

    async def build_notification(
        self, context: RequestContext, task_id: str, meta: dict[str, Any]
    ) -> TaskNotification | None:
        task = await self._find(context, task_id)
        if task is None:
            return None
        state = await self._describe_state(task, context)
        return TaskNotification(params={**_describe_task(task), **state, "_meta": meta})

    async def _require_task(self, context: RequestContext, params: TaskParams) -> Task:
        """Return the caller's own task that a request names.

        Raises:
            MCPError: the caller has no such task, or the client cannot use the extension.
        """
        if not revision_for(context.protocol_version).has_tasks_extension:
            raise MCPError(METHOD_NOT_FOUND, "Method not found", context.method)
        if not _declares_extension(context):
            raise _extension_required()
        _check_name_header(context, params.task_id)
        task = await self._find(context, params.task_id)
        if task is None:
            raise MCPError(INVALID_PARAMS, _LOST if self._worker.has_lost_tasks else _UNKNOWN)
        return task

    async def _find(self, context: RequestContext, task_id: str) -> Task | None:
        call = self._call_contexts.create(context)
        return await self._worker.get(task_id, lambda task: self._recorded_identity(task).read(call))

    def _identity_for(self, tool: EndpointTool, guard: ParameterNames = NO_PARAMETERS) -> Identity:
        return identity_for([tool.operation], [self._calls.runners[tool.origin]], guard)

    def _recorded_identity(self, task: Task) -> Identity:
        """Return the identity that was recorded when the task was started, because its tool may have changed."""
        if task.identity is not None:
            return Identity.model_validate_json(task.identity)
        tool = self._calls.tools.get(task.tool)
        return self._identity_for(tool) if tool is not None else Identity()

    async def _describe_state(self, task: Task, context: RequestContext) -> dict[str, Any]:
        if task.state is TaskState.COMPLETED and task.result is not None:
            tool, outcome = self._calls.tools.get(task.tool), decode_outcome(task.result)
            if self._limiter is not None and self._limiter.exceeds(outcome):
                outcome = await self._limiter.truncate(tool, outcome, self._call_contexts.create(context))
            result = tool_result(tool, outcome, revision_for(context.protocol_version))
            return {"result": result.model_dump(by_alias=True, mode="json", exclude_none=True)}
        if task.state is TaskState.FAILED:
            missing = decode_missing_kind(task.result)
            if missing is not None:
                return {"error": missing_capability_error(missing).error.model_dump(exclude_none=True)}
            return {"error": {"code": INTERNAL_ERROR, "message": task.message or "The task failed"}}
        if task.state is TaskState.INPUT_REQUIRED:
            return {"inputRequests": task.questions}
        return {}


def _describe_task(task: Task) -> dict[str, Any]:
    message = {"statusMessage": task.message} if task.message else {}
    return {
        "taskId": task.id,
        "status": task.state.value,
        **message,
        "createdAt": _format_time(task.created),
        "lastUpdatedAt": _format_time(task.updated),
        "ttlMs": task.expires - task.created,
        "pollIntervalMs": _POLL_MS,
    }


def _format_time(milliseconds: int) -> str:
    moment = datetime.fromtimestamp(milliseconds / 1000, UTC)
    return moment.isoformat(timespec="milliseconds").replace("+00:00", "Z")


def _declares_extension(context: RequestContext) -> bool:
    """Return whether the client declares the extension, which it does in each request."""
    capabilities = context.session.client_capabilities
    return capabilities is not None and EXTENSION in (capabilities.extensions or {})


def _extension_required() -> MCPError:
    return MCPError(
        MISSING_REQUIRED_CLIENT_CAPABILITY,
        f"This request needs a client that declares the extension {EXTENSION!r}",
        {"requiredCapabilities": {"extensions": {EXTENSION: {}}}},
    )


def _check_name_header(context: RequestContext, task_id: str) -> None:
    """Check that the header ``Mcp-Name``, by which proxies route requests over HTTP, names the same task."""
    request: object = context.request
    if not isinstance(request, Request):
        return
    header = request.headers.get("mcp-name")
    if decode_header_value(header) != task_id:
        raise MCPError(HEADER_MISMATCH, f"The header Mcp-Name is {header!r}, but taskId in the body is {task_id!r}")


def _encode_questions(pending: Mapping[str, AnyQuestion]) -> dict[str, Any]:
    requests = {key: input_request(query) for key, query in pending.items()}
    return {key: entry.model_dump(by_alias=True, mode="json", exclude_none=True) for key, entry in requests.items()}


QUESTION_CODEC = QuestionCodec(encode=_encode_questions, decode=read_answer)
"""The encoding of the questions of tasks, and of the answers to them, as in MCP."""
