"""Failures: refusals, handlers of exceptions, and what must not leak."""

from __future__ import annotations

from tests.fidelity.case import Chapter

__all__ = ["chapter"]

chapter = Chapter("Failures")
router, case = chapter.router, chapter.case
