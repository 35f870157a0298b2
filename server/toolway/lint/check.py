"""Lint for the tests of an application."""

from __future__ import annotations

from collections.abc import Collection

from fastapi import FastAPI

from toolway import Toolway
from toolway.clients import server_name
from toolway.lint.report import Report, lint
from toolway.mounts import mounted_on

__all__ = ["check"]


def check(app: FastAPI | Toolway, *, only: Collection[str] = (), tools: Collection[str] = ()) -> Report:
    """Check the tools of an application, without starting it.

    A test of the application's own keeps it free of errors::

        def test_agents_can_use_every_endpoint() -> None:
            report = check(app)
            assert not report.errors

    Args:
        app: the application, with the filters of the Toolway that is mounted on it first; or a Toolway.
        only: ids of the rules to apply, such as ``{"D1", "N1"}``; all by default.
        tools: report only findings and costs of these tools; all by default.

    Raises:
        ConfigurationError: a rule or a tool is unknown, or the catalog cannot be built.
    """
    toolway = app if isinstance(app, Toolway) else mounted_on(app) or Toolway(app)
    catalog = toolway.read_catalog()
    return lint(catalog, server_name(catalog.title), only=only, tools=tools)
