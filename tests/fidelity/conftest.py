"""The score of the suite, at the end of a run that has played it."""

from __future__ import annotations

import pytest

from tests.fidelity.player import Verdict

SCORES = pytest.StashKey[dict[str, list[Verdict]]]()


@pytest.fixture(scope="session")
def scores(pytestconfig: pytest.Config) -> dict[str, list[Verdict]]:
    """Return what every way of calling has scored so far."""
    return pytestconfig.stash.setdefault(SCORES, {})


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """Print how many cases were the HTTP request, way by way."""
    scores = terminalreporter.config.stash.get(SCORES, {})
    if scores:
        terminalreporter.section("fidelity")
    for way, verdicts in scores.items():
        good = sum(verdict.is_good for verdict in verdicts)
        terminalreporter.write_line(f"{way:<20} {good:>4} of {len(verdicts):>4} cases are the HTTP request")
