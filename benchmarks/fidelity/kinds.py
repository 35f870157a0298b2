"""The kinds of failures, as the tables count them."""

from __future__ import annotations

import re
from collections.abc import Sequence

from tests.fidelity.case import Absent, Case

__all__ = ["DIED", "KINDS", "OWN_WORDS", "kind_of"]

DIED = "the server does not start"
OWN_WORDS = "rejects invalid arguments itself, with its own messages"
_CREDENTIALS = "the caller's credentials do not arrive"

_SIGNS = {
    DIED: f"^{DIED}$",
    "no tool for the operation": r"^not listed$",
    "a tool that should not exist": r" is listed$",
    "no response before the timeout": r"^the call raised TimeoutError",
    "the response does not match the tool's output schema, so the official client rejects it": (
        r"^the call raised RuntimeError: .*structured content|^the output schema "
    ),
    "a credential is an argument": r"^a credential is an argument",
    _CREDENTIALS: r"^(requests|effects) of the call: \[[^]]",
    "an argument is not advertised": r"^not advertised: |is not advertised$",
    OWN_WORDS: r"^requests of the call: \[\], of the request: .*'status': 422",
    "the call fails, the request succeeds": r"^the call failed|^the call raised",
    "the call succeeds, the request is rejected": r"^the call succeeded",
    "the input schema rejects what the endpoint accepts": r"^the input schema refuses",
    "the error is different": r"^the call has status|^the call does not contain|^the cause of a failure leaks",
    "both succeed, but the response or the side effects differ": (
        r"^(requests|effects) of the call|^the structured content is|^the answer "
    ),
    "the input schema accepts what the endpoint rejects": r"^the input schema accepts",
    "the input schema is less precise than the endpoint's own": (
        r" is advertised as |^the input schema is not a JSON Schema"
    ),
    "no output schema is advertised": r"^no schema of the answer",
}
KINDS = (*_SIGNS, "other")


def kind_of(case: Case | Absent, problems: Sequence[str]) -> str:
    """Return the first kind that matches the problems."""
    return next(
        (kind for kind, sign in _SIGNS.items() if _applies(kind, case) and _shown(kind, sign, problems)), "other"
    )


def _applies(kind: str, case: Case | Absent) -> bool:
    return kind != _CREDENTIALS or (isinstance(case, Case) and bool(case.credentials or case.credential_query))


def _shown(kind: str, sign: str, problems: Sequence[str]) -> bool:
    if kind == OWN_WORDS and any(problem.startswith("the call failed") for problem in problems):
        return False
    return any(re.search(sign, problem, re.DOTALL) for problem in problems)
