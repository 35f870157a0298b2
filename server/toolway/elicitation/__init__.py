"""Questions in the middle of a call, the channels that carry them, and the encryption of their state."""

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
    AnswerNeeded,
    CannotAskError,
    DeclinedError,
    NoSessionError,
    QuestionChannel,
    ReplayChannel,
    require_kinds,
)
from toolway.elicitation.sealing import DecryptionError, Seal, new_key, share_key, state_keys
from toolway.elicitation.used_states import UsedStates

__all__ = [
    "Answer",
    "AnswerNeeded",
    "AnyQuestion",
    "Asker",
    "CannotAskError",
    "DeclinedError",
    "DecryptionError",
    "Kind",
    "NoSessionError",
    "Question",
    "QuestionChannel",
    "ReplayChannel",
    "Root",
    "Roots",
    "Sampling",
    "Seal",
    "UsedStates",
    "new_key",
    "require_kinds",
    "share_key",
    "state_keys",
    "validation_problem",
    "with_problem",
]
