"""Results that fit into the context of an agent: truncation, the store of the rest, and the tool that reads it."""

from toolway.results.limiter import RESULT_URI, ResultLimiter
from toolway.results.read_result import READ_RESULT_ORIGIN, ReadResultRunner, build_read_result
from toolway.results.result_store import ResultStore
from toolway.results.truncation import Collection

__all__ = [
    "READ_RESULT_ORIGIN",
    "RESULT_URI",
    "Collection",
    "ReadResultRunner",
    "ResultLimiter",
    "ResultStore",
    "build_read_result",
]
