"""Bodies that are no JSON: text, bytes, and endpoints that read the request themselves."""

from __future__ import annotations

from tests.fidelity.case import Chapter

__all__ = ["chapter"]

chapter = Chapter("Bodies that are no JSON")
router, case = chapter.router, chapter.case
