"""One tool call: arguments to a request, the request to the application, its response to an outcome."""

from toolway.calls.abilities import may_ask, may_log
from toolway.calls.ask import Ask, prepare_questions
from toolway.calls.context import CallContext, LogCallback, Report
from toolway.calls.direct.support import middleware_layers
from toolway.calls.dispatcher import Dispatcher
from toolway.calls.endpoint_runner import EndpointRunner
from toolway.calls.invoker import Invoker, Policy
from toolway.calls.log import LEVELS, Level, Log, Logger
from toolway.calls.progress import Progress, Reporter, steady
from toolway.calls.request.text_arguments import read_arguments
from toolway.calls.response.error_results import report_internal_error
from toolway.calls.response.outcome import Deliver, Document, Outcome
from toolway.calls.response.response_parser import parse_document
from toolway.calls.response.tool_result import ToolResult
from toolway.calls.scope import CONTEXT_KEY
from toolway.calls.tool_call import Interceptor, Proceed, Run, Runner, ToolCall, outcome_of_exception

__all__ = [
    "CONTEXT_KEY",
    "LEVELS",
    "Ask",
    "CallContext",
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
    "Report",
    "Reporter",
    "Run",
    "Runner",
    "ToolCall",
    "ToolResult",
    "may_ask",
    "may_log",
    "middleware_layers",
    "outcome_of_exception",
    "parse_document",
    "prepare_questions",
    "read_arguments",
    "report_internal_error",
    "steady",
]
