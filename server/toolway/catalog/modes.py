"""The ways to offer a catalog to agents: as a list, by search, or through programs."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from typing import Literal, TypeAlias

from toolway.errors import ConfigurationError

__all__ = ["ALL_MODES", "MODES", "CatalogChoice", "CatalogMode", "choose_mode", "read_mode", "too_large_for_list"]

CatalogMode: TypeAlias = Literal["list", "search", "code"]
"""``list``: all tools. ``search``: tools that find, describe and call the others. ``code``: tools that find the others,
and run programs which call them."""

CatalogChoice: TypeAlias = Literal["auto", "list", "search", "code"]
"""``auto`` is ``list`` for a catalog that a client can take, and ``search`` for a larger one."""

MODES: tuple[CatalogMode, ...] = ("list", "search", "code")
ALL_MODES = frozenset(MODES)

_PARAMETER = "catalog"
_LONGEST = 100
_MOST_TOOLS = 128
_MOST_TOKENS = 25_000


def choose_mode(query: Iterable[tuple[str, str]], default: CatalogMode) -> str:
    """Return the mode that the URL of a request asks for, which may be unknown, or the default."""
    return next((value for name, value in query if name == _PARAMETER), default)


def read_mode(query: Iterable[tuple[str, str]], default: CatalogMode, offered: Collection[CatalogMode]) -> CatalogMode:
    """Return the mode that the URL of a request asks for (``/mcp?catalog=search``).

    Raises:
        ConfigurationError: there is no such mode, or this server does not offer it.
    """
    chosen = choose_mode(query, default)
    for mode in offered:
        if mode == chosen:
            return mode
    expected = " or ".join(mode for mode in MODES if mode in offered)
    raise ConfigurationError(f"the URL asks for catalog={chosen[:_LONGEST]!r}; expected {expected}")


def too_large_for_list(tools: int, tokens: int) -> str:
    """Return why a catalog is too large for a list; empty if it is not."""
    if tools <= _MOST_TOOLS and tokens <= _MOST_TOKENS:
        return ""
    return f"a list of {tools:,} tools takes {tokens:,} tokens; the limits are {_MOST_TOOLS} and {_MOST_TOKENS:,}"
