"""Types of values: scalars, dates, numbers, enums, constrained types, in the query and in bodies."""

from __future__ import annotations

from tests.fidelity.case import Chapter

__all__ = ["chapter"]

chapter = Chapter("Types of values")
router, case = chapter.router, chapter.case
