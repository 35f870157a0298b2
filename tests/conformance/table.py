"""Scores as people read them."""

from __future__ import annotations

from collections.abc import Iterator

from tests.conformance.lines import Score

__all__ = ["summary", "table"]


def table(score: Score) -> Iterator[str]:
    """Yield a line per scenario, and the messages of the suite about unexpected results."""
    width = max(len(result.scenario) for result in score.results)
    yield f"{score.line.name} (suite {score.line.release.version})"
    for result in score.results:
        verdict = "failed" if result.failures else "passed"
        counts = "" if result.scenario in score.counting else "  (not required)"
        checks = f"{result.passed:3} of {result.passed + len(result.failures):3} checks"
        yield f"  {result.scenario:{width}}  {verdict}  {checks}{counts}"
        yield from (f"      failed: {text}" for text in result.failures)
        yield from (f"      advice: {text}" for text in result.warnings)
    yield summary(score)


def summary(score: Score) -> str:
    """Return a score's numbers in one line."""
    passed = sum(result.passed for result in score.results)
    failed = sum(len(result.failures) for result in score.results)
    return (
        f"{score.line.name}: {score.passing} of {len(score.counting)} scenarios; "
        f"{passed} of {passed + failed} checks in {len(score.results)} scenarios that ran"
    )
