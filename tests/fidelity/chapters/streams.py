"""Streams and files: files, streamed bytes, server-sent events, JSON lines."""

from __future__ import annotations

from tests.fidelity.case import Chapter

__all__ = ["chapter"]

chapter = Chapter("Streams and files")
router, case = chapter.router, chapter.case
