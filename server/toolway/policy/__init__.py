"""The rules around tool calls: the hooks of an application, and confirmation."""

from toolway.policy.confirmation import Confirmation
from toolway.policy.hooks import Call, Caller, Hooks, Proceed

__all__ = ["Call", "Caller", "Confirmation", "Hooks", "Proceed"]
