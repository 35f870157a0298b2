"""Path parameters: values, conversions, what must not leave its place."""

from __future__ import annotations

from tests.fidelity.case import Chapter

__all__ = ["chapter"]

chapter = Chapter("Path parameters")
router, case = chapter.router, chapter.case
