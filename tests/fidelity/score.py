"""How a suite ended, in numbers and words."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from tests.fidelity.player import Verdict

__all__ = ["by_chapter", "report"]


def by_chapter(verdicts: Sequence[Verdict]) -> dict[str, tuple[int, int]]:
    """Return for each chapter how many cases were good, and how many there were."""
    scores: dict[str, tuple[int, int]] = {}
    for verdict in verdicts:
        good, played = scores.get(verdict.chapter, (0, 0))
        scores[verdict.chapter] = (good + verdict.is_good, played + 1)
    return scores


def report(verdicts: Sequence[Verdict]) -> Iterator[str]:
    """Yield lines: what differs, then the score of each chapter and of all."""
    for verdict in verdicts:
        yield from (f"  {verdict.chapter}: {verdict.name}: {problem}" for problem in verdict.problems)
    for chapter, (good, played) in by_chapter(verdicts).items():
        yield f"{chapter:<40} {good:>4} of {played:>4}"
    good = sum(verdict.is_good for verdict in verdicts)
    yield f"{'All':<40} {good:>4} of {len(verdicts):>4}  ({good / max(len(verdicts), 1):.1%})"
