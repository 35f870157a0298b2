"""The rules around tool calls: the hooks of an application, and confirmation."""

from toolway.calls import Outcome, Proceed
from toolway.catalog import EndpointTool, Tool
from toolway.policy.confirmation import Confirmation
from toolway.policy.hooks import Call, Caller, Hooks

__all__ = ["Call", "Caller", "Confirmation", "EndpointTool", "Hooks", "Outcome", "Proceed", "Tool"]
