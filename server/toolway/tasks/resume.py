"""What a job remembers from one run to the next: what it has asked, and what was answered."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from pydantic_core import from_json, to_json

from toolway.elicitation import Seal
from toolway.tasks.model import JobState, ResumeState, RunResult

__all__ = ["ResumeCodec"]


class ResumeCodec:
    """Seals memories, and gives every question a key that no other question of its job has had.

    Clients tell a job's questions apart by their keys for as long as it lives (SEP-2663, task update requests).
    """

    def __init__(self, seal: Seal) -> None:
        self._seal = seal

    def kept(self, number: str, turn: int, ending: RunResult) -> tuple[RunResult, bytes | None]:
        """Return the end of a run as it is stored, with what is remembered of it."""
        if ending.state is not JobState.INPUT_REQUIRED:
            return ending, None
        questions = {f"{key}.{turn}": question for key, question in ending.questions.items()}
        return replace(ending, questions=questions), self._closed(number, ending.memory, {})

    def merged(self, number: str, sealed: bytes, given: Mapping[str, Any]) -> bytes:
        """Add answers to a memory."""
        known = from_json(self._seal.open(sealed, _place(number)))
        return self._closed(number, known["state"], {**known["given"], **given})

    def opened(self, number: str, sealed: bytes | None) -> ResumeState | None:
        """Return what a job remembers, with the answers under the keys of its questions as they were asked."""
        if sealed is None:
            return None
        known = from_json(self._seal.open(sealed, _place(number)))
        return ResumeState(known["state"], {key.rpartition(".")[0]: answer for key, answer in known["given"].items()})

    def _closed(self, number: str, state: str, given: Mapping[str, Any]) -> bytes:
        return self._seal.close(to_json({"state": state, "given": given}), _place(number))


def _place(number: str) -> str:
    return f"{number} answers"
