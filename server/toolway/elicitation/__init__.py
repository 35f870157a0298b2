"""Questions in the middle of a call: what can be asked, of whom, and what carries the answers to the next run."""

from toolway.elicitation.asker import Asker
from toolway.elicitation.questions import (
    Answer,
    AnyQuestion,
    Kind,
    Question,
    Root,
    Roots,
    Sampling,
    validation_problem,
    with_problem,
)
from toolway.elicitation.replay import (
    CannotAskError,
    DeclinedError,
    NoSessionError,
    QuestionChannel,
    ReplayChannel,
    require_kinds,
)
from toolway.elicitation.sealing import BrokenSealError, ReplayCache, Seal, new_key, share_key, state_keys

__all__ = [
    "Answer",
    "AnyQuestion",
    "Asker",
    "BrokenSealError",
    "CannotAskError",
    "DeclinedError",
    "Kind",
    "NoSessionError",
    "Question",
    "QuestionChannel",
    "ReplayCache",
    "ReplayChannel",
    "Root",
    "Roots",
    "Sampling",
    "Seal",
    "new_key",
    "require_kinds",
    "share_key",
    "state_keys",
    "validation_problem",
    "with_problem",
]
