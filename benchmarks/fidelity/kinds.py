"""Why a case failed, in a few kinds: what a table can sum up."""

from __future__ import annotations

import re
from collections.abc import Sequence

from tests.fidelity.case import Absent, Case

__all__ = ["DIED", "KINDS", "OWN_WORDS", "kind_of"]

DIED = "the server ends before it serves"
OWN_WORDS = "refuses invalid arguments itself, in words of its own"
_CREDENTIALS = "the caller's credentials do not arrive"

_SIGNS = {
    DIED: f"^{DIED}$",
    "no tool for the operation": r"^not listed$",
    "a tool for what is none": r" is listed$",
    "no answer until the caller gives up": r"^the call raised TimeoutError",
    "the answer is not what the tool's output schema promises, so that the official client refuses it": (
        r"^the call raised RuntimeError: .*structured content|^the output schema "
    ),
    "a credential is an argument": r"^a credential is an argument",
    _CREDENTIALS: r"^(requests|effects) of the call: \[[^]]",
    "an argument is not advertised": r"^not advertised: |is not advertised$",
    OWN_WORDS: r"^requests of the call: \[\], of the request: .*'status': 422",
    "the call fails, the request succeeds": r"^the call failed|^the call raised",
    "the call succeeds, the request is refused": r"^the call succeeded",
    "the input schema refuses what the endpoint takes": r"^the input schema refuses",
    "the refusal is another one": r"^the call says status|^the call does not say|^the cause of a failure leaks",
    "both succeed, but the answer or what was done is another": (
        r"^(requests|effects) of the call|^the structured content is|^the answer "
    ),
    "the input schema takes what the endpoint refuses": r"^the input schema accepts",
    "the input schema says less than the endpoint's own": r" is advertised as |^the input schema is no JSON Schema",
    "no schema of the answer is advertised": r"^no schema of the answer",
}
KINDS = (*_SIGNS, "other")


def kind_of(case: Case | Absent, problems: Sequence[str]) -> str:
    """Return the first kind of which there is a sign."""
    return next(
        (kind for kind, sign in _SIGNS.items() if _applies(kind, case) and _shown(kind, sign, problems)), "other"
    )


def _applies(kind: str, case: Case | Absent) -> bool:
    return kind != _CREDENTIALS or (isinstance(case, Case) and bool(case.credentials or case.credential_query))


def _shown(kind: str, sign: str, problems: Sequence[str]) -> bool:
    if kind == OWN_WORDS and any(problem.startswith("the call failed") for problem in problems):
        return False
    return any(re.search(sign, problem, re.DOTALL) for problem in problems)
