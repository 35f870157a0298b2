"""What a server needs besides a catalogue."""

from __future__ import annotations

from dataclasses import dataclass

from mcp.server.subscriptions import SubscriptionBus

from toolway.calls import Invoker
from toolway.protocol.context import ContextOf
from toolway.protocol.handlers.logging import LogLevels
from toolway.settings import Settings

__all__ = ["Wiring"]


@dataclass(frozen=True, slots=True)
class Wiring:
    """What a server needs besides a catalogue."""

    name: str
    """For clients, which put it before every tool's name; short therefore."""
    instructions: str
    """What an agent should know before it uses anything."""
    calls: Invoker
    context_of: ContextOf
    levels: LogLevels
    """What each client wants to hear of its log."""
    settings: Settings
    bus: SubscriptionBus
    """Carries word of changes."""
    guarded: bool
    """Whether something stands before the server's address that may look at who asks."""
