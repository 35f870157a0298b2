"""JSON bodies: one model, several, embedded, optional, lists, scalars, PATCH and DELETE."""

from __future__ import annotations

from tests.fidelity.case import Chapter

__all__ = ["chapter"]

chapter = Chapter("JSON bodies")
router, case = chapter.router, chapter.case
