"""Questions in the middle of a call: what can be asked, of whom, and what carries the answers to the next run."""

from toolway.elicitation.asker import Asker
from toolway.elicitation.questions import Answer, Kind, Query, Question, Root, Roots, Sampling, again, misfit
from toolway.elicitation.replay import Asking, CannotAskError, DeclinedError, NoSessionError, Rounds, require_kinds
from toolway.elicitation.sealing import BrokenSealError, Once, Seal, new_key, share_key, state_keys

__all__ = [
    "Answer",
    "Asker",
    "Asking",
    "BrokenSealError",
    "CannotAskError",
    "DeclinedError",
    "Kind",
    "NoSessionError",
    "Once",
    "Query",
    "Question",
    "Root",
    "Roots",
    "Rounds",
    "Sampling",
    "Seal",
    "again",
    "misfit",
    "new_key",
    "require_kinds",
    "share_key",
    "state_keys",
]
