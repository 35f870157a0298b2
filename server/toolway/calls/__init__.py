"""One tool call: arguments to a request, the request to the application, its response to an outcome."""

from toolway.calls.built_in_runner import BuiltInFunction, BuiltInRunner
from toolway.calls.context import CONTEXT_KEY, CallContext, LogCallback, ProgressCallback
from toolway.calls.dependencies import (
    LEVELS,
    Ask,
    Changed,
    Changes,
    Level,
    Log,
    Logger,
    Progress,
    Reporter,
    delivering_changes_to,
    may_ask,
    may_log,
    prepare_questions,
)
from toolway.calls.dispatcher import Dispatcher
from toolway.calls.endpoint_runner import EndpointRunner
from toolway.calls.invoker import CALL_TOOL, Invoker, Policy, ResolvedCall, unwrap_call
from toolway.calls.progress import steady
from toolway.calls.request.text_arguments import read_arguments
from toolway.calls.response.error_results import report_internal_error, report_invalid_argument
from toolway.calls.response.outcome import Deliver, Document, Outcome
from toolway.calls.response.response_parser import parse_document
from toolway.calls.response.tool_result import ToolResult
from toolway.calls.tool_call import Interceptor, Proceed, Run, Runner, ToolCall, outcome_of_exception

__all__ = [
    "CALL_TOOL",
    "CONTEXT_KEY",
    "LEVELS",
    "Ask",
    "BuiltInFunction",
    "BuiltInRunner",
    "CallContext",
    "Changed",
    "Changes",
    "Deliver",
    "Dispatcher",
    "Document",
    "EndpointRunner",
    "Interceptor",
    "Invoker",
    "Level",
    "Log",
    "LogCallback",
    "Logger",
    "Outcome",
    "Policy",
    "Proceed",
    "Progress",
    "ProgressCallback",
    "Reporter",
    "ResolvedCall",
    "Run",
    "Runner",
    "ToolCall",
    "ToolResult",
    "delivering_changes_to",
    "may_ask",
    "may_log",
    "outcome_of_exception",
    "parse_document",
    "prepare_questions",
    "read_arguments",
    "report_internal_error",
    "report_invalid_argument",
    "steady",
    "unwrap_call",
]
