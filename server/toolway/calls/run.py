"""One call from name and arguments to outcome."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from difflib import get_close_matches
from typing import Any
from urllib.parse import SplitResult, unquote, urljoin, urlsplit

from toolway.calls.bind import Request, bind
from toolway.calls.context import CallContext
from toolway.calls.dispatch import Dispatcher, Reply
from toolway.calls.failures import internal_failure, refused_argument
from toolway.calls.outcome import Outcome
from toolway.calls.result import outcome_of
from toolway.catalog import Catalog, Tool
from toolway.errors import ArgumentError, UnknownToolError

__all__ = ["Calls"]

_REDIRECTS = frozenset({301, 302, 303, 307, 308})
_MOST_REDIRECTS = 5
_LONGEST_NAME = 100


class Calls:
    """Calls the tools of a catalogue; knows nothing of who asks, or in which protocol."""

    def __init__(self, catalog: Catalog, dispatcher: Dispatcher, *, ignore_unknown: bool = False) -> None:
        self._tools = catalog.tools
        self._dispatcher = dispatcher
        self._ignore_unknown = ignore_unknown

    def tool(self, name: str) -> Tool:
        """Return a listed tool.

        Raises:
            UnknownToolError: no such tool is listed; the text names the nearest.
        """
        tool = self._tools.get(name)
        if tool is None:
            name = name[:_LONGEST_NAME]  # a search for the nearest takes its time with a long one
            near = get_close_matches(name, self._tools, n=1)
            raise UnknownToolError(f"Unknown tool: {name!r}" + (f"; did you mean {near[0]!r}?" if near else ""))
        return tool

    async def call(self, name: str, arguments: Mapping[str, Any], context: CallContext) -> Outcome:
        """Call one tool. Whatever goes wrong inside is an outcome, too; only an unlisted tool is an exception.

        Raises:
            UnknownToolError: no such tool is listed.
        """
        tool = self.tool(name)
        try:
            request = bind(tool, arguments, ignore_unknown=self._ignore_unknown)
            return outcome_of(tool, await self._answer(tool, request, context))
        except ArgumentError as error:
            return refused_argument(error)
        except Exception as error:  # noqa: BLE001 - the outermost edge: nothing of it may reach the caller
            return internal_failure(name, error)

    async def _answer(self, tool: Tool, request: Request, context: CallContext) -> Reply:
        reply = await self._dispatcher.send(request, tool.operation, context)
        for _ in range(_MOST_REDIRECTS):
            target = reply.header(b"location") if reply.status in _REDIRECTS else ""
            following = self._followed(request, reply.status, target, context) if target else None
            if following is None:
                return reply
            tool, request = following
            reply = await self._dispatcher.send(request, tool.operation, context)
        return reply

    def _followed(
        self, request: Request, status: int, target: str, context: CallContext
    ) -> tuple[Tool, Request] | None:
        """The request that a redirect asks for, if it leads to a listed tool; others would widen what agents reach."""
        address = _within(self._dispatcher.address(request, context), target)
        root = self._dispatcher.root_path(context)
        path = unquote(address.path) if address is not None else ""
        if address is None or not path.startswith(f"{root}/"):
            return None
        path = path.removeprefix(root)
        keeps_method = status in {307, 308} or request.method in {"GET", "HEAD"}
        method = request.method if keeps_method else "GET"
        tool = self._tool_at(method, path)
        if tool is None:
            return None
        moved = replace(request, method=method, path=path, query=address.query.encode())
        return tool, moved if keeps_method else _without_body(moved)

    def _tool_at(self, method: str, path: str) -> Tool | None:
        """The listed tool that the router would run; a walk, as redirects are rare."""
        for tool in self._tools.values():
            template = tool.operation.template
            if tool.operation.method == method and template.pattern.fullmatch(path) and not template.is_taken(path):
                return tool
        return None


def _within(here: str, target: str) -> SplitResult | None:
    """The address that a redirect leads to; None for another host, and for what is no address."""
    try:
        address = urlsplit(urljoin(here, target))
    except ValueError:
        return None
    stays = address.scheme in {"http", "https"} and address.netloc == urlsplit(here).netloc
    return address if stays else None


def _without_body(request: Request) -> Request:
    headers = [header for header in request.headers if header[0] != b"content-type"]
    return replace(request, body=None, headers=headers)
