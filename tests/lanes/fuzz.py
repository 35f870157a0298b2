"""Mutated requests: the same number of the same seed is the same request, always."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from random import Random

from tests.lanes.exchange import Request
from tests.lanes.mutations import MUTATIONS, headers_follow_the_body, name_of
from tests.lanes.requests import BASES, Base

__all__ = ["Mutated", "mutated"]

_HOW_MANY = (1, 1, 1, 1, 2, 2, 3)
_IN_STEP = 0.6


@dataclass(frozen=True, slots=True)
class Mutated:
    """A request, where it comes from, and what was done to it."""

    base: Base
    mutations: Sequence[str]
    request: Request

    def __str__(self) -> str:
        return f"{self.base}: {', '.join(self.mutations)}"


def mutated(seed: int, number: int) -> Mutated:
    """Make one request of a run."""
    random = Random(f"{seed}:{number}")
    base = random.choice(BASES)
    chosen = random.sample(MUTATIONS, random.choice(_HOW_MANY))
    request = base.request
    for mutation in chosen:
        request = mutation(random, request)
    if random.random() < _IN_STEP and request.header(b"mcp-method") is not None:
        request = headers_follow_the_body(random, request)
    return Mutated(base, [name_of(mutation) for mutation in chosen], request)
