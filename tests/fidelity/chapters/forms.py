"""Forms and files: urlencoded forms, form models, uploads with their metadata."""

from __future__ import annotations

from tests.fidelity.case import Chapter

__all__ = ["chapter"]

chapter = Chapter("Forms and files")
router, case = chapter.router, chapter.case
