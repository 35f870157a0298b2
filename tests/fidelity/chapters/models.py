"""Models: unions, recursion, generics, aliases, extra fields, computed fields."""

from __future__ import annotations

from tests.fidelity.case import Chapter

__all__ = ["chapter"]

chapter = Chapter("Models")
router, case = chapter.router, chapter.case
