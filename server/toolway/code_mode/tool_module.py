"""The module ``tools``, from which programs import their functions."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import replace
from difflib import get_close_matches

from toolway.catalog import EndpointTool, Tool
from toolway.catalog.stubs import Signature, read_signatures, write_signature, write_stub

__all__ = ["ToolModule", "find_signatures"]

_WORD = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")
_MOST_SIGNATURES = 5


class ToolModule:
    """The functions that programs may import, by name.

    Args:
        tools: all tools of the server.
        allows_changes: whether programs may import tools that are not read-only. The user is asked before each call of
            one that is destructive or marked with ``confirm``.
    """

    def __init__(self, tools: Iterable[Tool], *, allows_changes: bool) -> None:
        found = read_signatures(tool for tool in tools if isinstance(tool, EndpointTool) and tool.task != "required")
        self._signatures = {
            function: replace(signature, tool=_with_confirmation(signature.tool))
            for function, signature in found.items()
            if allows_changes or signature.tool.annotations.read_only
        }
        self._refused = {
            function: signature.tool for function, signature in found.items() if function not in self._signatures
        }

    def select(self, code: str, is_visible: Callable[[Tool], bool]) -> Mapping[str, Signature]:
        """Return the functions whose names a program contains, as far as its caller may see their tools."""
        words = dict.fromkeys(_WORD.findall(code))
        found = {word: self._signatures[word] for word in words if word in self._signatures}
        return {name: signature for name, signature in found.items() if is_visible(signature.tool)}

    def stub(self, signatures: Mapping[str, Signature]) -> str:
        """Return the types of these functions, as the source of a ``.pyi`` file."""
        return write_stub(signatures.values())

    def explain_import(self, name: str, is_visible: Callable[[Tool], bool]) -> str:
        """Return why a name cannot be imported."""
        if (refused := self._refused.get(name)) is not None and is_visible(refused):
            return f"{name!r} is not read-only; programs may only import read-only tools. Call it as a tool instead."
        near = get_close_matches(name, self._signatures, n=3)
        visible = [repr(each) for each in near if is_visible(self._signatures[each].tool)]
        return f"There is no tool {name!r}." + (f" Did you mean {' or '.join(visible)}?" if visible else "")


def _with_confirmation(tool: Tool) -> Tool:
    """Return a tool whose every call in a program has to be confirmed, if it is destructive or marked so."""
    if not isinstance(tool, EndpointTool) or not (tool.annotations.destructive or tool.confirmation is not None):
        return tool
    named = ", ".join(f"{name}={{{name}}}" for name in tool.arguments if not set(name) & set("{}"))
    return replace(tool, confirmation=tool.confirmation or f"Run {tool.name}({named})?", always_confirms=True)


def find_signatures(signatures: Mapping[str, Signature], text: str) -> Sequence[str]:
    """Return the signatures of the functions that a text mentions, by their names or those of their classes."""
    words = set(_WORD.findall(text))
    written = {name: write_signature(signature.tool) for name, signature in signatures.items()}
    found = [
        source
        for name, source in written.items()
        if name in words or words & set(re.findall(r"^(?:class )?(\w+)(?:\(| = Typed)", source, flags=re.MULTILINE))
    ]
    return found[:_MOST_SIGNATURES]
