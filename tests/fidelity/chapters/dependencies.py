"""Dependencies: functions, classes, yield, overrides, background tasks, state."""

from __future__ import annotations

from tests.fidelity.case import Chapter

__all__ = ["chapter"]

chapter = Chapter("Dependencies")
router, case = chapter.router, chapter.case
