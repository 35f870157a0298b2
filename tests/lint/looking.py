"""Helpers that lint an application."""

from __future__ import annotations

from typing import Any

from fastapi import FastAPI

from tests.catalog.looking import catalog_of
from toolway.lint import Finding, Report, lint

__all__ = ["found", "report_of"]

SERVER = "shop"


async def report_of(app: FastAPI, **options: Any) -> Report:
    """Lint an application with these options of `Toolway`."""
    return lint(await catalog_of(app, **options), SERVER)


async def found(rule: str, app: FastAPI, **options: Any) -> list[Finding]:
    """Return the findings of one rule in an application."""
    return [finding for finding in (await report_of(app, **options)).findings if finding.rule.id == rule]
