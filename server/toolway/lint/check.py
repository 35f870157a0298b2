"""The linter as a function, for an application's own tests."""

from __future__ import annotations

from collections.abc import Collection

from fastapi import FastAPI

from toolway import Toolway
from toolway.clients import server_name
from toolway.lint.report import Report, lint
from toolway.mounts import mounted_on

__all__ = ["check"]


def check(app: FastAPI | Toolway, *, only: Collection[str] = (), tools: Collection[str] = ()) -> Report:
    """Lint the tools of an application without starting it.

    For use in the application's tests::

        def test_agents_can_use_every_endpoint() -> None:
            report = check(app)
            assert not report.errors

    Args:
        app: the application, linted with the filters of the first Toolway mounted on it, or a Toolway.
        only: ids of the rules to apply, such as ``{"D1", "N1"}``. Defaults to all.
        tools: names of the tools to report on. Defaults to all.

    Raises:
        ConfigurationError: a rule or a tool is unknown, or the catalog cannot be built.
    """
    engine = None if isinstance(app, Toolway) else mounted_on(app)
    toolway = app if isinstance(app, Toolway) else Toolway(app) if engine is None else engine.toolway
    catalog = toolway.read_catalog()
    return lint(catalog, server_name(catalog.title), only=only, tools=tools)
