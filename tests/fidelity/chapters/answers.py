"""Answers: status codes, headers, cookies, response models, kinds of response, redirects."""

from __future__ import annotations

from tests.fidelity.case import Chapter

__all__ = ["chapter"]

chapter = Chapter("Answers")
router, case = chapter.router, chapter.case
