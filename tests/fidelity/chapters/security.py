"""Security: every scheme, alone, combined, optional."""

from __future__ import annotations

from tests.fidelity.case import Chapter

__all__ = ["chapter"]

chapter = Chapter("Security")
router, case = chapter.router, chapter.case
