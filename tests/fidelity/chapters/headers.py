"""Headers and cookies: scalars, lists, models, null."""

from __future__ import annotations

from tests.fidelity.case import Chapter

__all__ = ["chapter"]

chapter = Chapter("Headers and cookies")
router, case = chapter.router, chapter.case
