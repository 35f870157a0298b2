"""The task of a program, passed as the argument of its command line, and the format of its report."""

from __future__ import annotations

import json
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

__all__ = ["Task", "agreement", "given", "tell"]


@dataclass(frozen=True)
class Task:
    """List the tools, call one and read a resource; then connect once more, as a client whose user confirms."""

    url: str
    """Where the server is; empty where the client starts it."""
    session_url: str
    """The same with sessions, in which the older revisions can ask the user."""
    command: list[str]
    """How the client starts the server; empty where there is a URL."""
    tool: str
    arguments: dict[str, Any]
    uri: str
    """The resource."""
    asking_tool: str
    """The tool that asks for confirmation."""
    asking_arguments: dict[str, Any]
    options: dict[str, Any]
    """The differences between entries of one program."""
    program: list[str]
    """The command line program that is the client, where it is one."""

    @property
    def executable(self) -> str:
        return self.command[0]

    @property
    def args(self) -> list[str]:
        return self.command[1:]


def given() -> Task:
    """Return the task."""
    return Task(**json.loads(sys.argv[1]))


def agreement(schema: Mapping[str, Any]) -> dict[str, bool]:
    """Return the form of a user who confirms everything."""
    return dict.fromkeys(schema["properties"], True)


def tell(**found: Any) -> None:
    """Print what came of it, as far as the client can do it.

    Args:
        **found: `tools`, the names that were listed; `answer`, the structured content of the call's result; `text`,
            that of the resource; `asked`, the questions to the user.
    """
    print(json.dumps(found))
