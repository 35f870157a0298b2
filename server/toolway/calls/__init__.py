"""One tool call: arguments to a request, the request to the application, its response to an outcome."""

from toolway.calls.context import CallContext, Report
from toolway.calls.dispatch import Dispatcher
from toolway.calls.outcome import Audio, Blob, Content, Image, Outcome, Text
from toolway.calls.run import Calls

__all__ = [
    "Audio",
    "Blob",
    "CallContext",
    "Calls",
    "Content",
    "Dispatcher",
    "Image",
    "Outcome",
    "Report",
    "Text",
]
