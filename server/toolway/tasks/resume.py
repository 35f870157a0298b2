"""The state that a task keeps between two rounds: its questions and their answers, encrypted."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from pydantic_core import from_json, to_json

from toolway.elicitation import Seal
from toolway.tasks.task import ResumeState, RunResult, TaskState

__all__ = ["ResumeCodec"]


class ResumeCodec:
    """Encrypts resume states, and gives every question of a task a key of its own.

    Clients identify a task's questions by their keys as long as the task exists (SEP-2663, task update requests).
    """

    def __init__(self, seal: Seal) -> None:
        self._seal = seal

    def encode(self, task_id: str, round_number: int, result: RunResult) -> tuple[RunResult, bytes | None]:
        """Return the result of a round as it is stored, with the resume state for the next one."""
        if result.state is not TaskState.INPUT_REQUIRED:
            return result, None
        questions = {f"{key}.{round_number}": question for key, question in result.questions.items()}
        return replace(result, questions=questions), self._encrypt(task_id, result.replay_state, {})

    def merge_answers(self, task_id: str, encrypted: bytes, answers: Mapping[str, Any]) -> bytes:
        """Add answers to a resume state."""
        known = self._decrypt(task_id, encrypted)
        return self._encrypt(task_id, known["state"], {**known["given"], **answers})

    def decode(self, task_id: str, encrypted: bytes | None) -> ResumeState | None:
        """Return a resume state, with the answers under the keys that the endpoint has given to its questions.

        Raises:
            DecryptionError: it was encrypted for another task, or with an unknown key.
        """
        if encrypted is None:
            return None
        known = self._decrypt(task_id, encrypted)
        return ResumeState(known["state"], {key.rpartition(".")[0]: answer for key, answer in known["given"].items()})

    def _encrypt(self, task_id: str, state: str, answers: Mapping[str, Any]) -> bytes:
        return self._seal.encrypt(to_json({"state": state, "given": answers}), f"{task_id} answers")

    def _decrypt(self, task_id: str, encrypted: bytes) -> dict[str, Any]:
        return from_json(self._seal.decrypt(encrypted, f"{task_id} answers"))
