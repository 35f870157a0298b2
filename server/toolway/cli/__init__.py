"""The ``toolway`` command."""

from toolway.cli.commands import main

__all__ = ["main"]
