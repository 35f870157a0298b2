"""Code mode: programs of agents that call tools, in a sandbox."""

from toolway.code_mode.runner import CODE_ORIGIN, RUN_CODE, CodeRunner, code_tool, is_code_available
from toolway.code_mode.sandbox import Limits

__all__ = ["CODE_ORIGIN", "RUN_CODE", "CodeRunner", "Limits", "code_tool", "is_code_available"]
