"""Routing: routers, sub-applications, methods, names, and what is no tool."""

from __future__ import annotations

from tests.fidelity.case import Chapter

__all__ = ["chapter"]

chapter = Chapter("Routing")
router, case = chapter.router, chapter.case
